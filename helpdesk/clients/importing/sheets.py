"""XLSX sheets as a stream of rows in bounded memory (ECMA-376-1 §18): nothing is built as a tree.

A library that builds each row and all shared strings as objects can be made to fill the memory.
"""

import posixpath
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from helpdesk.clients.importing.archive import Archive, opened
from helpdesk.clients.importing.cells import (
    Formats,
    StyleReader,
    cell_text,
    local,
    new_parser,
    unescaped,
)
from helpdesk.clients.importing.limits import CELL_LIMIT, FORMULA, MAX_COLUMNS, MAX_ROWS, BadFile
from helpdesk.clients.importing.scratch import Pile
from helpdesk.lib.errors import _lazy

_LINK = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships id",
    "http://purl.oclc.org/ooxml/officeDocument/relationships id",
)
_BOOK = "xl/workbook.xml"
_MAX_SHEETS = 200
_MAX_TEXTS = 128 << 20  # octets of shared strings
_MAX_TEXT_COUNT = 8_000_000
_KEPT_TEXTS = 1_000  # those that many cells share are read once
_MAX_MERGED = 20  # ranges that are named


def names(path: Path) -> list[str]:
    """The sheets in their order, hidden ones last; at least one. Raises BadFile."""
    with opened(path) as archive:
        book = _book(archive)
    found = [name for name, _part in book.sheets]
    return sorted(found, key=book.hidden.__contains__)


def rows(path: Path, sheet: str, merged: list[str]) -> Iterator[tuple[int, list[str]]]:
    """(number, cells as text) of the rows that are there; ranges of merged cells go to `merged`.

    A formula counts as its kept result. Raises BadFile.
    """
    with opened(path) as archive:
        book = _book(archive)
        part = dict(book.sheets).get(sheet)
        if part is None:
            raise BadFile(_lazy("There is no sheet %(name)s."), name=sheet[:80])
        styles = StyleReader(book.from_1904)
        if "xl/styles.xml" in archive:
            archive.parse("xl/styles.xml", styles.parser)
        texts = _Texts()
        if "xl/sharedStrings.xml" in archive:
            archive.parse("xl/sharedStrings.xml", texts.parser)
        reader = _Sheet(texts, styles.formats, merged)
        for _ in archive.feed(part, reader.parser):
            while reader.done:
                yield reader.done.popleft()


@dataclass
class _Book:
    sheets: list[tuple[str, str]] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    from_1904: bool = False


def _book(archive: Archive) -> _Book:
    if _BOOK not in archive:
        message = _lazy("This is no XLSX file. Save the table as XLSX or CSV.")
        raise BadFile(message)
    parts = _links(archive)
    book = _Book()

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = local(name)
        if tag == "workbookPr":
            book.from_1904 = attributes.get("date1904", "") in ("1", "true")
        if tag == "sheet" and len(book.sheets) < _MAX_SHEETS:
            link = next((attributes[key] for key in _LINK if key in attributes), "")
            if link in parts and parts[link] in archive:
                title = attributes.get("name", "")[:80]
                book.sheets.append((title, parts[link]))
                if attributes.get("state", "visible") != "visible":
                    book.hidden.add(title)

    parser = new_parser()
    parser.StartElementHandler = start
    archive.parse(_BOOK, parser)
    if not book.sheets:
        raise BadFile(_lazy("The file has no sheet with a table."))
    return book


def _links(archive: Archive) -> dict[str, str]:
    """Parts by the ids under which the workbook names them."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        target = attributes.get("Target", "")
        if name.endswith(" Relationship") and len(found) < _MAX_SHEETS * 10:
            place = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if attributes.get("Type", "").endswith("/worksheet"):
                found[attributes.get("Id", "")] = posixpath.normpath(place)

    parser = new_parser()
    parser.StartElementHandler = start
    if "xl/_rels/workbook.xml.rels" in archive:
        archive.parse("xl/_rels/workbook.xml.rels", parser)
    return found


class _Texts:
    """Shared strings, on the disk: a table of a million has several millions of them."""

    def __init__(self) -> None:
        self._pile = Pile()
        self._text_of = lru_cache(maxsize=_KEPT_TEXTS)(self._read)
        self._piece = bytearray()
        self._inside = self._skip = 0
        self._length = 0
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def __getitem__(self, place: int) -> str:
        return self._text_of(place) if 0 <= place < len(self._pile) else ""

    def _read(self, place: int) -> str:
        return unescaped(self._pile[place].decode("utf-8", "replace"))

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        tag = local(name)
        self._inside += tag == "t"
        self._skip += tag == "rPh"  # how it is pronounced

    def _text(self, text: str) -> None:
        if self._inside and not self._skip:
            self._length += len(text)
            if self._length > CELL_LIMIT:
                raise too_long()
            self._piece += text.encode("utf-8", "replace")

    def _end(self, name: str) -> None:
        tag = local(name)
        self._inside -= tag == "t"
        self._skip -= tag == "rPh"
        if tag == "si":
            self._length = 0
            self._pile.append(self._piece)
            self._piece.clear()
            if self._pile.size > _MAX_TEXTS or len(self._pile) > _MAX_TEXT_COUNT:
                message = _lazy("The file holds too many texts. Split the table.")
                raise BadFile(message)


class _Sheet:
    """Turns the elements of one sheet into rows, each as soon as it is complete."""

    def __init__(self, texts: _Texts, formats: Formats, merged: list[str]) -> None:
        self.done: deque[tuple[int, list[str]]] = deque()
        self._texts, self._formats, self._merged = texts, formats, merged
        self._number = self._column = 0
        self._cells: list[str] = []
        self._kind = self._style = ""
        self._value: list[str] = []
        self._length = self._inside = 0
        self._formula = False
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = local(name)
        if tag == "c":
            self._begin_cell(attributes)
        elif tag in ("v", "t"):
            self._inside += 1
        elif tag == "row":
            self._begin_row(attributes.get("r", ""))
        elif tag == "f":
            self._formula = True
        elif tag == "mergeCell" and len(self._merged) < _MAX_MERGED:
            self._merged.append(attributes.get("ref", "")[:40])

    def _begin_row(self, number: str) -> None:
        self._number = int(number) if number.isdecimal() and len(number) < 9 else self._number + 1
        if self._number > MAX_ROWS:
            message = _lazy("The file has more than %(most)s rows. Split it.")
            raise BadFile(message, most=MAX_ROWS)
        self._column, self._cells = 0, []

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = _column(attributes.get("r", "")) or self._column + 1
        self._column = place
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
        self._value, self._length, self._formula, self._inside = [], 0, False, 0

    def _text(self, text: str) -> None:
        if self._inside:
            self._length += len(text)
            if self._length > CELL_LIMIT:
                raise too_long(self._number)
            self._value.append(text)

    def _end(self, name: str) -> None:
        tag = local(name)
        if tag in ("v", "t"):
            self._inside -= 1
        elif tag == "c":
            self._end_cell()
        elif tag == "row":
            self.done.append((self._number, self._cells))
            self._cells = []

    def _end_cell(self) -> None:
        raw = "".join(self._value)
        if self._kind == "s":
            text = self._texts[int(raw)] if raw.strip().isdecimal() and len(raw) < 12 else ""
        elif raw or not self._formula:
            text = cell_text(raw, self._kind, self._style, self._formats)
        else:
            text = FORMULA
        if not text:
            return
        if self._column > MAX_COLUMNS:
            message = _lazy("Row %(row)s has %(count)s columns, at most %(most)s are read.")
            raise BadFile(message, row=self._number, count=self._column, most=MAX_COLUMNS)
        self._cells += [""] * (self._column - len(self._cells))
        self._cells[self._column - 1] = text


@lru_cache(maxsize=4096)
def _letters(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _column(place: str) -> int:
    """3 of "C12"; 0 where there is none."""
    letters = place.rstrip("0123456789")
    fits = 0 < len(letters) <= 3 and letters.isascii() and letters.isupper()
    return _letters(letters) if fits else 0


def too_long(row: int | None = None) -> BadFile:
    """A cell over the limit."""
    if row is None:
        message = _lazy("A cell is longer than %(most)s characters. Shorten it.")
        return BadFile(message, most=CELL_LIMIT)
    message = _lazy("A cell in row %(row)s is longer than %(most)s characters. Shorten it.")
    return BadFile(message, row=row, most=CELL_LIMIT)
