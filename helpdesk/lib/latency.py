"""A histogram of request times in memory that forked processes share."""

import mmap
import threading
from bisect import bisect_left
from collections.abc import Iterator

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
SLOTS = 65  # one for each process, see HELPDESK_WEB_WORKERS
_WIDTH = len(BUCKETS) + 2  # counts, the overflow, and the sum in microseconds


class Latency:
    """Counts of requests by status class and time.

    Every process writes to its own slot, so that they need no lock between them; make it
    before forking and set `slot` after.
    """

    def __init__(self) -> None:
        size = 8 * SLOTS * len(CLASSES) * _WIDTH
        self._cells = memoryview(mmap.mmap(-1, size)).cast("Q")
        self._lock = threading.Lock()
        self.slot = 0

    def add(self, status: int, seconds: float) -> None:
        """Count one answered request."""
        kind = min(max(status // 100, 1), len(CLASSES)) - 1
        start = self._start(self.slot, kind)
        with self._lock:
            self._cells[start + bisect_left(BUCKETS, seconds)] += 1
            self._cells[start + _WIDTH - 1] += int(seconds * 1e6)

    def totals(self) -> Iterator[tuple[str, list[int], float]]:
        """Of each status class: its name, the count of each bucket, the sum in seconds."""
        for kind, name in enumerate(CLASSES):
            starts = [self._start(slot, kind) for slot in range(SLOTS)]
            sums = [sum(self._cells[start + n] for start in starts) for n in range(_WIDTH)]
            yield name, sums[:-1], sums[-1] / 1e6

    def _start(self, slot: int, kind: int) -> int:
        return ((slot % SLOTS) * len(CLASSES) + kind) * _WIDTH
