"""A report beside its recount: every number of it, and what differs."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from benchmarks.desk.recount import Book
from helpdesk.reports.sheet import Cell, Measure, Report, Table, Unit

FEW = 5  # of fewer a share or a mean says little


def differences(report: Report, book: Book, earlier: Book) -> list[str]:
    """Where the numbers of a report, and those of the period before, are not those of the books."""
    return [*_wrong(report, book), *_left_out(report, book), *_wrong_before(report, earlier)]


def numbers(report: Report, most: int | None = None) -> Iterator[tuple[Table, Any, Measure, Cell]]:
    """Every number of the first lines of each table, and of its total."""
    for table in report.tables:
        for line in (*table.lines[:most], *([table.total] if table.total else [])):
            for measure, cell in zip(table.measures, line.cells, strict=True):
                yield table, line.key, measure, cell


def _wrong(report: Report, book: Book) -> Iterator[str]:
    for table, key, measure, cell in numbers(report):
        nothing = 0 if measure.unit == Unit.COUNT else None
        expected = book.get((table.key, key, measure.key), nothing)
        if not _equal(cell.value, expected):
            yield f"{table.key}/{key}/{measure.key}: {cell.value} is {expected}"


def _wrong_before(report: Report, book: Book) -> Iterator[str]:
    for table, key, measure, cell in numbers(report):
        if isinstance(key, date) or table.cut in ("day", "week"):
            continue  # compared with another day
        expected = book.get((table.key, key, measure.key))
        if cell.before is not None and not _equal(cell.before, expected or 0):
            yield f"before {table.key}/{key}/{measure.key}: {cell.before} is {expected}"


def _left_out(report: Report, book: Book) -> Iterator[str]:
    """Parts of the recount that the report doesn't show."""
    shown = {(table.key, key, measure.key) for table, key, measure, _ in numbers(report)}
    tables = {table.key for table in report.tables if not table.more}
    measured = {(table, measure) for table, _, measure in shown}
    for (table, key, measure), value in book.items():
        known = value and table in tables and (table, measure) in measured
        if known and (table, key, measure) not in shown:
            yield f"{table}/{key}/{measure} is {value} and isn't there"


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one == other
    return one == pytest.approx(other, rel=1e-9)


def table_of(report: Report, key: str) -> Table:
    return next(table for table in report.tables if table.key == key)


def values(table: Table, measure: str) -> dict[Any, float]:
    """The numbers of a measure by line, where there are any."""
    column = [one.key for one in table.measures].index(measure)
    found = {line.key: line.cells[column].value for line in table.lines}
    return {key: value for key, value in found.items() if value is not None}


def highest(table: Table, measure: str, size: str, few: int = FEW) -> Any:
    """The line with the highest number, of those that count enough to tell."""
    sizes, found = values(table, size), values(table, measure)
    return max((key for key in found if key and sizes[key] >= few), key=found.__getitem__)


def lowest(table: Table, measure: str, size: str) -> Any:
    sizes, found = values(table, size), values(table, measure)
    return min((key for key in found if key and sizes[key] >= FEW), key=found.__getitem__)
