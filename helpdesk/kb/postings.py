"""Which articles have a term, and how much of it: the inverted lists of one base in memory."""

from array import array
from collections.abc import Iterator, Mapping

_UNIT = 100
"""Weights are kept in hundredths, in two bytes."""
_MOST = 65_535


class List:
    """The places of the articles that have one term, with its weights."""

    __slots__ = ("places", "total", "_weights")

    def __init__(self) -> None:
        self.places = array("I")
        self._weights = array("H")
        self.total = 0.0  # of all weights

    def __len__(self) -> int:
        return len(self.places)

    def add(self, place: int, weight: float) -> None:
        kept = max(1, min(_MOST, round(weight * _UNIT)))
        self.places.append(place)
        self._weights.append(kept)
        self.total += kept / _UNIT

    def remove(self, place: int) -> None:
        at = self.places.index(place)
        self.places.pop(at)
        self.total -= self._weights.pop(at) / _UNIT

    def weighed(self, factor: float) -> Iterator[tuple[int, float]]:
        """Each place with its weight times the factor."""
        return zip(self.places, map((factor / _UNIT).__mul__, self._weights), strict=True)


class Lists:
    """The lists of one kind of terms, which are known by numbers."""

    def __init__(self) -> None:
        self._lists: dict[int, List] = {}
        self._of: dict[int, array[int]] = {}

    def put(self, place: int, weights: Mapping[int, float]) -> None:
        """What the article at this place has, instead of what it had."""
        self.drop(place)
        for key, weight in weights.items():
            found = self._lists.get(key)
            if found is None:
                found = self._lists[key] = List()
            found.add(place, weight)
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
