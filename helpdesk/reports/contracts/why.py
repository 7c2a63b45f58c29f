"""Why a promise was broken, as far as the spells of its ticket tell."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.lib.errors import _lazy
from helpdesk.tickets.models import Metric
from helpdesk.tickets.spells import Came, Spell

CHUNK = 500


class Why(StrEnum):
    """What was so at the deadline, the most telling first."""

    CALL = "call"
    CALLBACK = "callback"
    UNOWNED = "unowned"
    MOVED = "moved"
    PASSED = "passed"
    LATE = "late"


WORDS = {
    Why.CALL: _lazy("Nobody answered the caller in time"),
    Why.CALLBACK: _lazy("Nobody called back in time"),
    Why.UNOWNED: _lazy("Nobody had the ticket when it was due"),
    Why.MOVED: _lazy("It came from another queue before it was due"),
    Why.PASSED: _lazy("It went from one agent to another before it was due"),
    Why.LATE: _lazy("An agent had it and it was not done in time"),
}
"""Sentences, as msgids."""

_CALLS = {Metric.SPEED_OF_ANSWER: Why.CALL, Metric.CALLBACK: Why.CALLBACK}


def whys(session: Session, clocks: Sequence[Any]) -> dict[int, Why]:
    """Why each of these broken clocks (with id, ticket_id, metric, started_at, due_at) was."""
    wanted = sorted({clock.ticket_id for clock in clocks if clock.metric not in _CALLS})
    spells = {
        ticket_id: list(group)
        for start in range(0, len(wanted), CHUNK)
        for ticket_id, group in groupby(
            session.execute(_spells(wanted[start : start + CHUNK])), lambda row: row.ticket_id
        )
    }
    return {clock.id: _why(clock, spells.get(clock.ticket_id, ())) for clock in clocks}


def _spells(ticket_ids: Iterable[int]) -> Any:
    columns = Spell.ticket_id, Spell.assignee_id, Spell.came, Spell.from_at, Spell.to_at
    query = select(*columns).where(Spell.ticket_id.in_(list(ticket_ids)))
    return query.order_by(Spell.ticket_id, Spell.id)


def _why(clock: Any, spells: Sequence[Any]) -> Why:
    if clock.metric in _CALLS:
        return _CALLS[clock.metric]
    if clock.due_at is None:
        return Why.LATE
    due = [one for one in spells if one.from_at <= clock.due_at]
    if due and due[-1].assignee_id is None:
        return Why.UNOWNED
    came = {one.came for one in due if one.from_at > clock.started_at}
    if Came.QUEUE in came:
        return Why.MOVED
    return Why.PASSED if Came.PASSED in came else Why.LATE
