"""New connections go to the web process that has fewest of them.

All processes listen on one socket and browsers keep their connections: without this, one
process may serve six of eight busy browsers while the other one idles.
"""

import mmap
import socket
import time
from typing import Any

SLOTS = 65  # one for each process, see HELPDESK_WEB_WORKERS
PATIENCE = 0.005  # seconds that the others get to take a connection; then anybody does
PAUSE = 0.0005  # between looks
NEW_WAIT = 0.002  # a look after so long a pause is at another connection


class Loads:
    """How many connections each process has open; make it before forking."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, 8 * SLOTS)).cast("q")

    def begin(self, slot: int) -> None:
        """The process of this slot runs, with no connection yet."""
        self._cells[slot] = 1  # 0: no process

    def end(self, slot: int) -> None:
        self._cells[slot] = 0

    def add(self, slot: int, change: int) -> None:
        self._cells[slot] += change

    def is_most_idle(self, slot: int) -> bool:
        """Whether no other process has fewer connections."""
        return self._cells[slot] <= min(cell for cell in self._cells if cell)


class Shared(socket.socket):
    """A listening socket of which `accept` leaves to other processes what is their turn."""

    def __init__(self, listening: socket.socket, loads: Loads, slot: int) -> None:
        super().__init__(
            listening.family, listening.type, listening.proto, fileno=listening.detach()
        )
        self._loads, self._slot = loads, slot % SLOTS
        self._began = self._looked = 0.0
        loads.begin(self._slot)

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises BlockingIOError where there is none for this process."""
        if not self._loads.is_most_idle(self._slot) and self._waits():
            time.sleep(PAUSE)  # the event loop asks again at once
            raise BlockingIOError
        accepted, address = super().accept()
        return _Counted(accepted, self._loads, self._slot), address

    def close(self) -> None:
        self._loads.end(self._slot)
        super().close()

    def _waits(self) -> bool:
        at = time.monotonic()
        if at - self._looked > NEW_WAIT:
            self._began = at
        self._looked = at
        return at - self._began < PATIENCE


class _Counted(socket.socket):
    """A connection that counts until it is closed."""

    def __init__(self, accepted: socket.socket, loads: Loads, slot: int) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._loads, self._slot = loads, slot
        loads.add(slot, 1)

    def close(self) -> None:
        if self.fileno() >= 0:
            self._loads.add(self._slot, -1)
        super().close()
