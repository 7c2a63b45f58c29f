"""Opens CSV and XLSX files as streams of rows: what a file is, its headers, its cells as text."""

import hashlib
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from helpdesk.clients.importing import delimited, sheets
from helpdesk.clients.importing.headers import LOOK, Row, header_row, is_filled, named
from helpdesk.clients.importing.limits import MAX_COLUMNS, MAX_ROWS, BadFile
from helpdesk.clients.importing.totals import LAST, total_of
from helpdesk.lib.errors import _lazy

SAMPLE = 5  # rows that the mapping page shows
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] §2.2: old Office files and encrypted ones
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] §2.3.4.4
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<(?:html|!doctype|\?xml|table)\b|\{\\rtf|BEGIN:VCARD)", re.I
)
_FEW = 5  # sheets that are looked into
_PICTURES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")


@dataclass(frozen=True)
class Opened:
    """What a file turned out to be. `reading` is JSON: format, encoding, delimiter, sheet, header.

    `start`: the first rows of the file, with what the columns would be called by each of them.
    """

    reading: dict[str, Any]
    headers: list[str]
    sample: list[Row]
    choices: list[str]  # names of the sheets, or the encodings that fit
    start: list[tuple[int, list[str]]]


class Table:
    """The rows below the headers, from the first on. Raises BadFile while it is read."""

    def __init__(self, path: Path, reading: Mapping[str, Any]) -> None:
        self.merged: list[str] = []  # ranges like A1:B3, known once everything is read
        self._lines = self._open(path, reading)
        self.start = list(islice(self._lines, LOOK))
        self._lines = filter(is_filled, self._lines)  # numbers tell of what was empty
        self._ahead = deque(filter(is_filled, self.start))
        self._rest = self._all()
        first = self._first(reading.get("header"))
        self.headers = named(first.cells)
        self.header = self.position = first.number

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        """The next row that is not empty."""
        row = next(self._rest)
        if row.number > MAX_ROWS:
            message = _lazy("The file has more than %(most)s rows. Split it.")
            raise BadFile(message, most=MAX_ROWS)
        self.position = row.number
        total = total_of(row.cells)
        return replace(row, total=total) if total and not self._is_looked_ahead(LAST) else row

    def skip_to(self, number: int) -> None:
        """Go on after this row."""
        while self.position < number:
            row = next(self._rest, None)
            if row is None:
                return
            self.position = row.number

    def take(self, count: int) -> list[Row]:
        return list(islice(self, count))

    def _first(self, header: Any) -> Row:
        """The row of the headers: the one that was chosen, or the one that looks so."""
        chosen = header if isinstance(header, int) else header_row(self.start)
        number = chosen.number if isinstance(chosen, Row) else chosen
        if number is None:
            raise BadFile(_lazy("The file is empty."))
        for row in self._rest:
            if row.number == number:
                return row
            if row.number > number:
                break
        raise BadFile(_lazy("Row %(row)s is empty: it has no headers."), row=number)

    def _all(self) -> Iterator[Row]:
        while self._ahead or self._is_looked_ahead(1):
            yield self._ahead.popleft()

    def _is_looked_ahead(self, count: int) -> bool:
        """Whether so many rows follow that are not empty."""
        self._ahead += islice(self._lines, max(count - len(self._ahead), 0))
        return len(self._ahead) >= count

    def _open(self, path: Path, reading: Mapping[str, Any]) -> Iterator[Row]:
        if reading["format"] == "xlsx":
            lines = sheets.rows(path, str(reading["sheet"]), self.merged)
        else:
            lines = delimited.rows(path, str(reading["encoding"]), str(reading["delimiter"]))
        return (Row(number, cells) for number, cells in lines)


def open_file(path: Path, wanted: Mapping[str, str] | None = None) -> Opened:
    """Find out what it is; `wanted` overrides the guess: sheet, encoding, delimiter, header.

    Raises BadFile with a sentence that says what to do.
    """
    reading, choices = _look(path, wanted or {})
    header = str((wanted or {}).get("header", ""))
    chosen = (int(header) or None) if header.isdecimal() and len(header) < 8 else None
    table = Table(path, reading | {"header": chosen})
    sample = table.take(SAMPLE)
    if not sample:
        raise BadFile(_lazy("The file has headers and no rows below them."))
    found = reading | {"header": table.header}
    return Opened(found, table.headers, sample, choices, _start(table.start))


def _start(rows: Sequence[Row]) -> list[tuple[int, list[str]]]:
    fits = (row for row in rows if len(row.cells) <= MAX_COLUMNS)
    return [(row.number, named(row.cells)) for row in fits if is_filled(row)]


def signature(headers: Sequence[str]) -> str:
    """What files with the same headers share: SHA-256 of them."""
    return hashlib.sha256(json.dumps(list(headers)).encode()).hexdigest()


def _look(path: Path, wanted: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    with path.open("rb") as file:
        start = file.read(64)
    if not start.strip(b"\0 \t\r\n"):
        raise BadFile(_lazy("The file is empty."))
    if start.startswith(_OLE):
        raise _old_office(path)
    if start.startswith(_PICTURES) or _MARKUP.match(start):
        raise BadFile(_lazy("This is no table. Save it as XLSX or CSV and choose that file."))
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        names = sheets.names(path)
        sheet = wanted.get("sheet", "")
        sheet = sheet if sheet in names else _first_filled(path, names)
        return {"format": "xlsx", "sheet": sheet}, names
    found = delimited.guess(path, wanted)
    return {"format": "csv", **found}, list(delimited.ENCODINGS)


def _first_filled(path: Path, names: Sequence[str]) -> str:
    """The first sheet that is not empty, of a few: programs begin a book with an empty one."""
    few = names[:_FEW] if len(names) > 1 else ()
    return next(
        (name for name in few if any(any(r) for _, r in sheets.rows(path, name, []))), names[0]
    )


def _old_office(path: Path) -> BadFile:
    if _ENCRYPTED in path.read_bytes():
        return BadFile(_lazy("The file has a password. Save it without one and choose it again."))
    return BadFile(
        _lazy("This is a file of an old spreadsheet program (XLS). Save it as XLSX or CSV.")
    )
