"""What clients think of our answers: one rating a ticket (CSAT)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.events import Actor, record
from helpdesk.ext import Base, lock
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean
from helpdesk.tickets.models import Message, MessageKind, Ticket

SCORES = range(1, 6)
LOW = 2
"""Scores up to this one are told to the supervisors."""
COMMENT_LIMIT = 2_000
PAGE = 50
NEWEST = 500  # ratings that a mean is made of, so that it costs the same in every year


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


def rate(
    session: Session, ticket: Ticket, score: int, *, at: datetime, comment: str | None = None
) -> Rating:
    """Keep what the client thinks of a ticket, 1 to 5; `comment` None leaves an earlier one.

    A new score is an Event, a comment alone is none. Raises HelpdeskError for another score, for
    a comment that is too long, and before anybody of us has answered.
    """
    if score not in SCORES:
        raise HelpdeskError(_lazy("Choose a number from 1 to 5."), field="score")
    if comment is not None and len(comment) > COMMENT_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="comment",
            limit=COMMENT_LIMIT,
        )
    if not may_rate(ticket):
        raise HelpdeskError(_lazy("We have not answered yet."), field="score")
    lock(session, f"rating:{ticket.id}")
    found = rating_of(session, ticket.id)
    changed = found is None or found.score != score
    if found is None:
        found = Rating(ticket_id=ticket.id, comment="")
        session.add(found)
    found.person_id, found.score, found.at = ticket.person_id, score, at
    found.user_id = _answered_last(session, ticket.id)
    if comment is not None:
        found.comment = clean(comment).strip()
    session.flush()
    if changed:
        record(
            session,
            "ticket.rated",
            actor=Actor(person_id=ticket.person_id),
            at=at,
            ticket_id=ticket.id,
            client_id=ticket.client_id,
            rating_id=found.id,
            score=score,
        )
    return found


def may_rate(ticket: Ticket) -> bool:
    """Whether there is an answer of ours to think something of."""
    return ticket.first_response_at is not None


def rating_of(session: Session, ticket_id: int) -> Rating | None:
    """What the client thinks of this ticket, if they said so."""
    return session.scalar(select(Rating).where(Rating.ticket_id == ticket_id))


def page(
    session: Session, among: Sequence[ColumnElement[bool]], *, low: bool, before: int | None
) -> tuple[list[tuple[Rating, Ticket]], int | None]:
    """Ratings with their tickets, the latest given first; `among`: conditions on Ticket.

    `low`: only those that ask for a look; `before`: the id where the page before ended. And the id
    where this one ends, None if it is the last.
    """
    query = select(Rating, Ticket).join(Ticket, Ticket.id == Rating.ticket_id).where(*among)
    if low:
        query = query.where(Rating.score <= LOW)
    if before is not None:
        query = query.where(Rating.id < before)
    rows = session.execute(query.order_by(Rating.id.desc()).limit(PAGE + 1)).all()
    found = [(rating, ticket) for rating, ticket in rows[:PAGE]]
    return found, found[-1][0].id if len(rows) > PAGE else None


def satisfaction(
    session: Session, among: Sequence[ColumnElement[bool]]
) -> tuple[float | None, int]:
    """The mean of the newest ratings, and how many these are: at most NEWEST."""
    scores = select(Rating.score).join(Ticket, Ticket.id == Rating.ticket_id).where(*among)
    newest = scores.order_by(Rating.id.desc()).limit(NEWEST).subquery()
    mean, count = session.execute(select(func.avg(newest.c.score), func.count())).one()
    return (float(mean) if count else None), count


def _answered_last(session: Session, ticket_id: int) -> int | None:
    query = select(Message.user_id).where(
        Message.ticket_id == ticket_id, Message.kind == MessageKind.OUTBOUND
    )
    return session.scalar(query.order_by(Message.id.desc()).limit(1))
