"""Why clients turn to us: contact reasons, products and kinds, their share, weeks and trend."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date
from sqlalchemy.orm import Session

from helpdesk.lib.errors import _lazy
from helpdesk.reports.causes import measures as named
from helpdesk.reports.causes import refusals
from helpdesk.reports.causes import rows as cause_rows
from helpdesk.reports.causes.findings import findings
from helpdesk.reports.causes.measures import MEASURES
from helpdesk.reports.causes.names import Called
from helpdesk.reports.causes.rows import About, Days, Opened
from helpdesk.reports.collecting import no_collecting
from helpdesk.reports.cuts import narrowing
from helpdesk.reports.filters import NOTHING
from helpdesk.reports.sheet import Ask, Behind, Cell, Chart, Line, Measure, Report, Table

__all__ = ["LISTS", "MEASURES", "report"]

WEEKS = 13
LINES = 50
"""Parts that a table of a page shows; exports ask for all."""
LISTS: Mapping[str, Behind] = {
    "causes": Behind("ticket", _lazy("Tickets opened"), cause_rows.ids),
    **refusals.LISTS,
}
PartOf = Callable[[About], Any]
LinkOf = Callable[[Any], dict[str, str]]


@no_collecting()
def report(session: Session, ask: Ask) -> Report:
    """What the tickets opened in the period are about, against the period before; and over what
    clients refused in calls. At most six statements.
    """
    called = Called(session, ask.language)
    book = _Book(called, ask, cause_rows.count(session, ask))
    calls = refusals.read(session, ask)
    tables = [*book.tables(), *refusals.tables(called, ask, calls)]
    found = findings(called, ask, book.opened) + refusals.findings(called, ask, calls)
    return Report(
        name="causes",
        tiles=((named.TICKETS, book.whole()), *refusals.tiles(calls)),
        tables=tuple(table for table in tables if table.lines),
        findings=tuple(found),
    )


class _Book:
    """The tables of one report."""

    def __init__(self, called: Called, ask: Ask, opened: Opened) -> None:
        self.called, self.ask, self.opened = called, ask, opened
        today = ask.period.local(ask.at).date()
        weeks = cause_rows.mondays([day for day in ask.period.days if day <= today])
        weeks = weeks[-WEEKS:] if len(weeks) > 1 else []
        self.weeks = [(monday, narrowing("week", monday, ask.period)) for monday in weeks]
        self.earlier = ask.period.before().query()
        self.now, self.before = cause_rows.total(opened.now), cause_rows.total(opened.before)

    def whole(self) -> Cell:
        return Cell(self.now, self.before, ("causes", {}))

    def tables(self) -> list[Table]:
        filters = self.ask.filters
        kinds = _lazy("Kinds of tickets")
        found = [] if filters.only_reason is not None else [self._topics()]
        found.append(
            self._by("reason", "reasons", _lazy("Contact reasons"), lambda one: one.reason)
        )
        if filters.product is None:
            found.append(self._by("product", "products", _lazy("Products"), _product))
        if filters.kind is None:
            found.append(self._by("kind", "kinds", kinds, lambda one: one.kind))
        return found

    def _topics(self) -> Table:
        """Reasons with all below them: the topmost ones, or those right under the filtered one."""
        known, top = self.called.tree, self.ask.filters.reason
        above = known.get(top)
        depth = above.depth if above is not None else 0

        def part(one: About) -> int:
            reason = known.get(one.reason)
            return reason.path[: depth + 1][-1] if reason is not None else NOTHING

        def link(reason_id: int) -> dict[str, str]:
            whole = reason_id not in (NOTHING, top)
            return {"reason" if whole else "only_reason": str(reason_id)}

        return self._table("reason", "topics", _lazy("Topics"), part, link)

    def _by(self, cut: str, key: str, title: str, part: PartOf) -> Table:
        period = self.ask.period
        return self._table(cut, key, title, part, lambda value: narrowing(cut, value, period))

    def _table(self, cut: str, key: str, title: str, part: PartOf, link: LinkOf) -> Table:
        now, before = _divided(self.opened.now, part), _divided(self.opened.before, part)
        sizes = {one: _size(now, one) for one in {*now, *before}}
        order = sorted(sizes, key=lambda one: (-sizes[one], str(one)))
        most = len(order) if self.ask.args.get("lines") == "all" else LINES
        called = self.called.of(cut, order[:most])
        lines = []
        for one in order[:most]:
            days, narrowed = now.get(one, Counter()), link(one)
            cells = self._cells(days, _size(before, one), narrowed)
            lines.append(Line(one, called.get(one), cells, narrowed))
        whole = cause_rows.whole(self.opened.now)
        return Table(
            key=key,
            title=title,
            cut=cut,
            measures=(named.TICKETS, named.SHARE, named.BEFORE, named.CHANGE, *self._measures()),
            lines=tuple(lines),
            total=Line(None, None, self._cells(whole, self.before, {})),
            chart=Chart.BARS,
            more=max(0, len(order) - most),
        )

    def _measures(self) -> list[Measure]:
        language, first = self.ask.language, self.ask.period.first
        return [
            replace(
                named.WEEK,
                key=f"{named.WEEK.key}:{monday.isoformat()}",
                label=format_date(max(monday, first), "d MMM", locale=language),
            )
            for monday, _only in self.weeks
        ]

    def _cells(
        self, days: Counter[date], before: int, narrowed: dict[str, str]
    ) -> tuple[Cell, ...]:
        now = days.total()
        by_week: Counter[date] = Counter()
        for day, count in days.items():
            by_week[day - timedelta(days=day.weekday())] += count
        weeks = [
            Cell(by_week[monday], link=("causes", narrowed | only)) for monday, only in self.weeks
        ]
        return (
            Cell(now, before, ("causes", narrowed)),
            Cell(_of(now, self.now), _of(before, self.before)),
            Cell(before, link=("causes", narrowed | self.earlier)),
            Cell(_of(now - before, before)),
            *weeks,
        )


def _product(one: About) -> int:
    return one.product


def _divided(opened: Days, part: PartOf) -> dict[Any, Counter[date]]:
    found: defaultdict[Any, Counter[date]] = defaultdict(Counter)
    for about, days in opened.items():
        found[part(about)].update(days)
    return found


def _size(parts: Mapping[Any, Counter[date]], one: Any) -> int:
    return parts[one].total() if one in parts else 0


def _of(part: float, whole: float) -> float | None:
    return part / whole if whole else None
