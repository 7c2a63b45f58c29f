"""Tickets as rows of the report on causes, counted by what they are about and by day."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, func, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.ext import quarter_begins, quarter_of
from helpdesk.reports.filters import NOTHING, conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Ticket

_ABOUT: tuple[Any, ...] = (
    Ticket.reason_id,
    Ticket.product_id,
    type_coerce(Ticket.kind, String).label("kind"),
)


class About(NamedTuple):
    """What a ticket is about; 0 and "-" where it has none of it."""

    reason: int
    product: int
    kind: str


Days = Mapping[About, Counter[date]]


class Opened(NamedTuple):
    """Tickets by what they are about, and by the day on which they were opened: those of the
    period, and those of the one before it."""

    now: Days
    before: Days


def count(session: Session, ask: Ask) -> Opened:
    """Of the period and of the one before it; two statements (three with a reason)."""
    before = _counted(session, ask, ask.period.before())
    return Opened(_counted(session, ask, ask.period), before)


def _counted(session: Session, ask: Ask, period: Period) -> Days:
    """The database adds up the quarters of an hour, which no time zone divides."""
    columns: list[Any] = [*_ABOUT, quarter_of(Ticket.created_at)]
    query = select(*columns).add_columns(func.count())
    query = query.where(*_opened(session, ask, period)).group_by(*columns)
    moments: dict[int, tuple[date, bool]] = {}
    found: defaultdict[About, Counter[date]] = defaultdict(Counter)
    for row in session.execute(query):
        reason, product, kind, quarter, number = row
        known = moments.get(quarter)
        if known is None:
            at = quarter_begins(quarter)
            known = period.local(at).date(), ask.filters.keeps(at, period)
            moments[quarter] = known
        day, kept = known
        if kept:
            found[About(reason or NOTHING, product or NOTHING, kind or "-")][day] += number
    return found


def whole(opened: Days) -> Counter[date]:
    """All of them by day."""
    found: Counter[date] = Counter()
    for days in opened.values():
        found.update(days)
    return found


def total(opened: Days) -> int:
    return sum(days.total() for days in opened.values())


def ids(session: Session, ask: Ask) -> list[int]:
    """The tickets of the period, the newest first."""
    query = select(Ticket.id, Ticket.created_at).where(*_opened(session, ask, ask.period))
    rows = session.execute(query.order_by(Ticket.created_at.desc(), Ticket.id.desc()))
    return [row.id for row in rows if ask.filters.keeps(row.created_at, ask.period)]


def _opened(session: Session, ask: Ask, period: Period) -> list[ColumnElement[bool]]:
    return [
        Ticket.created_at >= period.start,
        Ticket.created_at < period.end,
        *conditions(session, ask.filters, ask.scope),
    ]


def mondays(days: Sequence[date]) -> list[date]:
    """The weeks that some days lie in."""
    return sorted({day - timedelta(days=day.weekday()) for day in days})
