"""Business-hours arithmetic: what of a stretch of time counts, and when a target is reached.

Rules:
- An instant is working time when the wall clock of the calendar's zone then shows a time inside
  a window of that day; what is counted are real seconds. An hour that the wall clock skips
  counts nothing (a window edge in it moves to the instant of the change); an hour shown twice
  counts twice, from the first showing of a window's start to the last showing of its end, less
  what shows a time outside the window in between (when an edge lies inside that hour).
- A special day wins over a holiday, a holiday over the week.
- Instants are taken at whole seconds, rounded down, so sums are exact:
  elapsed(a, c) == elapsed(a, b) + elapsed(b, c). Instants are aware; a naive one is a TypeError.
- `None` in place of a calendar is calendar time: every second counts, and all is "working".
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from helpdesk.lib.errors import HelpdeskError, _lazy

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON_YEARS = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_DAY = 86_400
_BLOCK = 28 * _DAY  # what is compiled and cached at once
_HORIZON = HORIZON_YEARS * 366 * _DAY
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_SHOWN = 40  # characters of a wrong value that an error repeats

Windows = Sequence[tuple[str, str]]
_Day = tuple["_Piece", ...]


class Reason(StrEnum):
    """Why a span counts (`working`) or doesn't (all others)."""

    WORKING = "working"
    OUTSIDE_HOURS = "outside_hours"
    BREAK = "break"
    HOLIDAY = "holiday"
    SPECIAL = "special"
    WEEKEND = "weekend"


@dataclass(frozen=True)
class Span:
    """A stretch of time, UTC, from `start` up to but without `end`, with one reason."""

    start: datetime
    end: datetime
    counted: bool
    reason: Reason

    @property
    def seconds(self) -> int:
        """Its real length in seconds, counted or not."""
        return (self.end - self.start) // _SECOND


class _Piece(NamedTuple):
    """Seconds [start, end) with one reason: of a local day, or since 1970 in UTC."""

    start: int
    end: int
    reason: Reason


class _Block(NamedTuple):
    """Working intervals of one block, seconds since 1970; `before[i]` are counted before i."""

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    before: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class Calendar:
    """When people work: weekly windows, holidays and special days in one time zone.

    `weekly` maps mon..sun to windows such as ("09:00", "13:00"), where an end may be "24:00"; a
    day left out is closed. `holidays` are closed dates (ISO 8601), `special` maps dates to their
    own windows, none meaning closed. Whatever is wrong raises HelpdeskError. Values are put in
    order, so that two calendars that say the same are equal and share what is compiled.
    """

    name: str
    timezone: str
    weekly: Mapping[str, Windows]
    holidays: frozenset[str] = frozenset()
    special: Mapping[str, Windows] = field(default_factory=dict)
    _week: tuple[_Day, ...] = field(init=False, repr=False, compare=False)
    _dates: Mapping[int, _Day] = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_timezone(self.timezone)
        weekly = _check_weekly(self.weekly)
        holidays = _check_holidays(self.holidays)
        special = _check_special(self.special)
        derived = {
            "weekly": MappingProxyType(weekly),
            "holidays": holidays,
            "special": MappingProxyType(special),
            "_week": _compile_week(weekly),
            "_dates": _compile_dates(holidays, special),
            "_hash": hash((self.timezone, *weekly.values(), holidays, frozenset(special.items()))),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def from_data(
        cls, name: Any, timezone: Any, weekly: Any, holidays: Any, special: Any
    ) -> "Calendar":
        """Make a calendar of what a form, the API or a JSON column holds, of whatever type.

        Raises HelpdeskError naming what is wrong and, in `field`, where: `timezone`, `weekly`,
        `weekly.mon`, `holidays`, `special` or `special.2026-12-26`.
        """
        return cls(name, timezone, weekly, holidays, special)


def elapsed(calendar: Calendar | None, start: datetime, end: datetime) -> int:
    """Business seconds from `start` to `end`; negative when `end` is the earlier one."""
    first, last = _second(start), _second(end)
    if calendar is None:
        return last - first
    if last < first:
        return -elapsed(calendar, end, start)
    blocks = range(first // _BLOCK, last // _BLOCK)
    between = sum(_block(calendar, number).total for number in blocks)
    return between + _counted(calendar, last) - _counted(calendar, first)


def add(calendar: Calendar | None, start: datetime, seconds: int) -> datetime:
    """The earliest instant, UTC, by which `seconds` of business time have passed since `start`.

    A window that ends just then is the answer, not the opening of the next one. Zero gives
    `start` itself, open or not. A negative number is a ValueError; a target that the calendar
    doesn't reach within HORIZON_YEARS raises HelpdeskError.
    """
    if seconds < 0:
        raise ValueError("seconds must not be negative")
    if seconds == 0:
        return start.astimezone(UTC)
    first = _second(start)
    limit = min(first + _HORIZON, _LAST)
    due = _reached(calendar, first, seconds, limit) if calendar else first + seconds
    if due > limit:
        message = _lazy("In “%(calendar)s” that moment is more than %(years)s years away.")
        name = calendar.name if calendar else "24/7"
        raise HelpdeskError(message, calendar=name, years=HORIZON_YEARS)
    return _moment(due)


def spans(calendar: Calendar | None, start: datetime, end: datetime) -> list[Span]:
    """Split the time from `start` to `end` into what counted and what didn't, without a gap.

    Neighbours differ in their reason. The seconds of counted spans sum to `elapsed` exactly. An
    `end` before `start` is a ValueError.
    """
    first, last = _second(start), _second(end)
    if last < first:
        raise ValueError("end must not be before start")
    whole = [_Piece(first, last, Reason.WORKING)] if first < last else []
    pieces = _merged(_pieces(calendar, first, last)) if calendar else whole
    works = Reason.WORKING
    return [Span(_moment(low), _moment(high), why is works, why) for low, high, why in pieces]


def is_open(calendar: Calendar | None, at: datetime) -> bool:
    """Whether the second that begins at `at` is working time."""
    return elapsed(calendar, at, at + _SECOND) == 1


def next_open(calendar: Calendar | None, at: datetime) -> datetime:
    """The earliest working instant, UTC, that isn't before `at`: `at` itself when open.

    Raises HelpdeskError when nothing opens within HORIZON_YEARS.
    """
    if calendar is None or is_open(calendar, at):
        return at.astimezone(UTC)
    return add(calendar, at, 1) - _SECOND


def _second(moment: datetime) -> int:
    return (moment - _EPOCH) // _SECOND


def _moment(second: int) -> datetime:
    return _EPOCH + timedelta(seconds=second)


def _reached(calendar: Calendar, first: int, seconds: int, limit: int) -> int:
    """When `seconds` have been counted since `first`; something past `limit` if not by then."""
    wanted = seconds + _counted(calendar, first)
    for number in range(first // _BLOCK, limit // _BLOCK + 1):
        block = _block(calendar, number)
        if wanted <= block.total:
            at = bisect_left(block.before, wanted) - 1
            return block.opens[at] + wanted - block.before[at]
        wanted -= block.total
    return limit + 1


def _counted(calendar: Calendar, second: int) -> int:
    """Business seconds from the beginning of the block of `second` up to it."""
    opens, closes, before, _ = _block(calendar, second // _BLOCK)
    index = bisect_right(opens, second) - 1
    if index < 0:
        return 0
    return before[index] + min(second, closes[index]) - opens[index]


@lru_cache(maxsize=1024)
def _block(calendar: Calendar, number: int) -> _Block:
    pieces = _merged(_pieces(calendar, number * _BLOCK, (number + 1) * _BLOCK))
    work = [(start, end) for start, end, why in pieces if why is Reason.WORKING]
    sums = tuple(accumulate((end - start for start, end in work), initial=0))
    opens, closes = tuple(start for start, _ in work), tuple(end for _, end in work)
    return _Block(opens, closes, sums[:-1], sums[-1])


def _merged(pieces: Iterator[_Piece]) -> list[_Piece]:
    """Join neighbours with the same reason; the pieces come in order and touch."""
    joined: list[_Piece] = []
    for piece in pieces:
        if joined and joined[-1].reason is piece.reason:
            joined[-1] = joined[-1]._replace(end=piece.end)
        else:
            joined.append(piece)
    return joined


def _pieces(calendar: Calendar, start: int, end: int) -> Iterator[_Piece]:
    """Cut [start, end), seconds since 1970, where the reason, the day or the offset changes."""
    for number in range(start // _BLOCK, -(-end // _BLOCK)):
        for since, until, offset in _offsets(calendar.timezone, number):
            low, high = max(start, since) + offset, min(end, until) + offset
            for wall_start, wall_end, why in _local_pieces(calendar, low, high):
                yield _Piece(wall_start - offset, wall_end - offset, why)


def _local_pieces(calendar: Calendar, low: int, high: int) -> Iterator[_Piece]:
    """The same for wall-clock seconds without a change of offset."""
    for day in range(low // _DAY, -(-high // _DAY)):  # 0 is 1970-01-01, a Thursday
        midnight = day * _DAY
        for since, until, why in calendar._dates.get(day) or calendar._week[(day + 3) % 7]:
            start, end = max(low, midnight + since), min(high, midnight + until)
            if start < end:
                yield _Piece(start, end, why)


@lru_cache(maxsize=1024)
def _offsets(timezone: str, number: int) -> tuple[tuple[int, int, int], ...]:
    """(start, end, offset) in seconds of each stretch of a block with one offset from UTC.

    Offsets are compared once a day: no zone changed and changed back within one.
    """
    zone = ZoneInfo(timezone)
    start = number * _BLOCK
    days = [(second, _offset(zone, second)) for second in range(start, start + _BLOCK + 1, _DAY)]
    edges = [start]
    for (low, before), (high, after) in pairwise(days):
        if before != after:
            edges.append(_change(zone, low, high))
    edges.append(start + _BLOCK)
    return tuple((low, high, _offset(zone, low)) for low, high in pairwise(edges) if low < high)


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second in (low, high] with the offset of `high`."""
    after = _offset(zone, high)
    return low + bisect_left(range(low, high), True, key=lambda at: _offset(zone, at) == after)


def _offset(zone: ZoneInfo, second: int) -> int:
    moment = _moment(min(max(second, _FIRST + _DAY), _LAST - _DAY))
    return (moment.astimezone(zone).utcoffset() or timedelta()) // _SECOND


def _compile_week(weekly: Mapping[str, Windows]) -> tuple[_Day, ...]:
    hours, free = Reason.OUTSIDE_HOURS, Reason.WEEKEND
    return tuple(_compile(day, hours if day else free, Reason.BREAK) for day in weekly.values())


def _compile_dates(holidays: frozenset[str], special: Mapping[str, Windows]) -> dict[int, _Day]:
    days: dict[str, _Day] = dict.fromkeys(holidays, (_Piece(0, _DAY, Reason.HOLIDAY),))
    for day, windows in special.items():
        days[day] = _compile(windows, Reason.SPECIAL, Reason.SPECIAL)
    return {(date.fromisoformat(day) - _EPOCH.date()).days: days[day] for day in days}


def _compile(windows: Windows, outside: Reason, between: Reason) -> _Day:
    """The pieces of a day, from 00:00 to 24:00 without a gap; `windows` are in order."""
    pieces: list[_Piece] = []
    at = 0
    for start, end in (map(_clock_time, window) for window in windows):
        if at < start:
            pieces.append(_Piece(at, start, between if pieces else outside))
        pieces.append(_Piece(start, end, Reason.WORKING))
        at = end
    if at < _DAY:
        pieces.append(_Piece(at, _DAY, outside))
    return tuple(pieces)


def _clock_time(text: str) -> int:
    return int(text[:2]) * 3600 + int(text[3:]) * 60


def _shown(value: object) -> str:
    return value[:_SHOWN] if isinstance(value, str) else type(value).__name__


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _check_timezone(name: object) -> str:
    if not isinstance(name, str) or name not in _zones():
        message = _lazy("“%(zone)s” isn't a known time zone.")
        raise HelpdeskError(message, field="timezone", zone=_shown(name))
    return name


def _check_weekly(weekly: object) -> dict[str, Windows]:
    if not isinstance(weekly, Mapping):
        raise HelpdeskError(_lazy("The week must map days to windows."), field="weekly")
    for day in weekly:
        if day not in WEEKDAYS:
            message = _lazy("“%(day)s” isn't a day of the week; use mon to sun.")
            raise HelpdeskError(message, field="weekly", day=_shown(day))
    return {day: _check_windows(weekly.get(day, ()), day, f"weekly.{day}") for day in WEEKDAYS}


def _check_holidays(holidays: object) -> frozenset[str]:
    if not isinstance(holidays, list | tuple | set | frozenset):
        raise HelpdeskError(_lazy("Holidays must be a list of dates."), field="holidays")
    return frozenset(_check_date(day, "holidays") for day in holidays)


def _check_special(special: object) -> dict[str, Windows]:
    if not isinstance(special, Mapping):
        raise HelpdeskError(_lazy("Special days must map dates to windows."), field="special")
    days = sorted(_check_date(day, "special") for day in special)
    return {day: _check_windows(special[day], day, f"special.{day}") for day in days}


def _check_date(day: object, where: str) -> str:
    with suppress(ValueError):
        if isinstance(day, str) and date.fromisoformat(day).isoformat() == day:
            return day
    message = _lazy("“%(date)s” isn't a date such as 2026-12-25.")
    raise HelpdeskError(message, field=where, date=_shown(day))


def _check_windows(windows: object, day: str, where: str) -> tuple[tuple[str, str], ...]:
    """The windows of one day in order; raises HelpdeskError naming the day and the window."""
    pairs = windows if isinstance(windows, list | tuple) else [windows]
    ordered = sorted(_check_window(pair, day, where) for pair in pairs)
    for first, second in pairwise(ordered):
        if second[0] < first[1]:
            message = _lazy("%(day)s: the windows %(first)s and %(second)s overlap.")
            one, other = "–".join(first), "–".join(second)
            raise HelpdeskError(message, field=where, day=day, first=one, second=other)
    return tuple(ordered)


def _check_window(window: object, day: str, where: str) -> tuple[str, str]:
    if not isinstance(window, list | tuple) or len(window) != 2:
        message = _lazy("%(day)s: windows are pairs of times such as 09:00 and 13:00.")
        raise HelpdeskError(message, field=where, day=day)
    for time in window:
        if not isinstance(time, str) or not _TIME.fullmatch(time):
            message = _lazy("%(day)s: “%(time)s” isn't a time from 00:00 to 24:00.")
            raise HelpdeskError(message, field=where, day=day, time=_shown(time))
    start, end = window
    if end <= start:
        message = _lazy("%(day)s: the window %(start)s–%(end)s ends before it begins.")
        raise HelpdeskError(message, field=where, day=day, start=start, end=end)
    return start, end
