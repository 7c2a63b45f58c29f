"""A short email of ours to the client of a ticket: about a callback, say."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.clients.models import ContactPoint
from helpdesk.outbox import rows
from helpdesk.outbox.addressing import email_of, sender_of, signed_id, ticket_link
from helpdesk.outbox.models import OutgoingKind
from helpdesk.outbox.rendering import greeting, render
from helpdesk.tickets.models import Ticket


class Mail(NamedTuple):
    """What it says."""

    subject: str
    text: str
    html: str


def enqueue(
    session: Session,
    key: str,
    ticket: Ticket,
    language: str,
    *,
    template: str,
    subject: str,
    at: datetime,
    **values: str,
) -> int | None:
    """Put it into the outbox; the row's id, None without a good address.

    `template` is drawn with `values`, in `language` as `subject` is. An answer to it comes into
    the ticket. Nothing personal but the name is in it.
    """
    point = email_of(session, ticket)
    if point is None or point.removed_at is not None:
        return None
    brand = str(settings.get(session, "brand_name"))
    with ext.in_language(language):
        hello = greeting(ticket.person, language)
    text, html = render(
        template,
        language,
        brand=brand,
        title=subject,
        greeting=hello,
        link=ticket_link(ticket),
        number=ticket.number,
        **values,
    )
    mail = Mail(subject, text, html)
    return _queue(session, key, ticket, point, language, mail, brand=brand, at=at)


def _queue(
    session: Session,
    key: str,
    ticket: Ticket,
    point: ContactPoint,
    language: str,
    mail: Mail,
    *,
    brand: str,
    at: datetime,
) -> int:
    sender = sender_of(session, ticket)
    return rows.add(
        session,
        key,
        OutgoingKind.NOTICE,
        at,
        ticket_id=ticket.id,
        person_id=point.person_id,
        to_address=point.value,
        from_name=brand,
        from_address=sender.address,
        reply_to=sender.signed,
        envelope_from="",
        rfc_message_id=signed_id(ticket.id, key.replace(":", "")),
        automatic=True,
        language=language,
        **mail._asdict(),
    )
