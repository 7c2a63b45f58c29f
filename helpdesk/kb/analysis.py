"""Texts and questions of the knowledge base as words that are compared: stems, line by line.

Unlike `lib.stems`, which looks for exact forms among millions of messages, a text here has one
known language and every word one stem in it; what is near to a stem is found by `ranking`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from helpdesk.kb.weak import FAINT_WORDS, IDLE_WORDS
from helpdesk.lib.stems import MAX_TOKEN, stem
from helpdesk.lib.stopwords import BY_LANGUAGE, STOP_WORDS
from helpdesk.lib.text import fold

MAX_TEXT = 40_000
"""Characters of an article that are analysed; what is longer is seldom one answer."""
MAX_LINES = 400
MAX_QUESTION = 4_000

SMALL = "="

_WORD = re.compile(r"[^\W_]+")
_MARKUP = re.compile(r"!?\[([^\]\n]{0,500})\]\([^)\s]{0,500}\)|https?://\S+|</?\w[^>\n]{0,200}>")
_SIGNS = re.compile("[#*_>|`~\\[\\]]+")
_BREAK = re.compile(r"(?<=[.!?;…])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Analysed:
    """A text ready to be indexed: stems of the title, of the keywords, of each line of the body."""

    title: tuple[str, ...]
    small: tuple[str, ...]  # of the title, the words that hardly tell anything
    keywords: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def analyse(lang: str, title: str, keywords: Iterable[str], body_markdown: str) -> Analysed:
    """An article in one language; of the body at most MAX_TEXT characters."""
    lines = (tuple(stems(line, lang)) for line in body_lines(body_markdown))
    return Analysed(
        tuple(stems(title[:MAX_QUESTION], lang)),
        tuple(small_words(title[:MAX_QUESTION], lang)),
        tuple(stems(" ".join(keywords)[:MAX_QUESTION], lang)),
        tuple(line for line in lines if line),
    )


def body_lines(markdown: str) -> list[str]:
    """The sentences of a body, without markup and addresses of links."""
    plain = _SIGNS.sub(" ", _MARKUP.sub(r"\1", markdown[:MAX_TEXT]))
    return [line for line in _BREAK.split(plain) if line.strip()][:MAX_LINES]


def words(text: str) -> list[str]:
    """The folded words of a text in order, long ones cut."""
    return [word[:MAX_TOKEN] for word in _WORD.findall(fold(text))]


def telling(found: list[str], lang: str) -> list[str]:
    """The words that may say what a text of this language is about."""
    idle = IDLE_WORDS.get(lang, frozenset())
    return [word for word in found if word not in STOP_WORDS and word not in idle]


def stems(text: str, lang: str) -> list[str]:
    """The stems of the telling words of a text, in order; of all words where none tells."""
    found = words(text)
    return [stem(word, lang) for word in telling(found, lang) or found]


def question_lines(text: str, lang: str) -> list[list[str]]:
    """The stems of each sentence of a question, or of an email, of which the beginning counts."""
    sentences = (stems(part, lang) for part in _BREAK.split(text[:MAX_QUESTION]))
    return [sentence for sentence in sentences if sentence][:MAX_LINES]


def small_words(text: str, lang: str) -> list[str]:
    """The other words, marked: "where is" tells something beside nothing better, in a title."""
    idle = IDLE_WORDS.get(lang, frozenset())
    return [f"{SMALL}{word}" for word in words(text) if word in STOP_WORDS or word in idle]


@cache
def everyday(lang: str) -> frozenset[str]:
    """The words of a language's speech that tell nothing or little."""
    lists = (BY_LANGUAGE, IDLE_WORDS, FAINT_WORDS)
    return frozenset(word for known in lists for word in known.get(lang, ()))


@cache
def faint_stems(lang: str) -> frozenset[str]:
    """Stems that count only a part of what their rareness in a base would give them."""
    return frozenset(stem(word, lang) for word in FAINT_WORDS.get(lang, ()))
