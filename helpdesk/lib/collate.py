"""Keys that sort names by the alphabet, whatever the database thinks of letters.

A key is made of ASCII digits and lower-case letters only; compare keys by code point (SQLite does,
PostgreSQL with the C collation). The order: nothing, white space and signs, numbers by value, Latin
with its accents after the plain letter, then Cyrillic of Ukrainian and Russian merged
(А Б В Г Ґ Д Е Ё Є Ж З И І Ї Й … Щ Ъ Ы Ь Э Ю Я), then everything else by code point.
"""

import re
import unicodedata
from functools import lru_cache

from helpdesk.lib.text import clean

_CYRILLIC = "абвгґдеёєжзиіїйклмнопрстуўфхцчшщъыьэюя"
_LATIN = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss"}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_APOSTROPHES = frozenset("'\u2019\u02bc\u2018\u0060\u00b4\u02b9\u02bb\u2032")
_TOKEN = re.compile(r"[0-9]+|.", re.S)
_SPACES = re.compile(r"\s+")
_LENGTH = 120

_SPACE, _SIGN, _NUMBER, _LATIN_LETTER, _OTHER = "01", "1", "2", "3", "z"


def sort_key(text: str) -> str:
    """The key of a text (its first 120 characters): case and accents decide only between equals,
    numbers inside sort by value, apostrophes don't count.
    """
    text = _SPACES.sub(" ", clean(text[:_LENGTH])).strip()
    weights: list[str] = []
    ties: list[str] = []
    for match in _TOKEN.finditer(text):
        weight, tie = _weigh(match.group())
        weights.append(weight)
        ties.append(tie)
    return f"{''.join(weights)}00{''.join(ties).rstrip('0')}"


@lru_cache(maxsize=4096)
def _weigh(token: str) -> tuple[str, str]:
    """(primary weight, tie-break) of one character or run of digits."""
    if token[0] in "0123456789" and token.isascii():
        number = token.lstrip("0")
        zeros = min(len(token) - len(number), 9)
        return f"{_NUMBER}{_DIGITS[len(number) // 36]}{_DIGITS[len(number) % 36]}{number}", str(
            zeros
        )
    if token == " ":
        return _SPACE, "0"
    if token in _APOSTROPHES:
        return "", "1"
    lower = token.lower()
    case = "0" if lower == token else "1"
    if lower in _CYRILLIC:
        return _cyrillic(_CYRILLIC.index(lower)), case
    base, accents = _plain(lower)
    if base and all("a" <= c <= "z" for c in base):
        weight = "".join(_LATIN_LETTER + c for c in base)
        return weight, _DIGITS[min(2 * accents + int(case), 35)]
    if unicodedata.combining(token):
        return "", "2"
    if len(lower) == 1 and not lower.isalnum():
        return _SIGN + f"{ord(lower):06x}", "0"
    return "".join(f"{_OTHER}{ord(c):06x}" for c in lower), case


def _cyrillic(index: int) -> str:
    return str(5 + index // 20) + _DIGITS[index % 20]


def _plain(lower: str) -> tuple[str, int]:
    """The Latin letters under the accents and a number for the accents."""
    if lower in _LATIN:
        return _LATIN[lower], 8
    decomposed = unicodedata.normalize("NFD", lower)
    marks = [c for c in decomposed if unicodedata.combining(c)]
    base = "".join(c for c in decomposed if not unicodedata.combining(c))
    return base, sum(ord(c) - 0x2FF for c in marks) % 15 + 1 if marks else 0
