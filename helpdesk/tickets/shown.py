"""What a ticket shows of its unfinished clocks, so that lists need not read them."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from helpdesk.tickets import clocks
from helpdesk.tickets.models import Clock, Ticket

_TICKETS = cast(Table, Ticket.__table__)
# Made once; the values are parameters.
_SHOW = update(_TICKETS).where(_TICKETS.c.id == bindparam("ticket_id"))


def summary(live: Iterable[Clock]) -> dict[str, Any]:
    """What a ticket shows of its unfinished clocks: `next_due_at`, `next_metric`, `sla`."""
    mine = [one for one in live if one.stopped_at is None and one.policy_id is not None]
    due = min(((one.due_at, one.metric) for one in mine if one.due_at), default=(None, None))
    sla = None
    if any(one.breached_at is not None for one in mine):
        sla = "breached"
    elif any(clocks.at_risk(one) for one in mine):
        sla = "risk"
    return {"next_due_at": due[0], "next_metric": due[1], "sla": sla}


def show(session: Session, ticket_id: int, live: Iterable[Clock]) -> None:
    """Write onto the ticket what lists show of its clocks."""
    write_shown(session, {ticket_id: summary(live)})


def show_all(session: Session, ticket_ids: set[int]) -> None:
    """The same for many tickets, read and written at once; the session must be flushed."""
    if not ticket_ids:
        return
    live: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in ticket_ids}
    for clock in session.scalars(
        select(Clock).where(Clock.ticket_id.in_(ticket_ids), Clock.stopped_at.is_(None))
    ):
        live[clock.ticket_id].append(clock)
    write_shown(session, {ticket_id: summary(mine) for ticket_id, mine in live.items()})


def write_shown(session: Session, shown: Mapping[int, Mapping[str, Any]]) -> None:
    """Write summaries onto their tickets, and onto those of the session without a reload."""
    session.execute(_SHOW, [{"ticket_id": id_, **values} for id_, values in shown.items()])
    for ticket_id, values in shown.items():
        ticket = session.identity_map.get(identity_key(Ticket, ticket_id))
        for key, value in values.items() if ticket is not None else ():
            set_committed_value(ticket, key, value)
