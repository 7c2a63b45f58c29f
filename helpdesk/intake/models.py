"""The table of Deliveries: everything that came in, raw, and what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column

from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.tickets.models import Channel


class DeliveryState(StrEnum):
    NEW = "new"
    DONE = "done"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    FAILED = "failed"


class Delivery(Base):
    """One thing that came in. It is committed before its sender hears "accepted"."""

    __tablename__ = "delivery"
    __table_args__ = (
        partial_index("ix_delivery_todo", "id", where="todo IS NOT NULL"),
        Index("ix_delivery_state", "state", "id"),
        Index("ix_delivery_rfc", "message_id"),
        Index("ix_delivery_ticket", "ticket_id"),
        Index("ix_delivery_received", "received_at"),
        partial_index("ix_delivery_unpacked", "received_at", where="raw IS NOT NULL"),
        partial_index("ix_delivery_archived", "raw_sha256", where="raw_sha256 IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)  # a repeat finds the first
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    state: Mapped[DeliveryState] = mapped_column(EnumText(DeliveryState))
    todo: Mapped[int | None]  # 1 while state is "new"; NULL after
    reason: Mapped[str | None]
    received_at: Mapped[datetime]
    envelope_from: Mapped[str | None]
    recipients: Mapped[list[str]]
    message_id: Mapped[str | None]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    is_auto_reply: Mapped[bool] = mapped_column(default=False)
    is_bounce: Mapped[bool] = mapped_column(default=False)
    receipt_sent: Mapped[bool | None]
    attempts: Mapped[int] = mapped_column(default=0)
    size: Mapped[int]
    raw: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))  # as it came, until moved
    raw_sha256: Mapped[str | None] = mapped_column(String(64))  # the compressed file after that
