"""Callers wait and nobody is on duty: said once an hour for each queue."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.accounts import duty
from helpdesk.calls.models import Call, Direction
from helpdesk.events import Event, record

SOON = timedelta(seconds=15)
"""For so long a caller may wait for somebody to come."""


def due(session: Session, at: datetime) -> bool:
    """Whether anybody waits that long."""
    query = select(Call.id).where(Call.waiting.is_not(None), Call.queued_at <= at - SOON)
    return session.scalar(query.limit(1)) is not None


def watch(session: Session, at: datetime) -> int:
    """Write an Event for each queue in which callers wait for nobody; how many were new."""
    query = (
        select(Call.queue_id, func.count(), func.min(Call.ticket_id))
        .where(
            Call.waiting.is_not(None),
            Call.queued_at <= at - SOON,
            Call.direction == Direction.INBOUND,
            Call.queue_id.is_not(None),
        )
        .group_by(Call.queue_id)
        .order_by(Call.queue_id)
    )
    team = duty.on_duty(session)
    rows = session.execute(query).all()
    left = [row for row in rows if not any(one.works_in([row[0] or 0]) for one in team)]
    return sum(_say(session, row[0] or 0, row[1], row[2], at) for row in left)


def _say(session: Session, queue_id: int, count: int, ticket_id: int | None, at: datetime) -> bool:
    hour = at.astimezone(UTC).strftime("%Y%m%d%H")
    key = f"queue:{queue_id}:unattended:{hour}"
    if session.scalar(select(Event.id).where(Event.key == key)) is not None:
        return False
    record(
        session,
        "queue.unattended",
        at=at,
        ticket_id=ticket_id,
        key=key,
        queue_id=queue_id,
        waiting=count,
    )
    return True
