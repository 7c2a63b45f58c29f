"""The lines of a list behind a number: tickets, promises, calls, ratings, tasks and searches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Row, select
from sqlalchemy.orm import Session, joinedload

from helpdesk.calls.queries import CallRow, calls_of
from helpdesk.clients.models import Person
from helpdesk.lib import worktime
from helpdesk.planner.models import Task
from helpdesk.reports.knowledge.rows import Thing, things
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Clock, Ticket
from helpdesk.tickets.promises import Promise, promises
from helpdesk.web.supervisor import wording

Lines = Callable[[Session, Sequence[int], datetime], Sequence[Any]]

_SHOWN = (
    Ticket.id.label("ticket_id"),
    Ticket.subject,
    Ticket.status,
    Ticket.priority,
    Ticket.channel,
    Ticket.created_at,
    Ticket.queue_id,
    Ticket.assignee_id,
    Person.name.label("person"),
)


@dataclass(frozen=True)
class PromiseLine:
    """A promise: `ticket` has the columns of a ticket's line. `tone`: bad, good or None."""

    ticket: Row[Any]
    metric: str
    policy: str
    outcome: str
    detail: str
    tone: str | None
    due_at: datetime | None


def tickets(session: Session, ids: Sequence[int], at: datetime) -> list[Row[Any]]:
    """Rows of `_SHOWN`."""
    query = select(*_SHOWN).join(Person, Person.id == Ticket.person_id)
    return _in_order(session.execute(query.where(Ticket.id.in_(ids))), ids, "ticket_id")


def clocks(session: Session, ids: Sequence[int], at: datetime) -> list[PromiseLine]:
    columns = (
        Clock.id,
        Clock.metric,
        Clock.policy_id,
        Clock.target_seconds,
        Clock.remaining_seconds,
        Clock.agreed_at,
        Clock.due_at,
        Clock.breached_at,
        Clock.stopped_at,
    )
    query = select(*columns, *_SHOWN).join(Ticket, Ticket.id == Clock.ticket_id)
    query = query.join(Person, Person.id == Ticket.person_id).where(Clock.id.in_(ids))
    known = promises(session).by_id
    rows = _in_order(session.execute(query), ids, "id")
    return [_promise(row, known.get(row.policy_id or 0), at) for row in rows]


def calls(session: Session, ids: Sequence[int], at: datetime) -> list[CallRow]:
    return calls_of(session, ids)


def ratings(session: Session, ids: Sequence[int], at: datetime) -> list[Row[Any]]:
    """Rows of `_SHOWN` with the score, the comment, who had answered and when it was given."""
    columns = (Rating.id, Rating.score, Rating.comment, Rating.user_id, Rating.at)
    query = select(*columns, *_SHOWN).join(Ticket, Ticket.id == Rating.ticket_id)
    query = query.join(Person, Person.id == Ticket.person_id).where(Rating.id.in_(ids))
    return _in_order(session.execute(query), ids, "id")


def tasks(session: Session, ids: Sequence[int], at: datetime) -> list[Task]:
    query = select(Task).options(joinedload(Task.client), joinedload(Task.person))
    return _in_order(session.scalars(query.where(Task.id.in_(ids))), ids, "id")


def _of_knowledge(kind: str) -> Lines:
    def read(session: Session, ids: Sequence[int], at: datetime) -> list[Thing]:
        return things(session, kind, ids, wording.language())

    return read


LINES: Mapping[str, Lines] = {
    "ticket": tickets,
    "clock": clocks,
    "call": calls,
    "rating": ratings,
    "task": tasks,
    **{kind: _of_knowledge(kind) for kind in ("search", "reading", "feedback")},
}
"""What reads the lines of each kind of `Behind`, in the order of the ids."""


def how_many(kind: str, number: int) -> str:
    """The number with what it counts."""
    texts: Mapping[str, Callable[[], str]] = {
        "ticket": lambda: ngettext("%(num)s ticket", "%(num)s tickets", number),
        "clock": lambda: ngettext("%(num)s promise", "%(num)s promises", number),
        "call": lambda: ngettext("%(num)s call", "%(num)s calls", number),
        "rating": lambda: ngettext("%(num)s rating", "%(num)s ratings", number),
        "task": lambda: ngettext("%(num)s planned contact", "%(num)s planned contacts", number),
        "search": lambda: ngettext("%(num)s search", "%(num)s searches", number),
        "reading": lambda: ngettext("%(num)s reading", "%(num)s readings", number),
        "feedback": lambda: ngettext("%(num)s answer", "%(num)s answers", number),
    }
    return str(texts[kind]())


def _in_order(rows: Any, ids: Sequence[int], key: str) -> list[Any]:
    found = {getattr(row, key): row for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def _promise(row: Row[Any], promise: Promise | None, at: datetime) -> PromiseLine:
    outcome, detail, tone = _became(row, promise, at)
    name = promise.name if promise else ""
    return PromiseLine(row, row.metric.value, name, outcome, detail, tone, row.due_at)


def _became(row: Row[Any], promise: Promise | None, at: datetime) -> tuple[str, str, str | None]:
    """The outcome in words, how long it took or by how much it is late, and its tone."""
    target = wording.length(row.target_seconds)
    over = row.stopped_at is not None
    if row.breached_at is None and not (not over and row.due_at and row.due_at <= at):
        if not over:
            return str(_("Still running")), str(_("target %(length)s", length=target)), None
        took = wording.length(row.target_seconds - (row.remaining_seconds or 0))
        text = _("%(length)s of %(target)s", length=took, target=target)
        return str(_("SLA met")), str(text), "good"
    late = wording.length(_late(row, promise, at))
    return str(_("SLA breached")), str(_("late by %(length)s", length=late)), "bad"


def _late(row: Row[Any], promise: Promise | None, at: datetime) -> int:
    """Business seconds beyond the deadline; of a clock that runs, until now."""
    if row.remaining_seconds is not None:
        return max(0, -int(row.remaining_seconds))
    if row.due_at is None or row.due_at > at:
        return 0
    calendar = promise.calendar if promise and row.agreed_at is None else None
    return worktime.elapsed(calendar, row.due_at, at)
