"""The email with a one-time code for the portal."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.clients.models import ContactPoint
from helpdesk.ext import add_row
from helpdesk.outbox.addressing import mail_domain, public_url
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.outbox.rendering import render


def enqueue_code(
    session: Session, event_id: int, code: str, point: ContactPoint, language: str, *, at: datetime
) -> int:
    """Put it into the outbox, once for each Event that asks for one; the row's id.

    Nothing in it comes from who asked. It comes from an address that nobody reads.
    """
    key = f"code:{event_id}"
    known = session.scalar(select(Outgoing.id).where(Outgoing.key == key))
    if known is not None:
        return known
    brand = str(settings.get(session, "brand_name"))
    with ext.in_language(language):
        subject = str(_("Your code for %(brand)s", brand=brand))
    link = f"{public_url()}/my?lang={language}"
    text, html = render("code", language, brand=brand, title=subject, code=code, link=link)
    return add_row(
        session,
        Outgoing,
        key=key,
        kind=OutgoingKind.CODE,
        state=OutgoingState.QUEUED,
        due_at=at,
        created_at=at,
        person_id=point.person_id,
        to_address=point.value,
        from_name=brand,
        from_address=f"noreply@{mail_domain()}",
        envelope_from="",
        rfc_message_id=f"code.{event_id}@{mail_domain()}",
        automatic=True,
        language=language,
        subject=subject,
        text=text,
        html=html,
    )
