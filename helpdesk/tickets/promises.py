"""Policies and calendars as the clocks read them: loaded once a transaction, chosen in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from helpdesk.ext import lock
from helpdesk.lib import worktime
from helpdesk.tickets.models import Calendar, Metric, Policy, PolicyStep, Priority

_CACHE = "tickets.promises"


@dataclass(frozen=True)
class Promise:
    """One policy with its calendar; `targets` are business seconds, 100 percent never warns."""

    id: int
    name: str
    queue_id: int | None
    priority: Priority | None
    client_tag: str | None
    targets: Mapping[str, int]
    warn_percent: int
    pause_on_hold: bool
    active: bool
    generation: int
    calendar_name: str | None
    calendar: worktime.Calendar | None  # None: 24 × 7

    def fits(self, queue_id: int, priority: Priority, client_tags: Sequence[str]) -> bool:
        return (
            self.active
            and self.queue_id in (None, queue_id)
            and self.priority in (None, priority)
            and (self.client_tag is None or self.client_tag in client_tags)
        )

    @cached_property
    def rank(self) -> tuple[int, int, int]:
        """Compares how particular it is: number of conditions, which ones, age."""
        conditions = [
            self.queue_id is not None,
            self.client_tag is not None,
            self.priority is not None,
        ]
        weight = sum(bit << n for n, bit in enumerate(reversed(conditions)))
        return sum(conditions), weight, -self.id


class Step(NamedTuple):
    """A step of escalation as the clocks need it; `after_seconds` are business seconds."""

    id: int
    metric: Metric | None
    after_seconds: int


@dataclass(frozen=True)
class Promises:
    """All policies, with the switched-off ones that old clocks may still run by."""

    by_id: Mapping[int, Promise]
    steps: Mapping[int, Sequence[Step]]
    begun: dict[tuple[int, datetime], Any] = field(default_factory=dict, compare=False)
    """What `sla.opened` began by a policy (its id) in one second: others begin in the same way."""

    @cached_property
    def generation(self) -> int:
        """The newest one; a clock without a policy must have been counted by it."""
        return max((one.generation for one in self.by_id.values()), default=0)

    def pick(self, queue_id: int, priority: Priority, client_tags: Sequence[str]) -> Promise | None:
        fitting = (one for one in self.by_id.values() if one.fits(queue_id, priority, client_tags))
        return max(fitting, key=lambda one: one.rank, default=None)


def promises(session: Session) -> Promises:
    """All policies as they are in this transaction; two queries the first time, then none."""
    transaction = session.get_transaction() or session.begin()
    cached = session.info.get(_CACHE)
    if cached is None or cached[0] is not transaction:
        cached = session.info[_CACHE] = (transaction, _load(session))
    found: Promises = cached[1]
    return found


def forget(session: Session) -> None:
    """Read the policies again: a verb changed them in this transaction."""
    session.info.pop(_CACHE, None)


def pick(
    session: Session, queue_id: int, priority: Priority, client_tags: Sequence[str]
) -> Promise | None:
    """The most particular active policy whose conditions all hold, or None.

    More conditions win; among equals the queue weighs most, then the client's tag, then the
    priority; then the oldest policy wins.
    """
    return promises(session).pick(queue_id, priority, client_tags)


def promise_by_id(session: Session, policy_id: int) -> Promise:
    """The policy that a clock counts by."""
    found = promises(session).by_id.get(policy_id)
    if found is None:  # another worker counted the clock by a policy made in the meantime
        forget(session)
        found = promises(session).by_id[policy_id]
    return found


def steps_of(session: Session, promise: Promise, metric: Metric) -> list[Step]:
    """The steps of a policy for this metric in their order; none of a switched-off one."""
    steps = promises(session).steps.get(promise.id, ()) if promise.active else ()
    return [step for step in steps if step.metric in (None, metric)]


def ask_recount(session: Session, *which: ColumnElement[bool]) -> None:
    """Let `sla.recount_due` count the unfinished clocks of these policies again (of all, if none).

    Costs one statement however many clocks there are. A transaction that still counts by the
    old state leaves the old generation on its clocks, so they are found as well.
    """
    lock(session, "policies")  # two at once would choose the same generation
    newest = session.scalar(select(func.max(Policy.generation))) or 0
    session.execute(update(Policy).where(*which).values(generation=newest + 1))
    forget(session)


def worktime_of(calendar: Calendar | None) -> worktime.Calendar | None:
    """The calendar to count with; None stands for every second of 24 × 7."""
    if calendar is None:
        return None
    parts = calendar.weekly, calendar.holidays, calendar.special
    return _compiled(calendar.name, calendar.timezone, *parts)


def _load(session: Session) -> Promises:
    rows = session.execute(
        select(
            Policy.id,
            Policy.name,
            Policy.queue_id,
            Policy.priority,
            Policy.client_tag,
            Policy.targets,
            Policy.warn_percent,
            Policy.pause_on_hold,
            Policy.active,
            Policy.generation,
            Policy.calendar_id,
            Calendar.name,
            Calendar.timezone,
            Calendar.weekly,
            Calendar.holidays,
            Calendar.special,
        )
        .outerjoin(Calendar, Calendar.id == Policy.calendar_id)
        .order_by(Policy.id)
    )
    found = {}
    for row in rows:
        calendar_id, name, *content = list(row)[10:]
        calendar = None if calendar_id is None else _compiled(name, *content)
        fields: list[Any] = [*row[:10], name, calendar]
        found[row.id] = Promise(*fields)
    steps: dict[int, list[Step]] = {}
    query = select(
        PolicyStep.policy_id, PolicyStep.id, PolicyStep.metric, PolicyStep.after_seconds
    ).order_by(PolicyStep.after_seconds, PolicyStep.id)
    for policy_id, id_, metric, after in session.execute(query) if found else ():
        steps.setdefault(policy_id, []).append(Step(id_, metric, after))
    return Promises(found, steps)


def _compiled(
    name: str, timezone: str, weekly: Any, holidays: Any, special: Any
) -> worktime.Calendar:
    return _from_json(name, timezone, json.dumps([weekly, holidays, special]))


@lru_cache(maxsize=256)
def _from_json(name: str, timezone: str, content: str) -> worktime.Calendar:
    # Keyed by the content, not by (id, version): one process may see several databases.
    return worktime.Calendar.from_data(name, timezone, *json.loads(content))
