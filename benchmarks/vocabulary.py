"""Made-up words in three languages, as frequent as words are: syllable stems with real endings.

Words are drawn beforehand into one long row per language; a text is a slice of it, which costs
microseconds. Each word knows its search tokens, so a bulk load needs no analysis of its own.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from helpdesk.lib.stems import encode, stems

LANGUAGES = ("en", "ru", "uk")
STEMS = 27_000  # a language; 80,000 together
ROW = 400_000  # drawn words a language
EXPONENT = 1.0  # of Zipf's law

_CYRILLIC = "б бр в г гр д др ж з к кл кр л м н п пл пр р с ст т тр ф х ш"
_SOUNDS = {
    "en": ("b br c cl d dr f fl g gr h k l m n p pl pr r s st t tr v w", "a e i o u ea oo"),
    "ru": (_CYRILLIC, "а е и о у ы"),
    "uk": (_CYRILLIC, "а е и о у і"),
}
_CODAS = {"en": ["", "n", "r", "t", "ck"], "ru": ["", "н", "р", "т"], "uk": ["", "н", "р", "т"]}
_ENDINGS = {
    "en": ["", "s", "ed", "ing", "er"],
    "ru": ["", "а", "ы", "ом", "ами", "ый", "ого", "ить"],
    "uk": ["", "а", "и", "ом", "ами", "ий", "ого", "ити"],
}


@dataclass(frozen=True)
class Vocabulary:
    """One language's drawn words and, at the same places, their encoded search tokens."""

    language: str
    ranked: Sequence[str]  # forms of the stems, the most frequent first
    words: Sequence[str]
    tokens: Sequence[str]

    def text(self, at: int, length: int = 40) -> str:
        """`length` words, in sentences of about eight."""
        part = self.words[at : at + length]
        lines = (" ".join(part[i : i + 8]) for i in range(0, length, 8))
        return ". ".join(line.capitalize() for line in lines) + "."

    def indexed(self, at: int, length: int = 40) -> str:
        """The tokens of that text as the full-text table holds them, each once."""
        return " ".join(dict.fromkeys(" ".join(self.tokens[at : at + length]).split()))

    def place(self, draw: random.Random, length: int = 40) -> int:
        return int(draw.random() * (len(self.words) - length))


def vocabularies(seed: int) -> dict[str, Vocabulary]:
    """The same words for the same seed."""
    return {name: _vocabulary(name, random.Random(f"{seed}:{name}")) for name in LANGUAGES}


def _vocabulary(language: str, draw: random.Random) -> Vocabulary:
    made: dict[str, None] = {}
    while len(made) < STEMS:
        made[_stem(language, draw)] = None
    forms = [stem + draw.choice(_ENDINGS[language]) for stem in made]
    tokens = [" ".join(dict.fromkeys(encode(token) for token in stems(form))) for form in forms]
    weights = list(accumulate(1 / (rank + 1) ** EXPONENT for rank in range(len(forms))))
    drawn = draw.choices(range(len(forms)), cum_weights=weights, k=ROW)
    return Vocabulary(language, forms, [forms[i] for i in drawn], [tokens[i] for i in drawn])


def _stem(language: str, draw: random.Random) -> str:
    onsets, vowels = (sounds.split() for sounds in _SOUNDS[language])
    syllables = (
        draw.choice(onsets) + draw.choice(vowels) for _ in range(draw.choice((1, 2, 2, 3, 3)))
    )
    return "".join(syllables) + draw.choice(_CODAS[language])
