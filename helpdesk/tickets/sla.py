"""Verbs of the clocks: what a ticket's life does to its promises.

`tickets.actions` and `tickets.received` call these after they changed the ticket, inside the
same transaction; `at` is the moment of the change. A ticket's row is the lock of its clocks.
First and next response end with an answer to the client, resolution with the ticket; both rest
while the ticket waits for the client. Starting leaves no event of its own: the message that
started a clock has one. A promise that no policy gives any more is *withdrawn*: its row has no
policy, shows nowhere and goes on counting in case a policy gives it again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client
from helpdesk.events import event_row, record_all
from helpdesk.ext import skip_locked
from helpdesk.lib.errors import NotFound
from helpdesk.tickets import clocks
from helpdesk.tickets.clocks import BREACH, Pause
from helpdesk.tickets.models import (
    DONE,
    Clock,
    ClockState,
    Metric,
    Priority,
    Status,
    Ticket,
)
from helpdesk.tickets.promises import Promise, promise_by_id, promises, steps_of
from helpdesk.tickets.shown import show, show_all, summary, write_shown

RECOUNTED = "clock.recounted"
RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)
FACTS = (Ticket.id, Ticket.status, Ticket.queue_id, Ticket.priority, Ticket.first_response_at)
CLOCKS, TICKETS = cast(Table, Clock.__table__), cast(Table, Ticket.__table__)
COLUMNS = tuple(column.key for column in CLOCKS.columns if column.key != "id")
# Made once: building a statement costs more than running it.
INSERT = insert(CLOCKS)
LOCK = (
    select(*(TICKETS.c[column.key] for column in FACTS), cast(Table, Client.__table__).c.tags)
    .join_from(TICKETS, cast(Table, Client.__table__), Client.id == TICKETS.c.client_id)
    .where(TICKETS.c.id == bindparam("ticket_id"))
    .with_for_update(key_share=True, of=TICKETS)
)
OWED = select(CLOCKS.c.id).where(
    CLOCKS.c.ticket_id == bindparam("ticket_id"),
    CLOCKS.c.stopped_at.is_(None),
    CLOCKS.c.metric.in_(RESPONSES),
)


class Facts(NamedTuple):
    """What of a ticket decides how its clocks count."""

    id: int
    status: Status
    queue_id: int
    priority: Priority
    first_response_at: datetime | None
    client_tags: list[str]


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
    started = [_new(promise, 0, metric, at) for metric in both if metric in promise.targets]
    return [_row(clock) for clock in started], summary(started)


def client_wrote(session: Session, ticket_id: int, *, at: datetime) -> None:
    """A client's message joined the ticket: the next response is owed, unless one is already.

    Call `status_changed` first where the message opens the ticket again; a ticket that is done
    owes nothing.
    """
    facts = _lock(session, ticket_id)
    promise = promises(session).pick(facts.queue_id, facts.priority, facts.client_tags)
    if promise is None or Metric.NEXT_RESPONSE not in promise.targets or facts.status in DONE:
        return
    session.flush()
    if session.execute(OWED, {"ticket_id": ticket_id}).first() is not None:
        return
    live = _unfinished(session, ticket_id)
    started = _new(promise, ticket_id, Metric.NEXT_RESPONSE, at, facts.status)
    _insert(session, [started])
    show(session, ticket_id, [*live, started])


def answered(session: Session, ticket_id: int, *, at: datetime) -> None:
    """A person answered the client: the response that was owed is given, in time or late."""
    _lock(session, ticket_id)
    live = _unfinished(session, ticket_id)
    for clock in live:
        if clock.metric in RESPONSES:
            _stop(session, clock, at)
    show(session, ticket_id, live)


def status_changed(
    session: Session, ticket_id: int, *, old: Status, new: Status, at: datetime
) -> None:
    """Pause, go on, end or take up again, as the new status wants.

    A ticket that is done ends all its clocks: it owes no answer, so a response clock that was
    still in time counts as kept (`Ticket.first_response_at` tells whether there was an answer).
    Opening it again takes up exactly those clocks, and the time in between doesn't count.
    """
    facts = _lock(session, ticket_id)._replace(status=new)
    known = promises(session)
    live = _unfinished(session, ticket_id)
    if new in DONE:
        for clock in live:
            _stop(session, clock, at)
            if clock.policy_id is not None:
                clocks.set_pause(clock, Pause.RESOLVED, at)
        show(session, ticket_id, [])
        return
    if old in DONE:
        promise = known.pick(facts.queue_id, facts.priority, facts.client_tags)
        live += _take_up(session, facts, promise, at)
    for clock in live:
        _align(session, clock, new, at)
    show(session, ticket_id, live)


def conditions_changed(session: Session, ticket_id: int, *, at: datetime) -> None:
    """Priority, queue or the client's tags changed: count by the policy that fits now.

    What has elapsed counts by the new calendar against the new target from the start, so a clock
    may be late at once (the next sweep says so) or safe again; a recorded breach stays. Promises
    that the ticket had not got so far begin now.
    """
    facts = _lock(session, ticket_id)
    if facts.status in DONE:
        return
    known = promises(session)
    promise = known.pick(facts.queue_id, facts.priority, facts.client_tags)
    live = _unfinished(session, ticket_id)
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


def locked(session: Session, query: Select[Any]) -> Select[Any]:
    """The query of clocks and tickets with both locked; what another worker holds is left out.

    A weak lock: others may still add messages and events to the tickets meanwhile.
    """
    return query.with_for_update(
        key_share=True, of=(Ticket, Clock), **skip_locked(session)
    ).execution_options(populate_existing=True)


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


def _lock(session: Session, ticket_id: int) -> Facts:
    row = session.execute(LOCK, {"ticket_id": ticket_id}).first()
    if row is None:
        raise NotFound()
    return Facts._make(row)


def _unfinished(session: Session, ticket_id: int) -> list[Clock]:
    session.flush()
    query = select(Clock).where(Clock.ticket_id == ticket_id, Clock.stopped_at.is_(None))
    return list(session.scalars(query.order_by(Clock.id).execution_options(populate_existing=True)))


def _new(
    promise: Promise,
    ticket_id: int,
    metric: Metric,
    at: datetime,
    status: Status = Status.OPEN,
) -> Clock:
    """A clock that begins now, not in the session: `_insert` writes it, which costs less."""
    clock = Clock(
        ticket_id=ticket_id,
        metric=metric,
        policy_id=promise.id,
        counted=promise.generation,
        target_seconds=promise.targets[metric],
        started_at=clocks.whole(at),
        paused_spans=[],
        stepped=[],
    )
    clocks.set_pause(clock, clocks.pause_reason(status, promise), at)
    clocks.place(clock, promise, (), at)
    return clock


def _insert(session: Session, started: Sequence[Clock]) -> None:
    if started:
        session.execute(INSERT, [_row(clock) for clock in started])


def _row(clock: Clock) -> dict[str, Any]:
    return {key: getattr(clock, key) for key in COLUMNS}


def _stop(session: Session, clock: Clock, at: datetime) -> None:
    """End a clock with its event; a withdrawn one was never a promise and goes."""
    if clock.policy_id is None:
        session.delete(clock)
        clock.stopped_at = clocks.whole(at)
        return
    calendar = promise_by_id(session, clock.policy_id).calendar
    if clocks.stop(clock, calendar, at):
        say(session, clock, "clock.breached", at, key=BREACH)
    elif clock.state == ClockState.MET:
        say(session, clock, "clock.met", at)


def _take_up(session: Session, facts: Facts, promise: Promise | None, at: datetime) -> list[Clock]:
    """The clocks that the end of the ticket ended, running again by the policy that fits now."""
    query = select(Clock).where(Clock.ticket_id == facts.id, Clock.stopped_at.is_not(None))
    ended = [one for one in session.scalars(query) if clocks.open_pause(one) == Pause.RESOLVED]
    for clock in ended:
        clocks.resume(clock, at)
        if _recount(session, clock, facts, promise, at):
            say(session, clock, RECOUNTED, at)
        if clock.policy_id is not None:
            say(session, clock, "clock.resumed", at)
    return ended


def _align(session: Session, clock: Clock, status: Status, at: datetime) -> None:
    """Let the clock stand still or run, as the status wants."""
    promise = promise_by_id(session, clock.policy_id) if clock.policy_id is not None else None
    reason = clocks.pause_reason(status, promise)
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
    if promise is not None and clock.metric in promise.targets:
        clock.policy_id, clock.target_seconds = promise.id, promise.targets[clock.metric]
    elif clock.breached_at is not None and clock.policy_id is not None:
        promise = promise_by_id(session, clock.policy_id)
    else:
        clocks.withdraw(clock, promises(session).generation)
        return False
    clock.counted = promise.generation
    clocks.set_pause(clock, clocks.pause_reason(facts.status, promise), at)
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
    started = [_new(promise, facts.id, metric, at, facts.status) for metric in sorted(wanted)]
    _insert(session, started)
    return started


def say(
    session: Session, clock: Clock, kind: str, at: datetime, key: str | None = None, **data: Any
) -> None:
    """Write the Event of a clock; `key` makes it happen once in the clock's life."""
    record_all(session, [said(clock, kind, at, key, **data)])


def said(
    clock: Clock, kind: str, at: datetime, key: str | None = None, **data: Any
) -> dict[str, Any]:
    """The same Event as a row, for those who write many at once."""
    return event_row(
        kind,
        at=at,
        ticket_id=clock.ticket_id,
        key=f"clock:{clock.id}:{key}" if key else None,
        clock_id=clock.id,
        metric=clock.metric.value,
        **data,
    )
