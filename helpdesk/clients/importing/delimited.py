"""CSV in the encodings and with the delimiters that people's programs write."""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from helpdesk.clients.importing.guard import unguarded
from helpdesk.clients.importing.limits import (
    BROKEN,
    CELL_LIMIT,
    LONG,
    MAX_COLUMNS,
    UNREADABLE,
    BadFile,
)
from helpdesk.lib.errors import _lazy

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1251", "koi8-u", "cp866", "cp1252")
DELIMITERS = (";", ",", "\t", "|")
_SAMPLE = 65_536  # octets or characters that are looked at
_RECORDS = 20  # that a delimiter is judged by
_LINE = 4 * CELL_LIMIT  # characters of one line
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_SEPARATOR = re.compile(r"sep=([;,\t|])\s*", re.I)  # a first line that Excel understands
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_ESCAPED = re.compile("[\udc80-\udcff]")  # octets that are no UTF-8 (PEP 383)
_BEYOND = re.compile("[^\x00-\x7f\udc80-\udcff]+")
_STRAY = 2  # control characters that a short text may hold
_SOUND = 4  # characters of several octets for each damaged one: UTF-8 all the same
_OFTEN = "оеаинтсрвлкмдпуияіз"  # letters of Russian and Ukrainian, the frequent ones
_SINGLE = ("cp1251", "koi8-u", "cp866")


def guess(path: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """Encoding and delimiter, unless `wanted` names them. Raises BadFile for what is no text."""
    chosen = wanted.get("encoding", "")
    encoding = chosen if chosen in ENCODINGS else _encoding(path)
    with path.open("rb") as file:
        sample = file.read(_SAMPLE).decode(encoding, "replace").lstrip("\ufeff")
    if len(_CONTROL.findall(sample)) > max(_STRAY, len(sample) // 50):
        message = _lazy(
            "This is no text, or its encoding is unknown. Save the table as XLSX or CSV in UTF-8."
        )
        raise BadFile(message)
    delimiter = wanted.get("delimiter", "")
    return {
        "encoding": encoding,
        "delimiter": delimiter if delimiter in DELIMITERS else _delimiter(sample),
    }


def rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records with their numbers, as a spreadsheet would count them. Raises BadFile.

    Damaged UTF-8 costs its cells and nothing else: they begin with BROKEN. So does a text of one
    line that is too long; one of several lines is more likely a missing quotation mark.
    """
    number = 0
    errors = "surrogateescape" if encoding == "utf-8" else "replace"
    raw: list[str] = []  # the lines of one record
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        records = csv.reader(_lines(file, raw), delimiter=delimiter)
        while True:
            raw.clear()
            try:
                cells = next(records, None)
            except csv.Error:
                raise _long(number + 1) from None
            if cells is None:
                return
            number += 1
            if len(raw) > 1 and not _is_closed("".join(raw), cells, delimiter):
                message = _lazy("A quotation mark in row %(row)s is never closed.")
                raise BadFile(message, row=number)
            if len(raw) > 1 and any(len(cell) > CELL_LIMIT for cell in cells):
                raise _long(number)
            damaged = any(map(_ESCAPED.search, raw))
            yield number, _checked(number, _marked(cells) if damaged else cells)


def _is_closed(record: str, cells: list[str], delimiter: str) -> bool:
    """Whether its last quotation is over at its end: one more cell behind it is a cell then."""
    longer = f"{record.rstrip()}{delimiter}x"
    return len(next(csv.reader([longer], delimiter=delimiter))) > len(cells)


def _lines(file: Iterator[str], raw: list[str]) -> Iterator[str]:
    first = True
    for line in file:
        text = line.replace("\0", "")
        if first:
            first = False
            text = text.removeprefix("\ufeff")
            if _SEPARATOR.fullmatch(text):
                continue
        raw.append(text)
        yield text


def _checked(number: int, cells: list[str]) -> list[str]:
    if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
        message = _lazy("Row %(row)s has %(count)s columns, at most %(most)s are read.")
        raise BadFile(message, row=number, count=len(cells), most=MAX_COLUMNS)
    return [unguarded(cell) if len(cell) <= CELL_LIMIT else LONG for cell in cells]


def _marked(cells: list[str]) -> list[str]:
    shown = [_ESCAPED.sub(UNREADABLE, cell) for cell in cells]
    pairs = zip(cells, shown, strict=True)
    return [cell if cell == text else f"{BROKEN}{text}" for cell, text in pairs]


def _long(number: int) -> BadFile:
    message = _lazy(
        "A cell in row %(row)s is longer than %(most)s characters. Perhaps a quotation mark is"
        " missing."
    )
    return BadFile(message, row=number, most=CELL_LIMIT)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    for mark, name in _BOMS.items():
        if sample.startswith(mark):
            return name
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if (even + odd) * 5 > len(sample) and max(even, odd) > 4 * min(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    if _is_utf8(path):
        return "utf-8"
    best = max(_SINGLE, key=lambda name: _likeness(sample, name))
    return best if _likeness(sample, best) > 0 else "cp1252"


def _is_utf8(path: Path) -> bool:
    """Whether it is, but for a few damaged characters among many that are sound."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    sound = damaged = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            text = decoder.decode(block)
            damaged += len(_ESCAPED.findall(text)) if not text.isascii() else 0
            sound += sum(map(len, _BEYOND.findall(text)))
    left = decoder.decode(b"", True)
    return not damaged + len(left) or sound > _SOUND * (damaged + len(left))


def _likeness(sample: bytes, encoding: str) -> int:
    """How much the sample looks like Russian or Ukrainian in this encoding.

    Frequent letters count; a small letter before a capital one, what is no letter, and Latin
    letters beside Cyrillic ones tell against it: KOI8 or French read as windows-1251 look so.
    """
    text = sample.decode(encoding, "replace")
    score = 0
    for before, char in zip(" " + text, text, strict=False):
        if char > "\x7f":
            score += _weigh(before, char)
    return score


def _weigh(before: str, char: str) -> int:
    if not ("а" <= char.lower() <= "я" or char.lower() in "іїєґё"):
        return -2 if char not in "№«»–—’“”„… \xa0" else 0
    if before.isascii() and before.isalpha():
        return -3
    if char.isupper():
        return -2 if before.islower() else 0
    return 2 if char in _OFTEN else 1


def _delimiter(sample: str) -> str:
    lines = sample.splitlines(keepends=True)
    if lines and (found := _SEPARATOR.fullmatch(lines[0])):
        return found[1]
    if len(sample) >= _SAMPLE // 4 and len(lines) > 1:
        lines.pop()  # cut in the middle
    return max(DELIMITERS, key=lambda mark: _fit(lines, mark))


def _fit(lines: list[str], mark: str) -> tuple[int, int]:
    """(Records with the same number of cells, cells): more is better, one cell is nothing.

    Not all: titles above the headers have fewer.
    """
    try:
        clean = (line.replace("\0", "") for line in lines)
        counts = [len(cells) for cells in islice(csv.reader(clean, delimiter=mark), _RECORDS)]
    except csv.Error:
        return 0, 0
    return max(((counts.count(n), n) for n in set(counts) if n > 1), default=(0, 0))
