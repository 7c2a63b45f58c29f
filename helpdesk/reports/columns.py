"""Tables made of rows: each column counts the same rows that its list shows."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.ext import QUARTER
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.cuts import Cut, Facts, Known, cut_named, names, narrowing, organisations
from helpdesk.reports.filters import WEEKDAYS
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Teams, team_of
from helpdesk.reports.sheet import Ask, Cell, Chart, Line, Measure, Table
from helpdesk.tickets.models import Priority

LINES = 50
"""Parts that a table of a page shows; exports ask for all."""
FactsOf = Callable[[Any], Facts]
KeyOf = Callable[[Any], Hashable]
_WEEK = 7


class Bundle:
    """Rows of which all conditions say the same (`mark`); `row` is one of them."""

    __slots__ = ("_sums", "count", "row", "rows")

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        self.row = rows[0]
        self.count = len(rows)
        self._sums: tuple[float, ...] | None = None

    @property
    def sums(self) -> tuple[float, ...]:
        """Their `numbers` added up, place by place."""
        if self._sums is None:
            numbers = [row.numbers for row in self.rows]
            self._sums = tuple(map(sum, zip(*numbers, strict=True)))
        return self._sums

    @property
    def most(self) -> float:
        """The largest of their first numbers."""
        return max((row.numbers[0] for row in self.rows if row.numbers), default=0.0)


Bundles = Sequence[Bundle]


class Split(dict[Hashable, Bundles]):
    """The rows of each part, added up."""

    @cached_property
    def whole(self) -> Bundles:
        """Those of all parts together: a few bundles, however many parts there are."""
        found: defaultdict[Hashable, list[Any]] = defaultdict(list)
        for some in self.values():
            for one in some:
                found[one.row.mark] += one.rows
        return [Bundle(rows) for rows in found.values()]


@dataclass(frozen=True)
class Column:
    """A measure and how it is made of the rows of a part. `behind`: the list of what it counts,
    with its own arguments."""

    measure: Measure
    value: Callable[[Bundles], float | None]
    behind: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Looks:
    """How a table is drawn."""

    chart: Chart | None = None
    drawn: int = 0
    goal: float | None = None


def cut_for(ask: Ask, offered: Sequence[str]) -> str:
    """What the report is divided by, the first one unless the address says so.

    Raises HelpdeskError for a cut that isn't offered.
    """
    wanted = ask.args.get("by") or offered[0]
    if wanted not in offered:
        raise HelpdeskError(
            _lazy("A report is not divided by “%(name)s”."), field="by", name=wanted[:40]
        )
    return wanted


def bundles(rows: Iterable[Any]) -> list[Bundle]:
    """Rows added up; each has a `mark` and `numbers`."""
    found: defaultdict[Hashable, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.mark].append(row)
    return [Bundle(some) for some in found.values()]


def many(fits: Callable[[Any], bool], rows: Bundles) -> int:
    """How many rows fit."""
    return sum(one.count for one in rows if fits(one.row))


def count(fits: Callable[[Any], bool]) -> Callable[[Bundles], int]:
    """How many rows fit."""
    return lambda rows: many(fits, rows)


def share(part: Callable[[Any], bool], whole: Callable[[Any], bool]) -> Callable[[Bundles], Any]:
    """What share of the rows of the whole are of the part; None where there are none."""

    def value(rows: Bundles) -> float | None:
        of = many(whole, rows)
        return many(part, rows) / of if of else None

    return value


def total(number: int, fits: Callable[[Any], bool], rows: Bundles) -> float:
    """The sum of the number at this place of the rows that fit."""
    return sum(one.sums[number] for one in rows if fits(one.row))


def mean(number: int, fits: Callable[[Any], bool]) -> Callable[[Bundles], Any]:
    """The mean of the number at this place of the rows that fit; None where there are none."""

    def value(rows: Bundles) -> float | None:
        of = many(fits, rows)
        return total(number, fits, rows) / of if of else None

    return value


def cells(
    columns: Sequence[Column], rows: Bundles, before: Bundles | None, narrowed: Mapping[str, str]
) -> tuple[Cell, ...]:
    """The numbers of one line; `before` None: there is nothing to compare them with."""
    found = []
    for column in columns:
        value = column.value(rows)
        was = column.value(before) if before is not None else None
        link = None
        if column.behind is not None and value is not None:
            link = (column.behind, {**narrowed, **column.args})
        found.append(Cell(value, was, link))
    return tuple(found)


def _quarter(row: Any) -> int:
    """Days and hours of every time zone begin with a quarter of an hour of UTC."""
    return int(row.moment.timestamp()) // QUARTER


KEYS: Mapping[str, KeyOf] = {
    "queue": attrgetter("queue_id"),
    "agent": attrgetter("user_id"),
    "team": attrgetter("queue_id", "user_id"),
    "client": attrgetter("client_id"),
    "organisation": attrgetter("client_id"),
    "product": attrgetter("product_id"),
    "reason": attrgetter("reason_id"),
    "language": attrgetter("language"),
    **dict.fromkeys(("day", "week", "slot"), _quarter),
}
"""What of a row decides its part: rows that have it in common are in the same one."""
_UNKNOWN = object()


class Division:
    """How rows fall into the parts of one cut. At most three statements are asked for it.

    `facts` gives the facts of a row, `key` what of them decides its part, by default what KEYS
    reads for the cut.
    """

    def __init__(
        self, session: Session, ask: Ask, cut: str, facts: FactsOf, key: KeyOf | None = None
    ) -> None:
        self.ask, self._facts = ask, facts
        self._key = key or KEYS[cut]
        self._called: dict[Any, str] = {}
        self._asked: set[Any] = set()
        self.cut: Cut = cut_named(cut)
        self._session = session
        self._teams = team_of(session) if cut == "team" else Teams({}, {})
        self._above = organisations(session) if cut == "organisation" else {}

    def of(self, rows: Iterable[Any], period: Period) -> Split:
        """The rows of each part, added up."""
        known = Known(period, self._teams, self._above)
        parts: dict[Hashable, Hashable] = {}
        found: dict[Hashable, list[Any]] = {}
        for row in rows:
            key = self._key(row)
            part = parts.get(key, _UNKNOWN)
            if part is _UNKNOWN:
                part = parts[key] = self.cut.part(self._facts(row), known)
            found.setdefault(part, []).append(row)
        return Split({part: bundles(some) for part, some in found.items()})

    def both(self, now: Iterable[Any], before: Iterable[Any]) -> tuple[Split, Split]:
        """The rows of the period and those of the one before it."""
        return self.of(now, self.ask.period), self.of(before, self.ask.period.before())

    def table(
        self,
        key: str,
        title: str,
        columns: Sequence[Column],
        now: Split,
        before: Split,
        looks: Looks | None = None,
        only: Callable[[Any], bool] | None = None,
        *,
        named: bool = True,
    ) -> Table:
        """A line for each part, compared with the same part of the period before. `only`: the rows
        that this table is about; a part without any has no line. Not `named`: `call` names them.
        """
        looks = looks or self.usual()
        fits = only or (lambda _row: True)
        some = {part: _of(fits, rows) for part, rows in now.items()}
        shown, more = self._order({key: rows for key, rows in some.items() if rows}, columns[0])
        lines = [(part, some.get(part, ()), self._before(part, before)) for part in shown]
        called = self._names(shown) if named else {}
        whole, earlier = _of(fits, now.whole), _of(fits, before.whole)
        return Table(
            key=key,
            title=title,
            cut=self.cut.key,
            measures=tuple(column.measure for column in columns),
            lines=tuple(
                self._line(columns, part, rows, was and _of(fits, was), called)
                for part, rows, was in lines
            ),
            total=Line(None, None, cells(columns, whole, earlier, {})),
            chart=looks.chart,
            drawn=looks.drawn,
            goal=looks.goal,
            more=more,
        )

    def call(self, tables: Sequence[Table]) -> list[Table]:
        """The same tables with the names of their parts, which are asked for together."""
        called = self._names([*{line.key for table in tables for line in table.lines}])
        return [
            replace(one, lines=tuple(replace(ln, name=called.get(ln.key)) for ln in one.lines))
            for one in tables
        ]

    def usual(self, drawn: int = 0) -> Looks:
        """The chart that suits the cut."""
        if self.cut.key == "slot":
            return Looks(Chart.HEAT, drawn)
        return Looks(Chart.LINE if self._in_time() else Chart.BARS, drawn)

    def _names(self, parts: Sequence[Any]) -> Mapping[Any, str]:
        """What they are called; each is asked for once, however many tables there are."""
        unknown = [part for part in parts if part not in self._asked]
        if unknown:
            self._asked.update(unknown)
            self._called |= names(self._session, self.cut.key, unknown, self.ask.language)
        return self._called

    def _order(self, parts: Mapping[Hashable, Bundles], column: Column) -> tuple[list[Any], int]:
        """The parts in the order in which they stand, by size, and how many more there are."""
        if self.cut.ordered:
            return _in_order(self.cut.key, parts, self.ask), 0
        sizes = {part: column.value(some) or 0 for part, some in parts.items()}
        found = largest(sizes, len(sizes) if self.ask.args.get("lines") == "all" else LINES)
        return found, len(sizes) - len(found)

    def _line(
        self,
        columns: Sequence[Column],
        part: Any,
        rows: Bundles,
        before: Bundles | None,
        called: Mapping[Any, str],
    ) -> Line:
        link = narrowing(self.cut.key, part, self.ask.period)
        return Line(part, called.get(part), cells(columns, rows, before, link), link)

    def _before(self, part: Any, earlier: Split) -> Bundles | None:
        """Of a day the one at the same place of the period before."""
        if not self._in_time():
            return earlier.get(part, ())
        days = len(self.ask.period.days)
        if self.cut.key == "week" and days % _WEEK:
            return None
        return earlier.get(part - timedelta(days=days), ())

    def _in_time(self) -> bool:
        return self.cut.key in ("day", "week")


def _of(fits: Callable[[Any], bool], some: Bundles) -> Bundles:
    return [one for one in some if fits(one.row)]


def largest(sizes: Mapping[Any, float], most: int) -> list[Any]:
    """So many parts, the largest first; those of one size by their names. Thousands of small ones
    are never compared by name."""
    if len(sizes) > most:
        least = sorted(sizes.values(), reverse=True)[most - 1]
        sizes = {part: size for part, size in sizes.items() if size >= least}
    return sorted(sizes, key=lambda part: (-sizes[part], str(part)))[:most]


def _in_order(cut: str, parts: Collection[Hashable], ask: Ask) -> list[Any]:
    """By their own order; days and weeks all up to today, so that an empty one is seen."""
    if cut in ("day", "week"):
        today = ask.period.local(ask.at).date()
        days = [day for day in ask.period.days if day <= today] or ask.period.days[:1]
        if cut == "day":
            return days
        return sorted({day - timedelta(days=day.weekday()) for day in days})
    if cut == "priority":
        return [word.value for word in reversed(Priority) if word.value in parts]
    return sorted(parts, key=lambda slot: (WEEKDAYS.index(str(slot)[:3]), str(slot)[3:]))
