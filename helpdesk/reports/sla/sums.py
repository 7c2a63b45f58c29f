"""Clocks of the SLA report, counted: which count, what became of them, how long they ran."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, and_, case, or_, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.ext import quarter_begins, quarter_of
from helpdesk.reports.filters import conditions
from helpdesk.reports.parts import Parts
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Clock, Ticket

ALL = "all"
"""Stands for every metric together."""


class Outcome(IntEnum):
    """What became of a promise."""

    RUNNING = 0
    MET = 1
    BREACHED = 2


_MET, _BREACHED = int(Outcome.MET), int(Outcome.BREACHED)  # looked up for each row
BLOCK = 2_000

Part = tuple[Hashable, ...]


@dataclass(slots=True)
class Sum:
    """Promises of one part and metric; seconds are business seconds of those that have ended."""

    tickets: list[int] = field(default_factory=list)  # one with several promises several times
    running: int = 0
    met: int = 0
    breached: int = 0
    seconds: list[int] = field(default_factory=list)
    _told: int | None = None

    @property
    def count(self) -> int:
        """Tickets, each once."""
        if self._told is None:
            self._told = len(set(self.tickets))
        return self._told

    @property
    def decided(self) -> int:
        return self.met + self.breached

    @property
    def share(self) -> float | None:
        """Met, of those that are met or breached."""
        return self.met / self.decided if self.decided else None

    @property
    def median(self) -> int | None:
        return self._rank(1, 2)

    @property
    def p90(self) -> int | None:
        return self._rank(9, 10)

    def _rank(self, times: int, of: int) -> int | None:
        """The nearest rank: of n numbers the one at place ceil(n × times / of)."""
        found = self.seconds
        found.sort()  # which costs nothing the second time
        return found[-(-len(found) * times // of) - 1] if found else None

    def add(self, outcome: int, ticket_id: int, seconds: int | None) -> None:
        self.tickets.append(ticket_id)
        if outcome == _MET:
            self.met += 1
        elif outcome == _BREACHED:
            self.breached += 1
        else:
            self.running += 1
        if seconds is not None:
            self.seconds.append(seconds)

    def join(self, one: "Sum") -> None:
        """Add what another one counted, but for its seconds."""
        self.tickets += one.tickets
        self.running += one.running
        self.met += one.met
        self.breached += one.breached


@dataclass(frozen=True)
class Sums:
    """By part and metric; ALL metrics of a part are added up when they are asked for."""

    period: Period
    by: Mapping[Part, Mapping[str, Sum]]
    totals: Mapping[str, Sum]
    _joined: dict[Part, Sum] = field(default_factory=dict)

    @property
    def metrics(self) -> frozenset[str]:
        return frozenset(self.totals) - {ALL}

    def parts(self, metric: str) -> list[Part]:
        """Those that have such promises."""
        return [part for part, some in self.by.items() if metric in some or metric == ALL]

    def of(self, part: Part, metric: str) -> Sum:
        some = self.by.get(part, {})
        if metric != ALL:
            return some.get(metric) or Sum()
        if part not in self._joined:
            self._joined[part] = _together(some.values())
        return self._joined[part]

    def whole(self, metric: str) -> Sum:
        return self.totals.get(metric) or Sum()


def sums(session: Session, ask: Ask, period: Period, parts: Parts) -> Sums:
    """Count the promises of the tickets opened in `period`. One statement."""
    columns = [outcome(ask), Clock.ticket_id, seconds(), type_coerce(Clock.metric, String)]
    query = counted(session, ask, period, *columns, *parts.keys)
    by: dict[Part, dict[str, Sum]] = {}
    known: dict[tuple[Any, ...], Sum] = {}  # by metric and keys
    for row in kept(session, query, ask, period):
        key = row[3:]
        one = known.get(key)
        if one is None:
            metric, *values = key
            of_part = by.setdefault(parts.at(tuple(values)), {})
            one = known[key] = of_part.setdefault(metric, Sum())
        one.add(row[0], row[1], row[2])
    return Sums(period, by, _totals(by))


def kept(session: Session, query: Select[Any], ask: Ask, period: Period) -> Iterator[Any]:
    """The rows of a query of `counted` that fit the slot of the filters as well.

    They come from the connection, since a session's cost twice as much, and in blocks: to keep a
    hundred thousand at once gives the garbage collector more to do than all the rest.
    """
    if ask.filters.slot is None:
        for block in session.connection().execute(query).partitions(BLOCK):
            yield from block
        return
    opened = quarter_of(Ticket.created_at).label("opened")
    fits: dict[int, bool] = {}
    for block in session.connection().execute(query.add_columns(opened)).partitions(BLOCK):
        for row in block:
            if row[-1] not in fits:
                fits[row[-1]] = ask.filters.keeps(quarter_begins(row[-1]), period)
            if fits[row[-1]]:
                yield row[:-1]


def _together(some: Iterable[Sum]) -> Sum:
    found = Sum()
    for one in some:
        found.join(one)
    return found


def _totals(by: Mapping[Part, Mapping[str, Sum]]) -> dict[str, Sum]:
    """The parts of each metric together, and then all metrics."""
    found: dict[str, Sum] = {}
    for some in by.values():
        for metric, one in some.items():
            whole = found.setdefault(metric, Sum())
            whole.join(one)
            whole.seconds += one.seconds
    return found | {ALL: _together(found.values())} if found else found


def counted(session: Session, ask: Ask, period: Period, *columns: Any) -> Select[Any]:
    """Clocks that count: promised by a policy, of tickets that were opened in the period and fit
    the filters and the rights, but for the slot.
    """
    return (
        select(*columns)
        .select_from(Ticket)
        .join(Clock, Clock.ticket_id == Ticket.id)
        .where(
            Ticket.created_at >= period.start,
            Ticket.created_at < period.end,
            Clock.policy_id.is_not(None),
            *conditions(session, ask.filters, ask.scope),
        )
    )


def breached(ask: Ask) -> ColumnElement[bool]:
    """Too late, whether the sweep has noticed it yet or not."""
    has_due = Clock.due_at.is_not(None)  # so that the whole is never NULL
    unnoticed = and_(Clock.stopped_at.is_(None), has_due, Clock.due_at <= ask.at)
    return or_(Clock.breached_at.is_not(None), unnoticed)


def outcome(ask: Ask) -> Any:
    """The Outcome of a clock at the moment of the question."""
    return case(
        (breached(ask), int(Outcome.BREACHED)),
        (Clock.stopped_at.is_not(None), int(Outcome.MET)),
        else_=int(Outcome.RUNNING),
    )


def seconds() -> Any:
    """Business seconds a clock has counted until its end; NULL while it has none."""
    spent = Clock.target_seconds - Clock.remaining_seconds
    return case((Clock.stopped_at.is_not(None), type_coerce(spent, Integer)))
