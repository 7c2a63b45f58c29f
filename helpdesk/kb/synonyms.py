"""Words of near-equal meaning: each group of the thesaurus is a concept that texts and questions
touch more or less.

`thesaurus/LANG.txt` holds a group a line, words and phrases separated by commas, # before a
comment; `LANG-themes.txt` looser groups, of words that are often about the same. A text touches a
concept fully by one of its words or by all words of one of its phrases, and partly by a good part
of a phrase.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from math import log
from pathlib import Path

from helpdesk.kb.analysis import faint_stems, stems

FOLDER = Path(__file__).parent / "thesaurus"
ENOUGH = 0.5
"""The part of a phrase, by weight of its words, below which a concept is not touched."""
THEME = 0.8
"""What a theme counts beside a group of near-equal words."""
FAINT = 0.35
"""What a faint word counts of its rareness."""


class Thesaurus:
    """The concepts of one language, numbered as they stand in the file."""

    def __init__(self, lang: str, lines: Iterable[str], themes: Iterable[str] = ()) -> None:
        self.lang = lang
        self._concepts: list[int] = []  # of each phrase
        self._phrases: dict[str, list[tuple[int, float]]] = defaultdict(list)
        close = [group for line in lines if (group := self._group(line))]
        groups = close + [group for line in themes if (group := self._group(line))]
        self.size = len(groups)
        self._close = len(close)
        weights = self._weights(groups)
        for concept, group in enumerate(groups):
            for phrase in group:
                self._add(concept, phrase, weights)

    def concepts(self, found: Mapping[str, float]) -> dict[int, float]:
        """How far the stems, each with what it counts, touch each concept: up to 1."""
        cover: dict[int, float] = defaultdict(float)
        for stem, weight in found.items():
            for phrase, share in self._phrases.get(stem, ()):
                cover[phrase] += share * weight
        touched: dict[int, float] = {}
        for phrase, share in cover.items():
            if share >= ENOUGH:
                concept = self._concepts[phrase]
                touched[concept] = max(touched.get(concept, 0.0), min(share, 1.0) ** 2)
        return touched

    def worth(self, concept: int) -> float:
        """What it counts that two texts touch the same concept."""
        return 1.0 if concept < self._close else THEME

    def knows(self, stem: str) -> bool:
        return stem in self._phrases

    def known(self) -> Iterable[str]:
        """All stems of all groups."""
        return self._phrases.keys()

    def _group(self, line: str) -> set[tuple[str, ...]]:
        if line.startswith("#"):
            return set()
        phrases = (tuple(dict.fromkeys(stems(part, self.lang))) for part in line.split(","))
        return {phrase for phrase in phrases if phrase}

    def _weights(self, groups: list[set[tuple[str, ...]]]) -> dict[str, float]:
        counts: dict[str, int] = defaultdict(int)
        for group in groups:
            for stem in {stem for phrase in group for stem in phrase}:
                counts[stem] += 1
        faint = faint_stems(self.lang)
        return {
            stem: log(1 + len(groups) / (count + 0.5)) * (FAINT if stem in faint else 1)
            for stem, count in counts.items()
        }

    def _add(self, concept: int, phrase: tuple[str, ...], weights: dict[str, float]) -> None:
        number = len(self._concepts)
        self._concepts.append(concept)
        total = sum(weights[stem] for stem in phrase)
        for stem in phrase:
            self._phrases[stem].append((number, weights[stem] / total))


@cache
def thesaurus(lang: str) -> Thesaurus:
    """The thesaurus of a language; an empty one where there is no file."""
    return Thesaurus(lang, _lines(f"{lang}.txt"), _lines(f"{lang}-themes.txt"))


@cache
def digest() -> str:
    """Changes with any thesaurus: what was indexed with another is indexed anew."""
    files = sorted(FOLDER.glob("*.txt"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _lines(name: str) -> list[str]:
    path = FOLDER / name
    return path.read_text("utf-8").splitlines() if path.exists() else []
