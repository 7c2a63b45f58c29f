"""What comes due and no machine dials: its owner is told, once for each moment."""

from datetime import UTC, datetime

from sqlalchemy import and_, func, not_, select
from sqlalchemy.orm import Session

from helpdesk.events import record
from helpdesk.ext import skip_locked
from helpdesk.planner.models import Task, TaskKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIALLED = and_(
    Task.kind == TaskKind.CALLBACK,
    func.coalesce(Task.owner_id, 0) == 0,  # not IS NULL: its index would be walked whole
    Task.number.is_not(None),
    Task.queue_id.is_not(None),
)
"""Tasks that agents are offered as calls (`calls.callbacks`); of the others people are told."""


def due(session: Session, at: datetime) -> bool:
    """Whether there is somebody to be told."""
    query = select(Task.id).where(Task.next_at <= at, not_(DIALLED))
    return session.scalar(query.limit(1)) is not None


def remind(session: Session, at: datetime, limit: int = 100) -> int:
    """Say of each task whose time has come that it is due; how many there were.

    Each time in a transaction of its own, again while it returns `limit`.
    """
    query = select(Task).where(Task.next_at <= at, not_(DIALLED))
    query = query.order_by(Task.next_at, Task.id).limit(limit)
    found = list(session.scalars(query.with_for_update(**skip_locked(session))))
    for task in found:
        seconds = int(((task.next_at or at) - EPOCH).total_seconds())
        task.next_at = None
        record(
            session,
            "task.due",
            at=at,
            ticket_id=task.ticket_id,
            client_id=task.client_id,
            key=f"task:{task.id}:due:{seconds}",
            task_id=task.id,
        )
    session.flush()
    return len(found)
