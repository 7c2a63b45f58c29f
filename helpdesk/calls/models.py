"""Tables of the telephone: call, leg, offer, event, command, recording, phone menu."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Access
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.files import StoredFile
from helpdesk.planner.models import Task
from helpdesk.products import Product
from helpdesk.tickets.models import ContactReason, Queue, Ticket


class Provider(StrEnum):
    TWILIO = "twilio"
    TWIN = "twin"  # the offline twin of Twilio
    PBX = "pbx"  # any exchange that posts what happened
    HAND = "hand"  # logged by an agent


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallState(StrEnum):
    """Of the customer's call; the ranks stand in `calls.states`."""

    NEW = "new"
    LANGUAGE = "language"
    MENU = "menu"
    ANSWER = "answer"  # hears an answer of the knowledge base
    IDENTIFY = "identify"
    QUEUED = "queued"
    OFFERED = "offered"
    CONNECTING = "connecting"
    TALKING = "talking"
    HELD = "held"
    VOICEMAIL = "voicemail"  # leaves a message
    CALLBACK = "callback"  # was promised to be called back
    WRAP_UP = "wrap_up"
    ENDED = "ended"


class EndReason(StrEnum):
    TALKED = "talked"
    CONTAINED = "contained"  # the menu answered; nobody else was needed
    ABANDONED_MENU = "abandoned_menu"
    ABANDONED_QUEUE = "abandoned_queue"
    ABANDONED_RING = "abandoned_ring"  # while an agent's phone rang
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    NO_MESSAGE = "no_message"  # came to the voicemail and said nothing
    NO_ANSWER = "no_answer"  # outbound
    BUSY = "busy"
    REFUSED = "refused"  # blocked caller
    FAILED = "failed"


class LegRole(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"


class LegState(StrEnum):
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    CANCELED = "canceled"


class OfferOutcome(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    WITHDRAWN = "withdrawn"  # the caller left, or somebody else took it
    LATE = "late"  # accepted when the caller had gone already


class CommandState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"  # what it was about is over


class RecordingKind(StrEnum):
    VOICEMAIL = "voicemail"
    TALK = "talk"


class RecordingState(StrEnum):
    EXPECTED = "expected"
    READY = "ready"  # at the carrier, to be fetched
    STORED = "stored"
    ABSENT = "absent"  # too short or silent: there is none
    FAILED = "failed"
    DELETED = "deleted"


class Disposition(StrEnum):
    """The wrap-up code: what came of the call."""

    SOLVED = "solved"
    PROMISED = "promised"
    PASSED_ON = "passed_on"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"


class NextStep(StrEnum):
    NONE = "none"
    CALLBACK = "callback"
    EMAIL = "email"
    VISIT = "visit"


class PhoneMenu(Base):
    """What callers of a queue hear and may choose, and how long they wait; the default one has
    no queue.

    `choices`: at most four of {"digit": "1", "action": "answer" | "speech" | "status" | "queue" |
    "voicemail", "article": key | None, "queue_id": id | None, "skill": word | None,
    "labels": {"uk": ..., ...}}; 0 is always a person and * says it again.
    """

    __tablename__ = "phone_menu"

    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"), unique=True)
    greetings: Mapped[dict[str, Any]]  # {"uk": "Вітаємо! …"}; missing: the standard words
    choices: Mapped[list[dict[str, Any]]]
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id"))  # NULL: the SLA's
    ring_seconds: Mapped[int] = mapped_column(default=20)
    wrap_up_seconds: Mapped[int] = mapped_column(default=60)
    max_wait_seconds: Mapped[int] = mapped_column(default=900)  # then voicemail
    overflow_seconds: Mapped[int | None]  # then agents of the next queue are asked too
    overflow_queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    callbacks: Mapped[bool] = mapped_column(default=True, server_default=true())
    voicemail: Mapped[bool] = mapped_column(default=True, server_default=true())
    recording: Mapped[bool] = mapped_column(default=False, server_default=false())
    consent: Mapped[dict[str, Any]]  # the wording by language; missing: the standard one
    consent_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)


class Call(Base):
    """One call with a customer, in or out. Moments are UTC; their differences are seconds.

    `facts` is what the events said so far, merged so that their order doesn't matter; the
    columns beside it are read from it (`calls.record`).
    """

    __tablename__ = "call"
    __table_args__ = (
        Index("uq_call_provider", "provider", "provider_id", unique=True),
        Index("ix_call_client", "client_id", "started_at", "id"),
        Index("ix_call_ticket", "ticket_id"),
        Index("ix_call_user", "user_id", "started_at"),
        Index("ix_call_started", "started_at", "id"),
        Index("ix_call_from", "from_number", "id"),
        Index("ix_call_queue", "queue_id", "id"),
        partial_index("ix_call_live", "last_event_at", where="over_at IS NULL"),
        partial_index("ix_call_waiting", "queue_id", "place_at", "id", where="waiting IS NOT NULL"),
        partial_index(
            "ix_call_unwrapped",
            "user_id",
            "id",
            where="answered_at IS NOT NULL AND wrapped_at IS NULL",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[Provider] = mapped_column(EnumText(Provider))
    provider_id: Mapped[str] = mapped_column(String(80))  # CallSid of the customer's leg
    token: Mapped[str] = mapped_column(String(32), unique=True)  # names the conference
    direction: Mapped[Direction] = mapped_column(EnumText(Direction))
    from_number: Mapped[str | None] = mapped_column(String(80))  # E.164; NULL: withheld
    to_number: Mapped[str | None] = mapped_column(String(80))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # who talked
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"), index=True)  # of a callback
    language: Mapped[str] = mapped_column(String(8))
    skill: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[CallState] = mapped_column(EnumText(CallState))
    end_reason: Mapped[EndReason | None] = mapped_column(EnumText(EndReason))
    step: Mapped[dict[str, Any]]  # where the caller is in the menu: {"name": ..., ...}
    facts: Mapped[dict[str, Any]]
    waiting: Mapped[int | None]  # 1 while in the queue and not with an agent
    place_at: Mapped[datetime | None]  # by this the queue is ordered: joined, or as promised
    started_at: Mapped[datetime]
    queued_at: Mapped[datetime | None]
    offered_at: Mapped[datetime | None]  # first
    answered_at: Mapped[datetime | None]  # customer and agent hear each other
    ended_at: Mapped[datetime | None]  # the customer's leg is over
    wrapped_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]  # nothing more is awaited
    last_event_at: Mapped[datetime]
    hold_seconds: Mapped[int] = mapped_column(default=0)
    estimated_seconds: Mapped[int | None]  # the wait that was told when the caller joined
    consent_asked_at: Mapped[datetime | None]
    consent_given: Mapped[bool | None]
    consent_version: Mapped[int | None]  # of the wording that the caller heard
    verified_at: Mapped[datetime | None]  # the caller showed a code
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("contact_reason.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    disposition: Mapped[Disposition | None] = mapped_column(EnumText(Disposition))
    next_step: Mapped[NextStep | None] = mapped_column(EnumText(NextStep))
    notes: Mapped[str] = mapped_column(default="")
    reconciled: Mapped[bool] = mapped_column(default=False, server_default=false())

    client: Mapped[Client | None] = relationship()
    person: Mapped[Person | None] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    ticket: Mapped[Ticket | None] = relationship()
    queue: Mapped[Queue | None] = relationship()
    user: Mapped[User | None] = relationship()
    task: Mapped[Task | None] = relationship()
    reason: Mapped[ContactReason | None] = relationship()
    product: Mapped[Product | None] = relationship()
    legs: Mapped[list["CallLeg"]] = relationship(order_by="CallLeg.id")

    def access(self) -> Access:
        """What `can()` looks at."""
        return Access(queue_id=self.queue_id)

    @property
    def conference(self) -> str:
        """The name of its conference at the carrier; it says nothing about people."""
        return f"c-{self.token}"


class CallLeg(Base):
    """One telephone in a call: the customer's, or an agent's."""

    __tablename__ = "call_leg"
    __table_args__ = (
        Index("ix_call_leg_call", "call_id"),
        partial_index(
            "uq_call_leg_provider", "provider_id", where="provider_id IS NOT NULL", unique=True
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    provider_id: Mapped[str | None] = mapped_column(String(80))  # NULL: asked for, not rung yet
    role: Mapped[LegRole] = mapped_column(EnumText(LegRole))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    state: Mapped[LegState] = mapped_column(EnumText(LegState))
    held: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Offer(Base):
    """A call offered to an agent. At most one is open for a call and for an agent."""

    __tablename__ = "offer"
    __table_args__ = (
        partial_index("uq_offer_call", "call_id", where="closed_at IS NULL", unique=True),
        partial_index("uq_offer_user", "user_id", where="closed_at IS NULL", unique=True),
        partial_index("ix_offer_expires", "expires_at", where="closed_at IS NULL"),
        Index("ix_offer_history", "call_id", "id"),
        Index("ix_offer_of_user", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    leg_id: Mapped[int | None] = mapped_column(ForeignKey("call_leg.id"))
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # NULL: still ringing
    outcome: Mapped[OfferOutcome | None] = mapped_column(EnumText(OfferOutcome))


class CallEvent(Base):
    """What a carrier told us, once; with the answer it got, byte for byte for repeats."""

    __tablename__ = "call_event"
    __table_args__ = (
        Index("ix_call_event_call", "call_id", "id"),
        Index("ix_call_event_received", "received_at"),
        partial_index("ix_call_event_todo", "id", where="todo IS NOT NULL"),
        partial_index("ix_call_event_error", "id", where="error IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("call.id"))
    provider: Mapped[Provider] = mapped_column(EnumText(Provider))
    kind: Mapped[str] = mapped_column(String(40))
    provider_id: Mapped[str | None] = mapped_column(String(80))
    sequence: Mapped[int | None]
    provider_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]  # as it came, without what we keep elsewhere
    repeats: Mapped[int] = mapped_column(default=0)
    reconciled: Mapped[bool] = mapped_column(default=False, server_default=false())
    todo: Mapped[int | None]  # 1: stored, but working on it failed; the reconciler tries again
    error: Mapped[str | None]
    status: Mapped[int]
    answer: Mapped[str] = mapped_column(default="")


class CallCommand(Base):
    """Something to be asked of the carrier, e.g. ring an agent. Done once, retried, given up."""

    __tablename__ = "call_command"
    __table_args__ = (
        partial_index("ix_call_command_due", "due_at", "id", where="due_at IS NOT NULL"),
        Index("ix_call_command_call", "call_id", "id"),
        partial_index("ix_call_command_error", "id", where="last_error IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)  # one effect per cause
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    leg_id: Mapped[int | None] = mapped_column(ForeignKey("call_leg.id"))
    kind: Mapped[str] = mapped_column(String(20))
    data: Mapped[dict[str, Any]]
    state: Mapped[CommandState] = mapped_column(EnumText(CommandState))
    due_at: Mapped[datetime | None]  # NULL: nothing more will be tried
    attempts: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]  # set before the request goes out: look before the next
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Recording(Base):
    """A voicemail or the recording of a talk: at the carrier first, then in our files."""

    __tablename__ = "recording"
    __table_args__ = (
        Index("ix_recording_call", "call_id"),
        partial_index("ix_recording_due", "due_at", where="due_at IS NOT NULL"),
        partial_index("ix_recording_stored", "stored_at", where="file_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(80), unique=True)  # RecordingSid
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    kind: Mapped[RecordingKind] = mapped_column(EnumText(RecordingKind))
    state: Mapped[RecordingState] = mapped_column(EnumText(RecordingState))
    seconds: Mapped[int | None]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"), index=True)
    content_type: Mapped[str] = mapped_column(String(40), default="audio/wav")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]  # the next step with the carrier; NULL: nothing more is tried
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    stored_at: Mapped[datetime | None]

    call: Mapped[Call] = relationship()
    file: Mapped[StoredFile | None] = relationship()


class VoiceAnswer(Base):
    """An article that a caller heard, and whether it helped (NULL: hung up before saying)."""

    __tablename__ = "voice_answer"
    __table_args__ = (Index("ix_voice_answer_article", "article_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), index=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    language: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]
    helped: Mapped[bool | None]
