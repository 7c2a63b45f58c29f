"""Scores of a question being added up, by the places of articles in a base."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from helpdesk.kb.units import WEIGHTS


class Sums:
    """The scores so far, by place: in all, and what solved questions gave of it."""

    def __init__(self, places: int) -> None:
        self.all = [0.0] * places
        self.learned: dict[int, float] = defaultdict(float)

    def add(self, texts: Iterable[tuple[int, float]]) -> None:
        """Scores that the texts give; each place once."""
        scores = self.all
        for place, value in texts:
            scores[place] += value

    def add_learned(self, texts: dict[int, float], learned: dict[int, float]) -> None:
        """Of two reasons the greater counts, and a part of the lesser."""
        for place, value in learned.items():
            self.learned[place] += value
            other = texts.get(place, 0.0)
            self.all[place] += max(value, other) + WEIGHTS.both * min(value, other) - other
        self.add(texts.items())


def greatest(lists: Sequence[Iterable[tuple[int, float]]]) -> dict[int, float]:
    """Of each place the greatest value."""
    if not lists:
        return {}
    best = dict(lists[0])
    for values in lists[1:]:
        for place, value in values:
            if value > best.get(place, 0.0):
                best[place] = value
    return best
