"""How long tickets lie: the age of what is open, and the time spent in each state and queue."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, func, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.ext import quarter_begins, quarter_of
from helpdesk.lib.errors import _lazy
from helpdesk.reports.filters import conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask
from helpdesk.reports.work.flow import active, counts_all, groups, wanted
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.spells import Spell

OPEN = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
"""The states in which a ticket is active, in the order in which they usually come."""
BANDS: Mapping[str, str] = {
    "4h": _lazy("Less than 4 hours"),
    "1d": _lazy("4 hours to a day"),
    "3d": _lazy("1 to 3 days"),
    "7d": _lazy("3 to 7 days"),
    "older": _lazy("7 days and more"),
}
"""Ages of tickets by the clock on the wall, and their msgids."""
BLOCK = 2_000  # rows that are read at once
_UNDER = (timedelta(hours=4), timedelta(days=1), timedelta(days=3), timedelta(days=7))


@dataclass(frozen=True)
class Stay:
    """How long tickets stayed in a state of a queue. Seconds of the clock on the wall."""

    seconds: Sequence[int]  # of the stays that ended in the period, the shortest first
    running: int = 0  # stays that go on
    since: datetime | None = None  # when the oldest of these began

    @property
    def total(self) -> int:
        return sum(self.seconds)

    def rank(self, share: float) -> int | None:
        """The nearest rank: of n the one at ceil(share × n)."""
        if not self.seconds:
            return None
        return self.seconds[-(-round(len(self.seconds) * share * 100) // 100) - 1]


Stays = Mapping[tuple[int, str], Stay]


@dataclass(frozen=True)
class Present:
    """Active tickets: by age (a key of BANDS), status and whether nobody has them; by assignee; and
    by (queue, status) with the moment when the oldest of them came there."""

    found: Counter[tuple[str, str, bool]]
    by_agent: Counter[int]
    lying: dict[tuple[int, str], tuple[int, datetime]]

    @property
    def total(self) -> int:
        return self.found.total()


def present(session: Session, ask: Ask) -> Present:
    """What is active now. One statement."""
    columns: list[Any] = [
        _band(ask.at),
        type_coerce(Ticket.status, String),
        Ticket.assignee_id,
        Ticket.queue_id,
    ]
    running = and_(Spell.ticket_id == Ticket.id, Spell.to_at.is_(None))
    query = active().join(Spell, running)
    here = Present(Counter(), Counter(), {})
    begun = [func.min(Spell.from_at)]
    for band, status, user_id, queue_id, since, count in groups(
        session, ask, query, columns, begun
    ):
        here.found[tuple(BANDS)[band], status, user_id is None] += count
        if user_id is not None:
            here.by_agent[user_id] += count
        known, oldest = here.lying.get((queue_id, status), (0, since))
        here.lying[queue_id, status] = known + count, min(oldest, since)
    return here


def of_age(band: str, at: datetime) -> ColumnElement[bool]:
    """Whether a ticket is of this age, a key of BANDS."""
    return _band(at) == tuple(BANDS).index(band)


def _band(at: datetime) -> ColumnElement[int]:
    cases = [(Ticket.created_at > at - under, number) for number, under in enumerate(_UNDER)]
    return case(*cases, else_=len(cases))


def stays(session: Session, ask: Ask, here: Present) -> Stays:
    """By (queue, status), of the states in OPEN: those that ended in the period, and those that go
    on. One statement."""
    ended = _ended(session, ask)
    nobody: tuple[int, datetime | None] = (0, None)
    return {
        key: Stay(sorted(ended.get(key, ())), *here.lying.get(key, nobody))
        for key in ended.keys() | here.lying.keys()
    }


def within(period: Period) -> list[ColumnElement[bool]]:
    """Spells that ended in the period, in one of the states in OPEN."""
    return [Spell.to_at >= period.start, Spell.to_at < period.end, Spell.status.in_(OPEN)]


def going_on() -> list[ColumnElement[bool]]:
    """Spells that go on, of active tickets."""
    return [Spell.to_at.is_(None), Ticket.done_at.is_(None)]


def _ended(session: Session, ask: Ask) -> dict[tuple[int, str], list[int]]:
    """Rows instead of sums: databases are slower in finding a median."""
    columns: list[Any] = [Spell.queue_id, type_coerce(Spell.status, String), Spell.seconds]
    slotted = ask.filters.slot is not None
    if slotted:
        columns.append(quarter_of(Ticket.created_at))
    alone = counts_all(ask)
    query = select(*columns).where(*within(ask.period), *wanted(session, ask, alone=alone))
    if not alone:
        query = query.join(Ticket, Ticket.id == Spell.ticket_id)
    found: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for block in session.connection().execute(query).partitions(BLOCK):
        for queue_id, status, seconds, *opened in block:
            if not slotted or ask.filters.keeps(quarter_begins(opened[0]), ask.period):
                found[queue_id, status].append(seconds)
    return found


def stay_ids(
    session: Session, ask: Ask, queue_id: int | None, status: Status | None, *, ended: bool
) -> list[int]:
    """Tickets that stayed in this queue and state, the longest stay first: of those that `ended` in
    the period, else of those that go on. One that stayed there twice stands there twice."""
    query = select(Spell.ticket_id, quarter_of(Ticket.created_at))
    query = query.join(Ticket, Ticket.id == Spell.ticket_id)
    query = query.where(*(within(ask.period) if ended else going_on()))
    query = query.where(*conditions(session, ask.filters, ask.scope))
    if queue_id is not None:
        query = query.where(Spell.queue_id == queue_id)
    if status is not None:
        query = query.where(Spell.status == status)
    longest = Spell.seconds.desc() if ended else Spell.from_at
    return [
        id_
        for id_, opened in session.execute(query.order_by(longest, Spell.id))
        if ask.filters.keeps(quarter_begins(opened), ask.period)
    ]
