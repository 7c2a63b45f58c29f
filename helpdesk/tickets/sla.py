"""Verbs of the clocks: what a ticket's life does to its promises.

`tickets.actions` and `tickets.received` call these after they changed the ticket, inside the
same transaction; `at` is the moment of the change. Clocks of calls are in `tickets.call_clocks`.
First and next response end with an answer to the client, resolution with the ticket; both rest
while the ticket waits for the client. Starting leaves no event of its own: the message that
started a clock has one. A promise that no policy gives any more is *withdrawn*: its row has no
policy, shows nowhere and goes on counting in case a policy gives it again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client
from helpdesk.events import record_all
from helpdesk.tickets import clocks
from helpdesk.tickets.clock_rows import (
    CLOCKS,
    FACTS,
    INSERT,
    Facts,
    insert_clocks,
    lock_facts,
    locked,
    new_clock,
    row_of,
    said,
    say,
    stop_clock,
    unfinished,
)
from helpdesk.tickets.clocks import OF_CALLS, Pause
from helpdesk.tickets.models import DONE, Clock, ClockState, Metric, Priority, Status, Ticket
from helpdesk.tickets.promises import Promise, promise_by_id, promises, steps_of
from helpdesk.tickets.shown import show, show_all, summary, write_shown

RECOUNTED = "clock.recounted"
RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)
# Made once: building a statement costs more than running it.
OWED = select(CLOCKS.c.id).where(
    CLOCKS.c.ticket_id == bindparam("ticket_id"),
    CLOCKS.c.stopped_at.is_(None),
    CLOCKS.c.metric.in_(RESPONSES),
)


def opened(
    session: Session,
    ticket_id: int,
    *,
    at: datetime,
    priority: Priority,
    queue_id: int,
    client_tags: Sequence[str],
) -> None:
    """Start first response and resolution, as far as the policy that fits has targets for them."""
    known = promises(session)
    promise = known.pick(queue_id, priority, client_tags)
    if promise is None:
        return
    moment = promise.id, clocks.whole(at)
    if moment not in known.begun:
        known.begun[moment] = _begin(promise, at)
    rows, shown = known.begun[moment]
    if rows:
        session.execute(INSERT, [row | {"ticket_id": ticket_id} for row in rows])
    write_shown(session, {ticket_id: shown})


def _begin(promise: Promise, at: datetime) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of a new ticket's clocks, without ticket, and what the ticket shows of them."""
    both = (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
    started = [new_clock(promise, 0, metric, at) for metric in both if metric in promise.targets]
    return [row_of(clock) for clock in started], summary(started)


def client_wrote(session: Session, ticket_id: int, *, at: datetime) -> None:
    """A client's message joined the ticket: the next response is owed, unless one is already.

    Call `status_changed` first where the message opens the ticket again; a ticket that is done
    owes nothing.
    """
    facts = lock_facts(session, ticket_id)
    promise = promises(session).pick(facts.queue_id, facts.priority, facts.client_tags)
    if promise is None or Metric.NEXT_RESPONSE not in promise.targets or facts.status in DONE:
        return
    session.flush()
    if session.execute(OWED, {"ticket_id": ticket_id}).first() is not None:
        return
    live = unfinished(session, ticket_id)
    started = new_clock(promise, ticket_id, Metric.NEXT_RESPONSE, at, facts.status)
    insert_clocks(session, [started])
    show(session, ticket_id, [*live, started])


def answered(
    session: Session, ticket_id: int, *, at: datetime, owed_by: datetime | None = None
) -> None:
    """A person answered the client: the response that was owed is given, in time or late.

    Of an answer that is learnt of later, e.g. a call: only what was owed by then is given. What
    ended with the ticket is given too: opening it again owes no second answer.
    """
    facts = lock_facts(session, ticket_id)
    live = unfinished(session, ticket_id)
    for clock in live:
        if _response_by(clock, owed_by):
            stop_clock(session, clock, at)
    if facts.status in DONE:
        for clock in _ended_with_ticket(session, ticket_id):
            if _response_by(clock, owed_by):
                clocks.settle(clock)
    show(session, ticket_id, live)


def _response_by(clock: Clock, owed_by: datetime | None) -> bool:
    return clock.metric in RESPONSES and (owed_by is None or clock.started_at <= owed_by)


def status_changed(
    session: Session, ticket_id: int, *, old: Status, new: Status, at: datetime
) -> None:
    """Pause, go on, end or take up again, as the new status wants.

    A ticket that is done ends all its clocks: it owes no answer, so a response clock that was
    still in time counts as kept (`Ticket.first_response_at` tells whether there was an answer).
    Opening it again takes up exactly those clocks, and the time in between doesn't count.
    """
    facts = lock_facts(session, ticket_id)._replace(status=new)
    known = promises(session)
    live = unfinished(session, ticket_id)
    own = [clock for clock in live if clock.metric not in OF_CALLS]
    if new in DONE:
        for clock in own:
            stop_clock(session, clock, at)
            if clock.policy_id is not None:
                clocks.set_pause(clock, Pause.RESOLVED, at)
        show(session, ticket_id, [])
        return
    if old in DONE:
        promise = known.pick(facts.queue_id, facts.priority, facts.client_tags)
        own += _take_up(session, facts, promise, at)
    for clock in own:
        _align(session, clock, new, at)
    show(session, ticket_id, {*own, *live})


def conditions_changed(session: Session, ticket_id: int, *, at: datetime) -> None:
    """Priority, queue or the client's tags changed: count by the policy that fits now.

    What has elapsed counts by the new calendar against the new target from the start, so a clock
    may be late at once (the next sweep says so) or safe again; a recorded breach stays. Promises
    that the ticket had not got so far begin now.
    """
    facts = lock_facts(session, ticket_id)
    if facts.status in DONE:
        return
    known = promises(session)
    promise = known.pick(facts.queue_id, facts.priority, facts.client_tags)
    live = unfinished(session, ticket_id)
    for clock in live:
        if _recount(session, clock, facts, promise, at):
            say(session, clock, RECOUNTED, at)
    if promise is not None:
        live += _begin_missing(session, facts, promise, live, at)
    show(session, ticket_id, live)


def recount_due(session: Session, at: datetime, limit: int = 500) -> int:
    """Count clocks again whose policy or calendar changed since; how many were done.

    The worker calls it, each time in a transaction of its own, until it returns 0. Workers may
    share the work: rows that another one holds are left to it.
    """
    rows = _stale(session, limit)
    known = promises(session)
    moved = []
    with session.no_autoflush:
        for clock, facts in rows:
            promise = known.pick(facts.queue_id, facts.priority, facts.client_tags)
            if _recount(session, clock, facts, promise, at):
                moved.append(said(clock, RECOUNTED, at))
    session.flush()
    record_all(session, moved)
    show_all(session, {facts.id for _, facts in rows})
    return len(rows)


def recount_client(session: Session, client_id: int) -> None:
    """The client's tags changed: let `recount_due` choose anew for all their tickets."""
    tickets = select(Ticket.id).where(Ticket.client_id == client_id, Ticket.done_at.is_(None))
    query = update(Clock).where(Clock.ticket_id.in_(tickets), Clock.stopped_at.is_(None))
    session.execute(query.values(counted=0), execution_options={"synchronize_session": False})


def promise(session: Session, ticket_id: int) -> datetime | None:
    """By when the client was promised an answer, UTC: the deadline of the response that runs."""
    return session.scalar(
        select(Clock.due_at).where(
            Clock.ticket_id == ticket_id,
            Clock.stopped_at.is_(None),
            Clock.state == ClockState.RUNNING,
            Clock.metric.in_(RESPONSES),
        )
    )


def _stale(session: Session, limit: int) -> list[tuple[Clock, Facts]]:
    """Unfinished clocks that were counted by an older state of the policies, locked."""
    known = promises(session)
    live = select(Clock.id).where(Clock.stopped_at.is_(None)).limit(limit)
    behind = [(None, known.generation), *((one.id, one.generation) for one in known.by_id.values())]
    ids: list[int] = []
    for policy_id, generation in behind:  # one by one, so that each is a look into the index
        mine = live.where(Clock.policy_id == policy_id, Clock.counted < generation)
        ids += session.scalars(mine) if len(ids) < limit else ()
    query: Select[Any] = select(Clock, *FACTS, Client.tags)  # type: ignore[assignment]
    query = query.join(Ticket, Ticket.id == Clock.ticket_id)
    query = query.join(Client, Client.id == Ticket.client_id)
    query = query.where(Clock.id.in_(ids[:limit]), Clock.stopped_at.is_(None))
    found = session.execute(locked(session, query)) if ids else ()
    return [(clock, Facts(*facts)) for clock, *facts in found]


def _take_up(session: Session, facts: Facts, promise: Promise | None, at: datetime) -> list[Clock]:
    """The clocks that the end of the ticket ended, running again by the policy that fits now."""
    ended = _ended_with_ticket(session, facts.id)
    for clock in ended:
        clocks.resume(clock, at)
        if _recount(session, clock, facts, promise, at):
            say(session, clock, RECOUNTED, at)
        if clock.policy_id is not None:
            say(session, clock, "clock.resumed", at)
    return ended


def _ended_with_ticket(session: Session, ticket_id: int) -> list[Clock]:
    query = select(Clock).where(Clock.ticket_id == ticket_id, Clock.stopped_at.is_not(None))
    query = query.order_by(Clock.id)
    return [one for one in session.scalars(query) if clocks.open_pause(one) == Pause.RESOLVED]


def _align(session: Session, clock: Clock, status: Status, at: datetime) -> None:
    """Let the clock stand still or run, as the status wants."""
    promise = promise_by_id(session, clock.policy_id) if clock.policy_id is not None else None
    reason = clocks.pause_reason(clock.metric, status, promise)
    if not clocks.set_pause(clock, reason, at) or promise is None:
        return
    clocks.place(clock, promise, steps_of(session, promise, clock.metric), at)
    say(session, clock, "clock.paused" if reason else "clock.resumed", at)


def _recount(
    session: Session,
    clock: Clock,
    facts: Facts,
    promise: Promise | None,
    at: datetime,
) -> bool:
    """Count by the policy that fits now; a late clock without one keeps the one it had.

    Returns whether it is another promise than before, which the caller has to say.
    """
    before = clock.policy_id, clock.due_at, clock.target_seconds
    if promise is not None and clock.agreed_at is not None:
        clock.policy_id = promise.id
    elif promise is not None and clock.metric in promise.targets:
        clock.policy_id, clock.target_seconds = promise.id, promise.targets[clock.metric]
    elif clock.breached_at is not None and clock.policy_id is not None:
        promise = promise_by_id(session, clock.policy_id)
    else:
        clocks.withdraw(clock, promises(session).generation)
        return False
    clock.counted = promise.generation
    clocks.set_pause(clock, clocks.pause_reason(clock.metric, facts.status, promise), at)
    clocks.place(clock, promise, steps_of(session, promise, clock.metric), at)
    return before != (clock.policy_id, clock.due_at, clock.target_seconds)


def _begin_missing(
    session: Session, facts: Facts, promise: Promise, live: Sequence[Clock], at: datetime
) -> list[Clock]:
    running = {clock.metric for clock in live}
    wanted = {Metric.RESOLUTION}
    if facts.first_response_at is None and Metric.NEXT_RESPONSE not in running:
        wanted.add(Metric.FIRST_RESPONSE)
    wanted = {metric for metric in wanted - running if metric in promise.targets}
    if not wanted:
        return []
    query = select(Clock.metric).where(Clock.ticket_id == facts.id).distinct()
    wanted -= set(session.scalars(query))
    started = [new_clock(promise, facts.id, metric, at, facts.status) for metric in sorted(wanted)]
    insert_clocks(session, started)
    return started
