"""The table of planned contacts: callbacks, meetings, visits and tasks."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Access
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.tickets.models import Clock, Queue, Ticket


class TaskKind(StrEnum):
    CALLBACK = "callback"
    MEETING = "meeting"
    VISIT = "visit"
    TASK = "task"


class TaskState(StrEnum):
    PLANNED = "planned"
    TRYING = "trying"  # a call about it is under way
    DONE = "done"
    FAILED = "failed"  # given up: nobody was reached, or the number can't be called
    CANCELLED = "cancelled"


class TaskResult(StrEnum):
    TALKED = "talked"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"
    CALLED_AGAIN = "called_again"  # the client phoned before we did
    NOT_NEEDED = "not_needed"


class Task(Base):
    """A contact to be made. `next_at` is when it is tried next; NULL once nothing more will be."""

    __tablename__ = "task"
    __table_args__ = (
        partial_index("ix_task_next", "next_at", "id", where="next_at IS NOT NULL"),
        partial_index("ix_task_open", "due_at", "id", where="done_at IS NULL"),
        partial_index("ix_task_number", "number", where="done_at IS NULL"),
        Index("ix_task_due", "due_at", "id"),
        Index("ix_task_ticket", "ticket_id"),
        Index("ix_task_client", "client_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[TaskKind] = mapped_column(EnumText(TaskKind))
    state: Mapped[TaskState] = mapped_column(EnumText(TaskState))
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    number: Mapped[str | None] = mapped_column(String(20))  # E.164, where it is to be phoned
    language: Mapped[str | None] = mapped_column(String(8))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    title: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime]  # what was promised
    clock_id: Mapped[int | None] = mapped_column(ForeignKey("clock.id"))  # of the promise
    place_at: Mapped[datetime | None]  # the caller's place in the queue: when they joined it
    next_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    result: Mapped[TaskResult | None] = mapped_column(EnumText(TaskResult))
    last_error: Mapped[str | None]
    outcome: Mapped[str] = mapped_column(default="")  # what came of it, in the owner's words
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    first_tried_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    client: Mapped[Client] = relationship()
    person: Mapped[Person | None] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    ticket: Mapped[Ticket | None] = relationship()
    queue: Mapped[Queue | None] = relationship()
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    clock: Mapped[Clock | None] = relationship()

    def access(self) -> Access:
        """What `can()` looks at."""
        return Access(queue_id=self.queue_id)
