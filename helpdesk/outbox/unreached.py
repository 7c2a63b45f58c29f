"""The email to a client whom we phoned in vain."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.outbox import client_email
from helpdesk.outbox.addressing import language_of, ticket_with_people
from helpdesk.outbox.models import Outgoing


def enqueue(session: Session, event_id: int, ticket_id: int, *, at: datetime) -> int | None:
    """Put it into the outbox, once for each Event; the row's id, None without a good address."""
    key = f"unreached:{event_id}"
    known = session.scalar(select(Outgoing.id).where(Outgoing.key == key))
    if known is not None:
        return known
    ticket = ticket_with_people(session, ticket_id)
    language = language_of(session, ticket)
    with ext.in_language(language):
        subject = str(_("We could not reach you by phone"))
    return client_email.enqueue(
        session, key, ticket, language, template="unreached", subject=subject, at=at
    )
