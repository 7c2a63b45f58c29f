"""Who an email comes from, where its answer goes, and in which language it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from helpdesk import settings
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.ext import LANGUAGES
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token, message_id, ticket_address
from helpdesk.tickets.models import Message, Ticket
from helpdesk.tickets.queries import address_of_queue

LINK_LIFETIME = timedelta(days=180)


@dataclass(frozen=True)
class Sender:
    """The address a queue answers from, and the one that leads back to the ticket."""

    address: str
    signed: str


def ticket_with_people(session: Session, ticket_id: int) -> Ticket:
    """The ticket with queue, client, person and contact point, read at once."""
    people = (Ticket.queue, Ticket.client, Ticket.person, Ticket.contact_point)
    query = select(Ticket).where(Ticket.id == ticket_id)
    return session.scalars(query.options(*map(joinedload, people))).one()


def sender_of(session: Session, ticket: Ticket) -> Sender:
    """From which address this ticket's emails go."""
    return sender_at(address_of_queue(session, ticket.queue_id), ticket.id)


def sender_at(address: str | None, ticket_id: int) -> Sender:
    """The same where the address of the queue is known, None being a queue without one."""
    address = address or f"support@{mail_domain()}"
    local, _, domain = address.rpartition("@")
    return Sender(address, ticket_address(secret(), ticket_id, local, domain))


def signed_id(ticket_id: int, unique: str) -> str:
    """A Message-ID that leads back to its ticket."""
    return message_id(secret(), ticket_id, unique, mail_domain())


def ticket_link(ticket: Ticket) -> str:
    """The address of the page where the client reads and answers."""
    return link_of(ticket.id, nonce_of(ticket.link_nonce, ticket.last_message_at))


def nonce_of(nonce: str, last_message_at: datetime) -> str:
    """The nonce of the links that open a ticket today.

    It is another one after each LINK_LIFETIME without a message: what lies in a mailbox for years
    opens nothing, and a link that is made now does.
    """
    quiet = (now() - last_message_at) // LINK_LIFETIME
    return f"{nonce}.{quiet}" if quiet > 0 else nonce


def link_of(ticket_id: int, nonce: str) -> str:
    """The same address, of the ticket's id and its nonce."""
    return f"{public_url()}/t/{link_token(secret(), ticket_id, nonce)}"


def desk_link(ticket: Ticket) -> str:
    """The address of the ticket for staff."""
    return f"{public_url()}/desk/t/{ticket.number}"


def email_of(
    session: Session, ticket: Ticket, message: Message | None = None
) -> ContactPoint | None:
    """Where mail on this ticket goes: the contact point written to, else an address of the person.

    A number, or an address that was corrected meanwhile, is passed over for a good address.
    """
    chosen = (message.contact_point if message else None) or ticket.contact_point
    if chosen is not None and chosen.kind == ContactKind.EMAIL and not chosen.bad:
        return chosen
    query = select(ContactPoint).where(
        ContactPoint.person_id == ticket.person_id,
        ContactPoint.kind == ContactKind.EMAIL,
        ContactPoint.bad.is_(False),
    )
    order = (ContactPoint.preferred.desc(), ContactPoint.id)
    return session.scalar(query.order_by(*order).limit(1))


def language_of(session: Session, ticket: Ticket) -> str:
    """The language of the client: stored, else that of the text unless the primary goes first."""
    stored = (ticket.person.language, ticket.client.language)
    return spoken(stored, ticket.language, partial(settings.get, session))


def spoken(stored: Iterable[str | None], of_text: str | None, setting: Callable[[str], Any]) -> str:
    """The same where the client's languages and that of the text are known."""
    for language in stored:
        if language in LANGUAGES:
            return language
    if of_text in LANGUAGES and setting("language_rule") == "follow":
        return of_text
    return str(setting("primary_language"))


def secret() -> bytes:
    key: str = current_app.config["SECRET_KEY"]
    return key.encode()


def mail_domain() -> str:
    return str(current_app.config["MAIL_DOMAIN"])


def public_url() -> str:
    return str(current_app.config["PUBLIC_URL"])
