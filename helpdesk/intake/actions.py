"""Verbs on Deliveries: accept what comes in, replay what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import Actor, record
from helpdesk.ext import add_missing
from helpdesk.intake import fingerprint
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.errors import Conflict, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.tickets.models import Channel


@dataclass(frozen=True)
class RawEmail:
    """An email at the door: its bytes and its envelope. `recipients` are ours only.

    `for_all`: it is one email in whichever of our mailboxes it lies.
    """

    raw: bytes
    envelope_from: str
    recipients: tuple[str, ...]
    received_at: datetime
    for_all: bool = False


def accept(session: Session, emails: Sequence[RawEmail]) -> list[int]:
    """Store the emails as new Deliveries and return their ids, for a repeat the first one's.

    Once the caller's transaction is committed, the senders may be told "accepted".
    """
    rows = {}
    keys = []
    for email in emails:
        mailboxes = ("*",) if email.for_all else email.recipients
        key = fingerprint.email_key(email.raw, mailboxes)
        keys.append(key)
        rows[key] = _row(key, email)
    add_missing(session, Delivery, list(rows.values()), unique="key")
    found = session.execute(select(Delivery.key, Delivery.id).where(Delivery.key.in_(rows)))
    ids = dict(found.all())
    return [ids[key] for key in keys]


def set_aside(
    session: Session, email: RawEmail, *, key: str, state: DeliveryState, reason: str, size: int
) -> None:
    """Keep what can't be taken in where an administrator sees it and may replay it; `email` is as
    much of it as there is, `size` all of it in octets. A second time changes nothing.
    """
    row = _row(key, email)
    row |= {"state": state, "todo": None, "reason": reason, "size": size}
    add_missing(session, Delivery, [row], unique="key")


def _row(key: str, email: RawEmail) -> dict[str, object]:
    return {
        "key": key,
        "channel": Channel.EMAIL,
        "state": DeliveryState.NEW,
        "todo": 1,
        "received_at": email.received_at,
        "envelope_from": clean_line(email.envelope_from, 320),
        "recipients": [clean_line(address, 320) for address in email.recipients],
        "message_id": clean_line(fingerprint.message_id(email.raw) or "", 990) or None,
        "is_auto_reply": False,
        "is_bounce": False,
        "attempts": 0,
        "size": len(email.raw),
        "raw": email.raw,
    }


def replay(session: Session, delivery: Delivery, *, actor: Actor, at: datetime) -> None:
    """Process a failed or quarantined Delivery again. Raises Conflict for any other."""
    if delivery.state not in (DeliveryState.FAILED, DeliveryState.QUARANTINED):
        raise Conflict(_lazy("Only a failed delivery can be replayed."))
    delivery.state = DeliveryState.NEW
    delivery.todo = 1
    delivery.attempts = 0
    delivery.reason = None
    session.flush()
    record(session, "delivery.replayed", actor=actor, at=at, delivery_id=delivery.id)
