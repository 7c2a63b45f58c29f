"""Values of XLSX cells as text: whole numbers without exponent, dates by the cell's format."""

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from xml.parsers import expat

from helpdesk.clients.importing.limits import BROKEN
from helpdesk.lib.late import library

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_MAX_STYLES = 100_000
_ESCAPE = re.compile("_x(?!0000|[Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")  # no NUL, no half characters
_DIGITS = 40  # of a number; longer ones are no numbers of a table


def new_parser() -> "expat.XMLParserType":
    """Tags come with their namespace; no external entity is ever fetched."""
    return expat.ParserCreate(namespace_separator=" ")


def local(name: str) -> str:
    """The tag without its namespace, "" for one that is not of spreadsheets."""
    space, _, tag = name.rpartition(" ")
    return tag if space in (_MAIN, _STRICT) else ""


@dataclass
class Formats:
    """Which styles of cells are dates."""

    from_1904: bool
    dates: set[str] = field(default_factory=set)  # style numbers as cells name them


class StyleReader:
    """Reads the styles of a workbook for what is a date (ECMA-376-1 §18.8)."""

    def __init__(self, from_1904: bool) -> None:
        self.formats = Formats(from_1904)
        self._known = library("openpyxl.styles.numbers")
        known: dict[int, str] = self._known.BUILTIN_FORMATS
        self._codes = {str(key): code for key, code in known.items()}
        self._in_cells = False
        self._count = 0
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = local(name)
        if tag == "numFmt" and len(self._codes) < _MAX_STYLES:
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")[:200]
        elif tag == "cellXfs":
            self._in_cells = True
        elif tag == "xf" and self._in_cells and self._count < _MAX_STYLES:
            code = self._codes.get(attributes.get("numFmtId", "0"), "General")
            if self._known.is_date_format(code):
                self.formats.dates.add(str(self._count))
            self._count += 1

    def _end(self, name: str) -> None:
        if local(name) == "cellXfs":
            self._in_cells = False


def cell_text(raw: str, kind: str, style: str, formats: Formats) -> str:
    """What a cell of this kind (§18.18.11) says; one that begins with BROKEN says what is wrong."""
    if kind in ("str", "inlineStr"):
        return unescaped(raw)
    if kind == "b":
        return "yes" if raw.strip() == "1" else "no"
    if kind == "e":
        return f"{BROKEN}{raw}"
    if kind == "d":
        return raw.removesuffix("T00:00:00")
    if raw and style in formats.dates:
        return _date(raw, formats.from_1904)
    return _number(raw)


def unescaped(text: str) -> str:
    """What XML cannot hold stands as _x000D_ in texts (ECMA-376-1 §22.9.2.19)."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _number(raw: str) -> str:
    """ "380671234567" of "3.80671234567E11": numbers as they were typed."""
    try:
        value = Decimal(raw.strip() or "0") if raw else None
    except InvalidOperation:
        return raw
    if value is None or not value.is_finite() or abs(value.adjusted()) > _DIGITS:
        return raw
    text = f"{_as_typed(raw, value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _as_typed(raw: str, value: Decimal) -> Decimal:
    """0.1 where the file says 0.10000000000000001, as programs write binary fractions."""
    if raw.strip().isdecimal() or len(value.as_tuple().digits) <= 15:
        return value
    return Decimal(repr(float(raw)))


def _date(raw: str, from_1904: bool) -> str:
    known = library("openpyxl.utils.datetime")
    try:
        found = known.from_excel(float(raw), known.MAC_EPOCH if from_1904 else known.WINDOWS_EPOCH)
    except (ValueError, OverflowError):
        return _number(raw)
    if isinstance(found, datetime):
        midnight = found.time() == time()
        return found.date().isoformat() if midnight else found.isoformat(" ", "minutes")
    if isinstance(found, time | timedelta):
        return str(found)
    return _number(raw)
