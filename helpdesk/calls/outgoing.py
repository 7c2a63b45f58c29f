"""Calls that we make: the rows of one, and the number that the client sees."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk.calls import record
from helpdesk.calls.carriers import provider
from helpdesk.calls.models import Call, CallLeg, Direction, LegRole, LegState
from helpdesk.lib.tokens import new_token
from helpdesk.tickets.models import Queue


def create(
    session: Session,
    *,
    number: str,
    queue_id: int | None,
    language: str,
    at: datetime,
    client_id: int | None = None,
    person_id: int | None = None,
    contact_point_id: int | None = None,
    ticket_id: int | None = None,
    task_id: int | None = None,
    place_at: datetime | None = None,
) -> Call:
    """A call to this number (E.164), whose phone does not ring yet. With `place_at` it waits at
    this place of the queue for an agent, as callers do; the agent's phone rings first.
    """
    waits = {"queued_at": at, "place_at": place_at} if place_at is not None else {}
    facts: dict[str, Any] = waits | ({"queue_id": queue_id} if queue_id is not None else {})
    token = new_token(16)
    call = record.create(
        session,
        provider=provider(),
        provider_id=f"out-{token}",
        token=token,
        direction=Direction.OUTBOUND,
        at=at,
        from_number=own_number(session, queue_id),
        to_number=number,
        language=language,
        client_id=client_id,
        person_id=person_id,
        contact_point_id=contact_point_id,
        ticket_id=ticket_id,
        task_id=task_id,
        **facts,
    )
    add_leg(session, call, at)
    return call


def add_leg(session: Session, call: Call, at: datetime) -> CallLeg:
    """The row of the customer's telephone, to be rung."""
    leg = CallLeg(call_id=call.id, role=LegRole.CUSTOMER, state=LegState.QUEUED, created_at=at)
    session.add(leg)
    session.flush()
    return leg


def own_number(session: Session, queue_id: int | None) -> str | None:
    """Our number that the client sees: the queue's, else another queue's, else the one that was
    dialled last; None: we have none."""
    rows = session.execute(
        select(Queue.id, Queue.numbers).where(Queue.active.is_(True)).order_by(Queue.id)
    ).all()
    ours = sorted((id_ != queue_id, id_, numbers[0]) for id_, numbers in rows if numbers)
    return ours[0][2] if ours else session.scalar(_dialled_last())


def _dialled_last() -> Select[str | None]:
    return (
        select(Call.to_number)
        .where(Call.direction == Direction.INBOUND, Call.to_number.is_not(None))
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(1)
    )
