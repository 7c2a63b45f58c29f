"""A sender who floods gets no more tickets: what follows joins the newest one (T37)."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from helpdesk.tickets.models import Status, Ticket

PER_HOUR = 60
HOUR = timedelta(hours=1)

_TICKET = cast(Table, Ticket.__table__).c
# Made once: building a statement costs more than running it.
_NEWEST = (
    select(_TICKET.id, _TICKET.status, _TICKET.created_at)
    .where(_TICKET.person_id == bindparam("person_id"), _TICKET.queue_id == bindparam("queue_id"))
    .order_by(_TICKET.id.desc())
    .limit(PER_HOUR)
)


def digest(session: Session, person_id: int, queue_id: int, at: datetime) -> int | None:
    """The ticket that gathers this person's emails, if they opened PER_HOUR in the last hour.

    None as a rule, and where that ticket is closed: closed is final.
    """
    newest = session.execute(_NEWEST, {"person_id": person_id, "queue_id": queue_id}).all()
    if len(newest) < PER_HOUR or newest[-1].created_at <= at - HOUR:
        return None
    return None if newest[0].status == Status.CLOSED else newest[0].id
