"""Ratings, and the tickets that could be rated, as rows of the report on satisfaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import String, func, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.ext import quarter_begins, quarter_of
from helpdesk.reports.cuts import COLUMNS, Facts
from helpdesk.reports.filters import conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Ticket

_NOTHING: dict[str, Any] = dict.fromkeys(Facts._fields)
_WORDS = ("channel", "priority", "language", "kind")
_OF_TIME = ("day", "week", "slot")
_READS: Mapping[str, tuple[str, ...]] = {
    "queue": ("queue_id",),
    "agent": ("assignee_id",),
    "team": ("queue_id", "assignee_id"),
    "client": ("client_id",),
    "organisation": ("client_id",),
    "product": ("product_id",),
    "reason": ("reason_id",),
    **{word: (word,) for word in _WORDS},
}
"""What of a ticket each cut looks at, besides its moment."""


class Voice(NamedTuple):
    """Either a rating (`score`), or `asked` tickets that could be rated, `rated` of them were."""

    facts: Facts
    id: int = 0
    score: int = 0
    commented: bool = False
    asked: int = 0
    rated: int = 0

    @property
    def mark(self) -> tuple[int, bool]:
        return self.score, self.commented

    @property
    def numbers(self) -> tuple[float, ...]:
        """SCORE, ASKED, RATED: what is added up."""
        return self.score, self.asked, self.rated


SCORE, ASKED, RATED = range(3)
"""Places in `Voice.numbers`."""


def ratings(
    session: Session, ask: Ask, *, cut: str | None = None, before: bool = False
) -> tuple[list[Voice], list[Voice]]:
    """Those given in the period, the oldest first, and with `before` those of the one before it.
    One statement.
    """
    earlier = ask.period.before()
    columns = _columns(_READS.get(cut or "", ()))
    start = (earlier if before else ask.period).start
    query = select(Rating.id, Rating.score, Rating.comment != "", Rating.at, *columns)
    query = query.join(Ticket, Ticket.id == Rating.ticket_id).where(
        Rating.at >= start,
        Rating.at < ask.period.end,
        *conditions(session, ask.filters, ask.scope),
    )
    names = [column.name for column in columns]
    rows = [_rating(row, names) for row in session.execute(query.order_by(Rating.at, Rating.id))]
    now = _within(rows, ask.period, ask)
    return now, _within(rows, earlier, ask) if before else []


def asked(session: Session, ask: Ask, period: Period, cut: str) -> list[Voice]:
    """Tickets opened in the period that could be rated, counted by what the cut looks at, their
    moments by the quarter of an hour. One statement.
    """
    columns = _columns(_READS.get(cut, ()))
    names = [column.name for column in columns]
    if cut in _OF_TIME or ask.filters.slot is not None:
        columns, names = [*columns, quarter_of(Ticket.created_at)], [*names, "created_at"]
    query = select(*columns, func.count().label("asked"), func.count(Rating.id).label("rated"))
    query = query.select_from(Ticket).outerjoin(Rating, Rating.ticket_id == Ticket.id)
    query = query.where(*_could(session, ask, period.start, period.end)).group_by(*columns)
    found = []
    for row in session.execute(query):
        facts = _facts(row[: len(names)], names)
        if "created_at" in names:
            facts = facts._replace(created_at=quarter_begins(row[len(names) - 1]))
        if ask.filters.slot is None or ask.filters.keeps(facts.created_at, period):
            found.append(Voice(facts, asked=row.asked, rated=row.rated))
    return found


def asked_ids(session: Session, ask: Ask, *, rated: bool) -> list[int]:
    """The tickets that could be rated, or those of them that were; the newest first."""
    period = ask.period
    query = select(Ticket.id, Ticket.created_at).where(
        *_could(session, ask, period.start, period.end)
    )
    if rated:
        query = query.join(Rating, Rating.ticket_id == Ticket.id)
    rows = session.execute(query.order_by(Ticket.created_at.desc(), Ticket.id.desc()))
    return [row.id for row in rows if ask.filters.keeps(row.created_at, period)]


def _could(session: Session, ask: Ask, start: datetime, end: datetime) -> list[Any]:
    return [
        Ticket.created_at >= start,
        Ticket.created_at < end,
        Ticket.first_response_at.is_not(None),
        Ticket.done_at.is_not(None),
        *conditions(session, ask.filters, ask.scope),
    ]


def _columns(names: Sequence[str]) -> list[Any]:
    """What of the ticket decides its part; words as they are stored."""
    known = dict(zip(Facts._fields, COLUMNS, strict=True))
    return [
        (type_coerce(known[name], String) if name in _WORDS else known[name]).label(name)
        for name in names
    ]


def _rating(row: Any, names: Sequence[str]) -> Voice:
    id_, score, commented, at, *values = row
    facts = _facts(values, names)._replace(created_at=at)
    return Voice(facts, id_, score, bool(commented))


def _facts(values: Sequence[Any], names: Sequence[str]) -> Facts:
    return Facts(**_NOTHING | dict(zip(names, values, strict=True)))


def _within(rows: Sequence[Voice], period: Period, ask: Ask) -> list[Voice]:
    start, end = period.start, period.end
    return [
        row
        for row in rows
        if start <= row.facts.created_at < end and ask.filters.keeps(row.facts.created_at, period)
    ]
