"""Tickets as rows of the report on causes, counted by what they are about and by day."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import String, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.reports.filters import NOTHING, conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Ticket

_COLUMNS: tuple[Any, ...] = (
    Ticket.id,
    Ticket.reason_id,
    Ticket.product_id,
    type_coerce(Ticket.kind, String),
    Ticket.created_at,
)


class About(NamedTuple):
    """What a ticket is about; 0 and "-" where it has none of it."""

    reason: int
    product: int
    kind: str


Days = Counter[tuple[About, date]]


class Opened(NamedTuple):
    """Tickets by what they are about and the day on which they were opened: those of the period,
    and those of the one before it."""

    now: Days
    before: Days


def count(session: Session, ask: Ask) -> Opened:
    """Of the period and of the one before it; one statement (two with a reason)."""
    found = Opened(Counter(), Counter())
    start, days = ask.period.start, _Days(ask.period)
    for _id, about, at in _read(session, ask, ask.period.before().start):
        (found.now if at >= start else found.before)[about, days.of(at)] += 1
    return found


def ids(session: Session, ask: Ask) -> list[int]:
    """The tickets of the period, the newest first."""
    found = [id_ for id_, _about, _at in _read(session, ask, ask.period.start)]
    return found[::-1]


def _read(session: Session, ask: Ask, start: datetime) -> Iterable[tuple[int, About, datetime]]:
    query = select(*_COLUMNS).where(
        Ticket.created_at >= start,
        Ticket.created_at < ask.period.end,
        *conditions(session, ask.filters, ask.scope),
    )
    keeps, period = ask.filters.keeps, ask.period
    for id_, reason, product, kind, at in session.execute(
        query.order_by(Ticket.created_at, Ticket.id)
    ):
        if keeps(at, period):
            yield id_, About(reason or NOTHING, product or NOTHING, kind or "-"), at


class _Days:
    """The day of a moment in the period's zone, found once for each quarter of an hour: no zone
    divides one."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._seen: dict[tuple[int, int], date] = {}

    def of(self, at: datetime) -> date:
        quarter = (at.toordinal(), at.hour * 4 + at.minute // 15)
        day = self._seen.get(quarter)
        if day is None:
            day = self._seen[quarter] = self._period.local(at).date()
        return day


def mondays(days: Sequence[date]) -> list[date]:
    """The weeks that some days lie in."""
    return sorted({day - timedelta(days=day.weekday()) for day in days})
