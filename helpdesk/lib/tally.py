"""Counts by name in memory that forked processes share."""

import mmap
import threading
from collections.abc import Mapping, Sequence

from helpdesk.lib.latency import SLOTS


class Tally:
    """A number for each of the names, since the start of the product.

    Every process writes to its own slot; make it before forking and set `slot` after.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._cells = memoryview(mmap.mmap(-1, 8 * SLOTS * len(names))).cast("Q")
        self._lock = threading.Lock()
        self.slot = 0

    def add(self, name: str, count: int = 1) -> None:
        """Count one more. Raises KeyError for a name that isn't one of ours."""
        place = (self.slot % SLOTS) * len(self._places) + self._places[name]
        with self._lock:
            self._cells[place] += count

    def totals(self) -> Mapping[str, int]:
        """The sums over all processes."""
        width = len(self._places)
        return {
            name: sum(self._cells[slot * width + place] for slot in range(SLOTS))
            for name, place in self._places.items()
        }
