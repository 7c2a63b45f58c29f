"""Search analysis: texts and queries to the same tokens, whatever the database.

English and Russian words become Snowball stems, Ukrainian ones those of `ukrainian.stem`. A
Cyrillic word with і, ї, є is Ukrainian, with ы, э, ъ Russian; any other may be either, so both
stems are indexed and a query looks for one or the other. `encode` turns tokens into ASCII letters
and digits, which no database splits or folds.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

import Stemmer

from helpdesk.lib import ukrainian
from helpdesk.lib.phone import digits
from helpdesk.lib.stopwords import STOP_WORDS
from helpdesk.lib.text import fold

LANGUAGES = ("en", "ru", "uk")
MIN_PREFIX = 3  # shorter beginnings match too much to be cheap
MAX_TOKEN = 40
"""Longer words are cut, in texts and in queries alike."""

_CACHE = 100_000
_TOKEN = re.compile(
    r"(?P<email>[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8})"
    r"|(?P<word>\w+(?:[-._/]\w+)*)"
)
_GAP = r"[ \xa0()-]{0,2}"
_PHONE = re.compile(
    rf"(?<![\w.-])(?:\+\(?\d(?:{_GAP}\d){{8,14}}|\(?0(?:{_GAP}\d){{9}}|8(?:{_GAP}\d){{10}})"
    r"(?![\w-])"
)
_PARTS = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d{3,}")
_LATIN = re.compile("[a-z]+")
_CYRILLIC = re.compile("[\u0430-\u044f\u0454\u0456\u0457\u045e]+")
_UKRAINIAN = re.compile("[іїє]")
_RUSSIAN = re.compile("[ыэъ]")
_VOWELS_END = re.compile("[аеєиіїоуюяьй]+$")

_CYRILLIC_CODES = dict(
    zip("абвгдежзийклмнопрстуфхцчшщъыьэюяіїє", "abvgde0zijklmnoprstufhc4w56yx371829", strict=True)
)
_SIGN_CODES = {"q": "qq", ".": "q1", "-": "q2", "_": "q3", "@": "q4", "/": "q5", "+": "q6"}

_EN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
_RU = "ёйцукенгшщзхъфывапролджэячсмитьбю"
_UK = "ґйцукенгшщзхїфівапролджєячсмитьбю"
_TO_RU, _TO_UK = str.maketrans(_EN, _RU), str.maketrans(_EN, _UK)
_TO_EN = str.maketrans(_RU + _UK, _EN + _EN)
_ANY_LATIN = re.compile("[a-z]")
_ANY_CYRILLIC = re.compile("[\u0400-\u04ff]")


def stems(text: str, *, languages: tuple[str, ...] = LANGUAGES) -> list[str]:
    """The tokens of a text for the index, in order, repeated as often as they occur.

    Compounds and addresses count whole and in parts, digits inside a word also alone, phone
    numbers by their last nine digits.
    """
    found: list[str] = []
    folded = fold(text)
    for match in _TOKEN.finditer(folded):
        found += _index_forms(match.group()[: 4 * MAX_TOKEN], languages)
    if _DIGITS.search(folded):
        found += [digits(match.group())[-9:] for match in _PHONE.finditer(folded)]
    return found


def query_groups(text: str, *, languages: tuple[str, ...] = LANGUAGES) -> list[list[str]]:
    """The tokens a query asks for: all groups, of each group any. Stop words count only when there
    is nothing else; a group is asked once.
    """
    folded = fold(text)
    phones = [[digits(match.group())[-9:]] for match in _PHONE.finditer(folded)]
    words = list(_query_words(_PHONE.sub(" ", folded)))
    asked = [word for word in words if word not in STOP_WORDS]
    groups = [list(_forms(word, languages)) for word in (asked or ([] if phones else words))]
    return list({tuple(group): group for group in phones + groups}.values())


def query_stems(text: str, *, languages: tuple[str, ...] = LANGUAGES) -> list[str]:
    """All tokens of a query in one list, for ranking by how many are there."""
    return [token for group in query_groups(text, languages=languages) for token in group]


def query_prefixes(word: str) -> list[str]:
    """Beginnings of tokens for a word that is still being typed: the word, and for Cyrillic also
    what is left when a vowel that changes between forms (договір, договору) is put or left out.
    """
    word = fold(word).strip()[:MAX_TOKEN]
    variants = [word]
    if _CYRILLIC.fullmatch(word) and len(word) > 3:
        head = _VOWELS_END.sub("", word)
        variants += [head, "о".join(head.rsplit("і", 1)), "о".join(head.rsplit("ї", 1))]
    return [v for v in dict.fromkeys(variants) if len(v) >= min(3, len(word)) and v]


@lru_cache(maxsize=_CACHE)
def encode(token: str) -> str:
    """The token in ASCII letters and digits: different tokens stay different, and the code of a
    beginning is the beginning of the code (so prefix search works).

    Latin letters and digits stand for themselves, "q" announces all else: "q0" turns to Cyrillic,
    one character a letter, until "q" turns back; "qx…z" is a code point in hex.
    """
    parts: list[str] = []
    cyrillic = False
    for char in token:
        code = _CYRILLIC_CODES.get(char)
        if (code is not None) != cyrillic:
            parts.append("q" if cyrillic else "q0")
            cyrillic = not cyrillic
        parts.append(code or _encode_other(char))
    return "".join(parts)


def index_text(text: str) -> str:
    """The encoded tokens of a text, separated by spaces: what a full-text column holds."""
    return " ".join(map(encode, stems(text)))


class Terms(NamedTuple):
    """A query for the index: encoded tokens, one of each group is asked for; `prefixes` are
    beginnings that do for the last group, whose word may still be being typed."""

    groups: tuple[tuple[str, ...], ...]
    prefixes: tuple[str, ...]


def search_terms(query: str, *, most: int = 8) -> Terms | None:
    """What to ask the index for; None where the query has no word. At most `most` words."""
    groups = tuple(tuple(map(encode, group)) for group in query_groups(query)[:most])
    if not groups:
        return None
    last = fold(query).split()[-1]
    whole = last.isalnum() and len(last) >= MIN_PREFIX and last not in STOP_WORDS
    return Terms(groups, tuple(map(encode, query_prefixes(last))) if whole else ())


def layout_variants(query: str) -> list[str]:
    """What the query reads when typed with the other keyboard layout ("ghbdtn" → "привет",
    "зштп" → "ping"); empty for mixed scripts. To be tried when the query itself finds nothing.
    """
    query = query.lower().strip()
    latin, cyrillic = _ANY_LATIN.search(query), _ANY_CYRILLIC.search(query)
    if latin and not cyrillic:
        candidates = [query.translate(_TO_RU), query.translate(_TO_UK)]
    elif cyrillic and not latin:
        candidates = [query.translate(_TO_EN)]
    else:
        return []
    return [c for c in dict.fromkeys(candidates) if c != query]


@lru_cache(maxsize=_CACHE)
def stem(word: str, lang: str) -> str:
    """The one stem of a folded word in a text of this language; a word in another script, or with
    letters that the language lacks, has the stem of its own language.
    """
    word = _cut(word)
    if _LATIN.fullmatch(word):
        return _snowball("english", word)
    if not _CYRILLIC.fullmatch(word):
        return word
    ukrainian_word = not _RUSSIAN.search(word) if lang == "uk" else bool(_UKRAINIAN.search(word))
    return ukrainian.stem(word) if ukrainian_word else _snowball("russian", word)


def grams(token: str) -> frozenset[str]:
    """The beginnings and pieces of two and three characters by which near words are found; the
    beginning of the word is a character of its own.
    """
    token = "^" + token[:MAX_TOKEN]
    pieces = {token[at : at + 2] for at in range(len(token) - 1)}
    return frozenset(pieces | {token[at : at + 3] for at in range(len(token) - 2)})


@lru_cache(maxsize=_CACHE)
def _index_forms(token: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    if "@" in token:
        local, _, domain = token.partition("@")
        names = _index_forms(local, languages) + _index_forms(domain, languages)
        return tuple(dict.fromkeys((_cut(token), _cut(local), _cut(domain), *names)))
    parts = _PARTS.findall(token)
    found: list[str] = [_cut(token)] if len(parts) > 1 else []
    for part in parts:
        found += _forms(part, languages)
        if not part.isdecimal():
            found += _DIGITS.findall(part)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=_CACHE)
def _forms(word: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The stems of one word or the token itself when it isn't one."""
    word = _cut(word)
    if _LATIN.fullmatch(word):
        return (_snowball("english", word) if "en" in languages else word,)
    if not _CYRILLIC.fullmatch(word):
        return (word,)
    found = []
    if "ru" in languages and ("uk" not in languages or not _UKRAINIAN.search(word)):
        found.append(_snowball("russian", word))
    if "uk" in languages and ("ru" not in languages or not _RUSSIAN.search(word)):
        found.append(ukrainian.stem(word))
    return tuple(dict.fromkeys(found)) or (word,)


def _query_words(folded: str) -> Iterator[str]:
    for match in _TOKEN.finditer(folded):
        token = match.group()[: 4 * MAX_TOKEN]
        parts = _PARTS.findall(token)
        if match["email"] or (len(parts) > 1 and all(part.isdecimal() for part in parts)):
            yield _cut(token)
        else:
            yield from parts


def _cut(token: str) -> str:
    return token[:MAX_TOKEN]


def _encode_other(char: str) -> str:
    if char.isascii() and char.isalnum() and char != "q" and not char.isupper():
        return char
    return _SIGN_CODES.get(char) or f"qx{ord(char):x}z"


def forget() -> None:
    """Give back the memory of what is known of words: many rows of names leave 90 MB of them."""
    for known in (encode, stem, _index_forms, _forms):
        known.cache_clear()


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(language, maxCacheSize=0)


def _snowball(language: str, word: str) -> str:
    return str(_stemmer(language).stemWord(word))
