"""Who of the staff is told what: rows that the desk shows, with an email where it is urgent."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.events import Event
from helpdesk.ext import Base, partial_index
from helpdesk.tickets.models import Ticket


class Notice(Base):
    """One thing one user should know; unique by (user, event)."""

    __tablename__ = "notice"
    __table_args__ = (partial_index("ix_notice_unread", "user_id", "id", where="read_at IS NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    kind: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    ticket: Mapped[Ticket] = relationship()
    event: Mapped[Event] = relationship()
