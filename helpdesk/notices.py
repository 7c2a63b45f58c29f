"""Who of the staff is told what: rows that the desk shows, with an email where it is urgent."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ForeignKey, Select, String, func, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from helpdesk.events import Event
from helpdesk.ext import Base, add_row, partial_index
from helpdesk.tickets.models import Ticket

COUNT_CAP = 100


class Notice(Base):
    """One thing one user should know; unique by (user, event)."""

    __tablename__ = "notice"
    __table_args__ = (partial_index("ix_notice_unread", "user_id", "id", where="read_at IS NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    kind: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    ticket: Mapped[Ticket | None] = relationship()
    event: Mapped[Event] = relationship()


def tell(
    session: Session,
    user_id: int,
    event: Event,
    ticket_id: int | None,
    kind: str,
    *,
    at: datetime,
) -> bool:
    """Tell a user of an event, on a ticket or on none. False if they were told of it before."""
    key = f"{event.id}:{user_id}"
    if session.scalar(select(Notice.id).where(Notice.key == key)) is not None:
        return False
    add_row(
        session,
        Notice,
        key=key,
        user_id=user_id,
        ticket_id=ticket_id,
        event_id=event.id,
        kind=kind,
        created_at=at,
    )
    return True


def unread(session: Session, user_id: int, limit: int = 50) -> list[Notice]:
    """What this user has not seen yet, newest first, with tickets and events."""
    query = (
        select(Notice)
        .where(Notice.user_id == user_id, Notice.read_at.is_(None))
        .options(joinedload(Notice.ticket), joinedload(Notice.event))
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def unread_count(session: Session, user_id: int) -> int:
    """How many are unread, counted up to `COUNT_CAP`."""
    return session.scalar(count_unread(user_id)) or 0


def count_unread(user_id: int | BindParameter[int]) -> Select[int]:
    """The statement behind `unread_count`, to be a part of another one."""
    capped = select(Notice.id).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    return select(func.count()).select_from(capped.limit(COUNT_CAP).subquery())


def mark_read(
    session: Session,
    user_id: int,
    *,
    at: datetime,
    notice_ids: Sequence[int] | None = None,
    ticket_id: int | None = None,
) -> int:
    """Mark this user's notices as seen: these, those on a ticket, or all; how many there were."""
    query = update(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    if notice_ids is not None:
        query = query.where(Notice.id.in_(notice_ids))
    if ticket_id is not None:
        query = query.where(Notice.ticket_id == ticket_id)
    result = session.execute(query.values(read_at=at))
    return int(getattr(result, "rowcount", 0))
