"""The table of outgoing emails and SMS."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.tickets.models import Message


class OutgoingKind(StrEnum):
    REPLY = "reply"
    RECEIPT = "receipt"
    NOTICE = "notice"
    CODE = "code"
    SMS = "sms"


class OutgoingState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"  # of an SMS: the phone has it
    FAILED = "failed"
    CAUGHT = "caught"  # no relay is set: the mail catcher shows it


class Outgoing(Base):
    """One email or SMS to one address or number; `due_at` NULL: nothing more will be tried."""

    __tablename__ = "outgoing"
    __table_args__ = (
        partial_index("ix_outgoing_due", "due_at", where="due_at IS NOT NULL"),
        Index("ix_outgoing_ticket", "ticket_id"),
        partial_index(
            "uq_outgoing_carrier", "carrier_id", where="carrier_id IS NOT NULL", unique=True
        ),
        Index("ix_outgoing_message", "message_id"),
        Index("ix_outgoing_rfc", "rfc_message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)  # one effect per cause
    kind: Mapped[OutgoingKind] = mapped_column(EnumText(OutgoingKind))
    state: Mapped[OutgoingState] = mapped_column(EnumText(OutgoingState))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    to_address: Mapped[str]
    from_name: Mapped[str]
    from_address: Mapped[str]
    reply_to: Mapped[str | None]
    envelope_from: Mapped[str]  # "" for automatic mail (RFC 3834)
    rfc_message_id: Mapped[str]
    in_reply_to: Mapped[str | None]
    references: Mapped[str | None]
    automatic: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str | None]
    due_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    maybe_sent: Mapped[bool] = mapped_column(default=False)  # a crash fell between send and commit
    created_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    carrier_id: Mapped[str | None] = mapped_column(String(80))  # of an SMS: MessageSid

    message: Mapped[Message | None] = relationship()
