"""Verbs of the client on their own ticket, besides writing: it is solved, it is not."""

from datetime import datetime

from sqlalchemy.orm import Session

from helpdesk.events import Actor
from helpdesk.lib.errors import Conflict, _lazy
from helpdesk.tickets import sla
from helpdesk.tickets.actions import set_status
from helpdesk.tickets.models import DONE, Status, Ticket

CLIENT, ARTICLE = "client", "article"
"""Why a ticket is resolved: the client says so, or an article has answered it."""


def settle(session: Session, ticket: Ticket, *, at: datetime, reason: str = CLIENT) -> bool:
    """The client says that it is solved. False where it was done already."""
    if ticket.status in DONE:
        return False
    actor = Actor(person_id=ticket.person_id)
    set_status(session, ticket, Status.RESOLVED, actor=actor, at=at, reason=reason)
    return True


def reopen(session: Session, ticket: Ticket, *, at: datetime) -> bool:
    """The client still needs a person: an answer is owed again. False where nothing was done yet.

    Raises Conflict for a closed ticket, which is final: what is written to it opens a new one.
    """
    if ticket.status == Status.CLOSED:
        message = _lazy("This request is closed. Write what is still open: we open a new one.")
        raise Conflict(message, field="text")
    if ticket.status not in DONE:
        return False
    actor = Actor(person_id=ticket.person_id)
    set_status(session, ticket, Status.OPEN, actor=actor, at=at, reason=CLIENT)
    ticket.waiting_since = at
    session.flush()
    sla.client_wrote(session, ticket.id, at=at)
    return True
