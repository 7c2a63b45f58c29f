"""The log: every request to the product with its answer, and what was refused; the latest ones."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime

from helpdesk.calls.providers.twin.engine.things import Entry

KEPT = 500


class Log:
    """Lines with growing ids; old ones are forgotten."""

    def __init__(self) -> None:
        self._lines: deque[Entry] = deque(maxlen=KEPT)
        self.last = 0

    def add(
        self,
        at: datetime,
        url: str,
        kind: str,
        call: str | None,
        *,
        params: Mapping[str, str] | None = None,
        problem: str = "",
    ) -> Entry:
        self.last += 1
        entry = Entry(self.last, at, url, kind, call, params=params or {}, problem=problem)
        self._lines.append(entry)
        return entry

    def after(self, number: int) -> list[Entry]:
        return [entry for entry in self._lines if entry.id > number]

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._lines))
