"""A report as a file: CSV with one table below the other, XLSX with a sheet for each table.

Numbers are numbers (of a length of time: seconds in CSV, a duration in XLSX); texts are never
taken for a formula. Everything is said in the language in force.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from helpdesk.clients.importing.guard import guarded
from helpdesk.clients.importing.limits import CELL_LIMIT
from helpdesk.lib.errors import NotFound
from helpdesk.lib.late import library
from helpdesk.reports.names import entry
from helpdesk.reports.sheet import Ask, Cell, Line, Measure, Report, Table, Unit
from helpdesk.web.supervisor import wording

DAY_SECONDS = 86_400
FORMATS: dict[Unit, str] = {
    Unit.COUNT: "#,##0",
    Unit.SHARE: "0.0%",
    Unit.SECONDS: "[h]:mm:ss",
    Unit.SCORE: "0.00",
    Unit.NUMBER: "#,##0.0",
}
_DIGITS = {Unit.COUNT: 0, Unit.SHARE: 4, Unit.SECONDS: 0, Unit.SCORE: 2, Unit.NUMBER: 1}
_NAME_LENGTH = 31  # of a sheet, by the format
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_WIDE, _NARROW = 34, 16

Filters = Sequence[tuple[str, str]]
"""Label and value of each."""


def csv_bytes(
    report: Report, ask: Ask, table: str | None = None, *, filters: Filters = ()
) -> bytes:
    """The report, or one of its tables, as CSV (UTF-8 with a mark, semicolons); `filters` are
    said above it (`said.filter_words`).

    Raises NotFound for a table that isn't there.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    tables = _tables(report, table)
    if table is None:
        writer.writerows(_guarded(row) for row in _about(report, ask, filters))
    for one in tables:
        if table is None:
            writer.writerows(([], [guarded(str(_(one.title)))]))
        writer.writerow(_guarded(_heads(one)))
        writer.writerows(_csv_row(one, line) for line in _lines(one))
    if table is None and report.texts:
        writer.writerows(([], [guarded(_("Comments"))]))
        writer.writerows(_guarded(row) for row in _texts(report, ask))
    return out.getvalue().encode("utf-8-sig")


def xlsx_bytes(
    report: Report, ask: Ask, table: str | None = None, *, filters: Filters = ()
) -> bytes:
    """The report, or one of its tables, as a workbook. Raises NotFound as `csv_bytes`."""
    out = io.BytesIO()
    tables = _tables(report, table)
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with library("xlsxwriter").Workbook(out, options) as book:
        pen = _Pen(book)
        if table is None:
            pen.summary(report, ask, filters)
        for one in tables:
            pen.table(one)
        if table is None and report.texts:
            pen.words(_("Comments"), _texts(report, ask))
        pen.words(_("Definitions"), _definitions(report, tables))
    return out.getvalue()


def _tables(report: Report, wanted: str | None) -> Sequence[Table]:
    if wanted is None:
        return report.tables
    found = [table for table in report.tables if table.key == wanted]
    if not found:
        raise NotFound()
    return found


def _lines(table: Table) -> Sequence[Line]:
    return [*table.lines, *([table.total] if table.total else [])]


def _compared(table: Table) -> bool:
    """Whether any number stands beside the one of the period before."""
    return any(cell.before is not None for line in _lines(table) for cell in line.cells)


def _about(report: Report, ask: Ask, filters: Filters) -> Iterator[Sequence[str]]:
    """What the file is: its name, its period, its filters, when it was made."""
    yield (_(entry(report.name).title),)
    yield _("Period"), wording.span(ask.period), ask.period.zone.key
    yield _("Before"), wording.span(ask.period.before())
    yield from filters
    yield _("Made"), wording.moment(ask.at, ask.period)


def _heads(table: Table) -> list[str]:
    heads = [wording.head(table)]
    for measure in table.measures:
        label = str(_(measure.label))
        heads.append(label)
        if _compared(table):
            heads.append(_("%(measure)s, before", measure=label))
    if _judged(table):
        heads.append(_("Remarks"))
    return heads


def _values(table: Table, line: Line) -> Iterator[tuple[Measure, float | None]]:
    compared = _compared(table)
    for measure, cell in zip(table.measures, line.cells, strict=True):
        yield measure, cell.value
        if compared:
            yield measure, cell.before


def _csv_row(table: Table, line: Line) -> list[str]:
    name = line.key.isoformat() if isinstance(line.key, date) else wording.part(table, line)
    numbers = [_plain(measure, value) for measure, value in _values(table, line)]
    return [guarded(name), *numbers, *([guarded(_remarks(table, line))] if _judged(table) else [])]


def _judged(table: Table) -> bool:
    """Whether a word judges any of its numbers."""
    return any(cell.word for line in _lines(table) for cell in line.cells)


def _remarks(table: Table, line: Line) -> str:
    found = [
        f"{_(measure.label)}: {_(cell.word)}"
        for measure, cell in zip(table.measures, line.cells, strict=True)
        if cell.word
    ]
    return "; ".join(found)


def _plain(measure: Measure, value: float | None) -> str:
    """A number as a spreadsheet of the reader's language takes it; a share in per cent."""
    if value is None:
        return ""
    digits = _DIGITS[measure.unit]
    text = f"{value:.{digits}f}"
    if measure.unit == Unit.SHARE:
        text = f"{value * 100:.{digits - 2}f}%"
    return text if wording.language() == "en" else text.replace(".", ",")


def _guarded(row: Sequence[str]) -> list[str]:
    return [guarded(str(cell)) for cell in row]


def _texts(report: Report, ask: Ask) -> Iterator[Sequence[str]]:
    yield _("Day"), _("Rating"), _("Client"), _("Comment")
    for one in report.texts:
        day = ask.period.local(one.at).date() if isinstance(one.at, datetime) else one.at
        yield day.isoformat(), "" if one.value is None else f"{one.value:g}", one.by, one.text


def _definitions(report: Report, tables: Sequence[Table]) -> Iterator[Sequence[str]]:
    measures = [measure for measure, _cell in report.tiles]
    measures += [measure for table in tables for measure in table.measures]
    yield _("Measure"), _("Unit"), _("Formula"), _("Edge cases")
    for measure in {one.key: one for one in measures}.values():
        edges = " ".join(str(_(edge)) for edge in measure.edges)
        yield _(measure.label), wording.unit_word(measure.unit), _(measure.formula), edges


class _Pen:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self.numbers = {
            unit: book.add_format({"num_format": form}) for unit, form in FORMATS.items()
        }
        self.names: set[str] = set()

    def summary(self, report: Report, ask: Ask, filters: Filters) -> None:
        """The numbers of the whole period."""
        sheet = self._sheet(_(entry(report.name).title))
        place = 0
        for row in _about(report, ask, filters):
            for column, words in enumerate(row):
                self._text(sheet, place, column, words, self.bold if column == 0 else None)
            place += 1
        heads = (_("Measure"), _("This period"), _("Before"))
        for column, head in enumerate(heads):
            self._text(sheet, place + 1, column, head, self.bold)
        for row_place, (measure, cell) in enumerate(report.tiles, place + 2):
            self._text(sheet, row_place, 0, _(measure.label))
            self._pair(sheet, row_place, measure, cell)

    def table(self, table: Table) -> None:
        sheet = self._sheet(_(table.title))
        sheet.freeze_panes(1, 1)
        heads = _heads(table)
        for column, head in enumerate(heads):
            self._text(sheet, 0, column, head, self.bold)
        for place, line in enumerate(_lines(table), 1):
            self._name(sheet, place, table, line)
            for column, (measure, value) in enumerate(_values(table, line), 1):
                self._number(sheet, place, column, measure, value)
            if _judged(table):
                self._text(sheet, place, len(heads) - 1, _remarks(table, line))
        if table.lines:
            sheet.autofilter(0, 0, len(table.lines), len(heads) - 1)

    def words(self, title: str, rows: Iterator[Sequence[str]]) -> None:
        """A sheet of texts, its heads first."""
        sheet = self._sheet(title)
        sheet.set_column(2, 3, 70)
        for place, row in enumerate(rows):
            for column, cell in enumerate(row):
                form = self.wrapped if place else self.bold
                self._text(sheet, place, column, cell, form)

    def _pair(self, sheet: Any, place: int, measure: Measure, cell: Cell) -> None:
        self._number(sheet, place, 1, measure, cell.value)
        self._number(sheet, place, 2, measure, cell.before)

    def _name(self, sheet: Any, place: int, table: Table, line: Line) -> None:
        if isinstance(line.key, date):
            sheet.write_datetime(place, 0, line.key, self.day)
        else:
            self._text(sheet, place, 0, wording.part(table, line))

    def _number(
        self, sheet: Any, place: int, column: int, measure: Measure, value: float | None
    ) -> None:
        if value is None:
            return
        number = value / DAY_SECONDS if measure.unit == Unit.SECONDS else value
        sheet.write_number(place, column, number, self.numbers[measure.unit])

    def _text(self, sheet: Any, place: int, column: int, text: str, form: Any = None) -> None:
        sheet.write_string(place, column, str(text)[:CELL_LIMIT], form)

    def _sheet(self, title: str) -> Any:
        """A new sheet; its name is as short, plain and single as the format wants it."""
        plain = _NOT_IN_NAMES.sub(" ", str(title)).strip() or "1"
        name, number = plain[:_NAME_LENGTH], 1
        while name.lower() in self.names:
            number += 1
            name = f"{plain[: _NAME_LENGTH - 4]} {number}"
        self.names.add(name.lower())
        sheet = self.book.add_worksheet(name)
        sheet.set_column(0, 0, _WIDE)
        sheet.set_column(1, 40, _NARROW)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        return sheet
