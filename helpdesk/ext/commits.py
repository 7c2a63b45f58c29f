"""Waiting until somebody commits, so that jobs need not ask for their work again and again."""

import contextlib
import threading
from typing import Any

import structlog

from helpdesk.ext.database import db, is_sqlite

log = structlog.get_logger()

LOOK_SECONDS = 0.05
AWAY_SECONDS = 1.0  # between tries while the database does not answer


class Commits:
    """Numbers the moments at which the database was seen changed: one thread looks, others wait.

    It tells that something was committed, not what; also what this process committed itself.
    """

    def __init__(self) -> None:
        self.number = 0
        self._changed = threading.Condition()

    def wait(self, seen: int, seconds: float) -> None:
        """Until the number is another than `seen`, at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.number != seen, seconds)

    def wake(self) -> None:
        """Let all go on who wait."""
        with self._changed:
            self.number += 1
            self._changed.notify_all()

    def follow(self, stop: threading.Event) -> None:
        """Look and wake until `stop` is set. While the database is away nobody is woken."""
        while not stop.is_set():
            try:
                self._look(stop)
            except Exception:  # of either driver, or of the pool
                log.exception("commits.not_seen")
                stop.wait(AWAY_SECONDS)
        self.wake()

    def _look(self, stop: threading.Event) -> None:
        with contextlib.closing(_Look()) as look:
            while not stop.wait(LOOK_SECONDS):
                if look.differs():
                    self.wake()


class _Look:
    """A connection of its own with one cheap question; none of its looks is in a transaction.

    SQLite counts what other connections commit (https://sqlite.org/pragma.html#pragma_data_version);
    PostgreSQL's snapshot is another one as soon as a transaction that wrote has ended.
    """

    def __init__(self) -> None:
        self._connection = db.engine.raw_connection()
        self._seen: Any = None
        self._question = "PRAGMA data_version"
        if not is_sqlite(db.engine):
            self._question = "SELECT CAST(pg_current_snapshot() AS text)"
            self._connection.driver_connection.autocommit = True  # type: ignore[union-attr]

    def differs(self) -> bool:
        """Whether anything was committed since the last look; True at the first."""
        cursor = self._connection.cursor()
        cursor.execute(self._question)
        found = cursor.fetchone()
        cursor.close()
        before, self._seen = self._seen, found
        return bool(before != found)

    def close(self) -> None:
        """Not back to the others, for it commits by itself."""
        self._connection.invalidate()
        self._connection.close()
