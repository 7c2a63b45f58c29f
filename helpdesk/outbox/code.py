"""The email with a one-time code for the portal."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.clients.models import ContactPoint
from helpdesk.outbox import rows
from helpdesk.outbox.addressing import public_url
from helpdesk.outbox.models import OutgoingKind
from helpdesk.outbox.rendering import render


def enqueue_code(
    session: Session, event_id: int, code: str, point: ContactPoint, language: str, *, at: datetime
) -> int:
    """Put it into the outbox, once for each Event that asks for one; the row's id.

    Nothing in it comes from who asked. It comes from an address that nobody reads.
    """
    key = f"code:{event_id}"
    known = rows.known(session, key)
    if known is not None:
        return known
    brand = str(settings.get(session, "brand_name"))
    with ext.in_language(language):
        subject = str(_("Your code for %(brand)s", brand=brand))
    link = f"{public_url()}/my?lang={language}"
    text, html = render("code", language, brand=brand, title=subject, code=code, link=link)
    return rows.add_unanswerable(
        session,
        key,
        OutgoingKind.CODE,
        at,
        mark=f"code.{event_id}",
        person_id=point.person_id,
        to_address=point.value,
        from_name=brand,
        language=language,
        subject=subject,
        text=text,
        html=html,
    )
