"""Reads of Deliveries."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import Event
from helpdesk.intake.models import Delivery


def receipts_of(session: Session, deliveries: Sequence[Delivery]) -> dict[int, bool | None]:
    """Whether each Delivery's sender got a receipt; None until it is decided.

    The decision comes after intake, in the reactions, and stands in the Event log.
    """
    known = {delivery.id: delivery.receipt_sent for delivery in deliveries}
    open_ = [d.ticket_id for d in deliveries if d.receipt_sent is None and d.ticket_id]
    if open_:
        decided = select(Event.kind, Event.data).where(
            Event.ticket_id.in_(open_), Event.kind.in_(("receipt.sent", "receipt.refused"))
        )
        for kind, data in session.execute(decided):
            if known.get(data.get("delivery_id"), False) is None:
                known[data["delivery_id"]] = kind == "receipt.sent"
    return known
