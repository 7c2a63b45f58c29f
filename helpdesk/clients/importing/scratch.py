"""What a run must remember of a whole file, beside the memory: pieces in a file without a name."""

import os
import tempfile
import weakref
from array import array

_BLOCK = 1 << 18  # octets that wait in the memory to be written
_SLOTS = 1 << 12
_FREE = -1


class Pile:
    """Pieces of octets, found by their places 0, 1 …; in the memory 8 octets for each.

    The file has no name and ends with the process, however that ends. Raises OSError where the
    disk is full.
    """

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)
        self._ends = array("Q")
        self._waiting = bytearray()
        self._written = 0

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def size(self) -> int:
        """Octets of all pieces."""
        return self._written + len(self._waiting)

    def append(self, piece: bytes | bytearray) -> int:
        """Put a piece on the top; its place."""
        self._waiting += piece
        self._ends.append(self.size)
        if len(self._waiting) >= _BLOCK:
            self._flush()
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> bytes:
        begin = self._ends[place - 1] if place else 0
        end = self._ends[place]
        if begin >= self._written:
            return bytes(self._waiting[begin - self._written : end - self._written])
        return os.pread(self._file, end - begin, begin)

    def _flush(self) -> None:
        while self._waiting:
            done = os.write(self._file, self._waiting)
            self._written += done
            del self._waiting[:done]


class Places:
    """A place for each of many marks (64 bits), 12 octets a slot: a dict takes ten times that."""

    def __init__(self) -> None:
        self._clear(_SLOTS)

    def get(self, mark: int) -> int | None:
        place = self._places[self._slot(mark)]
        return None if place == _FREE else place

    def setdefault(self, mark: int, place: int) -> int:
        """The place that this mark has; this one where it has none yet."""
        slot = self._slot(mark)
        if self._places[slot] != _FREE:
            return self._places[slot]
        self._marks[slot], self._places[slot] = mark, place
        self._count += 1
        if self._count * 5 > len(self._places) * 3:
            self._grow()
        return place

    def _slot(self, mark: int) -> int:
        """Where the mark stands, or the free slot where it would."""
        most = len(self._places) - 1
        slot = (mark ^ mark >> 32) & most
        while self._places[slot] != _FREE and self._marks[slot] != mark:
            slot = (slot + 1) & most
        return slot

    def _grow(self) -> None:
        pairs = zip(self._marks, self._places, strict=True)
        self._clear(2 * len(self._places))
        for mark, place in pairs:
            if place != _FREE:
                self.setdefault(mark, place)

    def _clear(self, slots: int) -> None:
        self._marks = array("q", bytes(8 * slots))
        self._places = array("i", [_FREE]) * slots
        self._count = 0
