"""A code that a customer asked for is made and sent here, out of sight of who asked (T17)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import PortalCode
from helpdesk.accounts.portal import make_code
from helpdesk.clients.models import ContactPoint
from helpdesk.events import Event
from helpdesk.lib.tokens import read_ticket_address
from helpdesk.outbox.addressing import secret
from helpdesk.outbox.code import enqueue_code
from helpdesk.tickets.models import Mailbox


def send_code(session: Session, event: Event, at: datetime) -> None:
    """Nothing happens where the address is not known, is our own, or the code was made before."""
    row = session.get(PortalCode, event.data["code_id"])
    point_id = row.contact_point_id if row else None
    point = session.get(ContactPoint, point_id) if point_id is not None else None
    if row is None or point is None or _is_ours(session, point.key):
        return
    code = make_code(session, row.id, secret=secret(), at=at)
    if code is not None:
        enqueue_code(session, event.id, code, point, event.data["lang"], at=at)


def _is_ours(session: Session, address: str) -> bool:
    """A code in a mailbox of ours would become a ticket."""
    if read_ticket_address(secret(), address) is not None:
        return True
    return session.scalar(select(Mailbox.id).where(Mailbox.address == address)) is not None
