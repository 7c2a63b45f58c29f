"""Periods of a report: whole days of the company's zone or between moments; the one before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk.lib.errors import HelpdeskError, _lazy

LONGEST = 400  # days
PRESETS = ("today", "yesterday", "7d", "28d", "90d", "month", "last_month")
USUAL = "28d"
"""What a report is about where its address names no period: four weeks up to today."""


@dataclass(frozen=True)
class Period:
    """From the first to the last day, both included, as they are in `zone`."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The first moment, UTC."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The moment after the last one, UTC."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> list[date]:
        count = (self.last - self.first).days + 1
        return [self.first + timedelta(days=number) for number in range(count)]

    def before(self) -> "Period":
        """The period of as many days that ends where this one begins."""
        length = self.last - self.first + timedelta(days=1)
        return Period(self.first - length, self.last - length, self.zone)

    def query(self) -> dict[str, str]:
        """As it stands in an address, so that a link means the same tomorrow."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    def within(self, first: date, last: date) -> "Period":
        """What of these days lies in this period."""
        return Period(max(first, self.first), min(last, self.last), self.zone)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)


@dataclass(frozen=True)
class Moments(Period):
    """From one moment to another, which doesn't belong to it any more; both UTC."""

    begin: datetime
    finish: datetime

    @property
    def start(self) -> datetime:
        return self.begin

    @property
    def end(self) -> datetime:
        return self.finish

    def before(self) -> Period:
        return between(self.begin - (self.finish - self.begin), self.begin, self.zone)

    def query(self) -> dict[str, str]:
        return {"from": _text(self.begin), "to": _text(self.finish)}

    def within(self, first: date, last: date) -> Period:
        days = Period(first, last, self.zone)
        return between(max(days.start, self.begin), min(days.end, self.finish), self.zone)


def between(begin: datetime, finish: datetime, zone: ZoneInfo) -> Moments:
    """The period from one moment to another."""
    last = max(begin, finish - timedelta(microseconds=1))
    days = begin.astimezone(zone).date(), last.astimezone(zone).date()
    return Moments(*days, zone, begin.astimezone(UTC), finish.astimezone(UTC))


def read(args: Mapping[str, str], *, zone: ZoneInfo, at: datetime) -> Period:
    """The period of an address: `from` and `to` (ISO days, both included, or moments), else
    `period`, one of PRESETS. Without `to` it ends today, without `from` it has the usual length.

    Raises HelpdeskError for what is no day, an end before its begin, or a period too long.
    """
    today = at.astimezone(zone).date()
    first, last = args.get("from", ""), args.get("to", "")
    if "T" in first.upper() or "T" in last.upper():
        return _of_moments(first, last, zone, at)
    if first or last:
        until = _day(last, "to") or today
        return _checked(Period(_day(first, "from") or _usual(until), until, zone))
    return Period(*_preset(args.get("period") or USUAL, today), zone)


def _of_moments(first: str, last: str, zone: ZoneInfo, at: datetime) -> Period:
    finish = _moment(last, "to", zone, end=True) or at
    begin = _moment(first, "from", zone, end=False)
    begin = begin or finish - timedelta(days=int(USUAL[:-1]))
    if finish < begin:
        raise HelpdeskError(_lazy("The period ends before it begins."), field="to")
    return _checked(between(begin, finish, zone))


def _usual(last: date) -> date:
    return last - timedelta(days=int(USUAL[:-1]) - 1)


def _checked(period: Period) -> Period:
    if period.last < period.first:
        raise HelpdeskError(_lazy("The period ends before it begins."), field="to")
    if len(period.days) > LONGEST:
        raise HelpdeskError(
            _lazy("A period of at most %(days)s days fits into a report."), field="to", days=LONGEST
        )
    return period


def _day(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        raise HelpdeskError(
            _lazy("“%(text)s” is no day. For example 2026-11-20"), field=field, text=text[:20]
        )
    return found


def _moment(text: str, field: str, zone: ZoneInfo, *, end: bool) -> datetime | None:
    """A moment, in `zone` where it names none; of a day its begin, or its `end`."""
    if not text:
        return None
    if "T" not in text.upper():
        day = _day(text, field) or date.min
        return _midnight(day + timedelta(days=1) if end else day, zone)
    try:
        found = datetime.fromisoformat(text.upper().replace(" ", "+"))  # a "+" of an address
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        message = _lazy("“%(text)s” is no moment. For example 2026-11-20T09:00:00Z")
        raise HelpdeskError(message, field=field, text=text[:40])
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _preset(name: str, today: date) -> tuple[date, date]:
    first_of_month = today.replace(day=1)
    before = first_of_month - timedelta(days=1)
    match name:
        case "today":
            return today, today
        case "yesterday":
            return today - timedelta(days=1), today - timedelta(days=1)
        case "7d" | "28d" | "90d":
            return today - timedelta(days=int(name[:-1]) - 1), today
        case "month":
            return first_of_month, today
        case "last_month":
            return before.replace(day=1), before
    raise HelpdeskError(_lazy("There is no such period."), field="period")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
