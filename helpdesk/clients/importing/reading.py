"""Opens CSV and XLSX files as streams of rows: what a file is, its headers, its cells as text."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from helpdesk.clients.importing import delimited, sheets
from helpdesk.clients.importing.limits import MAX_COLUMNS, MAX_ROWS, BadFile
from helpdesk.lib.errors import _lazy
from helpdesk.lib.text import clean_line

HEADER_LIMIT = 80
SAMPLE = 5  # rows that the mapping page shows
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] §2.2: old Office files and encrypted ones
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] §2.3.4.4
_PICTURES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")


@dataclass(frozen=True)
class Row:
    """One line of the table. `number` counts as spreadsheets do: the first line is 1."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Opened:
    """What a file turned out to be. `reading` is JSON: format, encoding, delimiter, sheet."""

    reading: dict[str, Any]
    headers: list[str]
    sample: list[Row]
    choices: list[str]  # names of the sheets, or the encodings that fit


class Table:
    """The rows below the headers, from the first on. Raises BadFile while it is read."""

    def __init__(self, path: Path, reading: Mapping[str, Any]) -> None:
        self.merged: list[str] = []  # ranges like A1:B3, known once everything is read
        self._lines = self._open(path, reading)
        first = next((row for row in self._lines if any(cell.strip() for cell in row.cells)), None)
        if first is None:
            raise BadFile(_lazy("The file is empty."))
        self.headers = _headers(first.cells)
        self.position = first.number

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        """The next row that is not empty."""
        row = next(self._lines)
        while not any(cell.strip() for cell in row.cells):
            row = next(self._lines)
        if row.number > MAX_ROWS:
            message = _lazy("The file has more than %(most)s rows. Split it.")
            raise BadFile(message, most=MAX_ROWS)
        self.position = row.number
        return row

    def skip_to(self, number: int) -> None:
        """Go on after this row."""
        for row in self._lines if number > self.position else ():
            self.position = row.number
            if row.number >= number:
                return

    def take(self, count: int) -> list[Row]:
        return list(islice(self, count))

    def _open(self, path: Path, reading: Mapping[str, Any]) -> Iterator[Row]:
        if reading["format"] == "xlsx":
            lines = sheets.rows(path, str(reading["sheet"]), self.merged)
        else:
            lines = delimited.rows(path, str(reading["encoding"]), str(reading["delimiter"]))
        return (Row(number, cells) for number, cells in lines)


def open_file(path: Path, wanted: Mapping[str, str] | None = None) -> Opened:
    """Find out what this file is; `wanted` overrides the guess (sheet, encoding, delimiter).

    Raises BadFile with a sentence that says what to do.
    """
    reading, choices = _look(path, wanted or {})
    table = Table(path, reading)
    sample = table.take(SAMPLE)
    if not sample:
        raise BadFile(_lazy("The file has headers and no rows below them."))
    return Opened(reading, table.headers, sample, choices)


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
    if start.startswith(_PICTURES):
        raise BadFile(_lazy("This is no table. Save it as XLSX or CSV and choose that file."))
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        names = sheets.names(path)
        sheet = wanted.get("sheet", "")
        return {"format": "xlsx", "sheet": sheet if sheet in names else names[0]}, names
    found = delimited.guess(path, wanted)
    return {"format": "csv", **found}, list(delimited.ENCODINGS)


def _old_office(path: Path) -> BadFile:
    if _ENCRYPTED in path.read_bytes():
        return BadFile(_lazy("The file has a password. Save it without one and choose it again."))
    return BadFile(
        _lazy("This is a file of an old spreadsheet program (XLS). Save it as XLSX or CSV.")
    )


def _headers(cells: Sequence[str]) -> list[str]:
    """One name for each column: empty ones get a number, so do repeated ones."""
    cells = list(cells)
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        message = _lazy("The file has %(count)s columns, at most %(most)s are read.")
        raise BadFile(message, count=len(cells), most=MAX_COLUMNS)
    found: dict[str, None] = {}
    for place, cell in enumerate(cells, 1):
        name = clean_line(cell.replace("\0", ""), HEADER_LIMIT) or f"#{place}"
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found[unique] = None
    return list(found)
