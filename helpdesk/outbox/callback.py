"""The word in writing to a caller whom we promised a callback: an SMS, else an email."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.calls import prompts
from helpdesk.calls.hours import hours_for
from helpdesk.ext import LANGUAGES, add_row
from helpdesk.outbox import sms
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
from helpdesk.planner.models import Task
from helpdesk.tickets.models import Ticket


def confirm(
    session: Session, event_id: int, task: Task, *, dialled: str, said_at: datetime, at: datetime
) -> int:
    """Put it into the outbox, once for each Event; the row's id, 0 where it may not go anywhere.

    `dialled`: our number, which an SMS comes from where its queue has none. `said_at`: when the
    caller heard the promise, whose words it repeats in their language. By email only to who called
    from their own number: a number that was typed may be somebody else's.
    """
    key = f"callback:{event_id}"
    if task.ticket_id is None or session.scalar(select(Outgoing.id).where(Outgoing.key == key)):
        return 0
    ticket = ticket_with_people(session, task.ticket_id)
    spoken = task.language in LANGUAGES
    language = str(task.language) if spoken else language_of(session, ticket)
    zone = hours_for(session, task.queue_id).zone
    by = prompts.by(task.due_at, zone, language, said_at)
    with ext.in_language(language):
        promise = str(_("We call you back %(by)s.", by=by))
    sender = sms.number_of(session, ticket.queue_id) or dialled
    sent = sms.enqueue_callback(session, key, task, language, promise, sender=sender, at=at)
    if sent is None and task.contact_point_id is not None:
        sent = _email(session, key, ticket, language, promise, at)
    return sent or 0


def _email(
    session: Session, key: str, ticket: Ticket, language: str, promise: str, at: datetime
) -> int | None:
    """An answer to it comes into the ticket. Nothing personal but the name is in it."""
    point = email_of(session, ticket)
    if point is None or point.removed_at is not None:
        return None
    sender, brand = sender_of(session, ticket), str(settings.get(session, "brand_name"))
    with ext.in_language(language):
        hello = greeting(ticket.person, language)
    subject = promise.rstrip(".")
    text, html = render(
        "callback",
        language,
        brand=brand,
        title=subject,
        greeting=hello,
        promise=promise,
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
        rfc_message_id=signed_id(ticket.id, key.replace(":", "")),
        automatic=True,
        language=language,
        subject=subject,
        text=text,
        html=html,
    )
