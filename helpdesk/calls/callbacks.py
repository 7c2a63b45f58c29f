"""Callbacks: promised to a caller who would rather not wait, and dialled when their time comes.

A task whose time has come becomes an outbound call that waits in the queue at its caller's place;
an agent takes it as any other call, then the client is rung.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.calls import call_tickets, outgoing, record
from helpdesk.calls.hours import hours_for
from helpdesk.calls.models import Call, CallState, Direction
from helpdesk.ext import skip_locked
from helpdesk.planner import actions as planner
from helpdesk.planner import quiet
from helpdesk.planner.models import Task, TaskKind
from helpdesk.planner.reminders import DIALLED

NEVER_OPEN = timedelta(days=1)
"""When to look again at a queue whose calendar never opens."""


def promise(session: Session, call: Call, number: str, at: datetime) -> Task:
    """Promise the caller a call to `number` (E.164); their place in the queue is kept.

    Asked twice for one call, the number is corrected and the promise stays. The task's `due_at`
    is what may be told to the caller.
    """
    ticket = call_tickets.ensure(session, call, at)
    known = planner.locked(session, call.task_id) if call.task_id is not None else None
    if known is not None and known.done_at is None:
        known.number = number
        session.flush()
        return known
    own = number == call_tickets.number_of(call)
    task = planner.plan(
        session,
        kind=TaskKind.CALLBACK,
        client_id=ticket.client_id,
        person_id=ticket.person_id,
        contact_point_id=call.contact_point_id if own else None,
        number=number,
        language=call.language,
        ticket_id=ticket.id,
        queue_id=call.queue_id or ticket.queue_id,
        place_at=call.place_at or call.queued_at or at,
        at=at,
    )
    call.task_id = task.id
    session.flush()
    record.say(session, call, "call.callback", at, task_id=task.id, queue_id=task.queue_id)
    return task


def waiting(session: Session, at: datetime) -> bool:
    """Whether `due` has something to do."""
    dial = session.scalar(select(Task.id).where(Task.next_at <= at, DIALLED).limit(1))
    return dial is not None or bool(_closing(session, at))


def due(session: Session, at: datetime, limit: int = 50) -> int:
    """Let the callbacks whose time has come wait in their queues; how many were looked at.

    Those of closed queues are put off until the queue opens, waiting ones as well.
    """
    closing = _closing(session, at)
    for call in closing:  # before any task is locked: calls are locked before their tasks
        record.note(session, call, at, withdrawn_at=at)
    query = select(Task).where(Task.next_at <= at, DIALLED)
    query = query.order_by(Task.next_at, Task.id).limit(limit)
    found = list(session.scalars(query.with_for_update(**skip_locked(session))))
    for task in found:
        later = _later(session, task, at)
        if later is not None:
            planner.postpone(session, task, later)
        elif planner.begin(session, task, at=at):
            _dial(session, task, at)
    return len(found) + len(closing)


def _dial(session: Session, task: Task, at: datetime) -> Call:
    return outgoing.create(
        session,
        number=task.number or "",
        queue_id=task.queue_id,
        language=task.language or "",
        at=at,
        client_id=task.client_id,
        person_id=task.person_id,
        contact_point_id=task.contact_point_id,
        ticket_id=task.ticket_id,
        task_id=task.id,
        place_at=task.place_at or task.due_at,
    )


def _closing(session: Session, at: datetime) -> list[Call]:
    """Callbacks that wait for an agent of a queue that is closed by now."""
    query = select(Call).where(
        Call.waiting.is_not(None),
        Call.direction == Direction.OUTBOUND,
        Call.state == CallState.QUEUED,
    )
    order = (Call.queue_id, Call.place_at, Call.id)  # that of the index
    waiting = list(session.scalars(query.order_by(*order)))
    closed = {id_ for id_ in {one.queue_id for one in waiting} if _opens(session, id_, at)}
    return [one for one in waiting if one.queue_id in closed]


def _later(session: Session, task: Task, at: datetime) -> datetime | None:
    """When the client may be phoned, if that isn't now.

    Only what was agreed for this moment may be at night.
    """
    opens = _opens(session, task.queue_id, at)
    agreed = task.place_at is not None or task.created_by is not None
    if opens is None and agreed:
        return None
    zone = quiet.zone_of(session, task.client_id, task.person_id)
    day = quiet.daytime(opens or at, zone)
    return day if day > at else None


def _opens(session: Session, queue_id: int | None, at: datetime) -> datetime | None:
    """When the queue opens; None while it is open."""
    hours = hours_for(session, queue_id)
    if hours.is_open(at):
        return None
    return hours.next_open(at) or at + NEVER_OPEN
