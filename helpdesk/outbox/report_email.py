"""The email that brings a report or tells of an alarm to a colleague."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts.models import User
from helpdesk.outbox import rows
from helpdesk.outbox.models import OutgoingKind
from helpdesk.outbox.rendering import render


def enqueue(
    session: Session,
    user: User,
    cause: str,
    mark: str,
    *,
    subject: str,
    template: str,
    values: Mapping[str, Any],
    at: datetime,
) -> int:
    """Put it into the outbox, once for each mark of a cause ("schedule", "alarm"); the row's id.

    `values` are what the template of emails shows, in the language of the reader already.
    """
    key = f"{cause}:{mark}"
    known = rows.known(session, key)
    if known is not None:
        return known
    brand = str(settings.get(session, "brand_name"))
    text, html = render(template, user.language, brand=brand, title=subject, **values)
    return rows.add_unanswerable(
        session,
        key,
        OutgoingKind.NOTICE,
        at,
        mark=f"{cause}.{mark}",
        user_id=user.id,
        to_address=user.email,
        from_name=brand,
        language=user.language,
        subject=subject,
        text=text,
        html=html,
    )
