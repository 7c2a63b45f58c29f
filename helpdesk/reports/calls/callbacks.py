"""Promised callbacks as rows of a report: which were due, and which were kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk.planner.models import Task, TaskKind, TaskResult
from helpdesk.reports.narrow import About, conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Ticket

GRACE = timedelta(minutes=5)
"""So long after the promised moment a callback is still kept."""
_ABOUT = About(
    queue=Task.queue_id,
    agent=Task.owner_id,
    client=Task.client_id,
    ticket=Task.ticket_id,
    language=Task.language,
    product=Ticket.product_id,
    reason=Ticket.reason_id,
)

_COLUMNS: tuple[Any, ...] = (
    Task.id,
    Task.due_at,
    Task.first_tried_at,
    Task.done_at,
    Task.result,
    Task.attempts,
    Task.queue_id,
    Task.owner_id,
    Task.client_id,
    Task.language,
    Ticket.product_id,
    Ticket.reason_id,
)


class Callback(NamedTuple):
    """A callback that was due; `moment` is the promised one."""

    id: int
    moment: datetime
    kept: bool
    talked: bool
    attempts: int
    queue_id: int | None
    user_id: int | None
    client_id: int | None
    language: str
    product_id: int | None
    reason_id: int | None

    @property
    def mark(self) -> tuple[bool, bool]:
        return self.kept, self.talked

    @property
    def numbers(self) -> tuple[float, ...]:
        return (self.attempts,)


def read(
    session: Session, ask: Ask, *, before: bool = False
) -> tuple[list[Callback], list[Callback]]:
    """Callbacks due in the period that can be judged by now, and with `before` those of the one
    before it. One statement.
    """
    earlier = ask.period.before()
    start = (earlier if before else ask.period).start
    rows = [_row(row) for row in session.execute(_query(session, ask, start)) if _due(row, ask.at)]
    now = _within(rows, ask.period, ask)
    return now, _within(rows, earlier, ask) if before else []


def _query(session: Session, ask: Ask, start: datetime) -> Select[Any]:
    query = select(*_COLUMNS).outerjoin(Ticket, Ticket.id == Task.ticket_id)
    query = query.where(
        Task.due_at >= start,
        Task.due_at < ask.period.end,
        Task.kind == TaskKind.CALLBACK,
        *conditions(session, ask.filters, ask.scope, _ABOUT),
    )
    return query.order_by(Task.due_at, Task.id)


def _due(row: Any, at: datetime) -> bool:
    """Tried, or neither tried nor called off until the grace was over."""
    if row.first_tried_at is not None:
        return True
    last = row.due_at + GRACE
    return bool(at > last and (row.done_at is None or row.done_at > last))


def _row(row: Any) -> Callback:
    tried = row.first_tried_at
    return Callback(
        id=row.id,
        moment=row.due_at,
        kept=tried is not None and tried <= row.due_at + GRACE,
        talked=row.result == TaskResult.TALKED,
        attempts=row.attempts,
        queue_id=row.queue_id,
        user_id=row.owner_id,
        client_id=row.client_id,
        language=row.language or "",
        product_id=row.product_id,
        reason_id=row.reason_id,
    )


def _within(rows: Sequence[Callback], period: Period, ask: Ask) -> list[Callback]:
    start, end = period.start, period.end
    return [
        row for row in rows if start <= row.moment < end and ask.filters.keeps(row.moment, period)
    ]
