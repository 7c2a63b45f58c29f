"""Which articles have a term, and how much of it: the inverted lists of one base in memory."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

Numbers: TypeAlias = "array[int]"

_UNIT = 100
"""Weights are kept in hundredths, in two bytes."""
_MOST = 65_535


class List:
    """The places of the articles that have one term, with its weights."""

    __slots__ = ("places", "weights")

    def __init__(self, places: Numbers, weights: Numbers) -> None:
        self.places = places
        self.weights = weights  # in hundredths

    def __len__(self) -> int:
        return len(self.places)

    @property
    def total(self) -> float:
        """Of all weights."""
        return sum(self.weights) / _UNIT

    def remove(self, place: int) -> None:
        at = self.places.index(place)
        self.places.pop(at)
        self.weights.pop(at)

    def weighed(self, factor: float) -> Iterator[tuple[int, float]]:
        """Each place with its weight times the factor."""
        return zip(self.places, map((factor / _UNIT).__mul__, self.weights), strict=True)


class Lists:
    """The lists of one kind of terms, which are known by numbers."""

    def __init__(self) -> None:
        self._lists: dict[int, List] = {}
        self._of: dict[int, Numbers] = {}

    def put(self, place: int, weights: Mapping[int, float]) -> None:
        """What the article at this place has, instead of what it had."""
        self.drop(place)
        get = self._lists.get
        for key, weight in weights.items():  # the most frequent of all loops of a process's start
            found = get(key)
            if found is None:
                found = self._lists[key] = List(array("I"), array("H"))
            kept = int(weight * _UNIT + 0.5)
            found.places.append(place)
            found.weights.append(kept if 0 < kept <= _MOST else max(1, min(_MOST, kept)))
        if weights:
            self._of[place] = array("I", weights)

    def drop(self, place: int) -> None:
        for key in self._of.pop(place, ()):
            self._lists[key].remove(place)
            if not self._lists[key].places:
                del self._lists[key]

    def get(self, key: int) -> List | None:
        return self._lists.get(key)

    def at(self, place: int) -> frozenset[int]:
        """The terms of the article at this place."""
        return frozenset(self._of.get(place, ()))

    def __contains__(self, key: object) -> bool:
        return key in self._lists

    def dump(self) -> tuple[dict[int, Numbers], dict[int, Numbers], dict[int, Numbers]]:
        """By term the places, by term the weights, by place the terms."""
        places = {key: found.places for key, found in self._lists.items()}
        return places, {key: found.weights for key, found in self._lists.items()}, self._of

    def load(
        self,
        terms: Iterable[tuple[int, Numbers, Numbers]],
        of: Iterable[tuple[int, Numbers]],
    ) -> None:
        """What was dumped, in the place of all that is here."""
        self._lists = {key: List(places, weights) for key, places, weights in terms}
        self._of = dict(of)
