"""What changed between two texts: line by line, and word by word inside lines that changed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

MAX_LINES = 4_000
MAX_WORDS = 1_000
"""More than that in one place is shown as taken out and put in as a whole: comparing costs the
square of it."""

Kind = Literal["same", "out", "in"]

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text that stayed, went out, or came in."""

    kind: Kind
    text: str


def compare(old: str, new: str) -> list[Part]:
    """The new text with what came in and what went out, in order; neighbours of a kind joined."""
    if old == new:
        return [Part("same", new)] if new else []
    parts = list(_lines(old.splitlines(keepends=True), new.splitlines(keepends=True)))
    return [
        Part(kind, "".join(part.text for part in group))
        for kind, group in groupby(parts, key=lambda part: part.kind)
    ]


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    if max(len(old), len(new)) > MAX_LINES:
        yield from _whole(old, new)
        return
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=True).get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(new[c:d]))
        elif tag == "replace":
            yield from _words("".join(old[a:b]), "".join(new[c:d]))
        else:
            yield from _whole(old[a:b], new[c:d])


def _words(old: str, new: str) -> Iterator[Part]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > MAX_WORDS:
        yield from _whole([old], [new])
        return
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(after[c:d]))
        else:
            yield from _whole(before[a:b], after[c:d])


def _whole(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    if old:
        yield Part("out", "".join(old))
    if new:
        yield Part("in", "".join(new))
