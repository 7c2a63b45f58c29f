"""Every number of the reports once more, from raw rows by plain Python.

Nothing of `helpdesk.reports` is used, so that an error there is not repeated here. A book maps
(key of the table, key of the line or None for the total, key of the measure) to the number.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.desk.raw import Raw

Book = dict[tuple[str, Any, str], float | None]
Week = Mapping[str, Sequence[Sequence[str]]]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DONE = ("resolved", "closed")


@dataclass(frozen=True)
class Days:
    """From the first to the last day of a report, in its zone."""

    first: date
    last: date
    zone: ZoneInfo

    @cached_property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first moment, and the one after the last, UTC."""
        return self.end_of(self.first - timedelta(days=1)), self.end_of(self.last)

    def has(self, at: datetime | None) -> bool:
        start, end = self.bounds
        return at is not None and start <= at < end

    def before(self) -> "Days":
        length = self.last - self.first + timedelta(days=1)
        return Days(self.first - length, self.last - length, self.zone)

    def all(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)

    def end_of(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)


class Desk:
    """The raw rows, and what they say about each ticket."""

    def __init__(self, raw: Raw, at: datetime, zone: ZoneInfo) -> None:
        self.raw, self.at, self.zone = raw, at, zone
        self.tickets = {row.id: row for row in raw.ticket if row.merged_into_id is None}
        self.team_of_user = {row.id: row.team_id for row in raw.user}
        self.team_of_queue = {row.id: row.team_id for row in raw.queue}
        self.clients = raw.by_id("client")

    def part(self, row: Any, cut: str, moment: datetime) -> Any:
        """The part of a cut that a ticket, or something else with such columns, falls into."""
        local = moment.astimezone(self.zone)
        match cut:
            case "day":
                return local.date()
            case "week":
                return local.date() - timedelta(days=local.weekday())
            case "slot":
                return f"{WEEKDAYS[local.weekday()]}-{local.hour:02}"
            case "team":
                return self.team(row.assignee_id, row.queue_id)
            case "organisation":
                return self.organisation(row.client_id)
            case "agent":
                return row.assignee_id or 0
            case "queue" | "client" | "product" | "reason":
                return getattr(row, f"{cut}_id") or 0
        return getattr(row, cut) or "-"

    def team(self, user_id: int | None, queue_id: int | None) -> int:
        own = self.team_of_user.get(user_id or 0)
        return own or self.team_of_queue.get(queue_id or 0) or 0

    def organisation(self, client_id: int | None) -> int:
        client = self.clients.get(client_id or 0)
        if client is None:
            return 0
        if client.kind == "organisation":
            return int(client.id)
        return client.organisation_id or 0

    def opened(self, days: Days) -> list[Any]:
        return [row for row in self.tickets.values() if days.has(row.created_at)]


def rank(values: Sequence[float], percent: int) -> float | None:
    """The value at the place n × percent / 100, rounded up, of the values in order."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = (len(ordered) * percent + 99) // 100
    return ordered[place - 1]


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def grouped(
    rows: Iterable[Any], part: Callable[[Any], Any], *, total: bool = True
) -> dict[Any, list[Any]]:
    """Rows by their part, and all of them under None."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[part(row)].append(row)
        if total:
            found[None].append(row)
    return found


def sla(desk: Desk, days: Days, cut: str) -> Book:
    """Promises by part of the cut, of all metrics together and of each."""
    book: Book = {}
    mine = {row.id for row in desk.opened(days)}
    counted = [row for row in desk.raw.clock if row.policy_id is not None and row.ticket_id in mine]
    for table in ("all", *sorted({row.metric for row in counted})):
        of_table = [row for row in counted if table in ("all", row.metric)]

        def part(row: Any) -> Any:
            ticket = desk.tickets[row.ticket_id]
            return desk.part(ticket, cut, ticket.created_at)

        for key, rows in grouped(of_table, part).items():
            for name, value in _promises(rows, desk.at).items():
                if table == "all" and name in ("sla_median", "sla_p90"):
                    continue
                book[table, key, name] = value
    return book


def _promises(rows: Sequence[Any], at: datetime) -> dict[str, float | None]:
    outcomes = [_outcome(row, at) for row in rows]
    met, breached = outcomes.count("met"), outcomes.count("breached")
    took = [row.target_seconds - row.remaining_seconds for row in rows if row.stopped_at]
    return {
        "sla_tickets": len({row.ticket_id for row in rows}),
        "sla_share": ratio(met, met + breached),
        "sla_met": met,
        "sla_breached": breached,
        "sla_running": outcomes.count("running"),
        "sla_median": rank(took, 50),
        "sla_p90": rank(took, 90),
    }


def _outcome(row: Any, at: datetime) -> str:
    if row.breached_at is not None:
        return "breached"
    if row.stopped_at is not None:
        return "met"
    return "breached" if row.due_at is not None and row.due_at <= at else "running"


def worked(start: datetime, end: datetime, week: Week, zone: ZoneInfo) -> int:
    """Seconds between two moments that lie in the windows of a week."""
    day, found = start.astimezone(zone).date(), 0.0
    while day <= end.astimezone(zone).date():
        for opens, closes in week.get(WEEKDAYS[day.weekday()], ()):
            begin, over = (_moment(day, text, zone) for text in (opens, closes))
            found += max(0.0, (min(end, over) - max(start, begin)).total_seconds())
        day += timedelta(days=1)
    return int(found)


def _moment(day: date, text: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)
