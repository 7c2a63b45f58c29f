"""The email to a client whom we phoned in vain."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.ext import add_row
from helpdesk.outbox.addressing import (
    email_of,
    language_of,
    sender_of,
    signed_id,
    ticket_link,
    ticket_with_people,
)
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.outbox.rendering import greeting, render


def enqueue(session: Session, event_id: int, ticket_id: int, *, at: datetime) -> int | None:
    """Put it into the outbox, once for each Event; the row's id, None without a good address.

    An answer to it comes into the ticket. Nothing personal but the name is in it.
    """
    key = f"unreached:{event_id}"
    known = session.scalar(select(Outgoing.id).where(Outgoing.key == key))
    if known is not None:
        return known
    ticket = ticket_with_people(session, ticket_id)
    point = email_of(session, ticket)
    if point is None or point.removed_at is not None:
        return None
    language, sender = language_of(session, ticket), sender_of(session, ticket)
    brand = str(settings.get(session, "brand_name"))
    with ext.in_language(language):
        subject = str(_("We could not reach you by phone"))
        hello = greeting(ticket.person, language)
    text, html = render(
        "unreached",
        language,
        brand=brand,
        title=subject,
        greeting=hello,
        link=ticket_link(ticket),
        number=ticket.number,
    )
    return add_row(
        session,
        Outgoing,
        key=key,
        kind=OutgoingKind.NOTICE,
        state=OutgoingState.QUEUED,
        due_at=at,
        created_at=at,
        ticket_id=ticket.id,
        person_id=point.person_id,
        to_address=point.value,
        from_name=brand,
        from_address=sender.address,
        reply_to=sender.signed,
        envelope_from="",
        rfc_message_id=signed_id(ticket.id, f"unreached{event_id}"),
        automatic=True,
        language=language,
        subject=subject,
        text=text,
        html=html,
    )
