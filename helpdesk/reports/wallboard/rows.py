"""Raw rows of the present, as the wallboard adds them up: tickets, callers, callbacks, people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, union_all
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Presence
from helpdesk.calls.models import Call
from helpdesk.planner.models import Task, TaskKind
from helpdesk.reports.calls.rows import ABOUT as CALLS
from helpdesk.reports.filters import Filters
from helpdesk.reports.narrow import About, conditions
from helpdesk.reports.scope import Scope, tickets_in
from helpdesk.tickets.models import Queue, Ticket

SOON = timedelta(hours=1)
"""What is due within this time is at risk on the wallboard."""
NEXT = 6
OVERDUE = 3  # of those, at most

_CALLBACKS = About(
    queue=Task.queue_id,
    agent=Task.owner_id,
    client=Task.client_id,
    ticket=Task.ticket_id,
    language=Task.language,
)
Rows = Sequence[Any]


def active() -> list[ColumnElement[bool]]:
    """Tickets somebody still has to work on."""
    return [Ticket.done_at.is_(None), Ticket.merged_into_id.is_(None)]


def breached() -> ColumnElement[bool]:
    """A promise on the ticket is broken and not answered yet."""
    return Ticket.sla == "breached"


def due_soon(at: datetime) -> ColumnElement[bool]:
    """The next promise ends within the hour, and none is broken yet."""
    whole = or_(Ticket.sla.is_(None), Ticket.sla != "breached")
    return and_(Ticket.next_due_at.is_not(None), Ticket.next_due_at <= at + SOON, whole)


def unanswered() -> ColumnElement[bool]:
    """The client wrote last and nobody has answered."""
    return Ticket.waiting_since.is_not(None)


def callbacks_due(at: datetime) -> ColumnElement[bool]:
    """Promised for now, for the next hour or for a moment that has passed."""
    return Task.due_at <= at + SOON


def tickets(session: Session, scope: Scope, at: datetime) -> Rows:
    """Active tickets by queue and assignee, in one statement."""
    query = select(
        Ticket.queue_id,
        Ticket.assignee_id,
        func.count().label("open"),
        _count(unanswered()).label("unanswered"),
        func.min(Ticket.waiting_since).label("oldest"),
        _count(due_soon(at)).label("due"),
        _count(breached()).label("breached"),
    )
    query = query.where(*active(), *tickets_in(scope))
    return session.execute(query.group_by(Ticket.queue_id, Ticket.assignee_id)).all()


def callers(session: Session, scope: Scope) -> Rows:
    """Who waits on the telephone, by queue."""
    query = select(
        Call.queue_id, func.count().label("calls"), func.min(Call.queued_at).label("first")
    )
    query = query.where(*calls_in(session, Filters(), scope))
    return session.execute(query.group_by(Call.queue_id)).all()


def callbacks(session: Session, scope: Scope, at: datetime) -> Rows:
    """Open callbacks that are due, by queue and owner."""
    query = select(
        Task.queue_id,
        Task.owner_id,
        func.count().label("callbacks"),
        _count(Task.due_at < at).label("late"),
    )
    query = query.where(*callbacks_in(session, Filters(), scope), callbacks_due(at))
    return session.execute(query.group_by(Task.queue_id, Task.owner_id)).all()


def people(session: Session) -> Rows:
    """Active staff with what they do on the telephone, in order of name."""
    query = (
        select(
            User.id,
            User.name,
            User.team_id,
            Presence.state,
            Presence.since,
            Presence.paused,
            Presence.call_id,
        )
        .outerjoin(Presence, Presence.user_id == User.id)
        .where(User.active.is_(True))
        .order_by(User.sort_key, User.id)
    )
    return session.execute(query).all()


def talks(session: Session, call_ids: Sequence[int]) -> dict[int, Any]:
    """The calls that people are on."""
    if not call_ids:
        return {}
    query = select(Call.id, Call.ticket_id, Call.answered_at, Call.queue_id)
    return {row.id: row for row in session.execute(query.where(Call.id.in_(call_ids)))}


def next_due(session: Session, scope: Scope, at: datetime) -> list[Any]:
    """Whose promise ends next, behind the latest that are broken already; by their moment. One
    statement."""
    columns = (Ticket.id, Ticket.subject, Ticket.assignee_id, Ticket.next_due_at, Ticket.sla)
    query = select(*columns).where(*active(), *tickets_in(scope))
    late = query.where(breached(), Ticket.next_due_at <= at)
    late = late.order_by(Ticket.next_due_at.desc(), Ticket.id.desc()).limit(OVERDUE)
    soon = query.where(Ticket.next_due_at > at, Ticket.next_due_at <= at + SOON)
    soon = soon.order_by(Ticket.next_due_at, Ticket.id).limit(NEXT)
    both = union_all(select(late.subquery()), select(soon.subquery())).subquery()
    rows = session.execute(select(both).order_by(both.c.next_due_at, both.c.id))
    return list(rows)[:NEXT]


def queues(session: Session) -> Rows:
    """All queues in order of name; those out of use only count if something lies in them."""
    query = select(Queue.id, Queue.name, Queue.team_id, Queue.active)
    return session.execute(query.order_by(Queue.sort_key, Queue.id)).all()


def calls_in(session: Session, filters: Filters, scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions on Call: who waits now."""
    return [Call.waiting.is_not(None), *conditions(session, filters, scope, CALLS)]


def callbacks_in(session: Session, filters: Filters, scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions on Task: callbacks nobody has made yet."""
    mine = conditions(session, filters, scope, _CALLBACKS)
    return [Task.done_at.is_(None), Task.kind == TaskKind.CALLBACK, *mine]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
