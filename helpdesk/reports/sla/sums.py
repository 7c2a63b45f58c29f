"""Clocks of the SLA report, counted: which count, what became of them, how long they ran."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
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


@dataclass
class Sum:
    """Promises of one part and metric; seconds are business seconds of those that have ended."""

    tickets: set[int] = field(default_factory=set)
    elsewhere: int = 0  # tickets that are told in other sums, of which this one is the total
    running: int = 0
    met: int = 0
    breached: int = 0
    seconds: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.tickets) + self.elsewhere

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

    @cached_property
    def _ordered(self) -> list[int]:
        return sorted(self.seconds)

    def _rank(self, times: int, of: int) -> int | None:
        """The nearest rank: of n numbers the one at place ceil(n × times / of)."""
        found = self._ordered
        return found[-(-len(found) * times // of) - 1] if found else None

    def add(self, outcome: int, ticket_id: int, seconds: int | None) -> None:
        self.tickets.add(ticket_id)
        if outcome == _MET:
            self.met += 1
        elif outcome == _BREACHED:
            self.breached += 1
        else:
            self.running += 1
        if seconds is not None:
            self.seconds.append(seconds)


@dataclass(frozen=True)
class Sums:
    """By part and metric, ALL among the metrics."""

    period: Period
    by: Mapping[tuple[tuple[Hashable, ...], str], Sum]
    totals: Mapping[str, Sum]

    @property
    def metrics(self) -> frozenset[str]:
        return frozenset(self.totals) - {ALL}

    def of(self, part: tuple[Hashable, ...], metric: str) -> Sum:
        return self.by.get((part, metric)) or Sum()

    def whole(self, metric: str) -> Sum:
        return self.totals.get(metric) or Sum()


def sums(session: Session, ask: Ask, period: Period, parts: Parts) -> Sums:
    """Count the promises of the tickets opened in `period`. One statement."""
    columns = [outcome(ask), Clock.ticket_id, seconds(), type_coerce(Clock.metric, String)]
    query = counted(session, ask, period, *columns, *parts.keys)
    by: dict[tuple[tuple[Hashable, ...], str], Sum] = {}
    known: dict[tuple[Any, ...], Sum] = {}  # by metric and keys
    for row in kept(session, query, ask, period):
        one = known.get(row[3:])
        if one is None:
            metric, *values = row[3:]
            one = by.setdefault((parts.at(tuple(values)), metric), Sum())
            known[row[3:]] = one
        one.add(row[0], row[1], row[2])
    return _with_totals(period, by)


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


def _with_totals(period: Period, by: dict[tuple[tuple[Hashable, ...], str], Sum]) -> Sums:
    """Add up the metrics of each part, and the parts of each metric."""
    joined: dict[tuple[tuple[Hashable, ...], str], Sum] = {}
    for (part, _metric), one in by.items():
        whole = joined.setdefault((part, ALL), Sum())
        whole.tickets |= one.tickets  # one ticket may have promises of several metrics
        _count(whole, one)
    totals: dict[str, Sum] = {}
    for (_part, metric), one in (by | joined).items():
        whole = totals.setdefault(metric, Sum())
        whole.elsewhere += one.count  # but it is in one part only
        whole.seconds += one.seconds
        _count(whole, one)
    return Sums(period, by | joined, totals)


def _count(into: Sum, one: Sum) -> None:
    into.running += one.running
    into.met += one.met
    into.breached += one.breached


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
