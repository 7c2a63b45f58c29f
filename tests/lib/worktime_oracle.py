"""Business hours the slow, plain way: look at the wall clock in every real minute.

Shares no code with the arithmetic it judges. Also draws the weeks that both are asked about.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

DAYS_BEFORE, DAYS = 1, 4
MINUTES = DAYS * 1440
QUESTIONS = 4  # cases that share a drawn calendar
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Windows = Sequence[tuple[int, int]]  # minutes since local midnight


@lru_cache(maxsize=64)
def _wall_clock(zone: str, change: str) -> tuple[list[date], Callable[[list[str]], Sequence[str]]]:
    """The local dates around a change of the clock, and a getter: real minute to wall minute."""
    first = datetime.fromisoformat(change).replace(tzinfo=UTC) - timedelta(days=DAYS_BEFORE)
    shown = [(first + timedelta(minutes=n)).astimezone(ZoneInfo(zone)) for n in range(MINUTES)]
    dates = sorted({moment.date() for moment in shown})
    places = [dates.index(m.date()) * 1440 + m.hour * 60 + m.minute for m in shown]
    return dates, itemgetter(*places)


def _day(windows: Windows, closed: str, pause: str) -> list[str]:
    """What each minute of a wall clock's day is called."""
    minutes = [closed] * 1440
    if windows:
        opens, closes = min(start for start, _ in windows), max(end for _, end in windows)
        minutes[opens:closes] = [pause] * (closes - opens)
    for start, end in windows:
        minutes[start:end] = ["working"] * (end - start)
    return minutes


class Oracle:
    """Four days around the UTC date `change`; minutes are counted from `first`."""

    def __init__(
        self,
        zone: str,
        change: str,
        weekly: Mapping[str, Windows],
        holidays: frozenset[str],
        special: Mapping[str, Windows],
    ) -> None:
        self.first = datetime.fromisoformat(change).replace(tzinfo=UTC)
        self.first -= timedelta(days=DAYS_BEFORE)
        dates, look = _wall_clock(zone, change)
        table: list[str] = []
        for day in dates:
            iso, windows = day.isoformat(), weekly[WEEKDAYS[day.weekday()]]
            if iso in special:
                table += _day(special[iso], "special", "special")
            elif iso in holidays:
                table += ["holiday"] * 1440
            else:
                table += _day(windows, "outside_hours" if windows else "weekend", "break")
        self.names = look(table)
        self._sums = list(accumulate((name == "working" for name in self.names), initial=0))

    def moment(self, minute: int) -> datetime:
        return self.first + timedelta(minutes=minute)

    def elapsed(self, start: int, end: int) -> int:
        """Working minutes."""
        return self._sums[end] - self._sums[start]

    def add(self, start: int, minutes: int) -> int | None:
        """The first minute by which so many have been worked; None: not in these days."""
        due = bisect_left(self._sums, self._sums[start] + minutes, start)
        return due if due <= MINUTES else None

    def spans(self, start: int, end: int) -> list[tuple[str, int]]:
        """(reason, minutes) of each stretch with one reason."""
        return [(name, len(list(run))) for name, run in groupby(self.names[start:end])]


# Twice as many edges before 04:00, where the clocks change.
_edges = st.integers(0, 1680).map(lambda minute: minute if minute <= 1440 else minute - 1440)
_windows = st.lists(_edges, max_size=5).map(
    lambda drawn: [(a, b) for a, b in list(pairwise(sorted(drawn)))[::2] if a < b]
)
_touching = st.lists(_edges, max_size=4, unique=True).map(
    lambda drawn: list(pairwise(sorted(drawn)))
)
_day_windows = _windows | _touching
_questions = st.tuples(st.integers(0, MINUTES), st.integers(0, MINUTES), st.integers(0, 3000))


class Drawn(NamedTuple):
    """What `Calendar.from_data` takes, the oracle for it, and (start, end, minutes) to ask."""

    data: dict[str, Any]
    oracle: Oracle
    questions: list[tuple[int, int, int]]


def _text(drawn: Windows) -> list[tuple[str, str]]:
    """Minutes of a day as a calendar writes them."""
    return [(f"{a // 60:02}:{a % 60:02}", f"{b // 60:02}:{b % 60:02}") for a, b in drawn]


@st.composite
def drawn_weeks(draw: st.DrawFn, changes: list[tuple[str, str]]) -> Drawn:
    zone, change = draw(st.sampled_from(changes))
    kinds = draw(st.tuples(_day_windows, _day_windows))
    weekly = {day: kinds[number % 2] for number, day in enumerate(WEEKDAYS)}
    dates = [day.isoformat() for day in _wall_clock(zone, change)[0]]
    holidays = draw(st.sampled_from([[], *([day] for day in dates), dates[1:3]]))
    special = draw(st.just({}) | st.dictionaries(st.sampled_from(dates), _day_windows, max_size=2))
    data = {
        "timezone": zone,
        "weekly": {day: _text(windows) for day, windows in weekly.items()},
        "holidays": holidays,
        "special": {day: _text(windows) for day, windows in special.items()},
    }
    oracle = Oracle(zone, change, weekly, frozenset(holidays), special)
    return Drawn(data, oracle, [draw(_questions) for _ in range(QUESTIONS)])
