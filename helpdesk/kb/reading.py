"""What a question may have been meant to say: in which language, on which keyboard layout, in
Latin letters for Cyrillic ones ("djpdhfn" and "vozvrat" for "возврат").
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from helpdesk.kb.analysis import question_lines, small_words, telling, words
from helpdesk.kb.asked import Question
from helpdesk.kb.ranking import Base
from helpdesk.lib.stems import layout_variants
from helpdesk.lib.text import fold

MAX_SLIP = 200
"""Characters of a question that is looked at for slips; longer ones were read by their writer."""

_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LETTERS = {"uk": re.compile("[іїєґ]"), "ru": re.compile("[ыэъё]")}
_OTHER = {"uk": "ru", "ru": "uk"}
_LETTER = 0.5  # what letters of a language tell beside the share of known words
_ASKED = 0.2  # what it tells that this language was asked for
_BETTER = 0.3  # how many more words must be known in another spelling

_BOTH = {
    "shch": "щ", "sch": "щ", "zh": "ж", "kh": "х", "ts": "ц", "tz": "ц", "ch": "ч", "sh": "ш",
    "yu": "ю", "ju": "ю", "iu": "ю", "ya": "я", "ja": "я", "ia": "я", "ck": "к",
    "a": "а", "b": "б", "c": "ц", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "х", "i": "и",
    "j": "й", "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "q": "к", "r": "р",
    "s": "с", "t": "т", "u": "у", "v": "в", "w": "в", "x": "кс", "y": "ы", "z": "з", "4": "ч",
}  # fmt: skip
_LATIN = {
    "ru": _BOTH | {"yo": "е", "jo": "е", "ye": "е", "je": "е", "yy": "ый", "iy": "ий", "ij": "ий"}
    | {"ay": "ай", "ey": "ей", "oy": "ой", "uy": "уй"},
    "uk": _BOTH | {"ye": "є", "je": "є", "ie": "є", "yi": "ї", "ji": "ї", "yo": "йо", "i": "і"}
    | {"h": "г", "y": "и", "ay": "ай", "ey": "ей", "oy": "ой", "uy": "уй", "iy": "ій", "yj": "ий"},
}  # fmt: skip
_PIECES = {
    lang: re.compile("|".join(sorted(letters, key=len, reverse=True)))
    for lang, letters in _LATIN.items()
}


class Reading(NamedTuple):
    """One way to read a question: for the base of this language, and how well it fits (about 0
    to 1)."""

    lang: str
    text: str
    fit: float


def readings(query: str, lang: str | None, bases: Mapping[str, Base]) -> list[Reading]:
    """A reading for each base, best first; `lang` is the language that was asked for."""
    found = [_best(query, lang, base) for base in bases.values()]
    return sorted(found, key=lambda reading: (-reading.fit, reading.lang))


def question(text: str, lang: str, *, typing: bool = False) -> Question:
    """A text as it is asked; `typing`: its last word may be unfinished."""
    last = ""
    if typing and text and not text[-1].isspace():
        found = words(text)
        last = found[-1] if found and len(found[-1]) > 2 and telling(found[-1:], lang) else ""
    lines = tuple(tuple(line) for line in question_lines(text, lang))
    return Question(lines, tuple(dict.fromkeys(small_words(text[:MAX_SLIP], lang))), last)


def in_cyrillic(text: str, lang: str) -> str:
    """A text written in Latin letters as Russian or Ukrainian would write it."""
    letters = _LATIN[lang]
    return _PIECES[lang].sub(lambda match: letters[match.group()], fold(text))


def _best(query: str, lang: str | None, base: Base) -> Reading:
    plain = _fit(query, base)
    best, fit = query, plain
    for other in _variants(query, base.lang):
        better = _fit(other, base)
        if better > max(fit, plain + _BETTER):
            best, fit = other, better
    return Reading(base.lang, best, fit + _hints(best, lang, base.lang))


def _hints(text: str, asked: str | None, lang: str) -> float:
    hint = _ASKED if lang == asked else 0.0
    folded = text[:MAX_SLIP].lower()
    if lang in _LETTERS and _LETTERS[lang].search(folded):
        hint += _LETTER
    if lang in _OTHER and _LETTERS[_OTHER[lang]].search(folded):
        hint -= _LETTER
    return hint


def _variants(query: str, lang: str) -> list[str]:
    if len(query) > MAX_SLIP:
        return []
    found = layout_variants(query)
    if lang in _LATIN and not _CYRILLIC.search(query):
        found.append(in_cyrillic(query, lang))
    return found


def _fit(text: str, base: Base) -> float:
    """The share of words that the base knows, in letters; a near word counts half."""
    known = total = 0.0
    for word in words(text[:MAX_SLIP]):
        total += len(word)
        known += len(word) * base.familiar(word)
    return known / total if total else 0.0
