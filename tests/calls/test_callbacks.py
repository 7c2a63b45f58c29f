"""Callbacks: promised in the queue, dialled at their place, by day and while the queue is open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk import ext, reactions
from helpdesk.calls import callbacks
from helpdesk.calls.models import Call, CallState, Direction
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.models import Client, Person
from helpdesk.events import SYSTEM, Event
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.planner import actions as planner
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.tickets import policies
from helpdesk.tickets.models import Metric, Policy, Queue
from tests.calls.phones import OURS, Phone
from tests.calls.story import NUMBER, Story, ring
from tests.cast import Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MORNING = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)  # the office opens


def promised(session: Session, cast: Cast, at: datetime, number: str = NUMBER) -> Story:
    """Who has waited for five minutes takes a callback and hangs up."""
    story = ring(session, cast, at - 6 * MINUTE).queue(at - 5 * MINUTE)
    callbacks.promise(session, story.call, number, at)
    return story.note(at, callback_at=at, left_at=at).over(at + 10 * SECOND)


def dialled(session: Session) -> list[Call]:
    query = select(Call).where(Call.direction == Direction.OUTBOUND).order_by(Call.id)
    return list(session.scalars(query))


def test_a_promise_keeps_the_place_and_has_a_clock(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policy = session.scalars(select(Policy).order_by(Policy.id)).first()
        assert policy is not None
        targets = {"callback": 1800, "speed_of_answer": 600}
        policies.change(session, policy, actor=SYSTEM, at=MONDAY, targets=targets)
        story = promised(session, cast, MONDAY)
        (task,) = story.tasks
        assert (task.due_at, task.next_at) == (MONDAY + 30 * MINUTE, MONDAY)
        assert task.place_at == MONDAY - 5 * MINUTE
        assert story.call.task_id == task.id
        assert story.clock(Metric.SPEED_OF_ANSWER) is None  # counts neither way
        again = callbacks.promise(session, story.call, "+380501112233", MONDAY + MINUTE)
        assert (again.id, again.number) == (task.id, "+380501112233")
        kinds = session.scalars(select(Event.kind).where(Event.kind == "call.callback"))
        assert len(kinds.all()) == 1


@pytest.mark.parametrize(
    ("number", "stopped", "kinds"),
    [
        (NUMBER, False, [OutgoingKind.SMS]),
        (NUMBER, True, [OutgoingKind.NOTICE]),  # wrote STOP: by email
        ("+380442345678", False, [OutgoingKind.NOTICE]),  # a landline
        ("+380442345678", True, []),  # typed: it may be somebody else's
    ],
)
def test_a_promise_comes_in_writing_too(
    app: Flask, cast: Cast, number: str, stopped: bool, kinds: list[OutgoingKind]
) -> None:
    """Once, in the caller's language, to a number that wants SMS; else to their own address."""
    own = NUMBER if kinds == [] else number
    with ext.write() as session:
        person = session.get_one(Person, cast.oksana.person_id)
        about: dict[str, Any] = {"kind": "phone", "value": own, "country": "UA"}
        point = add_contact_point(session, person, at=MONDAY, **about)
        point.sms_stopped_at = MONDAY if stopped else None
        session.get_one(Queue, cast.support.id).numbers = ["+380443334455"]
        story = ring(session, cast, MONDAY - 6 * MINUTE, number=own)
        story.queue(MONDAY - 5 * MINUTE)
        callbacks.promise(session, story.call, number, MONDAY)
    while reactions.react(limit=200):
        pass
    with ext.session() as session:
        query = select(Outgoing).where(Outgoing.key.startswith("callback:")).order_by(Outgoing.id)
        sent = session.scalars(query).all()
        assert [one.kind for one in sent] == kinds
        assert all("передзвонимо вам сьогодні до" in one.text for one in sent)
        assert {one.to_address for one in sent} <= {number, "oksana@client.example"}


def test_a_promised_callback_waits_at_its_place_for_an_agent(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        story = promised(session, cast, MONDAY)
        assert callbacks.waiting(session, MONDAY)
        assert [callbacks.due(session, MONDAY) for _ in range(3)] == [1, 0, 0]
        (call,) = dialled(session)
        assert (call.state, call.waiting, call.to_number) == (CallState.QUEUED, 1, NUMBER)
        assert (call.place_at, call.queue_id) == (MONDAY - 5 * MINUTE, cast.support.id)
        assert (call.ticket_id, call.client_id) == (story.call.ticket_id, story.call.client_id)
        assert [task.state for task in story.tasks] == [TaskState.TRYING]
        assert not callbacks.waiting(session, MONDAY + HOUR)


def test_who_calls_while_the_callback_waits_gets_the_place(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        first = promised(session, cast, MONDAY)
        callbacks.due(session, MONDAY)
        story = ring(session, cast, MONDAY + MINUTE).queue(MONDAY + 2 * MINUTE)
        (waiting,) = dialled(session)
        assert (waiting.state, waiting.waiting) == (CallState.ENDED, None)
        assert story.call.place_at == MONDAY - 5 * MINUTE
        (task,) = first.tasks
        assert (task.result, task.attempts) == (TaskResult.CALLED_AGAIN, 0)
        story.over(MONDAY + 3 * MINUTE)  # and hangs up once more: the place is kept for them
        assert [task.place_at for task in story.tasks] == 2 * [MONDAY - 5 * MINUTE]


def test_nobody_is_called_while_the_queue_is_closed(app: Flask, cast: Cast) -> None:
    evening = datetime(2026, 11, 23, 15, 59, 30, tzinfo=UTC)  # half a minute before the end
    with ext.write() as session:
        story = promised(session, cast, evening)
        callbacks.due(session, evening)
        (call,) = dialled(session)
        assert call.state == CallState.QUEUED
        closed = evening + MINUTE
        assert callbacks.waiting(session, closed)
        callbacks.due(session, closed)
        assert call.state == CallState.ENDED
        (task,) = story.tasks
        assert (task.state, task.attempts) == (TaskState.PLANNED, 0)
        callbacks.due(session, task.next_at or closed)
        assert task.next_at == MORNING
        callbacks.due(session, MORNING)
        assert len(dialled(session)) == 2


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Europe/Kyiv", MORNING), ("America/New_York", MORNING + 7 * HOUR)],
)
def test_what_was_put_off_comes_by_day(
    app: Flask, cast: Cast, zone: str, expected: datetime
) -> None:
    night = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    with ext.write() as session:
        story = promised(session, cast, night)
        theirs = update(Client).where(Client.id == story.call.client_id)
        session.execute(theirs.values(timezone=zone))
        session.expire_all()
        callbacks.due(session, night)
        assert [task.next_at for task in story.tasks] == [expected]
        assert dialled(session) == []


def test_a_callback_agreed_across_a_change_of_the_clocks_comes_at_its_hour(
    app: Flask, cast: Cast
) -> None:
    """Agreed on Friday for Monday 10:00; on Sunday Kyiv's clocks go forward."""
    friday = datetime(2027, 3, 26, 12, 0, tzinfo=UTC)
    ten = datetime(2027, 3, 29, 7, 0, tzinfo=UTC)
    with ext.write() as session:
        task = planner.plan(
            session,
            kind=TaskKind.CALLBACK,
            client_id=cast.oksana.client_id,
            number=NUMBER,
            queue_id=cast.support.id,
            due_at=datetime.fromisoformat("2027-03-29T10:00+03:00"),
            at=friday,
        )
        assert callbacks.due(session, ten - SECOND) == 0
        assert callbacks.due(session, ten) == 1
        assert task.state == TaskState.TRYING


def test_one_who_never_comes_through_is_no_endless_loop(
    app: Flask, cast: Cast, clock: time_machine.Traveller
) -> None:
    """The queue's calendar never opens."""
    with ext.write() as session:
        cast.office.weekly = {}
        session.merge(cast.office)
        story = promised(session, cast, MONDAY)
        callbacks.due(session, MONDAY)
        (task,) = story.tasks
        assert task.next_at is not None and task.next_at > MONDAY + HOUR


def test_many_are_taken_in_their_order(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        for n in range(5):
            planner.plan(
                session,
                kind=TaskKind.CALLBACK,
                client_id=cast.oksana.client_id,
                number=f"+38067000000{n}",
                queue_id=cast.support.id,
                place_at=MONDAY - n * MINUTE,
                next_at=MONDAY - n * MINUTE,
                at=MONDAY,
            )
        assert [callbacks.due(session, MONDAY, limit=3) for _ in range(3)] == [3, 2, 0]
        places = [call.place_at for call in dialled(session)]
        assert places == sorted(places)
        assert session.scalars(select(Task.id).where(Task.next_at.is_not(None))).all() == []


def test_who_hangs_up_waiting_is_called_back_by_the_next_free_agent(
    app: Flask, cast: Cast, phone: Phone
) -> None:
    """The whole way, over the carrier: their phone rings only once an agent has taken it."""
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).numbers = [OURS]
    caller = phone.call(NUMBER).listen()
    caller.press("0")
    while not caller.queue:
        phone.advance(1)
    phone.advance(20)
    caller.hang_up()
    agent = phone.agents[cast.alice].on_duty(cast.alice)
    phone.advance(200)
    assert agent.ringing is None  # they might call again by themselves
    phone.advance(120)
    agent.answer()
    phone.advance(2)
    theirs = phone.agents[NUMBER]
    theirs.answer()
    phone.advance(5)
    assert agent.legs[0].talks_with == ["customer"]
    theirs.legs[0].hang_up()
    phone.advance(2)
    with ext.session() as session:
        (task,) = session.scalars(select(Task)).all()
        assert (task.state, task.result, task.attempts) == (TaskState.DONE, TaskResult.TALKED, 1)
        calls = session.scalars(select(Call).order_by(Call.id)).all()
        assert {call.ticket_id for call in calls} == {task.ticket_id}
    assert phone.problems == []
