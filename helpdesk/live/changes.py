"""Reads what is new in the Event log for the streams of open browsers; ids only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from helpdesk.events import Event
from helpdesk.notices import Notice
from helpdesk.tickets.models import Ticket

BATCH = 1000
GAP_SECONDS = 20.0  # longer than any transaction may wait for a lock
MOST_GAPS = 1000
PHONE = ("call.", "presence.", "task.")  # kinds of events that the telephone of the desk shows
CALLS = frozenset({"phone", "skills"})  # fields of a user that concern calls only
APART = (*PHONE, "recording.")  # rows of tickets don't show these


@dataclass(frozen=True, slots=True)
class Change:
    """One Event as far as screens care. `queue_ids`: where the ticket lies and lay.

    `phone_id`: the user whose offer, call, task or availability this is; `calls`: whether numbers
    of waiting callers, missed calls or callbacks may have changed for everybody.
    """

    id: int
    ticket_id: int | None
    client_id: int | None
    queue_ids: tuple[int, ...]
    user_id: int | None  # whose rights changed
    phone_id: int | None = None
    calls: bool = False
    rows: bool = True  # whether lists of tickets may show it


@dataclass
class Reader:
    """Follows the log from its present end.

    Ids are given before the commit, so a lower one may appear after a higher one: the ids
    that were missing are asked for again until they come or their time is over.
    """

    last: int = 0
    last_notice: int = 0
    gaps: dict[int, float] = field(default_factory=dict)

    def start(self, session: Session) -> None:
        """Begin at the end of the log."""
        self.last = session.scalar(select(func.max(Event.id))) or 0
        self.last_notice = session.scalar(select(func.max(Notice.id))) or 0
        self.gaps.clear()

    @property
    def safe(self) -> int:
        """Everything up to this id was seen."""
        return min(self.gaps, default=self.last + 1) - 1

    def read(self, session: Session, moment: float) -> list[Change]:
        """What came since the last call; `moment` in monotonic seconds."""
        self.gaps = {id_: until for id_, until in self.gaps.items() if until > moment}
        wanted = Event.id > self.last
        if self.gaps:
            wanted = wanted | Event.id.in_(list(self.gaps))
        rows = session.execute(_changes().where(wanted).order_by(Event.id).limit(BATCH)).all()
        for row in rows:
            self._seen(row.id, moment)
        return _parsed(rows)

    def read_notices(self, session: Session) -> set[int]:
        """Users who were told something since the last call."""
        query = select(Notice.id, Notice.user_id).where(Notice.id > self.last_notice)
        rows = session.execute(query.order_by(Notice.id).limit(BATCH)).all()
        self.last_notice = max((row.id for row in rows), default=self.last_notice)
        return {row.user_id for row in rows}

    def _seen(self, id_: int, moment: float) -> None:
        self.gaps.pop(id_, None)
        if id_ > self.last:
            first = max(self.last + 1, id_ - MOST_GAPS)
            self.gaps |= dict.fromkeys(range(first, id_), moment + GAP_SECONDS)
            self.last = id_


def since(session: Session, after: int) -> list[Change] | None:
    """What a browser missed after this id, oldest first; None if it is too much to name."""
    query = _changes().where(Event.id > after).order_by(Event.id).limit(BATCH + 1)
    rows = session.execute(query).all()
    return _parsed(rows) if len(rows) <= BATCH else None


def lately(session: Session, at: datetime) -> list[Change]:
    """Changes since a moment: what happened between reading a page and opening its stream.

    Only the end of the log is looked at: moments have no index, and a thousand browsers ask this.
    """
    end = select(func.max(Event.id)).scalar_subquery() - BATCH
    query = _changes().where(Event.id > end, Event.at > at).order_by(Event.id)
    return _parsed(session.execute(query).all())


def _changes() -> Select[Any]:
    return select(
        Event.id, Event.kind, Event.ticket_id, Event.client_id, Event.data, Ticket.queue_id
    ).outerjoin(Ticket, Ticket.id == Event.ticket_id)


def _parsed(rows: Sequence[Row[Any]]) -> list[Change]:
    return [
        Change(
            id=row.id,
            ticket_id=row.ticket_id,
            client_id=row.client_id,
            queue_ids=tuple(_queues(row.kind, row.data, row.queue_id)),
            user_id=row.data.get("user_id") if _is_right(row) else None,
            phone_id=row.data.get("user_id") if row.kind.startswith(PHONE) else None,
            calls=row.kind.startswith(("call.", "task.")),
            rows=not row.kind.startswith(APART),
        )
        for row in rows
    ]


def _is_right(row: Row[Any]) -> bool:
    """Whether somebody's rights changed; where they take calls is none."""
    return row.kind == "user.changed" and not set(row.data.get("fields", ["?"])) <= CALLS


def _queues(kind: str, data: dict[str, object], queue_id: int | None) -> Iterable[int]:
    if queue_id is not None:
        yield queue_id
    # Where a ticket was taken away from, its row must go from the list.
    if kind == "ticket.queue" and isinstance(old := data.get("old"), int):
        yield old
