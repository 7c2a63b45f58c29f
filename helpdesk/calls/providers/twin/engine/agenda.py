"""What happens when: a heap of moments with what to do then, and the clock they go by."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from helpdesk.lib.clock import now

Act = Callable[[], None]


class Agenda:
    """The clock is real, or manual: then it stands still until it is moved."""

    def __init__(self, manual_at: datetime | None = None) -> None:
        self._manual_at = manual_at
        self._skipped = timedelta()  # with a real clock: so much was not waited for
        self._heap: list[tuple[datetime, int, Act]] = []
        self._numbers = count()

    @property
    def manual(self) -> bool:
        return self._manual_at is not None

    def now(self) -> datetime:
        return self._manual_at or now()

    def ahead(self) -> timedelta:
        """How far the time that people here live in is ahead of the real one."""
        return self._manual_at - now() if self._manual_at else self._skipped

    def after(self, seconds: float, act: Act) -> None:
        """Do it so many seconds from now; of the same moment the first asked is the first done."""
        self._put(self.now() + timedelta(seconds=max(seconds, 0)), act)

    def next_at(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def take_due(self) -> Act | None:
        """The next thing whose moment has come."""
        if not self._heap or self._heap[0][0] > self.now():
            return None
        return heapq.heappop(self._heap)[2]

    def move_to(self, at: datetime) -> None:
        """Move a manual clock; it never goes back."""
        if self._manual_at is not None:
            self._manual_at = max(self._manual_at, at)

    def skip(self, time: timedelta) -> None:
        """A manual clock goes on; with a real one everything planned happens so much sooner."""
        if self._manual_at is not None:
            self._manual_at += time
        else:
            self._skipped += time
            self._shift(-time)

    def set_manual(self, manual: bool) -> None:
        """Change the kind of clock; what is planned keeps its distance from the present.

        A clock that becomes real forgets what was skipped.
        """
        before = self.now()
        self._manual_at = now() + self.ahead() if manual else None
        self._skipped = timedelta()
        self._shift(self.now() - before)

    def _shift(self, by: timedelta) -> None:
        self._heap = [(at + by, number, act) for at, number, act in self._heap]

    def _put(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._heap, (at, next(self._numbers), act))
