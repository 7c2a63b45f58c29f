"""What clients were promised: the deadline of the response that runs, for many tickets at once."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from helpdesk.tickets.models import Calendar, Clock, ClockState, Policy
from helpdesk.tickets.sla import RESPONSES

_CLOCK, _POLICY, _CALENDAR = (cast(Table, m.__table__) for m in (Clock, Policy, Calendar))
# Made once: building a statement costs more than running it.
_RUNNING = (
    select(_CLOCK.c.ticket_id, _CLOCK.c.due_at, _CALENDAR.c.timezone)
    .select_from(
        _CLOCK.outerjoin(_POLICY, _POLICY.c.id == _CLOCK.c.policy_id).outerjoin(
            _CALENDAR, _CALENDAR.c.id == _POLICY.c.calendar_id
        )
    )
    .where(
        _CLOCK.c.ticket_id.in_(bindparam("ids", expanding=True)),
        _CLOCK.c.stopped_at.is_(None),
        _CLOCK.c.state == ClockState.RUNNING,
        _CLOCK.c.metric.in_(RESPONSES),
    )
    .order_by(_CLOCK.c.id.desc())
)


class Promised(NamedTuple):
    """By when an answer was promised, UTC, and the zone of the calendar that counts, if any."""

    due: datetime
    timezone: str | None


def promised_on(session: Session, ticket_ids: Collection[int]) -> dict[int, Promised]:
    """The promise of each of these tickets that has one; one statement for all."""
    rows = session.execute(_RUNNING, {"ids": list(ticket_ids)})
    return {ticket_id: Promised(due, zone) for ticket_id, due, zone in rows if due is not None}
