"""Who can take a call now: availability, wrap-up, the phone they use, how long they are free."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, String, false, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import LANGUAGES, Base, EnumText, add_missing, skip_locked
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.phone import normalize
from helpdesk.lib.text import clean_line


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


CHOICES = (Availability.AVAILABLE, Availability.BREAK, Availability.EMAIL_ONLY, Availability.OFF)
"""What people choose themselves; the rest comes of calls."""
SILENT: Mapping[Phone, timedelta] = {
    Phone.BROWSER: timedelta(minutes=2),
    Phone.OWN: timedelta(hours=1),
}
"""After so long without a sign of life they are off."""
SIGN_EVERY = timedelta(seconds=10)
LONGEST_WRAP_UP = timedelta(minutes=30)
MOST_WORDS, WORD_LIMIT = 20, 40


def get(session: Session, user_id: int) -> Presence | None:
    """The row of this user, read without a lock."""
    return session.get(Presence, user_id)


def own(session: Session, user_id: int, at: datetime) -> Presence:
    """The row of this user to be changed, locked until the end of the transaction; made if
    missing."""
    row = locked(session, user_id)
    if row is None:
        first = {
            "user_id": user_id,
            "state": Availability.OFF,
            "since": at,
            "free_since": at,
            "unanswered": 0,
            "phone": Phone.BROWSER,
            "languages": [],
            "skills": [],
        }
        add_missing(session, Presence, [first], unique="user_id")
        row = locked(session, user_id)
    assert row is not None
    return row


def set_state(
    session: Session, user_id: int, state: str, *, at: datetime, actor: Actor = SYSTEM
) -> Presence:
    """Choose to be available, on a break, with emails only, or off; also the way back of who was
    paused. During a call it holds from its end on. Raises HelpdeskError for any other state.
    """
    if state not in CHOICES:
        known = ", ".join(CHOICES)
        raise HelpdeskError(
            _lazy("The state must be one of: %(known)s."), field="state", known=known
        )
    row, chosen = own(session, user_id, at), Availability(state)
    if actor.user_id in (None, user_id):
        row.seen_at = at
    if row.state == Availability.IN_CALL:
        row.next_state = None if chosen == Availability.AVAILABLE else chosen
        session.flush()
        return row
    row.paused, row.unanswered, row.next_state = False, 0, None
    row.until = row.call_id = None
    change(session, row, chosen, at, actor)
    return row


def seen(session: Session, user_id: int, at: datetime) -> None:
    """A sign of life of the user's browser; one statement, which writes every ten seconds."""
    session.execute(
        update(Presence)
        .where(Presence.user_id == user_id)
        .where(or_(Presence.seen_at.is_(None), Presence.seen_at <= at - SIGN_EVERY))
        .values(seen_at=at)
    )


def set_phone(
    session: Session,
    user_id: int,
    phone: str,
    number: str | None = None,
    *,
    country: str,
    at: datetime,
    actor: Actor = SYSTEM,
) -> Presence:
    """Take calls in the browser, or by an own telephone with this number (read as dialled in
    `country`). Raises HelpdeskError for an unknown kind or a number that can't be called.
    """
    if phone not in set(Phone):
        known = ", ".join(Phone)
        raise HelpdeskError(
            _lazy("The phone must be one of: %(known)s."), field="phone", known=known
        )
    e164 = normalize(number, country) if number and number.strip() else None
    if (phone == Phone.OWN or number) and e164 is None:
        raise HelpdeskError(_lazy("Enter a phone number that can be called."), field="number")
    row = own(session, user_id, at)
    row.phone, row.number = Phone(phone), e164 or row.number
    session.flush()
    record(session, "user.changed", actor=actor, at=at, user_id=user_id, fields=["phone"])
    return row


def set_skills(
    session: Session,
    user_id: int,
    *,
    languages: Iterable[str],
    skills: Iterable[str],
    at: datetime,
    actor: Actor = SYSTEM,
) -> Presence:
    """In which languages they talk (none named: in all) and what they know besides. Raises
    HelpdeskError for a language that the product doesn't speak, or too many or long words.
    """
    spoken = sorted(set(languages))
    if unknown := [one for one in spoken if one not in LANGUAGES]:
        raise HelpdeskError(
            _lazy("There is no language %(language)s."), field="languages", language=unknown[0]
        )
    known = sorted({word for one in skills if (word := clean_line(one))})
    if len(known) > MOST_WORDS or any(len(word) > WORD_LIMIT for word in known):
        raise HelpdeskError(
            _lazy("At most %(most)s skills of at most %(limit)s characters."),
            field="skills",
            most=MOST_WORDS,
            limit=WORD_LIMIT,
        )
    row = own(session, user_id, at)
    row.languages, row.skills = spoken, known
    session.flush()
    record(session, "user.changed", actor=actor, at=at, user_id=user_id, fields=["skills"])
    return row


def extend_wrap_up(session: Session, user_id: int, at: datetime, *, seconds: int = 60) -> Presence:
    """More time to write up the call, up to half an hour in all. Raises Conflict when there is no
    wrap-up."""
    row = own(session, user_id, at)
    if row.state != Availability.WRAP_UP or row.until is None:
        raise Conflict(_lazy("The time for writing up this call is over."))
    row.until = min(max(row.until, at) + timedelta(seconds=seconds), row.since + LONGEST_WRAP_UP)
    session.flush()
    return row


def sweep(session: Session, at: datetime) -> int:
    """End wrap-ups and breaths that are over, and the duty of those whose browser gave no sign of
    life for long; returns how many. One statement, and two for each of them."""
    rows = session.scalars(
        select(Presence)
        .where(_over(at))
        .order_by(Presence.user_id)
        .with_for_update(**skip_locked(session))
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        if row.until is not None and row.until <= at:
            leave(session, row, at)
        if _is_silent(row, at):
            row.paused, row.until, row.call_id, row.next_state = False, None, None, None
            change(session, row, Availability.OFF, at)
    return len(rows)


def sweep_due(session: Session, at: datetime) -> bool:
    """Whether `sweep` has anything to do; reads only."""
    return session.scalar(select(Presence.user_id).where(_over(at)).limit(1)) is not None


def locked(session: Session, user_id: int) -> Presence | None:
    """The row of this user as it is now, locked until the end of the transaction."""
    return session.get(Presence, user_id, with_for_update=True, populate_existing=True)


def leave(session: Session, row: Presence, at: datetime) -> None:
    """From a call or a pause to what was chosen, else to the next call."""
    chosen, row.next_state = row.next_state or Availability.AVAILABLE, None
    row.until = row.call_id = None
    change(session, row, chosen, at)


def change(
    session: Session, row: Presence, new: Availability, at: datetime, actor: Actor = SYSTEM
) -> None:
    """Write the row with this state, and the Event if it is another one than before."""
    old = row.state
    if old != new:
        row.state, row.since = new, at
        if new == Availability.AVAILABLE:
            row.free_since = at
        record(
            session,
            "presence.changed",
            actor=actor,
            at=at,
            user_id=row.user_id,
            old=old.value,
            new=new.value,
        )
    session.flush()


def _over(at: datetime) -> ColumnElement[bool]:
    unseen = Presence.state.not_in((Availability.OFF, Availability.IN_CALL)) & or_(
        *((Presence.phone == phone) & _unseen(at - limit) for phone, limit in SILENT.items())
    )
    return or_(Presence.until <= at, unseen)


def _unseen(before: datetime) -> ColumnElement[bool]:
    return or_(Presence.seen_at.is_(None), Presence.seen_at <= before)


def _is_silent(row: Presence, at: datetime) -> bool:
    if row.state in (Availability.OFF, Availability.IN_CALL):
        return False
    return row.seen_at is None or row.seen_at <= at - SILENT[row.phone]
