"""Spells: how long a ticket stayed in one status and queue with one assignee.

Each change of these three ends a spell and begins the next, in the transaction that writes the
Event of the change; reports read the spells, since adding up Events would cost too much.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.tickets.models import DONE, Status


class Came(StrEnum):
    """What began a spell."""

    OPENED = "opened"  # the ticket itself
    STATUS = "status"
    DONE = "done"  # resolved or closed, from being active
    REOPENED = "reopened"  # active again
    QUEUE = "queue"  # moved here from another queue
    TAKEN = "taken"  # nobody had it before
    PASSED = "passed"  # somebody else had it before
    DROPPED = "dropped"  # nobody has it any more


_ENDED = ("to_at", "status", "queue_id", "seconds", "ticket_id")


class Spell(Base):
    """One stay; the running one of a ticket has no end. Seconds are of the clock on the wall."""

    __tablename__ = "ticket_spell"
    __table_args__ = (
        partial_index("uq_spell_running", "ticket_id", where="to_at IS NULL", unique=True),
        Index("ix_spell_ticket", "ticket_id", "id"),
        # Reports read these two from the index alone.
        Index("ix_spell_from", "from_at", "came", "ticket_id"),
        partial_index("ix_spell_to", *_ENDED, where="to_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    status: Mapped[Status] = mapped_column(EnumText(Status))
    came: Mapped[Came] = mapped_column(EnumText(Came))
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id")
    )  # who did it; NULL: no staff
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]
    seconds: Mapped[int | None]  # NULL while it runs


_TABLE: Any = Spell.__table__
_RUNNING = select(_TABLE).where(
    _TABLE.c.ticket_id == bindparam("ticket_id"), _TABLE.c.to_at.is_(None)
)
_END = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("spell_id"))
    .values(to_at=bindparam("to_at"), seconds=bindparam("seconds"))
)
_BEGIN = insert(_TABLE)


def opened(session: Session, ticket_id: int, queue_id: int, *, at: datetime) -> None:
    """A new ticket, which nobody has yet. One statement."""
    session.execute(_BEGIN, [_row(ticket_id, queue_id, None, Status.NEW, Came.OPENED, None, at)])


def status_changed(
    session: Session, ticket_id: int, status: Status, *, at: datetime, actor_id: int | None = None
) -> None:
    """The ticket has another status now."""
    running = _running(session, ticket_id)
    if running is None or running.status == status:
        return
    was, now_done = running.status in DONE, status in DONE
    came = Came.REOPENED if was and not now_done else Came.DONE if now_done and not was else None
    _next(session, running, at, came or Came.STATUS, actor_id, status=status)


def assigned(
    session: Session, ticket_id: int, user_id: int | None, *, at: datetime, actor_id: int | None
) -> None:
    """Somebody else has the ticket now, or nobody."""
    running = _running(session, ticket_id)
    if running is None or running.assignee_id == user_id:
        return
    came = Came.TAKEN if running.assignee_id is None else Came.PASSED
    came = Came.DROPPED if user_id is None else came
    _next(session, running, at, came, actor_id, assignee_id=user_id)


def moved(
    session: Session, ticket_id: int, queue_id: int, *, at: datetime, actor_id: int | None
) -> None:
    """The ticket lies in another queue now."""
    running = _running(session, ticket_id)
    if running is not None and running.queue_id != queue_id:
        _next(session, running, at, Came.QUEUE, actor_id, queue_id=queue_id)


def _running(session: Session, ticket_id: int) -> Any:
    session.flush()
    return session.execute(_RUNNING, {"ticket_id": ticket_id}).first()


def _next(
    session: Session, running: Any, at: datetime, came: Came, actor_id: int | None, **changed: Any
) -> None:
    at = max(at, running.from_at)  # a clock that was set back makes no spell shorter than nothing
    seconds = int((at - running.from_at).total_seconds())
    session.execute(_END, {"spell_id": running.id, "to_at": at, "seconds": seconds})
    now = {"queue_id": running.queue_id, "assignee_id": running.assignee_id}
    now |= {"status": running.status} | changed
    row = _row(
        running.ticket_id, now["queue_id"], now["assignee_id"], now["status"], came, actor_id, at
    )
    session.execute(_BEGIN, [row])


def _row(
    ticket_id: int,
    queue_id: int,
    assignee_id: int | None,
    status: Status,
    came: Came,
    actor_id: int | None,
    at: datetime,
) -> dict[str, Any]:
    return {
        "ticket_id": ticket_id,
        "queue_id": queue_id,
        "assignee_id": assignee_id,
        "status": status,
        "came": came,
        "actor_id": actor_id,
        "from_at": at,
        "to_at": None,
        "seconds": None,
    }
