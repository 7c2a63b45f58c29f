"""How a row of the outbox begins: queued, due now, once for each cause."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.outbox.addressing import mail_domain
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState


def known(session: Session, key: str) -> int | None:
    """The row that stands for this cause already."""
    return session.scalar(select(Outgoing.id).where(Outgoing.key == key))


def add(session: Session, key: str, kind: OutgoingKind, at: datetime, **values: Any) -> int:
    """Put a row in, to be sent from the moment `at` on (UTC); its id."""
    begun = {"state": OutgoingState.QUEUED, "due_at": at, "created_at": at}
    return ext.add_row(session, Outgoing, key=key, kind=kind, **begun, **values)


def add_unanswerable(
    session: Session, key: str, kind: OutgoingKind, at: datetime, *, mark: str, **values: Any
) -> int:
    """Put an email in that comes from an address nobody reads; its id. `mark` makes its Message-ID.

    Its envelope has no sender (RFC 3834).
    """
    return add(
        session,
        key,
        kind,
        at,
        from_address=f"noreply@{mail_domain()}",
        envelope_from="",
        rfc_message_id=f"{mark}@{mail_domain()}",
        automatic=True,
        **values,
    )
