"""Periods of a report: whole days of the company's time zone, and the same length before."""

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

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)


def read(args: Mapping[str, str], *, zone: ZoneInfo, at: datetime) -> Period:
    """The period of an address: `from` and `to` (ISO days), else `period`, one of PRESETS.

    Raises HelpdeskError for what is no day, an end before its begin, or a period too long.
    """
    today = at.astimezone(zone).date()
    if args.get("from") or args.get("to"):
        first = _day(args.get("from", ""), "from") or today
        last = _day(args.get("to", ""), "to") or today
        return _checked(Period(first, last, zone))
    first, last = _preset(args.get("period") or USUAL, today)
    return Period(first, last, zone)


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
