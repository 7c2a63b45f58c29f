"""The line of an article that is nearest to a question, with the asked words marked."""

import re

from helpdesk.kb.analysis import body_lines, question_lines, telling
from helpdesk.kb.models import ArticleText
from helpdesk.lib.stems import stem
from helpdesk.lib.text import fold, shorten

LENGTH = 240
_WORD = re.compile(r"[^\W_]+(?:['’ʼ`][^\W_]+)*")
_LOOKED_AT = 4_000  # characters of a body; what stands later is seldom its best line
_START = 5  # equal beginnings of stems that count as the same word

Marks = tuple[tuple[int, int], ...]


def nearest_line(text: ArticleText, query: str) -> tuple[str, Marks]:
    """The line of the body with the most words of the question, the excerpt where none has one;
    and where these words stand in it (begin, end).
    """
    asked = {one for line in question_lines(query, text.lang) for one in line}
    best, most = text.excerpt, len(_found(text.excerpt, asked, text.lang))
    for line in body_lines(text.body_markdown[:_LOOKED_AT]):
        count = len(_found(line, asked, text.lang))
        if count > most:
            best, most = line, count
    best = shorten(best, LENGTH)
    return best, tuple(marks(best, asked, text.lang))


def marks(line: str, asked: set[str], lang: str) -> list[tuple[int, int]]:
    """Where words of these stems, or words that begin like them, stand in a line."""
    return [match.span() for match in _WORD.finditer(line) if _meant(match.group(), asked, lang)]


def _found(line: str, asked: set[str], lang: str) -> set[str]:
    return {
        found for match in _WORD.finditer(line) if (found := _meant(match.group(), asked, lang))
    }


def _meant(word: str, asked: set[str], lang: str) -> str | None:
    """The asked stem that a word stands for."""
    folded = fold(word)
    found = stem(folded, lang)
    if not telling([folded], lang):
        return None
    if found in asked:
        return found
    if len(found) > _START:
        return next((one for one in asked if one[:_START] == found[:_START]), None)
    return None
