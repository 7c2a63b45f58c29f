"""Tables that leave as files, CSV or XLSX, so that no spreadsheet runs a formula from a text."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, stream_with_context

from helpdesk.clients.importing.guard import guarded
from helpdesk.web.desk.files import SANDBOX

BLOCK = 1 << 16  # octets or characters that go out at once
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"


def as_csv(
    head: Iterable[Sequence[str]], lines: Iterable[Sequence[str]], name: str, delimiter: str
) -> Response:
    """Rows as a file that spreadsheets open in the right encoding and run no formula of."""
    body = stream_with_context(_csv_blocks(head, lines, delimiter))
    return saved(Response(body, mimetype=CSV), name)


def _csv_blocks(
    head: Iterable[Sequence[str]], lines: Iterable[Sequence[str]], delimiter: str
) -> Iterator[str]:
    block = io.StringIO()
    block.write("\ufeff")
    writer = csv.writer(block, delimiter=delimiter)
    for part in (head, lines):
        for cells in part:
            writer.writerow([guarded(cell) for cell in cells])
            if block.tell() > BLOCK:
                yield block.getvalue()
                block.seek(0)
                block.truncate()
    yield block.getvalue()


def saved(response: Response, name: str) -> Response:
    """An answer that the browser saves under this name (ASCII) and never runs."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "no-store"
    return response
