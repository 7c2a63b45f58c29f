"""The word in writing to a caller whom we promised a callback: an SMS, else an email."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.calls import prompts
from helpdesk.calls.hours import hours_for
from helpdesk.ext import LANGUAGES
from helpdesk.outbox import client_email, sms
from helpdesk.outbox.addressing import language_of, ticket_with_people
from helpdesk.outbox.models import Outgoing
from helpdesk.planner.models import Task


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
        sent = client_email.enqueue(
            session,
            key,
            ticket,
            language,
            template="callback",
            subject=promise.rstrip("."),
            at=at,
            promise=promise,
        )
    return sent or 0
