"""What clients think of our answers: one rating a ticket (CSAT)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.ext import Base


class Rating(Base):
    """A client's satisfaction with a ticket, 1 to 5; a later one replaces it."""

    __tablename__ = "rating"
    __table_args__ = (Index("ix_rating_at", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # who answered last
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
