"""What every report is made of: tables of measures, with a link behind each number.

The page, its print, CSV, XLSX and the email of a schedule all show one and the same `Report`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.reports.filters import Filters
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope


class Unit(StrEnum):
    COUNT = "count"
    SHARE = "share"  # 0 to 1, shown in per cent
    SECONDS = "seconds"
    SCORE = "score"  # mean of 1 to 5
    NUMBER = "number"  # with tenths


@dataclass(frozen=True)
class Measure:
    """A number with its definition; texts are msgids.

    `formula` in words and signs; `edges`: what becomes of merged, deleted, reopened, transferred
    and paused tickets, of callbacks, as far as it concerns this measure. `better`: which
    direction is good ("up", "down") or None.
    """

    key: str
    label: str
    unit: Unit
    formula: str
    edges: tuple[str, ...] = ()
    better: str | None = None
    source: str | None = None  # where the formula comes from, e.g. "ICMI"


@dataclass(frozen=True)
class Ask:
    """What is asked of a report: when, of what, by whom."""

    period: Period
    filters: Filters
    scope: Scope
    at: datetime
    language: str
    args: Mapping[str, str] = field(
        default_factory=dict
    )  # options of the report, e.g. {"by": "queue"}


@dataclass(frozen=True)
class Cell:
    """One number; None: there was nothing to measure. `link`: what lists the things behind it,
    as (name in LISTS, address arguments that differ from the report's own)."""

    value: float | None
    before: float | None = None  # in the period before
    link: tuple[str, Mapping[str, str]] | None = None
    word: str | None = None  # msgid: judges the number, e.g. "too many"


@dataclass(frozen=True)
class Line:
    """A row of a table: a part of the cut, or a total (`key` None)."""

    key: Any  # id, word of an enum, date, slot …
    name: str | None  # a name that is data; None: the page words the key
    cells: tuple[Cell, ...]
    link: Mapping[str, str] | None = None  # arguments that narrow the report to this part


class Chart(StrEnum):
    BARS = "bars"  # lying, a line each
    COLUMNS = "columns"  # standing, in order
    LINE = "line"  # over time, with the period before
    HEAT = "heat"  # weekday × hour; lines have slots as keys


@dataclass(frozen=True)
class Table:
    """Measures of parts. `chart` draws column `drawn` (an index into `measures`)."""

    key: str
    title: str  # msgid
    cut: str  # what the lines are, a key of `cuts.CUTS` or another word the page knows
    measures: tuple[Measure, ...]
    lines: tuple[Line, ...]
    total: Line | None = None
    chart: Chart | None = None
    drawn: int = 0
    goal: float | None = None  # of the drawn measure
    more: int = 0  # parts that don't stand here, so that the page stays readable


@dataclass(frozen=True)
class Text:
    """Something said by a person, e.g. the comment of a rating: shown as a list, never drawn."""

    text: str
    by: str
    at: datetime | date
    value: float | None
    ticket_id: int | None


@dataclass(frozen=True)
class Report:
    """`tiles` stand above: the measure with its number of the whole period."""

    name: str  # of REPORTS
    tiles: tuple[tuple[Measure, Cell], ...]
    tables: tuple[Table, ...]
    findings: tuple[tuple[str, Mapping[str, Any]], ...] = ()  # sentences: msgid and its parameters
    texts: tuple[Text, ...] = ()


Make = Callable[[Session, Ask], Report]


@dataclass(frozen=True)
class Behind:
    """How the things behind a number are found: all their ids, in the order they are shown."""

    kind: str  # "ticket", "call", "rating", "task"
    title: str  # msgid
    ids: Callable[[Session, Ask], Sequence[int]]
    dated: bool = True  # False: what is so now, whatever the period says
