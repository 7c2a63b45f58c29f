"""The email that brings a report or tells of an alarm to a colleague."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts.models import User
from helpdesk.ext import add_row
from helpdesk.outbox.addressing import mail_domain
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
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
    known = session.scalar(select(Outgoing.id).where(Outgoing.key == key))
    if known is not None:
        return known
    brand = str(settings.get(session, "brand_name"))
    text, html = render(template, user.language, brand=brand, title=subject, **values)
    return add_row(
        session,
        Outgoing,
        key=key,
        kind=OutgoingKind.NOTICE,
        state=OutgoingState.QUEUED,
        due_at=at,
        created_at=at,
        user_id=user.id,
        to_address=user.email,
        from_name=brand,
        from_address=f"noreply@{mail_domain()}",
        envelope_from="",
        rfc_message_id=f"{cause}.{mark}@{mail_domain()}",
        automatic=True,
        language=user.language,
        subject=subject,
        text=text,
        html=html,
    )
