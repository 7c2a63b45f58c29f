"""The ZIP archive around an XLSX file, opened within a budget: no bomb is ever unpacked."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.parsers import expat

from helpdesk.clients.importing.limits import BadFile
from helpdesk.lib.errors import _lazy

MAX_ENTRIES = 2_000
MAX_UNPACKED = 400 << 20  # octets of all parts together
MAX_RATIO = 300  # of a part over a megabyte; sheets reach 100
_BLOCK = 1 << 16
_ENCRYPTED = 1  # bit of the flags (APPNOTE.TXT §4.4.4)


class Archive:
    """Parts of an XLSX file as streams of XML. Raises BadFile for what is too large or damaged."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._parts = {_plain(name): name for name in file.namelist()}

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._parts

    def feed(self, name: str, parser: "expat.XMLParserType") -> Iterator[None]:
        """Parse a part block by block, pausing after each one."""
        parser.StartDoctypeDeclHandler = _no_doctype
        with self._file.open(self._parts[_plain(name)]) as part:
            while block := part.read(_BLOCK):
                parser.Parse(block, False)
                yield
        parser.Parse(b"", True)
        yield

    def parse(self, name: str, parser: "expat.XMLParserType") -> None:
        """Parse a whole part."""
        for _ in self.feed(name, parser):
            pass


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive, with everything that goes wrong inside said as one sentence."""
    try:
        with zipfile.ZipFile(path) as file:
            _check(file.infolist())
            yield Archive(file)
    except (
        zipfile.BadZipFile,
        zlib.error,
        expat.ExpatError,
        EOFError,
        OSError,
        KeyError,
        ValueError,
        IndexError,
        OverflowError,
        RuntimeError,
    ) as error:
        message = _lazy("The file is damaged or no XLSX file. Save the table anew as XLSX or CSV.")
        raise BadFile(message) from error


def _plain(name: str) -> str:
    """Names of parts are the same in capitals and in small letters (ECMA-376-2 §6.2.2.3)."""
    return name.replace("\\", "/").lower()


def _check(parts: list[zipfile.ZipInfo]) -> None:
    """The sizes named here hold: no more than them is ever unpacked from a part."""
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise BadFile(_lazy("The file has a password. Save it without one and choose it again."))
    large = [part for part in parts if part.file_size > 1 << 20]
    bomb = any(part.file_size > MAX_RATIO * max(part.compress_size, 1) for part in large)
    unpacked = sum(part.file_size for part in parts)
    if bomb or len(parts) > MAX_ENTRIES or unpacked > MAX_UNPACKED:
        message = _lazy(
            "The file unpacks to more than is safe: at most %(most)s MB. Split the table, or save"
            " it as CSV."
        )
        raise BadFile(message, most=MAX_UNPACKED >> 20)


def _no_doctype(*_declaration: Any) -> None:
    message = _lazy("The file holds a document type, which tables never do. It is not read.")
    raise BadFile(message)
