"""A report as its page shows it: numbers in words, each with the address of what it counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from markupsafe import Markup

from helpdesk.reports.names import entry
from helpdesk.reports.sheet import Ask, Cell, Chart, Line, Measure, Report, Table, Unit
from helpdesk.web.supervisor.charts import MOST_BARS, drawn
from helpdesk.web.supervisor.here import Lists, line_address, report_address
from helpdesk.web.supervisor.wording import (
    Change,
    Defined,
    change,
    defined,
    head,
    missed,
    part,
    shown,
    tick,
)

_BESIDE = 8
"""Columns of a table that still fits beside its chart."""
_HALF = 3
"""Columns of a table of which two stand side by side."""
_DEEPER = ("agent", "queue", "reason", "day")
"""By what a part is divided further, the first of these that isn't fixed yet."""
_IN_TIME = ("day", "week", "slot")


@dataclass(frozen=True)
class Number:
    """A number in words; `href` leads to what it counts."""

    text: str
    href: str | None
    change: Change | None
    nothing: bool  # no number, or none of what is counted
    word: str | None  # judges the number
    missed: bool = False  # on the bad side of the goal


@dataclass(frozen=True)
class Tile:
    measure: Defined
    number: Number


@dataclass(frozen=True)
class Row:
    name: str
    href: str | None
    numbers: Sequence[Number]


@dataclass(frozen=True)
class Card:
    """A table with its chart; `place` is half, pair (chart and table side by side) or full."""

    key: str
    title: str
    head: str
    measures: Sequence[Defined]
    rows: Sequence[Row]
    total: Row | None
    chart: Markup | None
    kind: Chart | None
    drawn: str
    goal: str | None
    compared: bool  # whether the chart shows the period before
    place: str
    long: bool
    more: int
    more_href: str
    undrawn: int  # lines that the chart leaves to the table

    @property
    def empty(self) -> bool:
        """Whether there is no number to be seen in it."""
        return all(number.nothing for row in self.rows for number in row.numbers)


def tiles(report: Report, ask: Ask) -> list[Tile]:
    lists = Lists(ask)
    return [Tile(defined(measure), _number(measure, cell, lists)) for measure, cell in report.tiles]


def cards(report: Report, ask: Ask) -> list[Card]:
    lists = Lists(ask)
    return [_card(report, table, ask, lists) for table in report.tables]


def sentences(report: Report) -> list[str]:
    """What the report found, said."""
    return [str(_(message, **params)) for message, params in report.findings]


def measures(report: Report) -> list[Defined]:
    """All measures on the page, each once, in their order."""
    found = {measure.key: measure for measure, _cell in report.tiles}
    for table in report.tables:
        found |= {measure.key: measure for measure in table.measures}
    return [defined(measure) for measure in found.values()]


def _card(report: Report, table: Table, ask: Ask, lists: Lists) -> Card:
    chart = drawn(
        table,
        lambda line, column: lists.address(line.cells[column]) or _deeper(report, line, ask),
    )
    lines = [(line, line.cells[table.drawn].before) for line in table.lines]
    bars = table.chart == Chart.BARS
    return Card(
        key=table.key,
        title=str(_(table.title)),
        head=head(table),
        measures=[defined(measure) for measure in table.measures],
        rows=[_row(report, table, line, ask, lists) for line in table.lines],
        total=_row(report, table, table.total, ask, lists) if table.total else None,
        chart=chart,
        kind=table.chart if chart else None,
        drawn=str(_(table.measures[table.drawn].label)),
        goal=tick(table.measures[table.drawn], table.goal) if table.goal is not None else None,
        compared=table.chart in (Chart.LINE, Chart.BARS) and any(before for _line, before in lines),
        place=_place(table, chart),
        long=len(table.lines) > 14,
        more=table.more,
        more_href=report_address(report.name, ask, lines="all"),
        undrawn=max(0, len(table.lines) - MOST_BARS) if bars and chart else 0,
    )


def _place(table: Table, chart: Markup | None) -> str:
    if chart is not None and len(table.measures) <= _HALF:
        return "half"
    return "pair" if chart is not None and len(table.measures) <= _BESIDE else "full"


def _row(report: Report, table: Table, line: Line, ask: Ask, lists: Lists) -> Row:
    numbers = [
        _number(measure, cell, lists, compared=table.cut not in _IN_TIME)
        for measure, cell in zip(table.measures, line.cells, strict=True)
    ]
    if missed(table.measures[table.drawn], line.cells[table.drawn].value, table.goal):
        numbers[table.drawn] = replace(numbers[table.drawn], missed=True)
    return Row(part(table, line), _deeper(report, line, ask), numbers)


def _number(measure: Measure, cell: Cell, lists: Lists, *, compared: bool = True) -> Number:
    found = change(measure, cell) if compared else None
    nothing = cell.value is None or (measure.unit == Unit.COUNT and not cell.value)
    href = None if nothing else lists.address(cell)
    word = str(_(cell.word)) if cell.word else None
    return Number(shown(measure, cell.value), href, found, nothing, word)


def _deeper(report: Report, line: Line, ask: Ask) -> str | None:
    """The report of this part alone."""
    if line.link is None or line.key is None:
        return None
    fixed = {*ask.filters.query(), *line.link}
    offered = entry(report.name).cuts
    cut = next((one for one in _DEEPER if one in offered and one not in fixed), None)
    return line_address(report.name, ask, line, cut)
