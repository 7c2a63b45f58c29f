"""The vectors of one base in memory, and how like a question each article is."""

import numpy as np

from helpdesk.kb.embedding import SIZE, Vector

_AT_ONCE = 2_048  # rows that are widened to floats together


class Vectors:
    """One vector for each place of a base; a place without one is like nothing."""

    def __init__(self) -> None:
        self._rows = np.zeros((0, SIZE), dtype=np.int8)
        self._scale = np.zeros(0, dtype=np.float32)  # 1 / length; 0 where there is none
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, place: int, kept: bytes) -> None:
        """The vector of the article at this place, as `embedding.packed` it."""
        self.drop(place)
        if place >= len(self._scale):
            more = max(64, place + 1, len(self._scale) * 5 // 4) - len(self._scale)
            self._rows = np.vstack((self._rows, np.zeros((more, SIZE), dtype=np.int8)))
            self._scale = np.concatenate((self._scale, np.zeros(more, dtype=np.float32)))
        row = np.frombuffer(kept, dtype=np.int8)
        length = float(np.linalg.norm(row.astype(np.float32)))
        if length:
            self._rows[place], self._scale[place] = row, 1 / length
            self._count += 1

    def drop(self, place: int) -> None:
        """Forget it; a place without one is ignored."""
        if place < len(self._scale) and self._scale[place]:
            self._scale[place] = 0.0
            self._count -= 1

    def likeness(self, question: Vector, places: int) -> list[float]:
        """How like the question each of the first `places` is, -1 to 1."""
        found = np.zeros(places, dtype=np.float32)
        size = min(places, len(self._scale))
        for begin in range(0, size, _AT_ONCE):
            end = min(begin + _AT_ONCE, size)
            found[begin:end] = self._rows[begin:end].astype(np.float32) @ question
        found[:size] *= self._scale[:size]
        return [float(value) for value in found.tolist()]
