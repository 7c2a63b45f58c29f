"""Verbs of the clocks of calls: how long a caller waits, and by when a callback is made.

Both run whatever the ticket's status is. A caller who hung up or came to the voicemail was not
answered: that is a breach also before the deadline. One who took a callback, or left at once,
counts neither way: their clock goes, unless it was late already. A callback is kept by the
first attempt, whether or not the client was reached; its deadline is the policy's target or the
moment that was agreed.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.tickets.clock_rows import (
    Facts,
    insert_clocks,
    lock_facts,
    new_clock,
    say,
    stop_clock,
    unfinished,
)
from helpdesk.tickets.clocks import BREACH, place, stop, until, whole
from helpdesk.tickets.models import Clock, ClockState, Metric
from helpdesk.tickets.promises import promise_by_id, promises, steps_of
from helpdesk.tickets.shown import show


class Wait(StrEnum):
    """How a caller's time in the queue ended."""

    WAITING = "waiting"
    ANSWERED = "answered"
    LOST = "lost"  # hung up, or was sent to the voicemail
    EXCUSED = "excused"  # took a callback, or hung up at once


def waited(
    session: Session,
    ticket_id: int,
    wait: Wait,
    *,
    since: datetime,
    queued_at: datetime,
    at: datetime,
) -> None:
    """Let the ticket say how long a caller waits: once for a call, however often it is told.

    `since`: when the call began, by which its clock is found; `at`: when the wait ended.
    """
    facts = lock_facts(session, ticket_id)
    clock = _of_call(session, ticket_id, since, at)
    if clock is None and wait != Wait.EXCUSED:
        clock = _begin(session, facts, Metric.SPEED_OF_ANSWER, queued_at)
    if clock is None or clock.stopped_at is not None:
        return
    if wait == Wait.ANSWERED:
        stop_clock(session, clock, at)
    elif wait == Wait.LOST:
        _lose(session, clock, at)
    elif wait == Wait.EXCUSED:
        _excuse(session, clock, at)
    show(session, ticket_id, unfinished(session, ticket_id))


def callback_promised(
    session: Session, ticket_id: int, *, at: datetime, agreed_at: datetime | None = None
) -> Clock | None:
    """Start the clock of a callback; None where no policy fits or promises it.

    Its `due_at` is the agreed moment, else what the policy's target makes of `at`.
    """
    facts = lock_facts(session, ticket_id)
    clock = _begin(session, facts, Metric.CALLBACK, at, agreed_at)
    if clock is not None:
        show(session, ticket_id, unfinished(session, ticket_id))
    return clock


def callback_moved(session: Session, clock: Clock, *, agreed_at: datetime, at: datetime) -> None:
    """Another moment was agreed. A breach that was recorded stays."""
    lock_facts(session, clock.ticket_id)
    if clock.stopped_at is not None:
        return
    clock.agreed_at = whole(agreed_at)
    clock.target_seconds = until(clock.started_at, agreed_at)
    if clock.policy_id is not None:
        promise = promise_by_id(session, clock.policy_id)
        place(clock, promise, steps_of(session, promise, clock.metric), at)
    show(session, clock.ticket_id, unfinished(session, clock.ticket_id))


def callback_made(session: Session, clock: Clock, *, at: datetime) -> None:
    """The client was phoned: the promise is kept, or was late."""
    lock_facts(session, clock.ticket_id)
    if clock.stopped_at is None and clock.policy_id is not None:
        stop_clock(session, clock, at)
    show(session, clock.ticket_id, unfinished(session, clock.ticket_id))


def callback_dropped(session: Session, clock: Clock, *, at: datetime) -> bool:
    """The callback is not needed any more: it counts neither way, unless it is late already.

    Returns whether the clock is gone; nothing may point to it then.
    """
    lock_facts(session, clock.ticket_id)
    gone = clock.stopped_at is None and _excuse(session, clock, at)
    show(session, clock.ticket_id, unfinished(session, clock.ticket_id))
    return gone


def _of_call(session: Session, ticket_id: int, since: datetime, end: datetime) -> Clock | None:
    session.flush()
    query = select(Clock).where(
        Clock.ticket_id == ticket_id,
        Clock.metric == Metric.SPEED_OF_ANSWER,
        Clock.started_at.between(whole(since), end),
    )
    return session.scalar(
        query.order_by(Clock.id).limit(1).execution_options(populate_existing=True)
    )


def _begin(
    session: Session, facts: Facts, metric: Metric, at: datetime, agreed_at: datetime | None = None
) -> Clock | None:
    promise = promises(session).pick(facts.queue_id, facts.priority, facts.client_tags)
    if promise is None or (agreed_at is None and metric not in promise.targets):
        return None
    started = new_clock(promise, facts.id, metric, at, facts.status, agreed_at)
    insert_clocks(session, [started])
    return _newest(session, facts.id, metric)


def _newest(session: Session, ticket_id: int, metric: Metric) -> Clock:
    query = select(Clock).where(Clock.ticket_id == ticket_id, Clock.metric == metric)
    return session.scalars(query.order_by(Clock.id.desc()).limit(1)).one()


def _lose(session: Session, clock: Clock, at: datetime) -> None:
    """Nobody answered: a breach, at the deadline or when the caller left, whichever was first."""
    if clock.policy_id is None:
        stop_clock(session, clock, at)
        return
    known = clock.breached_at is not None
    stop(clock, promise_by_id(session, clock.policy_id).calendar, at)
    if not known:
        clock.breached_at = clock.breached_at or clock.stopped_at
        clock.state = ClockState.BREACHED
        say(session, clock, "clock.breached", at, key=BREACH)


def _excuse(session: Session, clock: Clock, at: datetime) -> bool:
    """Forget a clock that is not late; whether it is gone."""
    if clock.breached_at is not None:
        stop_clock(session, clock, at)
        return False
    session.delete(clock)
    session.flush()
    return True
