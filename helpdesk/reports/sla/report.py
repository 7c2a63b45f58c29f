"""The SLA report: promises met, breached and still running, and how long answers took."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.reports.collecting import no_collecting
from helpdesk.reports.columns import LINES, largest
from helpdesk.reports.cuts import CUTS, names, narrowing
from helpdesk.reports.filters import WEEKDAYS
from helpdesk.reports.parts import parts_by
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask, Cell, Chart, Line, Measure, Report, Table
from helpdesk.reports.sla import measures as named
from helpdesk.reports.sla.findings import changed_hours, findings
from helpdesk.reports.sla.lists import LISTS
from helpdesk.reports.sla.measures import MEASURES
from helpdesk.reports.sla.sums import ALL, Sum, Sums, sums
from helpdesk.tickets.models import Metric, Priority

__all__ = ["LISTS", "MEASURES", "report"]

USUAL = "queue"
_SHARE, _BREACHED = 1, 3  # columns that are drawn


@no_collecting()
def report(session: Session, ask: Ask) -> Report:
    """Promises of the tickets opened in the period, divided by the cut `by`; at most seven
    statements. Raises HelpdeskError for a cut that isn't there.
    """
    cut = ask.args.get("by") or USUAL
    parts, earlier = parts_by(session, [cut], ask.period), ask.period.before()
    now = sums(session, ask, ask.period, parts)
    before = sums(session, ask, earlier, parts.during(earlier))
    book = _Book(ask, cut, now, before)
    book.names = names(session, cut, book.parts(ALL)[0], ask.language)
    metrics = [metric.value for metric in Metric if metric.value in now.metrics]
    return Report(
        name="sla",
        tiles=_tiles(now, before, metrics),
        tables=tuple(book.table(metric) for metric in (ALL, *metrics)),
        findings=(*findings(now, before, book.names), *changed_hours(session, ask)),
    )


class _Book:
    """The tables of one report: what was counted in the period and in the one before."""

    def __init__(self, ask: Ask, cut: str, now: Sums, before: Sums) -> None:
        self.ask, self.cut, self.now, self.before = ask, cut, now, before
        self.names: dict[Any, str] = {}

    def parts(self, metric: str) -> tuple[list[Any], int]:
        """The parts of a metric's table in their order, and how many more there are."""
        found: list[Any] = [part for (part,) in self.now.parts(metric)]
        if not CUTS[self.cut].ordered:
            sizes = {part: self.now.of((part,), metric).count for part in found}
            shown = largest(sizes, len(found) if self.ask.args.get("lines") == "all" else LINES)
            return shown, len(found) - len(shown)
        return _in_order(self.cut, found, self.ask.period), 0

    def table(self, metric: str) -> Table:
        """All promises together, or those of one metric with its medians."""
        parts, more = self.parts(metric)
        heat = self.cut == "slot"
        return Table(
            key=metric,
            title=named.TITLES[metric],
            cut=self.cut,
            measures=named.COUNTED if metric == ALL else named.TIMED,
            lines=tuple(self._line(part, metric) for part in parts),
            total=self._total(metric),
            chart=Chart.HEAT if heat else Chart.LINE if self._in_time() else Chart.BARS,
            drawn=_BREACHED if heat else _SHARE,
            more=more,
        )

    def _in_time(self) -> bool:
        return self.cut in ("day", "week")

    def _line(self, part: Any, metric: str) -> Line:
        link = narrowing(self.cut, part, self.ask.period)
        now, before = self.now.of((part,), metric), self._before(part, metric)
        cells = _cells(now, before, metric, link)
        return Line(part, self.names.get(part), cells, link)

    def _before(self, part: Any, metric: str) -> Sum | None:
        """The same part of the period before; of a day the one of the same place in it."""
        if not self._in_time():
            return self.before.of((part,), metric)
        length = self.ask.period.first - self.before.period.first
        if self.cut == "week" and length.days % 7:
            return None
        return self.before.of((part - length,), metric)

    def _total(self, metric: str) -> Line:
        now, before = self.now.whole(metric), self.before.whole(metric)
        return Line(None, None, _cells(now, before, metric, {}))


def _in_order(cut: str, found: Sequence[Any], period: Period) -> list[Any]:
    """By their own order; of days and weeks all, so that a day without tickets is seen."""
    if cut == "day":
        return list(period.days)
    if cut == "week":
        return sorted({day.fromordinal(day.toordinal() - day.weekday()) for day in period.days})
    if cut == "priority":
        return [word.value for word in reversed(Priority) if word.value in found]
    return sorted(found, key=lambda slot: (WEEKDAYS.index(slot[:3]), slot[3:]))


def _cells(now: Sum, before: Sum | None, metric: str, narrowed: dict[str, str]) -> tuple[Cell, ...]:
    """The numbers of a line in the order of `sla_measures.COUNTED`, or of `TIMED`."""
    of = {} if metric == ALL else {"metric": metric}

    def cell(name: str, listed: str, **args: str) -> Cell:
        value = getattr(now, name)
        was = getattr(before, name) if before is not None else None
        link = (listed, {**narrowed, **of, **args}) if value is not None else None
        return Cell(value, was, link)

    counted = (
        cell("count", "sla_tickets"),
        cell("share", "sla", outcome="done"),
        cell("met", "sla", outcome="met"),
        cell("breached", "sla", outcome="breached"),
        cell("running", "sla", outcome="running"),
    )
    if metric == ALL:
        return counted
    times = [cell(name, "sla", outcome="stopped") for name in ("median", "p90")]
    return (*counted, *times)


def _tiles(now: Sums, before: Sums, metrics: Sequence[str]) -> tuple[tuple[Measure, Cell], ...]:
    whole = _cells(now.whole(ALL), before.whole(ALL), ALL, {})
    found = list(zip(named.COUNTED, whole, strict=True))
    for metric in metrics:
        cells = _cells(now.whole(metric), before.whole(metric), metric, {})
        found.append((named.SHARES[metric], cells[1]))
        found.append((named.MEDIANS[metric], cells[5]))
    return tuple(found)
