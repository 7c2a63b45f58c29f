"""Who can take a call now: availability, wrap-up, the phone they use, how long they are free."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.ext import Base, EnumText


class Availability(StrEnum):
    AVAILABLE = "available"
    IN_CALL = "in_call"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    EMAIL_ONLY = "email_only"
    OFF = "off"


class Phone(StrEnum):
    BROWSER = "browser"  # the softphone in the desk
    OWN = "own"  # a telephone with a number; "press 1 to accept" guards against its voicemail


class Presence(Base):
    """One row for each member of staff who ever took calls. Absent: off."""

    __tablename__ = "presence"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    state: Mapped[Availability] = mapped_column(EnumText(Availability))
    since: Mapped[datetime]
    until: Mapped[datetime | None]  # end of the wrap-up
    next_state: Mapped[Availability | None] = mapped_column(EnumText(Availability))  # after a call
    free_since: Mapped[datetime]  # the longest free one is offered the next call
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())  # left unanswered
    unanswered: Mapped[int] = mapped_column(default=0)  # offers in a row
    phone: Mapped[Phone] = mapped_column(EnumText(Phone), default=Phone.BROWSER)
    number: Mapped[str | None] = mapped_column(String(20))  # E.164, of their own telephone
    languages: Mapped[list[str]]  # in which they talk; empty: all
    skills: Mapped[list[str]]
    seen_at: Mapped[datetime | None]  # the last sign of life of their browser
    call_id: Mapped[int | None]  # what they are offered or talk on; calls/ writes it
