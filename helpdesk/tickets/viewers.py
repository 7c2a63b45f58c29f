"""Who has a ticket open right now and who writes an answer, so that no two answer it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, and_, delete, exists, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.accounts.models import User
from helpdesk.ext import Base, add_missing
from helpdesk.lib.errors import Conflict, _lazy
from helpdesk.tickets.models import Draft, Message, MessageKind

GONE_AFTER = timedelta(seconds=40)
"""Of a browser that was heard of before nobody looks at the ticket any more."""
WRITING = timedelta(seconds=60)
SEEN_EVERY = timedelta(seconds=8)  # more often nothing is written


class Viewer(Base):
    """The last sign of somebody who has a ticket open."""

    __tablename__ = "ticket_viewer"
    __table_args__ = (Index("ix_ticket_viewer_seen", "seen_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)  # "ticket:user"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    seen_at: Mapped[datetime]


@dataclass(frozen=True)
class Other:
    """A colleague who looks at the same ticket; `writing`: an answer to the client."""

    user_id: int
    name: str
    writing: bool


def is_known(session: Session, ticket_id: int, user_id: int, at: datetime) -> bool:
    """Whether a sign of them was kept a moment ago, so that nothing need be written."""
    seen_at = session.scalar(select(Viewer.seen_at).where(Viewer.key == _key(ticket_id, user_id)))
    return seen_at is not None and seen_at > at - SEEN_EVERY


def seen(session: Session, ticket_id: int, user_id: int, at: datetime) -> None:
    """They have it open."""
    key = _key(ticket_id, user_id)
    row = {"key": key, "ticket_id": ticket_id, "user_id": user_id, "seen_at": at}
    add_missing(session, Viewer, [row], unique="key")
    session.execute(update(Viewer).where(Viewer.key == key).values(seen_at=at))


def left(session: Session, ticket_id: int, user_id: int) -> None:
    """They have gone to something else."""
    session.execute(delete(Viewer).where(Viewer.key == _key(ticket_id, user_id)))


def others(session: Session, ticket_id: int, user_id: int, at: datetime) -> list[Other]:
    """Who else has it open, those who write first. One statement."""
    writes = exists().where(
        and_(
            Draft.ticket_id == ticket_id,
            Draft.user_id == User.id,
            Draft.kind == MessageKind.OUTBOUND,
            Draft.text != "",
            Draft.updated_at > at - WRITING,
        )
    )
    query = (
        select(User.id, User.name, writes.label("writing"))
        .join(Viewer, Viewer.user_id == User.id)
        .where(Viewer.ticket_id == ticket_id, Viewer.seen_at > at - GONE_AFTER)
        .where(User.id != user_id, User.active)
        .order_by(writes.desc(), User.sort_key, User.id)
    )
    return [Other(id_, name, bool(writing)) for id_, name, writing in session.execute(query)]


def check_answered(session: Session, ticket_id: int, user_id: int, *, after: int) -> None:
    """Raise Conflict if a colleague has answered the client since the message `after`, the last
    one that this user saw."""
    name = session.scalar(
        select(User.name)
        .join(Message, Message.user_id == User.id)
        .where(Message.ticket_id == ticket_id, Message.id > after)
        .where(Message.kind == MessageKind.OUTBOUND, Message.user_id != user_id)
        .order_by(Message.id.desc())
        .limit(1)
    )
    if name is not None:
        raise Conflict(
            _lazy(
                "%(name)s has answered meanwhile: look above. Your text is kept; send it again if "
                "it is still needed."
            ),
            name=name,
        )


def _key(ticket_id: int, user_id: int) -> str:
    return f"{ticket_id}:{user_id}"
