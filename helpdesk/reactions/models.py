"""The table of reactions that failed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.events import Event
from helpdesk.ext import Base, partial_index


class FailedReaction(Base):
    """A reaction that raised. `due_at` is NULL once it is parked for people to look at."""

    __tablename__ = "failed_reaction"
    __table_args__ = (
        partial_index("ix_failed_reaction_due", "due_at", where="due_at IS NOT NULL"),
        Index("uq_failed_reaction", "event_id", "reaction", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    reaction: Mapped[str] = mapped_column(String(60))
    attempts: Mapped[int]
    error: Mapped[str]  # the kind of error and its place, never its values
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship()
