"""Planned contacts: agreed, taken, tried, given up; by day, once for a number, with a clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.permissions import viewer_of
from helpdesk.clients.models import Client
from helpdesk.events import SYSTEM, Actor, Event
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from helpdesk.planner import actions, quiet, reminders
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.planner.queries import open_tasks
from helpdesk.tickets import policies
from helpdesk.tickets.escalation import sweep
from helpdesk.tickets.explain import explain
from helpdesk.tickets.models import Channel, Clock, ClockState, Metric, Policy
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NUMBER = "+380671234567"


@contextmanager
def thrown_away() -> Iterator[Session]:
    """A write transaction of which nothing stays."""
    with ext.write() as session, session.begin_nested() as savepoint:
        yield session
        savepoint.rollback()


def ticket_of(session: Session, cast: Cast, at: datetime = MONDAY) -> int:
    return open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="Call",
        channel=Channel.PHONE,
        language="uk",
        at=at,
    )


def callback(session: Session, cast: Cast, at: datetime = MONDAY, **about: Any) -> Task:
    given = {"number": NUMBER, "queue_id": cast.support.id, "client_id": cast.oksana.client_id}
    return actions.plan(session, kind=TaskKind.CALLBACK, at=at, **given | about)


def promise_callbacks(session: Session, seconds: int = 3600) -> None:
    policy = session.scalars(select(Policy).order_by(Policy.id)).first()
    assert policy is not None
    targets = {**policy.targets, "callback": seconds}
    policies.change(session, policy, actor=SYSTEM, at=MONDAY, targets=targets)


def clock_of(session: Session, task: Task) -> Clock:
    return session.get_one(Clock, task.clock_id, populate_existing=True)


def kinds(session: Session, task: Task) -> list[str]:
    query = select(Event.kind).where(Event.kind.like("task.%")).order_by(Event.id)
    return list(session.scalars(query))


def test_a_contact_is_planned_changed_taken_and_done(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = ticket_of(session, cast)
        about = {"client_id": cast.oksana.client_id, "ticket_id": ticket_id}
        task = actions.plan(
            session,
            kind=TaskKind.VISIT,
            title="  Look at the\nboiler ",
            at=MONDAY,
            due_at=MONDAY + DAY,
            actor=Actor(user_id=cast.sam.id),
            **about,
        )
        assert (task.state, task.title) == (TaskState.PLANNED, "Look at the boiler")
        assert (task.next_at, task.clock_id) == (MONDAY + DAY, None)
        version = task.version
        actions.take(session, task, user_id=cast.alice.id, at=MONDAY)
        with pytest.raises(Conflict, match="Alice has this already"):
            actions.take(session, task, user_id=cast.bob.id, at=MONDAY)
        with pytest.raises(Conflict, match="in the meantime"):
            actions.change(
                session, task, actor=SYSTEM, at=MONDAY, version=version, owner_id=cast.bob.id
            )
        for wrong, field in (
            ({"due_at": MONDAY}, "due"),
            ({"owner_id": 999_999}, "owner"),
        ):
            with pytest.raises(HelpdeskError) as caught:
                actions.change(session, task, actor=SYSTEM, at=MONDAY, **wrong)
            assert caught.value.field == field
        with pytest.raises(TypeError):
            actions.change(session, task, actor=SYSTEM, at=MONDAY, state="done")
        actions.change(session, task, actor=SYSTEM, at=MONDAY, due_at=MONDAY + 2 * DAY)
        assert task.next_at == task.due_at == MONDAY + 2 * DAY
        actor = Actor(user_id=cast.alice.id)
        actions.done(session, task, actor=actor, at=MONDAY + DAY, outcome=" Replaced the valve ")
        assert (task.state, task.outcome, task.next_at) == (
            TaskState.DONE,
            "Replaced the valve",
            None,
        )
        for verb in (actions.done, actions.cancel):
            with pytest.raises(Conflict, match="over already"):
                verb(session, task, actor=actor, at=MONDAY + DAY)
        actions.restore(session, task, actor=actor, at=MONDAY + DAY)
        assert (task.state, task.done_at, task.next_at) == (
            TaskState.PLANNED,
            None,
            MONDAY + 2 * DAY,
        )
        assert kinds(session, task) == [
            "task.planned",
            "task.changed",
            "task.changed",
            "task.done",
            "task.changed",
        ]
        for bad in ({"due_at": MONDAY - HOUR}, {}):
            with pytest.raises(HelpdeskError) as caught:
                actions.plan(session, kind=TaskKind.MEETING, at=MONDAY, **about, **bad)
            assert caught.value.field == "due"


def test_a_number_has_one_open_callback_in_a_queue(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        first = callback(session, cast)
        assert callback(session, cast, MONDAY + HOUR) is first
        assert callback(session, cast, queue_id=cast.billing.id) is not first
        assert callback(session, cast, number="+380501112233") is not first
        agreed = callback(session, cast, due_at=MONDAY + DAY, owner_id=cast.alice.id)
        assert agreed is first
        assert (first.due_at, first.next_at) == (MONDAY + DAY, MONDAY + DAY)
        place = MONDAY - 10 * MINUTE
        callback(session, cast, MONDAY + HOUR, place_at=place)
        assert (first.place_at, first.next_at) == (place, MONDAY + HOUR)
        actions.cancel(session, first, actor=SYSTEM, at=MONDAY + HOUR)
        second = callback(session, cast, MONDAY + 2 * HOUR)
        assert second is not first
        with pytest.raises(Conflict, match="Another callback"):
            actions.restore(session, first, actor=SYSTEM, at=MONDAY + 2 * HOUR)


def test_who_is_not_reached_is_tried_three_times_more_and_then_given_up(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        task = callback(session, cast, ticket_id=ticket_of(session, cast))
        at, waits = MONDAY, []
        for attempt in range(4):
            assert actions.begin(session, task, at=at)
            assert not actions.begin(session, task, at=at)
            for _again in range(2):  # the same call counts once
                actions.tried(session, task, TaskResult.NO_ANSWER, at=at, call_id=attempt + 1)
            assert task.attempts == attempt + 1
            if task.next_at is not None:
                waits.append(task.next_at - at)
                at = task.next_at
        assert waits == [15 * MINUTE, 2 * HOUR, DAY]
        assert (task.state, task.result) == (TaskState.FAILED, TaskResult.NO_ANSWER)
        assert task.first_tried_at == MONDAY
        assert kinds(session, task)[-2:] == ["task.tried", "task.failed"]
        actions.restore(session, task, actor=SYSTEM, at=at)
        assert (task.attempts, task.state) == (0, TaskState.PLANNED)
        actions.tried(session, task, TaskResult.WRONG_NUMBER, at=at)
        assert task.state == TaskState.FAILED


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("Europe/Kyiv", "2026-11-23T17:50", "2026-11-24T07:00"),  # 19:50 there, 20:05 is too late
        ("Europe/Kyiv", "2026-11-23T17:40", "2026-11-23T17:55"),
        ("America/New_York", "2026-11-23T10:00", "2026-11-23T14:00"),  # night there
        ("Europe/Kyiv", "2027-03-27T18:10", "2027-03-28T06:00"),  # clocks go forward that night
        ("Europe/Kyiv", "2026-10-24T17:10", "2026-10-25T07:00"),  # and back
    ],
)
def test_nobody_is_phoned_at_night_where_they_live(
    app: Flask, cast: Cast, zone: str, at: str, expected: str
) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    with thrown_away() as session:
        mine = update(Client).where(Client.id == cast.oksana.client_id)
        session.execute(mine.values(timezone=zone))
        task = callback(session, cast, moment)
        actions.tried(session, task, TaskResult.BUSY, at=moment)
        assert task.next_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
        night = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
        agreed = callback(session, cast, number="+1", due_at=night)
        assert agreed.next_at == night  # they asked for it


def test_the_next_day_is_the_same_time_on_the_wall_when_the_clocks_change() -> None:
    saturday = datetime(2027, 3, 27, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
    assert quiet.next_day(saturday, "Europe/Kyiv") == datetime(2027, 3, 28, 9, 0, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 9, 0, tzinfo=UTC)  # 12:00 in Kyiv
    assert quiet.next_day(autumn, "Europe/Kyiv") == datetime(2026, 10, 25, 10, 0, tzinfo=UTC)


def test_a_callback_is_due_by_the_policy_and_kept_by_the_first_attempt(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        promise_callbacks(session)
        task = callback(session, cast, ticket_id=ticket_of(session, cast))
        clock = clock_of(session, task)
        assert (clock.metric, clock.state) == (Metric.CALLBACK, ClockState.RUNNING)
        assert task.due_at == clock.due_at == MONDAY + HOUR
        actions.tried(session, task, TaskResult.NO_ANSWER, at=MONDAY + 50 * MINUTE)
        assert (clock_of(session, task).state, task.done_at) == (ClockState.MET, None)
        actions.tried(session, task, TaskResult.TALKED, at=MONDAY + 2 * HOUR)
        assert (clock_of(session, task).state, task.state) == (ClockState.MET, TaskState.DONE)


def test_an_agreed_moment_is_its_own_deadline_and_is_explained(app: Flask, cast: Cast) -> None:
    evening = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 19:00: the office is closed
    with ext.write() as session:
        task = callback(session, cast, ticket_id=ticket_of(session, cast), due_at=evening)
        assert clock_of(session, task).due_at == evening
        shown = explain(session, task.ticket_id or 0, MONDAY + HOUR)
        mine = next(one for one in shown if one.metric == Metric.CALLBACK)
        assert (mine.due_at, mine.calendar, mine.target_seconds) == (evening, None, 7 * 3600)
        assert [span["counted"] for span in mine.spans] == [True]
        later = evening + HOUR
        actions.change(session, task, actor=SYSTEM, at=MONDAY + HOUR, due_at=later)
        promise_callbacks(session)
        assert clock_of(session, task).due_at == later
        sweep(session, later)
        assert clock_of(session, task).state == ClockState.BREACHED
        actions.cancel(session, task, actor=SYSTEM, at=later + HOUR)
        assert clock_of(session, task).stopped_at == later + HOUR


def test_a_callback_that_is_not_needed_counts_neither_way(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_callbacks(session)
        task = callback(session, cast, ticket_id=ticket_of(session, cast))
        actions.cancel(
            session, task, actor=SYSTEM, at=MONDAY + MINUTE, result=TaskResult.CALLED_AGAIN
        )
        assert task.clock_id is None
        metrics = session.scalars(select(Clock.metric).order_by(Clock.id)).all()
        assert Metric.CALLBACK not in metrics
        actions.restore(session, task, actor=SYSTEM, at=MONDAY + 2 * MINUTE)
        assert clock_of(session, task).due_at == task.due_at


def test_lists_show_what_is_to_be_done_to_whom_it_concerns(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ids = [
            callback(session, cast, number=f"+38067000000{n}", due_at=MONDAY + (5 - n) * HOUR).id
            for n in range(4)
        ]
        other = callback(session, cast, queue_id=cast.billing.id, owner_id=cast.alice.id)
        callback(session, cast, number="+380679999999").done_at = MONDAY
        alice, bob = viewer_of(session, cast.alice), viewer_of(session, cast.bob)
        first = open_tasks(session, alice, "all", at=MONDAY, limit=3)
        rest = open_tasks(session, alice, "all", at=MONDAY, limit=3, cursor=first.cursor)
        assert {one.id for one in (*first.tasks, *rest.tasks)} == {*ids, other.id}
        dues = [one.due_at for one in (*first.tasks, *rest.tasks)]
        assert dues == sorted(dues)
        assert rest.cursor is None
        assert [one.id for one in open_tasks(session, bob, "all", at=MONDAY).tasks] == [other.id]
        assert [one.id for one in open_tasks(session, alice, "mine", at=MONDAY).tasks] == [other.id]
        support = f"queue:{cast.support.id}"
        assert len(open_tasks(session, alice, support, at=MONDAY).tasks) == 4
        assert open_tasks(session, bob, support, at=MONDAY).tasks == []
        late = open_tasks(session, alice, "overdue", at=MONDAY + 3 * HOUR)
        assert [one.id for one in late.tasks] == [ids[3]]
        for view, cursor in (("queue:x", None), ("nobody's", None), ("all", "1-x"), ("all", "9")):
            with pytest.raises(NotFound):
                open_tasks(session, alice, view, at=MONDAY, cursor=cursor)


def test_the_owner_is_reminded_once(app: Flask, cast: Cast, clock: time_machine.Traveller) -> None:
    with ext.write() as session:
        mine = callback(session, cast, due_at=MONDAY + HOUR, owner_id=cast.alice.id)
        callback(session, cast, number="+380501112233")  # is dialled, nobody need be told
        assert not reminders.due(session, MONDAY)
        assert reminders.due(session, MONDAY + HOUR)
        assert [reminders.remind(session, MONDAY + HOUR) for _ in range(2)] == [1, 0]
        actions.change(session, mine, actor=SYSTEM, at=MONDAY + HOUR, due_at=MONDAY + 2 * HOUR)
        assert reminders.remind(session, MONDAY + 2 * HOUR) == 1
        query = select(Event.data).where(Event.kind == "task.due").order_by(Event.id)
        assert [data["task_id"] for data in session.scalars(query)] == [mine.id, mine.id]


VERBS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "no", "busy", "talk", "done", "cancel", "restore", "again"]),
        st.integers(0, 3000),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(story=VERBS)
def test_whatever_happens_a_task_is_either_open_with_a_time_or_over(
    app: Flask, cast: Cast, story: list[tuple[str, int]]
) -> None:
    with thrown_away() as session:
        promise_callbacks(session)
        task, at = callback(session, cast, ticket_id=ticket_of(session, cast)), MONDAY
        for n, (verb, minutes) in enumerate(story):
            at += minutes * MINUTE
            try:
                _do(session, cast, task, verb, at, n)
            except Conflict:
                assert task.done_at is not None
            _holds(session, task, at)


def _do(session: Session, cast: Cast, task: Task, verb: str, at: datetime, n: int) -> None:
    tried = {
        "no": TaskResult.NO_ANSWER,
        "busy": TaskResult.BUSY,
        "talk": TaskResult.TALKED,
    }
    if verb == "begin":
        actions.begin(session, task, at=at)
    elif verb in tried:
        actions.tried(session, task, tried[verb], at=at, call_id=n)
    elif verb == "again" and task.done_at is None:
        assert callback(session, cast, at) is task
    elif verb in ("done", "cancel", "restore"):
        getattr(actions, verb)(session, task, actor=SYSTEM, at=at)


def _holds(session: Session, task: Task, at: datetime) -> None:
    session.flush()
    over = task.state in (TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED)
    assert over == (task.done_at is not None)
    assert (task.next_at is not None) == (task.state == TaskState.PLANNED)
    assert 0 <= task.attempts <= 4
    live = session.scalars(
        select(Clock).where(Clock.metric == Metric.CALLBACK, Clock.stopped_at.is_(None))
    ).all()
    assert len(live) <= 1
    if over or task.first_tried_at is not None:
        assert not live
