"""Hours on the clock of a time zone, counted in SQL, so that a database adds up days and weeks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case

from helpdesk.ext import QUARTER, quarter_of
from helpdesk.reports.period import Period

DAY, WEEK = 24, 168
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR, _PROBE = timedelta(hours=1), timedelta(days=1)


def hour_on_clock(column: Any, period: Period) -> ColumnElement[int]:
    """The number of the hour since 1970 that the clock of the period's zone showed at a moment of
    the column, which lies within the period (days end at multiples of DAY). What lies outside it
    is counted by the clock of its nearest end.
    """
    steps = [*_steps(period)]
    *changing, (_until, last) = steps
    arms = [(column < until, shift) for until, shift in changing]
    shift: Any = case(*arms, else_=last) if arms else last
    hour: ColumnElement[int] = (quarter_of(column) + shift) // (3600 // QUARTER)
    return hour


def hour_at(number: int, zone: ZoneInfo) -> datetime:
    """A moment in that hour. Of an hour that the clock showed twice, in the first one."""
    return (_FIRST + number * _HOUR).replace(tzinfo=zone)


def hour_of(at: datetime, zone: ZoneInfo) -> int:
    """The number that `hour_on_clock` counts."""
    return (at.astimezone(zone).replace(tzinfo=UTC) - _FIRST) // _HOUR


def _steps(period: Period) -> Iterator[tuple[datetime, int]]:
    """Until when the clock was how many quarters ahead of UTC, to the end of the period."""
    begun = period.start
    shift = _shift(begun, period.zone)
    while begun < period.end:
        after = min(begun + _PROBE, period.end)
        then = _shift(after, period.zone)
        if then != shift:
            yield _changed(begun, after, period.zone), shift
        begun, shift = after, then
    yield period.end, shift


def _changed(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second at which the clock was as it is `after`; a day at most lies between,
    and zones change their clocks once in it."""
    low, high = int(before.timestamp()), int(after.timestamp())
    then = _shift(after, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _shift(datetime.fromtimestamp(middle, UTC), zone) == then:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def _shift(at: datetime, zone: ZoneInfo) -> int:
    ahead = at.astimezone(zone).utcoffset() or timedelta()
    return int(ahead.total_seconds()) // QUARTER
