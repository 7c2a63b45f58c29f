"""Export: clients with their people, purchases, invoices and items as CSV or XLSX, streamed."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.clients.exporting import rows
from helpdesk.clients.facts import Invoice, Purchase
from helpdesk.clients.import_models import ImportKind
from helpdesk.clients.importing.columns import PROFILE, Column, columns_of
from helpdesk.clients.importing.limits import CELL_LIMIT
from helpdesk.clients.models import Client
from helpdesk.events import record
from helpdesk.fields import fields_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.lib.late import library
from helpdesk.products import Item
from helpdesk.web.files_out import BLOCK, XLSX, as_csv, saved
from helpdesk.web.guard import actor, may, needs, reading

blueprint = Blueprint("admin_export", __name__)

SHEET_ROWS = 1_000_000  # after which another sheet begins
FORMATS = {"csv": ";", "comma": ",", "xlsx": ""}
_MODELS: dict[ImportKind, Any] = {
    ImportKind.CLIENTS: Client,
    ImportKind.PURCHASES: Purchase,
    ImportKind.INVOICES: Invoice,
    ImportKind.ITEMS: Item,
}


@blueprint.get("/admin/export")
@needs("client.export")
def form() -> str:
    return render_template("admin/export.html", kinds=_kinds())


@blueprint.get("/admin/export/<kind>.<form>")
@needs("client.export")
def download(kind: str, form: str) -> Response:
    """The whole table as a file; that it was taken is kept."""
    if kind not in set(ImportKind) or form not in FORMATS:
        raise NotFound()
    wanted = ImportKind(kind)
    columns = _columns(wanted)
    if request.method == "GET":
        _note(wanted)
    header = [_label(column) for column in columns]
    found = rows(wanted, columns)
    name = f"{kind}-{now():%Y-%m-%d}"
    if form == "xlsx":
        return _as_xlsx(header, found, f"{name}.xlsx")
    return as_csv([header], found, f"{name}.csv", FORMATS[form])


def _as_xlsx(header: Sequence[str], lines: Iterable[Sequence[str]], name: str) -> Response:
    """Written to a file first: an archive's directory stands at its end."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the answer)
    try:
        _write_book(file, header, lines)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    response = Response(_blocks(file), mimetype=XLSX)
    response.call_on_close(file.close)
    response.content_length = size
    return saved(response, name)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block


def _write_book(file: IO[bytes], header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Every cell is a string: numbers keep their zeros, and nothing is a formula or a link."""
    with library("xlsxwriter").Workbook(file, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True})
        sheet, place = None, SHEET_ROWS
        for cells in lines:
            if sheet is None or place >= SHEET_ROWS:
                sheet, place = _new_sheet(book, header, bold), 1
            _write_row(sheet, place, cells)
            place += 1
        if sheet is None:
            _new_sheet(book, header, bold)


def _write_row(sheet: Any, place: int, cells: Sequence[str]) -> None:
    for column, cell in enumerate(cells):
        if cell:
            sheet.write_string(place, column, cell[:CELL_LIMIT])


def _new_sheet(book: Any, header: Sequence[str], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header), 18)
    for column, cell in enumerate(header):
        sheet.write_string(0, column, cell, bold)
    return sheet


def _kinds() -> list[tuple[str, str, str]]:
    """Kind, title and what is in it."""
    clients = _("A row for each person: names, addresses, numbers, profile.")
    return [
        (ImportKind.CLIENTS, _("Clients and people"), clients),
        (ImportKind.PURCHASES, _("Purchases"), _("Orders with their amounts and states.")),
        (ImportKind.INVOICES, _("Invoices"), _("What clients are to pay, and what is paid.")),
        (ImportKind.ITEMS, _("Items of clients"), _("Serial numbers and warranties.")),
    ]


def _note(kind: ImportKind) -> None:
    count = reading().scalar(select(func.count()).select_from(_MODELS[kind])) or 0
    with ext.write() as session:
        record(session, "export.made", actor=actor(), kind=kind, count=count)


def _columns(kind: ImportKind) -> list[Column]:
    """All that an import reads back; sensitive fields for those who may see them."""
    fields = [one for one in fields_of(reading()) if not one.sensitive or may("client.sensitive")]
    return columns_of(kind, fields)


def _label(column: Column) -> str:
    """A field of the profile goes by its key: people may change its label."""
    return column.key if column.key.startswith(PROFILE) else str(_(column.label))
