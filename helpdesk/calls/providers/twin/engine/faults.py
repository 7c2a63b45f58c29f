"""Mishaps on demand: what the network and the carrier do to requests when told so."""

from collections.abc import Iterator
from dataclasses import dataclass

KINDS = {
    "drop": "a callback is lost; for a document nobody answers",
    "duplicate": "it comes twice",
    "delay": "it comes `seconds` later",
    "reorder": "a callback comes after the next one",
    "slow": "the answer takes `seconds`",
    "lost": "it comes, but the answer is lost on the way back",
    "fail": "the answer is `status`, without our having been asked",
    "rest": "the carrier answers a request of ours with `status` and error `code`",
    "rest-timeout": "the carrier does not answer a request of ours and does nothing",
    "rest-lost": "the carrier does what we ask, but its answer is lost",
    "media": "a recording's sound is not there yet (404)",
    "sms": "a message of ours ends as undelivered with error `code`",
}


@dataclass
class Fault:
    """One mishap: what, to requests whose kind or address contains `match`, how many times."""

    kind: str
    match: str = ""
    times: int = 1
    seconds: float = 0.0
    status: int = 500
    code: int = 20500


class Faults:
    """The mishaps that are still to come."""

    def __init__(self) -> None:
        self._list: list[Fault] = []

    def add(
        self,
        kind: str,
        match: str = "",
        *,
        times: int = 1,
        seconds: float = 0.0,
        status: int = 500,
        code: int = 20500,
    ) -> None:
        """Raises ValueError for a kind that there is not."""
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}; there are {', '.join(KINDS)}.")
        self._list.append(Fault(kind, match, times, seconds, status, code))

    def clear(self) -> None:
        self._list.clear()

    def take(self, kind: str, *subjects: str) -> Fault | None:
        """The next mishap of this kind that strikes one of these subjects."""
        for fault in self._list:
            if fault.kind == kind and any(fault.match in subject for subject in subjects):
                fault.times -= 1
                self._list = [each for each in self._list if each.times > 0]
                return fault
        return None

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._list))
