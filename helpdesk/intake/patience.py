"""How long a webhook may wait for the database: none waits behind many that wait in vain."""

import threading
import time
from dataclasses import dataclass, field

WHOLE = 3.0  # seconds; the carrier gives up after fifteen
BRIEF = 0.1  # while the database is away: who has to be answered at once is more important
AWAY = 5.0  # after one waited in vain; then one at a time tries it again


@dataclass
class Patience:
    """Shared by the threads of a process. Once somebody has waited in vain, others hardly wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    away: bool = False
    tries_at: float = 0.0  # monotonic

    def seconds(self) -> float:
        """How long the one who asks may wait."""
        moment = time.monotonic()
        with self.lock:
            if not self.away:
                return WHOLE
            if moment < self.tries_at:
                return BRIEF
            self.tries_at = moment + AWAY
            return WHOLE

    def set(self, *, away: bool) -> None:
        """What came of it."""
        with self.lock:
            if away and not self.away:
                self.tries_at = time.monotonic() + AWAY
            self.away = away
