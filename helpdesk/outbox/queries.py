"""Reads of the outbox: for the ticket, the mail catcher and the metrics."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.lib.errors import NotFound
from helpdesk.outbox.models import Outgoing, OutgoingState


def outgoing_for(session: Session, outgoing_id: int) -> Outgoing:
    """One email, its row locked in a write session. Raises NotFound."""
    query = select(Outgoing).where(Outgoing.id == outgoing_id).with_for_update()
    found = session.scalar(query)
    if found is None:
        raise NotFound()
    return found


def latest(session: Session, *, before: int | None = None, limit: int = 50) -> list[Outgoing]:
    """The newest emails first, older than the id `before`."""
    query = select(Outgoing).order_by(Outgoing.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Outgoing.id < before)
    return list(session.scalars(query))


def of_messages(session: Session, message_ids: Sequence[int]) -> dict[int, Outgoing]:
    """The email of each of these messages that has one."""
    query = select(Outgoing).where(Outgoing.message_id.in_(message_ids))
    return {row.message_id: row for row in session.scalars(query) if row.message_id is not None}


def unsent_of_ticket(session: Session, ticket_id: int) -> list[Outgoing]:
    """The emails of a ticket that were given up."""
    query = select(Outgoing).where(
        Outgoing.ticket_id == ticket_id, Outgoing.state == OutgoingState.FAILED
    )
    return list(session.scalars(query.order_by(Outgoing.id)))


def waiting(session: Session) -> int:
    """How many emails are still to be sent."""
    query = select(func.count()).select_from(Outgoing).where(Outgoing.due_at.is_not(None))
    return session.scalar(query) or 0
