"""How tickets flow: what came, was done, came back and was passed on, and what lay there when."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, func, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.ext import QUARTER, quarter_begins, quarter_of
from helpdesk.reports.filters import Filters, conditions
from helpdesk.reports.hours import DAY, hour_at, hour_on_clock
from helpdesk.reports.parts import parts_by
from helpdesk.reports.period import Period, between
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import DONE, Ticket
from helpdesk.tickets.spells import Came, Spell

MOVES: Mapping[str, tuple[Came, ...]] = {
    "opened": (Came.OPENED,),
    "done": (Came.DONE,),
    "reopened": (Came.REOPENED,),
    "transferred": (Came.QUEUE, Came.PASSED),
}
"""What can happen to a ticket that counts as work, and the spells it begins."""
IN_TIME = ("day", "week")
_NAMES = {came.value: name for name, known in MOVES.items() for came in known}
_GROWS = {"opened": 1, "reopened": 1, "done": -1}
_EARLIER, _WITHIN, _LATER = 0, 1, 2

Days = Counter[tuple[str, date]]


@dataclass(frozen=True)
class Flow:
    """`moves`: how often a name of MOVES happened in a part. `left`: tickets of a part that were
    active at its end (of a day or week), else at the end of the period; not of days to come.
    """

    moves: Counter[tuple[str, Hashable]] = field(default_factory=Counter)
    left: Counter[Hashable] = field(default_factory=Counter)
    last: Hashable | None = None  # the day or week at whose end the period's backlog is counted

    def of(self, name: str, part: Hashable) -> int | None:
        """None: that day is still to come."""
        if name == "backlog":
            return self.left.get(part) if self.last is not None else self.left[part]
        return self.moves[name, part]

    def whole(self, name: str) -> int | None:
        if name == "backlog":
            return self.left.get(self.last) if self.last is not None else self.left.total()
        return sum(count for (known, _part), count in self.moves.items() if known == name)

    @property
    def parts(self) -> set[Hashable]:
        return {part for _name, part in self.moves} | set(self.left)


def flow(session: Session, ask: Ask, cut: str, left: int) -> tuple[Flow, Flow]:
    """What happened in the period and in the one before, divided by a cut of `cuts.CUTS`.

    Backlogs are counted back from what is active now, of which there is `left`. One statement by
    day and week, else two and those of `parts_by`.
    Raises HelpdeskError for a cut that isn't there.
    """
    if cut in IN_TIME:
        return _in_time(session, ask, cut, left)
    return _in_parts(session, ask, cut)


def groups(
    session: Session,
    ask: Ask,
    query: Select[Any],
    columns: Sequence[ColumnElement[Any]],
    sums: Sequence[ColumnElement[Any]] = (),
    *,
    alone: bool = False,
) -> Iterator[tuple[Any, ...]]:
    """Rows of a query on Ticket added up by these columns: their values, the sums, how many rows.

    The filters and rights of `ask` are added here; `alone`: it is a query on spells without their
    tickets. One statement.
    """
    slotted = ask.filters.slot is not None
    every = [*columns, *([quarter_of(Ticket.created_at)] if slotted else [])]
    named = [column.label(f"g{number}") for number, column in enumerate(every)]
    counted: Select[Any] = query.with_only_columns(
        *named, *sums, func.count(), maintain_column_froms=True
    )
    counted = counted.where(*wanted(session, ask, alone=alone))
    counted = counted.group_by(*(f"g{number}" for number in range(len(named))))
    for row in session.execute(counted):
        values, rest = list(row[: len(named)]), row[len(named) :]
        if slotted and not ask.filters.keeps(quarter_begins(values.pop()), ask.period):
            continue
        yield *values, *rest


def wanted(session: Session, ask: Ask, *, alone: bool) -> list[ColumnElement[bool]]:
    """The filters and rights of `ask`, as conditions on Ticket; `alone`: on spells without it."""
    if alone:
        gone = select(Ticket.id).where(Ticket.merged_into_id.is_not(None))
        return [Spell.ticket_id.not_in(gone)]
    return conditions(session, ask.filters, ask.scope)


def counts_all(ask: Ask) -> bool:
    """Whether nothing is filtered, so that spells can be read without their tickets: in a big desk
    that is half the time."""
    return ask.scope.everything and ask.filters == Filters()


def moved(names: Sequence[str] = tuple(MOVES), *, alone: bool = False) -> Select[Any]:
    """Spells that began by these moves, with their tickets unless they are read `alone`."""
    came = [one for name in names for one in MOVES[name]]
    query = select(Spell.id).where(Spell.came.in_(came))
    return query if alone else query.join(Ticket, Ticket.id == Spell.ticket_id)


def active() -> Select[Any]:
    """Tickets that somebody still has to work on."""
    return select(Ticket.id).where(Ticket.done_at.is_(None))


def _in_parts(session: Session, ask: Ask, cut: str) -> tuple[Flow, Flow]:
    parts = parts_by(session, [cut], ask.period)
    slot = cut == "slot"
    columns = [quarter_of(Ticket.created_at)] if slot else parts.columns

    def part(values: Sequence[Any]) -> Hashable:
        (found,) = parts.of((values[0] * QUARTER,) if slot else tuple(values))
        return found

    earlier, now = Flow(), Flow()
    for *values, count in groups(session, ask, active(), columns):
        now.left[part(values)] += count
    nets: Counter[Hashable] = Counter()
    for name, when, *values, count in _since(session, ask, columns, about=True):
        one = part(values)
        if when == _LATER:
            now.left[one] -= _GROWS.get(name, 0) * count
            continue
        (now if when == _WITHIN else earlier).moves[name, one] += count
        if when == _WITHIN:
            nets[one] += _GROWS.get(name, 0) * count
    for one in now.left.keys() | nets.keys():
        earlier.left[one] = now.left[one] - nets[one]
    return now, earlier


def _since(
    session: Session, ask: Ask, columns: Sequence[Any], *, about: bool
) -> Iterator[tuple[Any, ...]]:
    """Moves since the period before began: name, when, the columns' values, how many. `about`: the
    columns are of the tickets."""
    period = ask.period
    alone = not about and counts_all(ask)
    query = moved(alone=alone).where(Spell.from_at >= period.before().start)
    when = case(
        (Spell.from_at < period.start, _EARLIER),
        (Spell.from_at < period.end, _WITHIN),
        else_=_LATER,
    )
    came = type_coerce(Spell.came, String)
    for kind, *values in groups(session, ask, query, [came, when, *columns], alone=alone):
        yield _NAMES[kind], *values


def _in_time(session: Session, ask: Ask, cut: str, left: int) -> tuple[Flow, Flow]:
    period = ask.period
    moves: tuple[Days, Days] = Counter(), Counter()
    both = between(period.before().start, period.end, period.zone)
    number = hour_on_clock(Spell.from_at, both) // DAY
    for name, when, days, count in _since(session, ask, [number], about=False):
        if when == _LATER:
            left -= _GROWS.get(name, 0) * count
        else:
            moves[when][name, hour_at(days * DAY, period.zone).date()] += count
    today = period.local(ask.at).date()
    now = _of_days(period, cut, moves[_WITHIN], left, today)
    left -= sum(_GROWS.get(name, 0) * count for (name, _day), count in moves[_WITHIN].items())
    return now, _of_days(period.before(), cut, moves[_EARLIER], left, today)


def _of_days(period: Period, cut: str, moves: Days, left: int, today: date) -> Flow:
    """`left`: how many were active at the end of the period, or are now if that is to come."""
    found = Flow(last=_part(cut, min(period.last, today)))
    for (name, day), count in moves.items():
        found.moves[name, _part(cut, day)] += count
    for day in reversed(period.days):
        if day <= today:
            found.left.setdefault(_part(cut, day), left)  # of a week its last day's
        left -= sum(way * moves[name, day] for name, way in _GROWS.items())
    return found


def _part(cut: str, day: date) -> date:
    return day - timedelta(days=day.weekday()) if cut == "week" else day


def moved_ids(session: Session, ask: Ask, name: str) -> list[int]:
    """Tickets to which it happened in the period, the latest first; one to which it happened twice
    stands there twice. One statement."""
    period = ask.period
    query = moved([name]).where(Spell.from_at >= period.start, Spell.from_at < period.end)
    return _ids(
        session, ask, query.order_by(Spell.from_at.desc(), Spell.id.desc()), Spell.ticket_id
    )


def left_ids(session: Session, ask: Ask) -> list[int]:
    """Tickets that were active at the end of the period, the oldest first. At most 2 statements."""
    if ask.period.end > ask.at:
        return active_ids(session, ask)
    end = ask.period.end
    spells = select(Spell.id).join(Ticket, Ticket.id == Spell.ticket_id)
    spells = spells.where(Spell.from_at < end, Spell.status.not_in(DONE))
    running = spells.where(Spell.to_at.is_(None), Ticket.done_at.is_(None))
    ended = spells.where(Spell.to_at >= end)
    return sorted(
        id_ for query in (running, ended) for id_ in _ids(session, ask, query, Spell.ticket_id)
    )


def active_ids(session: Session, ask: Ask, *where: ColumnElement[bool]) -> list[int]:
    """Tickets that are active now, the oldest first. One statement."""
    query = active().where(*where).order_by(Ticket.created_at, Ticket.id)
    return _ids(session, ask, query, Ticket.id)


def _ids(session: Session, ask: Ask, query: Select[Any], key: Any) -> list[int]:
    query = query.where(*conditions(session, ask.filters, ask.scope))
    if ask.filters.slot is None:
        found: Select[Any] = query.with_only_columns(key, maintain_column_froms=True)
        return list(session.scalars(found))
    found = query.with_only_columns(key, quarter_of(Ticket.created_at), maintain_column_froms=True)
    return [
        id_
        for id_, opened in session.execute(found)
        if ask.filters.keeps(quarter_begins(opened), ask.period)
    ]
