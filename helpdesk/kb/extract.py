"""The line of an article that is nearest to a question, with the asked words marked."""

import re
from functools import lru_cache

from helpdesk.kb.analysis import body_lines, question_lines, telling
from helpdesk.lib.text import fold, shorten

LENGTH = 240
LOOKED_AT = 4_000
"""Characters of a body; what stands later is seldom its best line."""
_MOST_WORDS = 30
_SAME = 5  # letters in which words begin alike that count as the same
_LONGER = 3  # letters that a form of a shorter word may add
_LISTED = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+")  # how a line of a list begins
_APART = re.compile(r"\s+([,.;:!?»])(?=\s|$)")  # where markup stood
_LETTERS = str.maketrans("ёґ", "ег")
_WORD = re.compile(r"[^\W_]+(?:['’ʼ`][^\W_]+)*")

Marks = tuple[tuple[int, int], ...]


def nearest_line(excerpt: str, body_markdown: str, query: str, lang: str) -> tuple[str, Marks]:
    """The line of the body with the most words of the question, the excerpt where none has more;
    and where these words stand in it (begin, end).
    """
    asked = asked_words(query, lang)
    if asked is None:
        return shorten(excerpt, LENGTH), ()
    lines = [" ".join(excerpt.split()), *body_lines(body_markdown[:LOOKED_AT])]
    counts = [len(set(asked.findall(line))) for line in fold("\n".join(lines)).split("\n")]
    best = lines[counts.index(max(counts))] if len(counts) == len(lines) else excerpt
    best = shorten(_APART.sub(r"\1", _LISTED.sub("", best)), LENGTH)
    return best, tuple(marks(best, asked, lang))


@lru_cache(maxsize=100)
def asked_words(query: str, lang: str) -> re.Pattern[str] | None:
    """Finds in a folded text the beginnings of words that are forms of the asked ones."""
    asked = dict.fromkeys(stem for line in question_lines(query, lang) for stem in line)
    found = [_form(stem) for stem in asked if telling([stem], lang)]
    if not found:
        return None
    return re.compile(rf"\b(?:{'|'.join(sorted(found[:_MOST_WORDS], key=len, reverse=True))})")


def marks(line: str, asked: re.Pattern[str], lang: str) -> list[tuple[int, int]]:
    """Where words that were asked for stand in a line."""
    plain = line.lower().translate(_LETTERS)
    if len(plain) != len(line):
        return []
    found = []
    for match in asked.finditer(plain):
        word = _WORD.match(plain, match.start())
        if word and telling([word.group()], lang):
            found.append((match.start(), word.end()))
    return found


def _form(stem: str) -> str:
    if len(stem) > _SAME:
        return re.escape(stem[:_SAME])
    return rf"{re.escape(stem)}(?=\w{{,{_LONGER}}}\b)"
