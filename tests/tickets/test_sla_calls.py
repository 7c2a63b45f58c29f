"""Clocks of calls: a caller waits, is answered, gives up or takes a callback."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, reactions
from helpdesk.events import SYSTEM, Event
from helpdesk.notices import Notice
from helpdesk.tickets import actions, call_clocks, policies, sla
from helpdesk.tickets.call_clocks import Wait
from helpdesk.tickets.escalation import sweep
from helpdesk.tickets.explain import explain
from helpdesk.tickets.models import Channel, Clock, ClockState, Metric, Policy, Status, Ticket
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
TARGET = 60


def phone_ticket(session: Session, cast: Cast, **targets: int) -> int:
    policy = session.scalars(select(Policy).order_by(Policy.id)).first()
    assert policy is not None
    wanted = {**policy.targets, "speed_of_answer": TARGET, **targets}
    policies.change(session, policy, actor=SYSTEM, at=MONDAY, targets=wanted)
    return open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="Phone call",
        channel=Channel.PHONE,
        language="uk",
        at=MONDAY,
    )


def wait(session: Session, ticket_id: int, how: Wait, at: datetime) -> None:
    call_clocks.waited(session, ticket_id, how, since=MONDAY, queued_at=MONDAY, at=at)


def speed(session: Session, ticket_id: int) -> Clock | None:
    query = select(Clock).where(
        Clock.ticket_id == ticket_id, Clock.metric == Metric.SPEED_OF_ANSWER
    )
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def events(session: Session, metric: Metric) -> list[str]:
    rows = session.execute(select(Event.kind, Event.data).order_by(Event.id))
    return [kind for kind, data in rows if data.get("metric") == metric]


@pytest.mark.parametrize(
    ("how", "seconds", "state"),
    [
        (Wait.ANSWERED, 59, ClockState.MET),
        (Wait.ANSWERED, 61, ClockState.BREACHED),
        (Wait.LOST, 30, ClockState.BREACHED),
        (Wait.LOST, 90, ClockState.BREACHED),
        (Wait.EXCUSED, 30, None),
        (Wait.EXCUSED, 90, ClockState.BREACHED),
    ],
)
def test_a_wait_ends_as_the_caller_saw_it(
    app: Flask, cast: Cast, how: Wait, seconds: int, state: ClockState | None
) -> None:
    with ext.write() as session:
        ticket_id, end = phone_ticket(session, cast), MONDAY + seconds * SECOND
        for _again in range(2):
            wait(session, ticket_id, Wait.WAITING, MONDAY)
        clock = speed(session, ticket_id)
        assert clock is not None and clock.due_at == MONDAY + MINUTE
        sweep(session, end)
        for _again in range(2):
            wait(session, ticket_id, how, end)
        clock = speed(session, ticket_id)
        assert (clock.state if clock else None) == state
        if clock is not None:
            assert clock.stopped_at == end
            assert (clock.breached_at is None) == (state == ClockState.MET)
            shown = explain(session, ticket_id, end + HOUR)
            mine = next(one for one in shown if one.metric == Metric.SPEED_OF_ANSWER)
            assert sum(span["seconds"] for span in mine.spans) >= min(seconds, TARGET)
            assert events(session, Metric.SPEED_OF_ANSWER).count("clock.breached") == (
                state == ClockState.BREACHED
            )


def test_a_wait_that_is_told_of_late_counts_as_it_was(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = phone_ticket(session, cast)
        wait(session, ticket_id, Wait.ANSWERED, MONDAY + 20 * SECOND)
        clock = speed(session, ticket_id)
        assert clock is not None and clock.state == ClockState.MET
        second = MONDAY + HOUR  # another call on the same ticket has a clock of its own
        call_clocks.waited(
            session, ticket_id, Wait.WAITING, since=second, queued_at=second, at=second
        )
        wait(session, ticket_id, Wait.EXCUSED, MONDAY + 20 * SECOND)
        query = select(Clock.stopped_at).where(Clock.metric == Metric.SPEED_OF_ANSWER)
        assert session.scalars(query.order_by(Clock.id)).all() == [MONDAY + 20 * SECOND, None]


def test_callers_and_callbacks_wait_whatever_becomes_of_the_ticket(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = phone_ticket(session, cast, callback=3600)
        ticket = session.get_one(Ticket, ticket_id)
        wait(session, ticket_id, Wait.WAITING, MONDAY)
        kept = call_clocks.callback_promised(session, ticket_id, at=MONDAY)
        assert kept is not None and kept.due_at == MONDAY + HOUR
        for status in (Status.PENDING, Status.RESOLVED, Status.OPEN):
            actions.set_status(session, ticket, status, actor=SYSTEM, at=MONDAY + 10 * SECOND)
            session.expire_all()
            assert (kept.state, kept.due_at) == (ClockState.RUNNING, MONDAY + HOUR)
        clock = speed(session, ticket_id)
        assert clock is not None and clock.paused_spans == []
        sla.answered(session, ticket_id, at=MONDAY + MINUTE)
        assert kept.stopped_at is None
        call_clocks.callback_made(session, kept, at=MONDAY + HOUR)
        assert kept.state == ClockState.MET


def test_policies_that_change_are_followed_but_not_by_what_was_agreed(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        ticket_id = phone_ticket(session, cast, callback=3600)
        agreed = MONDAY + 30 * HOUR
        first = call_clocks.callback_promised(session, ticket_id, at=MONDAY, agreed_at=agreed)
        second = call_clocks.callback_promised(session, ticket_id, at=MONDAY)
        assert first is not None and second is not None
        phone_ticket(session, cast, callback=7200)
        sla.recount_due(session, MONDAY)
        session.expire_all()
        assert (first.due_at, second.due_at) == (agreed, MONDAY + 2 * HOUR)
        policy = session.scalars(select(Policy).order_by(Policy.id)).first()
        assert policy is not None
        policies.change(session, policy, actor=SYSTEM, at=MONDAY, targets={"resolution": 3600})
        sla.recount_due(session, MONDAY)
        session.expire_all()
        assert (first.due_at, second.policy_id) == (agreed, None)  # nothing promises it any more
        sweep(session, agreed)
        session.expire_all()
        assert (first.state, second.state) == (ClockState.BREACHED, ClockState.PAUSED)


def test_a_late_callback_is_told_of_and_a_late_answer_is_not(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = phone_ticket(session, cast, callback=3600)
        wait(session, ticket_id, Wait.WAITING, MONDAY)
        call_clocks.callback_promised(session, ticket_id, at=MONDAY)
        sweep(session, MONDAY + HOUR)
    while reactions.react(limit=200):
        pass
    with ext.session() as session:
        rows = session.execute(
            select(Notice.kind, Event.data)
            .join(Event, Event.id == Notice.event_id)
            .order_by(Notice.id)
        )
        told = {(kind, data["metric"]) for kind, data in rows}
    assert told == {("clock.warned", "callback"), ("clock.breached", "callback")}


def test_without_a_promise_there_is_no_clock(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = phone_ticket(session, cast)
        assert call_clocks.callback_promised(session, ticket_id, at=MONDAY) is None
        policy = session.scalars(select(Policy).order_by(Policy.id)).first()
        assert policy is not None
        policies.change(session, policy, actor=SYSTEM, at=MONDAY, targets={"resolution": 3600})
        for how in Wait:
            wait(session, ticket_id, how, MONDAY + MINUTE)
        assert speed(session, ticket_id) is None
