"""How long clients who write or phone wait at present, told honestly: who still waits counts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.calls import waits
from helpdesk.lib import worktime
from helpdesk.tickets.models import Channel, Clock, Metric, Ticket
from helpdesk.tickets.promises import promises

DAYS = timedelta(days=7)
LOOKED_AT = 3_000
"""Clocks that are looked at, newest first, so that the cost doesn't grow with their number."""
FEWEST = 5
"""Of fewer answers nothing is said."""


class Wait(NamedTuple):
    """Business seconds somebody has waited; `over`: until the answer, else until now."""

    seconds: int
    over: bool


def first_response(session: Session, queue_id: int, at: datetime) -> int | None:
    """The median wait for the first response to emails and forms of the last days, in business
    seconds; None where too few were answered to tell. One statement.
    """
    floor = (session.scalar(select(func.max(Clock.id))) or 0) - LOOKED_AT
    rows = session.execute(
        select(
            Clock.policy_id,
            Clock.started_at,
            Clock.stopped_at,
            Clock.target_seconds,
            Clock.remaining_seconds,
        )
        .join(Ticket, Ticket.id == Clock.ticket_id)
        .where(Clock.id > floor, Clock.metric == Metric.FIRST_RESPONSE)
        .where(Clock.started_at > at - DAYS, Ticket.queue_id == queue_id)
        .where(Ticket.channel.in_((Channel.EMAIL, Channel.WEB)))
    ).all()
    known = promises(session).by_id
    found = []
    for policy_id, started, stopped, target, remaining in rows:
        if remaining is not None:
            found.append(Wait(max(0, target - remaining), stopped is not None))
            continue
        promise = known.get(policy_id or 0)
        calendar = promise.calendar if promise else None
        found.append(Wait(worktime.elapsed(calendar, started, max(started, at)), False))
    return median(found)


def phone(session: Session, queue_id: int, at: datetime) -> tuple[int, int] | None:
    """Between which minutes somebody would wait who phoned now; (0, 0): they would be answered at
    once. None where nobody is on duty, or too little is known to tell. Three statements.
    """
    found = waits.present(session, queue_id, at)
    if found.seconds is None or found.low is None or found.high is None:
        return None
    return (found.low, found.high) if found.seconds else (0, 0)


def median(waits: Iterable[Wait]) -> int | None:
    """The time by which half of them have their answer (Kaplan and Meier, 1958): who still waits
    counts for as long as is known. None for too few, or if half are not answered yet.
    """
    ordered = sorted(waits)
    if sum(wait.over for wait in ordered) < FEWEST:
        return None
    left = 1.0
    for place, wait in enumerate(ordered):
        if wait.over:
            left *= 1 - 1 / (len(ordered) - place)
        if left <= 0.5:
            return wait.seconds
    return None
