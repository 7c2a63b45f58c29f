"""What follows from callbacks: confirmed, dropped with the ticket, an email after a vain one."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call
from helpdesk.events import SYSTEM, Event
from helpdesk.outbox import callback, unreached
from helpdesk.planner import actions as planner
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.tickets.models import DONE

UNREACHED = (TaskResult.NO_ANSWER, TaskResult.BUSY)


def drop_callbacks(session: Session, event: Event, at: datetime) -> None:
    """Those that nobody made their own; one under way goes on, and so does what was agreed."""
    if event.data.get("new") not in DONE:
        return
    query = select(Task).where(
        Task.ticket_id == event.ticket_id,
        Task.kind == TaskKind.CALLBACK,
        Task.state == TaskState.PLANNED,
        Task.owner_id.is_(None),
        Task.created_by.is_(None),
    )
    for task in session.scalars(query.order_by(Task.id).with_for_update()):
        planner.cancel(session, task, actor=SYSTEM, at=at, result=TaskResult.NOT_NEEDED)


def confirm_callback(session: Session, event: Event, at: datetime) -> None:
    """What a caller was promised reaches them in writing too, while it holds."""
    task = session.get(Task, event.data["task_id"])
    call = session.get(Call, event.data["call_id"])
    if task is not None and call is not None and task.done_at is None:
        dialled = call.to_number or ""
        callback.confirm(session, event.id, task, dialled=dialled, said_at=event.at, at=at)


def email_unreached(session: Session, event: Event, at: datetime) -> None:
    """Only who didn't answer; a number that can't be called is phoned by hand."""
    task = session.get(Task, event.data["task_id"])
    if task is None or event.data.get("result") not in UNREACHED or task.last_error is not None:
        return
    if task.ticket_id is not None and task.state == TaskState.FAILED:
        unreached.enqueue(session, event.id, task.ticket_id, at=at)
