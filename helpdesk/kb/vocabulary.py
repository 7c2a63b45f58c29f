"""The stems that a base knows, and which of them are near to a given one."""

from array import array
from collections import Counter
from typing import Self

from helpdesk.kb.postings import Numbers
from helpdesk.lib.stems import grams, query_prefixes

MAX_NEAR = 12
_SHORTEST = 4  # shorter stems are near to too much
_LONG = 9  # characters of a stem in which two slips are forgiven
_SLIP = 0.75  # likeness of an unknown stem to one that a slip made it from
_FEW = 0.3  # likeness by pieces of three characters from which the whole likeness is worth a look


class Vocabulary:
    """Stems numbered in the order in which they came; numbers stay."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._stems: list[str] = []
        self._pieces: dict[str, Numbers] = {}
        self._near: dict[str, list[tuple[int, float]]] = {}

    @classmethod
    def of(cls, stems: list[str], pieces: dict[str, Numbers]) -> Self:
        """What was dumped."""
        made = cls()
        made._stems, made._pieces = stems, pieces
        made.numbers = {stem: number for number, stem in enumerate(stems)}
        return made

    def dump(self) -> tuple[list[str], dict[str, Numbers]]:
        """The stems in the order of their numbers, and by piece the numbers of those that have
        it."""
        return self._stems, self._pieces

    def __len__(self) -> int:
        return len(self._stems)

    def number(self, stem: str) -> int:
        """The number of a stem, given when it is new."""
        known = self.numbers.get(stem)
        if known is not None:
            return known
        number = self.numbers[stem] = len(self._stems)
        self._stems.append(stem)
        for piece in _triples(stem):
            self._pieces.setdefault(piece, array("I")).append(number)
        self._near.clear()
        return number

    def stem(self, number: int) -> str:
        return self._stems[number]

    def near(self, stem: str, least: float) -> list[tuple[int, float]]:
        """Other stems at least so like the given one, with their likeness (0 to 1), best first.

        Likeness is Dice's, of pieces of two and three characters.
        """
        found = self._near.get(stem)
        if found is None:
            found = self._near[stem] = self._look(stem, least)
        return found

    def beginning(self, word: str) -> list[int]:
        """Stems that begin as an unfinished word does."""
        found: list[int] = []
        for prefix in query_prefixes(word):
            candidates = self._pieces.get(f"^{prefix}"[:3], ())
            found += [n for n in candidates if self._stems[n].startswith(prefix)]
        return list(dict.fromkeys(found))

    def _look(self, stem: str, least: float) -> list[tuple[int, float]]:
        if len(stem) < _SHORTEST or not stem[0].isalpha():
            return []
        mine = grams(stem)
        found: list[tuple[int, float]] = []
        for number in self._candidates(stem):
            other = self._stems[number]
            theirs = grams(other)
            likeness = 2 * len(mine & theirs) / (len(mine) + len(theirs))
            if likeness >= least and other != stem:
                found.append((number, likeness))
        if stem not in self.numbers and len(stem) > _SHORTEST:
            found = _merge(found, self._slipped(stem))
        found.sort(key=lambda pair: (-pair[1], self._stems[pair[0]]))
        return found[: 2 * MAX_NEAR]

    def _candidates(self, stem: str) -> list[int]:
        """Stems that share a good part of their pieces of three characters."""
        triples = _triples(stem)
        shared: Counter[int] = Counter()
        for piece in triples:
            shared.update(self._pieces.get(piece, ()))
        least = max(1, _FEW * len(triples) / 2)
        return [
            number
            for number, count in shared.items()
            if count >= least and 2 * count >= _FEW * (len(triples) + len(self._stems[number]))
        ]

    def _slipped(self, stem: str) -> list[tuple[int, float]]:
        """What an unknown stem was meant to be: one that begins alike or ends alike."""
        forgiven = 1 if len(stem) < _LONG else 2
        begin, end = stem[:2], stem[-3:]
        numbers = {n for piece in (f"^{begin}", end) for n in self._pieces.get(piece, ())}
        letters = set(stem)
        likely = (
            number
            for number in numbers
            if abs(len(self._stems[number]) - len(stem)) <= forgiven
            and len(letters.symmetric_difference(self._stems[number])) <= 2 * forgiven
        )
        return [(n, _SLIP) for n in likely if slips(stem, self._stems[n]) <= forgiven]


def slips(a: str, b: str) -> int:
    """In how many letters two words differ: put in, left out, changed, or two swapped; 3 for more
    than two.
    """
    if abs(len(a) - len(b)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(row[-1] + 1, before[j] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], 3)


def _merge(a: list[tuple[int, float]], b: list[tuple[int, float]]) -> list[tuple[int, float]]:
    best = dict(a)
    for number, likeness in b:
        best[number] = max(best.get(number, 0.0), likeness)
    return list(best.items())


def _triples(stem: str) -> set[str]:
    return {piece for piece in grams(stem) if len(piece) == 3}
