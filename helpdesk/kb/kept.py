"""What search knows of texts, kept in a file: a process that starts reads it instead of all rows.

The file holds numbers and stems of articles only, never of customers' questions. It is taken for
true only where it fits the rows of the database, each of which has its mark in it; what is newer is
read from the rows. A file that is damaged, of another version or of another database is no file.
"""

import json
import os
import sys
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import uuid4

from helpdesk.kb.postings import Lists, Numbers
from helpdesk.kb.ranking import Base
from helpdesk.kb.synonyms import thesaurus
from helpdesk.kb.vocabulary import Vocabulary

NAME = "kb-index.bin"
_FORMAT = f"1 {sys.byteorder} {array('I').itemsize} {array('H').itemsize}"
_DIGEST = 32
_PARTS = 20  # of a base

Marks = dict[int, int]
"""By the number of a row, what it looked like."""


class Kept(NamedTuple):
    """The bases as they were after the row with this number, made of the rows with these marks."""

    seq: int
    marks: Marks
    bases: dict[str, Base]


def write(folder: Path, version: str, kept: Kept) -> None:
    """Put the file in the place of the one before. Raises OSError."""
    head = {"format": _FORMAT, "version": version, "seq": kept.seq, "langs": [*kept.bases]}
    marks = [array("Q", kept.marks).tobytes(), array("Q", kept.marks.values()).tobytes()]
    bases = [part for base in kept.bases.values() for part in _base(base)]
    temporary = folder / f".{NAME}.{uuid4().hex}"
    try:
        _write(temporary, [json.dumps(head).encode(), *marks, *bases])
        temporary.replace(folder / NAME)
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, parts: list[bytes]) -> None:
    """The parts, each after its length, and the digest of it all."""
    digest = blake2b(digest_size=_DIGEST)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in (piece for part in parts for piece in (len(part).to_bytes(8, "little"), part)):
            digest.update(piece)
            file.write(piece)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path, version: str) -> Kept | None:
    """What is kept there by this version of the product; None where there is nothing to trust."""
    with suppress(OSError, ValueError):
        content = (folder / NAME).read_bytes()
        whole = memoryview(content)[:-_DIGEST]
        if blake2b(whole, digest_size=_DIGEST).digest() == content[-_DIGEST:]:
            return _kept(list(_parts(whole)), version)
    return None


def _parts(whole: memoryview) -> Iterator[memoryview]:
    at = 0
    while at < len(whole):
        size = int.from_bytes(whole[at : at + 8], "little")
        yield whole[at + 8 : at + 8 + size]
        at += 8 + size


def _kept(parts: list[memoryview], version: str) -> Kept | None:
    head = json.loads(bytes(parts[0]))
    if head["format"] != _FORMAT or head["version"] != version:
        return None
    marks = dict(zip(parts[1].cast("Q"), parts[2].cast("Q"), strict=True))
    bases = {}
    for number, lang in enumerate(head["langs"]):
        first = 3 + number * _PARTS
        bases[lang] = _filled(Base(lang, thesaurus(lang)), parts[first : first + _PARTS])
    return Kept(head["seq"], marks, bases)


def _base(base: Base) -> list[bytes]:
    ids, labels = base.texts()
    stems, pieces = base.vocabulary.dump()
    lists = [part for kind in (base.terms, base.concepts) for part in _dumped(kind.dump())]
    return [
        array("I", ids).tobytes(),
        "\n".join(labels).encode(),
        "\n".join(stems).encode(),
        *_words(pieces),
        *lists,
    ]


def _filled(base: Base, parts: list[memoryview]) -> Base:
    pieces = dict(zip(_lines(parts[3]), _arrays("I", parts[4], parts[5]), strict=True))
    vocabulary = Vocabulary.of(_lines(parts[2]), pieces)
    base.load(array("I", parts[0].cast("I")), _lines(parts[1]), vocabulary)
    for kind, first in ((base.terms, 6), (base.concepts, 13)):
        _load(kind, parts[first : first + 7])
    return base


def _dumped(tables: tuple[Mapping[int, Numbers], ...]) -> Iterator[bytes]:
    """Three tables: places of a key, their weights, and keys of a place. The first two have one
    layout."""
    places, weights, keys = tables
    yield from _numbers(places)
    yield b"".join(weights.values())
    yield from _numbers(keys)


def _numbers(table: Mapping[int, Numbers]) -> list[bytes]:
    sizes = array("I", map(len, table.values()))
    return [array("I", table).tobytes(), sizes.tobytes(), b"".join(table.values())]


def _words(table: Mapping[str, Numbers]) -> list[bytes]:
    sizes = array("I", map(len, table.values()))
    return ["\n".join(table).encode(), sizes.tobytes(), b"".join(table.values())]


def _load(lists: Lists, parts: list[memoryview]) -> None:
    places = _arrays("I", parts[1], parts[2])
    weights = _arrays("H", parts[1], parts[3])
    keys = _arrays("I", parts[5], parts[6])
    terms = zip(parts[0].cast("I"), places, weights, strict=True)
    lists.load(terms, zip(parts[4].cast("I"), keys, strict=True))


def _arrays(kind: Literal["I", "H"], sizes: memoryview, content: memoryview) -> Iterator[Numbers]:
    numbers = content.cast(kind)
    for begin, end in pairwise(accumulate(sizes.cast("I"), initial=0)):
        yield array(kind, numbers[begin:end].tobytes())


def _lines(part: memoryview) -> list[str]:
    return bytes(part).decode().split("\n") if part else []
