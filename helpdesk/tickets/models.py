"""Tables of the ticket desk: Queue, Mailbox, Ticket, Message, Attachment, Draft, SLA rows."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Access
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.ext import Base, EnumText, SortKey, partial_index
from helpdesk.files import StoredFile
from helpdesk.products import Item, Product

NUMBER_OFFSET = 10_000  # numbers begin at 10001, so that they are seen as numbers


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


DONE = (Status.RESOLVED, Status.CLOSED)


class TicketKind(StrEnum):
    QUESTION = "question"
    REQUEST = "request"
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"
    THANKS = "thanks"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Channel(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    WEB = "web"
    SMS = "sms"
    API = "api"


class MessageKind(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    NOTE = "note"
    CALL = "call"
    SYSTEM = "system"


class Metric(StrEnum):
    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    SPEED_OF_ANSWER = "speed_of_answer"
    CALLBACK = "callback"


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"


class StepAction(StrEnum):
    NOTIFY = "notify"
    PRIORITY = "priority"
    REASSIGN = "reassign"


class Queue(Base):
    """A queue of tickets with its own addresses, people and promises."""

    __tablename__ = "queue"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    sort_key: Mapped[str] = mapped_column(SortKey)
    numbers: Mapped[list[str]]  # phone numbers in E.164
    receipts: Mapped[bool] = mapped_column(default=True)
    receipt_articles: Mapped[bool] = mapped_column(default=False, server_default=false())
    in_form: Mapped[bool] = mapped_column(default=False, server_default=false())  # takes web forms
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Mailbox(Base):
    """An address that leads into a queue. The queue answers from its primary one."""

    __tablename__ = "mailbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(254), unique=True)  # lower case
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    is_primary: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    queue: Mapped[Queue] = relationship()


class ContactReason(Base):
    """Why clients turn to us: a tree that an administrator edits."""

    __tablename__ = "contact_reason"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("contact_reason.id"), index=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)  # ASCII, as in the API
    names: Mapped[dict[str, Any]]  # {"en": "Delivery", "ru": ..., "uk": ...}
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))  # where forms with it go
    kind: Mapped[TicketKind | None] = mapped_column(EnumText(TicketKind))  # what it makes a ticket
    in_form: Mapped[bool] = mapped_column(default=True)  # customers may choose it
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)


class Ticket(Base):
    """One request of a client. What lists show is kept here, so that a list is one statement."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_recent", "last_message_at", "id"),
        Index("ix_ticket_created", "created_at", "id"),
        Index("ix_ticket_client", "client_id", "last_message_at"),
        Index("ix_ticket_person", "person_id"),
        partial_index("ix_ticket_merged", "merged_into_id", where="merged_into_id IS NOT NULL"),
        partial_index("ix_ticket_reason", "reason_id", "id", where="reason_id IS NOT NULL"),
        partial_index("ix_ticket_product", "product_id", "id", where="product_id IS NOT NULL"),
        partial_index("ix_ticket_active", "last_message_at", "id", where="done_at IS NULL"),
        partial_index(
            "ix_ticket_queue", "queue_id", "last_message_at", "id", where="done_at IS NULL"
        ),
        partial_index(
            "ix_ticket_assignee", "assignee_id", "last_message_at", "id", where="done_at IS NULL"
        ),
        partial_index(
            "ix_ticket_status", "status", "last_message_at", "id", where="done_at IS NULL"
        ),
        partial_index("ix_ticket_sla", "sla", "next_due_at", "id", where="sla IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    status: Mapped[Status] = mapped_column(EnumText(Status))
    priority: Mapped[Priority] = mapped_column(EnumText(Priority))
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    language: Mapped[str | None] = mapped_column(String(8))  # detected from the text
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    tags: Mapped[list[str]]
    kind: Mapped[TicketKind | None] = mapped_column(EnumText(TicketKind))
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("contact_reason.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_message_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]  # the client wrote and nobody answered yet
    first_response_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]  # NULL: active
    next_due_at: Mapped[datetime | None]
    next_metric: Mapped[Metric | None] = mapped_column(EnumText(Metric))
    sla: Mapped[str | None] = mapped_column(String(8))  # NULL, "risk", "breached"; active only
    related_to_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    link_nonce: Mapped[str] = mapped_column(String(32))  # changing it revokes the client's link
    version: Mapped[int] = mapped_column(default=1)

    queue: Mapped[Queue] = relationship()
    client: Mapped[Client] = relationship()
    person: Mapped[Person] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    assignee: Mapped[User | None] = relationship()
    reason: Mapped[ContactReason | None] = relationship()
    product: Mapped[Product | None] = relationship()
    item: Mapped[Item | None] = relationship()

    def access(self) -> Access:
        """What `can()` looks at."""
        return Access(queue_id=self.queue_id)

    @property
    def number(self) -> str:
        return str(self.id + NUMBER_OFFSET)


class Message(Base):
    """An email, reply, note or call on a ticket. The author is a user or a person, or neither."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_ticket", "ticket_id", "id"),
        Index("ix_message_rfc", "message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[MessageKind] = mapped_column(EnumText(MessageKind))
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    subject: Mapped[str]
    text: Mapped[str]
    visible_text: Mapped[str | None]  # NULL: the same as text
    html: Mapped[str | None]  # sanitised
    message_id: Mapped[str | None]  # RFC 5322, without angle brackets
    in_reply_to: Mapped[str | None]
    is_auto_reply: Mapped[bool] = mapped_column(default=False)
    is_bounce: Mapped[bool] = mapped_column(default=False)
    stranger: Mapped[bool] = mapped_column(default=False)  # joined by token, not a participant
    parse_errors: Mapped[list[str]]
    created_at: Mapped[datetime]

    user: Mapped[User | None] = relationship()
    person: Mapped[Person | None] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    attachments: Mapped[list["Attachment"]] = relationship(order_by="Attachment.id")


class Attachment(Base):
    """A file of a message, or one uploaded to a draft and not sent yet (`message_id` NULL)."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_message", "message_id"),
        Index("ix_attachment_file", "file_id"),
        partial_index("ix_attachment_draft", "draft_id", where="draft_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    filename: Mapped[str]
    content_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int]
    inline: Mapped[bool] = mapped_column(default=False)
    content_id: Mapped[str | None]

    file: Mapped[StoredFile] = relationship()


class Draft(Base):
    """What an agent has typed and not sent: one reply and one note for each ticket."""

    __tablename__ = "draft"
    __table_args__ = (Index("uq_draft", "user_id", "ticket_id", "kind", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[MessageKind] = mapped_column(EnumText(MessageKind))
    text: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Calendar(Base):
    """Business hours in a time zone; the shape of the JSON is that of `lib.worktime`."""

    __tablename__ = "calendar"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(String(60))
    weekly: Mapped[dict[str, Any]]  # {"mon": [["09:00", "18:00"]], ...}
    holidays: Mapped[list[str]]  # ["2026-12-25"]
    special: Mapped[dict[str, Any]]  # {"2026-12-26": [["10:00", "14:00"]]}
    version: Mapped[int] = mapped_column(default=1)


class Policy(Base):
    """Promises for tickets that fit all of its conditions; the most particular one wins."""

    __tablename__ = "policy"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    priority: Mapped[Priority | None] = mapped_column(EnumText(Priority))
    client_tag: Mapped[str | None]
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id"))  # NULL: 24 × 7
    targets: Mapped[dict[str, Any]]  # {metric: business seconds}
    warn_percent: Mapped[int] = mapped_column(default=75)
    pause_on_hold: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    generation: Mapped[int] = mapped_column(default=1)  # clocks counted by less are recounted

    calendar: Mapped[Calendar | None] = relationship()
    steps: Mapped[list["PolicyStep"]] = relationship(
        order_by="PolicyStep.after_seconds, PolicyStep.id", cascade="all, delete-orphan"
    )


class PolicyStep(Base):
    """What happens so many business seconds after a breach."""

    __tablename__ = "policy_step"
    __table_args__ = {"sqlite_autoincrement": True}  # clocks remember the ids

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"), index=True)
    metric: Mapped[Metric | None] = mapped_column(EnumText(Metric))  # NULL: every metric
    after_seconds: Mapped[int]
    action: Mapped[StepAction] = mapped_column(EnumText(StepAction))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    role: Mapped[str | None] = mapped_column(String(20))  # a role, "assignee" or NULL
    priority: Mapped[Priority | None] = mapped_column(EnumText(Priority))


class Clock(Base):
    """One promise on one ticket. `next_at` is the next moment something must happen to it."""

    __tablename__ = "clock"
    __table_args__ = (
        Index("ix_clock_ticket", "ticket_id", "id"),
        partial_index("ix_clock_next", "next_at", where="next_at IS NOT NULL"),
        partial_index("ix_clock_policy", "policy_id", "counted", where="stopped_at IS NULL"),
        {"sqlite_autoincrement": True},  # keys of events name clocks: no id comes twice
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    metric: Mapped[Metric] = mapped_column(EnumText(Metric))
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policy.id"))  # NULL: withdrawn
    counted: Mapped[int] = mapped_column(default=0)  # the policy's generation it was counted by
    state: Mapped[ClockState] = mapped_column(EnumText(ClockState))
    target_seconds: Mapped[int]  # business seconds
    started_at: Mapped[datetime]
    agreed_at: Mapped[datetime | None]  # the moment itself was agreed: counted in calendar time
    due_at: Mapped[datetime | None]  # NULL while paused before it
    remaining_seconds: Mapped[int | None]  # frozen while paused or stopped
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]  # met, or answered after the breach
    next_at: Mapped[datetime | None]
    next_step: Mapped[str | None] = mapped_column(String(30))  # "warn", "breach", "step:<id>"
    stepped: Mapped[list[int]] = mapped_column(JSON, default=list)  # ids of the steps taken
    paused_spans: Mapped[list[dict[str, Any]]]  # [{"from": iso, "to": iso|null, "reason": ...}]
    explained: Mapped[list[dict[str, Any]] | None]  # spans as they counted, kept when it stops
