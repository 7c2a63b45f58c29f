"""Business hours as a form shows and reads them, and as pictures draw them."""

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.worktime import WEEKDAYS

Pairs = list[list[str]]

MOST_DAYS = 1000
DAY_MINUTES = 1440
CELL, STEP = 9, 10  # a day in the picture of a year, in its units
_TIME = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?")
_HOURS = re.compile(r"\s*([0-9:.]+)\s*[-–—]\s*([0-9:.]+)\s*")


@dataclass(frozen=True)
class DayRow:
    """One day of the week in the form: its windows as typed, what they sum to, its picture."""

    key: str
    pairs: Pairs
    minutes: int
    bars: list[tuple[float, float]]  # (x, width) on a line of 300


@dataclass(frozen=True)
class DateRow:
    """A holiday or special day in the form; no hours: closed."""

    day: str
    hours: str


def read_week(form: MultiDict[str, str]) -> dict[str, Pairs]:
    """The windows of each day as typed; a pair without both times is left out."""
    week: dict[str, Pairs] = {}
    for day in WEEKDAYS:
        starts, ends = form.getlist(f"{day}-from"), form.getlist(f"{day}-to")
        pairs = zip(starts, ends, strict=False)
        week[day] = [
            [clock_time(start), clock_time(end, end=True)]
            for start, end in pairs
            if start.strip() or end.strip()
        ]
    return week


def read_dates(form: MultiDict[str, str]) -> list[DateRow]:
    """Holidays and special days as typed, without empty lines."""
    days, hours = form.getlist("day"), form.getlist("hours")
    rows = [
        DateRow(day.strip()[:20], text.strip()[:200])
        for day, text in zip(days[:MOST_DAYS], hours[:MOST_DAYS], strict=False)
    ]
    return [row for row in rows if row.day or row.hours]


def split_dates(rows: Iterable[DateRow]) -> tuple[list[str], dict[str, Pairs]]:
    """Holidays and special days for the verbs. Raises HelpdeskError for hours that aren't any."""
    closed: list[str] = []
    special: dict[str, Pairs] = {}
    for row in rows:
        if row.hours:
            special[row.day] = _windows(row)
        else:
            closed.append(row.day)
    return [day for day in closed if day not in special], special


def clock_time(text: str, *, end: bool = False) -> str:
    """ "9", "9.30" as "09:00", "09:30"; midnight as an end is "24:00". Else as it was typed."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return text.strip()[:20]
    written = f"{int(found[1]):02}:{found[2] or '00'}"
    return "24:00" if end and written == "00:00" else written


def day_rows(week: Mapping[str, Any], more: str = "") -> list[DayRow]:
    """The seven days; `more` names the one that gets a further, empty pair."""
    low, high = scale(week)
    rows = []
    for day in WEEKDAYS:
        pairs = [list(pair) for pair in week.get(day, ())]
        spans = [span for pair in pairs if (span := _minutes(pair)) is not None]
        bars = [
            (round((a - low) / (high - low) * 300, 1), round((b - a) / (high - low) * 300, 1))
            for a, b in spans
        ]
        spare: Pairs = [["", ""]] if day == more else []
        rows.append(DayRow(day, pairs + spare, sum(b - a for a, b in spans), bars))
    return rows


def scale(week: Mapping[str, Any]) -> tuple[int, int]:
    """From which to which minute the picture of a week goes: 6 to 22, wider where needed."""
    spans = [
        span for pairs in week.values() for pair in pairs if (span := _minutes(pair)) is not None
    ]
    low = min([a for a, _ in spans], default=360)
    high = max([b for _, b in spans], default=1320)
    return min(low // 120 * 120, 360), min(max(-(-high // 120) * 120, 1320), DAY_MINUTES)


def ticks(week: Mapping[str, Any]) -> list[tuple[int, float]]:
    """(hour, x) of the picture's scale."""
    low, high = scale(week)
    step = 120 if high - low <= 1080 else 240
    return [(m // 60, round((m - low) / (high - low) * 300, 1)) for m in range(low, high + 1, step)]


def date_rows(holidays: Iterable[str], special: Mapping[str, Any]) -> list[DateRow]:
    """What a calendar holds, by date."""
    rows = [DateRow(day, "") for day in holidays if day not in special]
    rows += [
        DateRow(day, ", ".join(f"{a}–{b}" for a, b in pairs)) for day, pairs in special.items()
    ]
    return sorted(rows, key=lambda row: row.day)


def year_paths(
    year: int, week: Mapping[str, Any], holidays: Iterable[str], special: Mapping[str, Any]
) -> dict[str, str]:
    """One SVG path for each kind of day; months are lines, days are columns of 10 units."""
    closed = set(holidays)
    paths: dict[str, list[str]] = {"work": [], "free": [], "holiday": [], "special": []}
    for month in range(1, 13):
        for number in range(1, monthrange(year, month)[1] + 1):
            day = date(year, month, number)
            text = day.isoformat()
            kind = "work" if week.get(WEEKDAYS[day.weekday()]) else "free"
            if text in special:
                kind = "special" if special[text] else "holiday"
            elif text in closed:
                kind = "holiday"
            x, y = (number - 1) * STEP, (month - 1) * STEP
            paths[kind].append(f"M{x} {y}h{CELL}v{CELL}h-{CELL}z")
    return {kind: "".join(parts) for kind, parts in paths.items()}


def _windows(row: DateRow) -> Pairs:
    windows = []
    for part in row.hours.split(","):
        found = _HOURS.fullmatch(part)
        if found is None:
            raise HelpdeskError(
                _lazy("%(day)s: write hours such as 10:00–14:00, or nothing for a closed day."),
                field="special",
                day=row.day,
            )
        windows.append([clock_time(found[1]), clock_time(found[2], end=True)])
    return windows


def _minutes(pair: Sequence[str]) -> tuple[int, int] | None:
    """A window in minutes of the day; None while it is no window."""
    times = [_TIME.fullmatch(text) for text in pair]
    if len(times) != 2 or times[0] is None or times[1] is None:
        return None
    start, end = (int(found[1]) * 60 + int(found[2] or 0) for found in times if found)
    return (start, end) if start < end <= DAY_MINUTES else None
