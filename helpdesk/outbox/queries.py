"""Reads of the outbox: for the ticket, the mail catcher and the metrics."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.lib.errors import NotFound
from helpdesk.outbox.models import Outgoing


def outgoing_for(session: Session, outgoing_id: int) -> Outgoing:
    """One email. Raises NotFound."""
    found = session.get(Outgoing, outgoing_id)
    if found is None:
        raise NotFound()
    return found


def of_messages(session: Session, message_ids: Sequence[int]) -> dict[int, Outgoing]:
    """The email of each of these messages that has one."""
    query = select(Outgoing).where(Outgoing.message_id.in_(message_ids))
    return {row.message_id: row for row in session.scalars(query) if row.message_id is not None}


def waiting(session: Session) -> int:
    """How many emails are still to be sent."""
    query = select(func.count()).select_from(Outgoing).where(Outgoing.due_at.is_not(None))
    return session.scalar(query) or 0
