"""The email that brings a report to a colleague."""

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
    schedule_id: int,
    moment: datetime,
    *,
    subject: str,
    values: Mapping[str, Any],
    at: datetime,
) -> int:
    """Put it into the outbox, once for each moment of a schedule; the row's id.

    `values` are what templates/mail/report.html shows, in the language of the reader already.
    """
    mark = f"{schedule_id}.{int(moment.timestamp())}"
    key = f"schedule:{mark}"
    known = session.scalar(select(Outgoing.id).where(Outgoing.key == key))
    if known is not None:
        return known
    brand = str(settings.get(session, "brand_name"))
    text, html = render("report", user.language, brand=brand, title=subject, **values)
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
        rfc_message_id=f"schedule.{mark}@{mail_domain()}",
        automatic=True,
        language=user.language,
        subject=subject,
        text=text,
        html=html,
    )
