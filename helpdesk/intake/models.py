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


class ImapTls(StrEnum):
    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"  # this machine only


class ImapAfter(StrEnum):
    """What becomes of an email on its server once it is ours."""

    LEAVE = "leave"
    SEEN = "seen"
    MOVE = "move"


class ImapTrouble(StrEnum):
    """Why a mailbox could not be fetched."""

    NAME = "name"
    AWAY = "away"
    SLOW = "slow"
    CERTIFICATE = "certificate"
    TLS = "tls"
    STARTTLS = "starttls"
    PROTOCOL = "protocol"
    LOGIN = "login"
    FOLDER = "folder"
    MARK = "mark"
    LOST = "lost"
    KEY = "key"


class ImapBox(Base):
    """A mailbox on another server that is fetched by IMAP, and how far it was fetched.

    `cursor_uid` is the last email of the folder `uidvalidity` that is ours; of those below
    `old_below`, which lay there when the folder was first seen, only those since `since` are.
    """

    __tablename__ = "imap_box"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(254))  # of a queue, in lower case
    host: Mapped[str] = mapped_column(String(253))
    port: Mapped[int]
    tls: Mapped[ImapTls] = mapped_column(EnumText(ImapTls))
    username: Mapped[str] = mapped_column(String(320))
    password: Mapped[str]  # sealed, see lib/sealed.py
    folder: Mapped[str]
    after: Mapped[ImapAfter] = mapped_column(EnumText(ImapAfter))
    move_to: Mapped[str | None]
    since: Mapped[datetime]
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)  # counts changes by people
    created_at: Mapped[datetime]
    uidvalidity: Mapped[int | None]
    cursor_uid: Mapped[int] = mapped_column(default=0)
    old_below: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int | None]  # on the server and not ours yet, as far as was seen
    fetched: Mapped[int] = mapped_column(default=0)
    last_seen_at: Mapped[datetime | None]  # the server answered and all was fetched
    last_fetched_at: Mapped[datetime | None]
    trouble: Mapped[ImapTrouble | None] = mapped_column(EnumText(ImapTrouble))
    trouble_words: Mapped[str | None]  # the server's own
    failing_since: Mapped[datetime | None]
    told: Mapped[bool] = mapped_column(default=False)  # administrators, of this failure
    claimed_by: Mapped[str | None] = mapped_column(String(64))  # who fetches it
    claimed_until: Mapped[datetime | None]
