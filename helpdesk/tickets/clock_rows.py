"""Rows of clocks: begin one, end one, say in the log what happened to it.

A ticket's row is the lock of its clocks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, Table, bindparam, insert, select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client
from helpdesk.events import event_row, record_all
from helpdesk.ext import skip_locked
from helpdesk.lib.errors import NotFound
from helpdesk.tickets import clocks
from helpdesk.tickets.clocks import BREACH
from helpdesk.tickets.models import Clock, ClockState, Metric, Priority, Status, Ticket
from helpdesk.tickets.promises import Promise, promise_by_id

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


class Facts(NamedTuple):
    """What of a ticket decides how its clocks count."""

    id: int
    status: Status
    queue_id: int
    priority: Priority
    first_response_at: datetime | None
    client_tags: list[str]


def locked(session: Session, query: Select[Any]) -> Select[Any]:
    """The query of clocks and tickets with both locked; what another worker holds is left out.

    A weak lock: others may still add messages and events to the tickets meanwhile.
    """
    return query.with_for_update(
        key_share=True, of=(Ticket, Clock), **skip_locked(session)
    ).execution_options(populate_existing=True)


def lock_facts(session: Session, ticket_id: int) -> Facts:
    """What decides about a ticket's clocks, its row locked. Raises NotFound."""
    row = session.execute(LOCK, {"ticket_id": ticket_id}).first()
    if row is None:
        raise NotFound()
    return Facts._make(row)


def unfinished(session: Session, ticket_id: int) -> list[Clock]:
    """The clocks of a ticket that did not stop yet, withdrawn ones as well, oldest first."""
    session.flush()
    query = select(Clock).where(Clock.ticket_id == ticket_id, Clock.stopped_at.is_(None))
    return list(session.scalars(query.order_by(Clock.id).execution_options(populate_existing=True)))


def new_clock(
    promise: Promise,
    ticket_id: int,
    metric: Metric,
    at: datetime,
    status: Status = Status.OPEN,
    agreed_at: datetime | None = None,
) -> Clock:
    """A clock that begins now, not in the session: `insert_clocks` writes it, which costs less.

    `agreed_at` is its deadline where a moment was agreed; else the policy must have a target.
    """
    start = clocks.whole(at)
    clock = Clock(
        ticket_id=ticket_id,
        metric=metric,
        policy_id=promise.id,
        counted=promise.generation,
        target_seconds=(
            clocks.until(start, agreed_at) if agreed_at is not None else promise.targets[metric]
        ),
        started_at=start,
        agreed_at=agreed_at and clocks.whole(agreed_at),
        paused_spans=[],
        stepped=[],
    )
    clocks.set_pause(clock, clocks.pause_reason(metric, status, promise), at)
    clocks.place(clock, promise, (), at)
    return clock


def insert_clocks(session: Session, started: Sequence[Clock]) -> None:
    """Write clocks that `new_clock` made."""
    if started:
        session.execute(INSERT, [row_of(clock) for clock in started])


def row_of(clock: Clock) -> dict[str, Any]:
    """The columns of a clock without its id."""
    return {key: getattr(clock, key) for key in COLUMNS}


def stop_clock(session: Session, clock: Clock, at: datetime) -> None:
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
