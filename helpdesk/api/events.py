"""The Event log with the one who did it, to be followed by programs."""

from typing import Any

from pydantic import MISSING
from sqlalchemy import or_, select

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Viewer, can
from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.shapes.log import ActorOut, EventList, EventOut, EventQuery
from helpdesk.clients.models import Person
from helpdesk.events import Event
from helpdesk.tickets.models import Ticket


@operation(
    "GET",
    "/events",
    permission="event.read",
    query=EventQuery,
    answer=EventList,
    tag="events",
)
def list_events(call: Call[EventQuery, None]) -> EventList:
    """List events, oldest first; `after` the last one you know.

    Agents see what concerns tickets they may see and clients; the rest is for supervisors.
    """
    query = call.query
    known = query.after if query.after is not MISSING else 0
    after = max(known, id_of(query.cursor, 0))
    rows = (
        select(Event, User.name, Person.name)
        .outerjoin(User, User.id == Event.user_id)
        .outerjoin(Person, Person.id == Event.person_id)
        .where(Event.id > after, *_open_to(call.viewer))
        .order_by(Event.id)
        .limit(query.limit + 1)
    )
    page, last = cut(call.session.execute(rows).all(), query.limit)
    return EventList(
        items=[_shape(event, user or person) for event, user, person in page],
        next_cursor=id_cursor(last[0].id if last else None),
    )


def _open_to(viewer: Viewer) -> list[Any]:
    found: list[Any] = []
    if not can(viewer, "supervisor.use"):
        found.append(or_(Event.ticket_id.is_not(None), Event.client_id.is_not(None)))
    if viewer.queue_ids is not None:
        mine = select(Ticket.id).where(
            Ticket.id == Event.ticket_id, Ticket.queue_id.in_(viewer.queue_ids)
        )
        found.append(or_(Event.ticket_id.is_(None), mine.exists()))
    return found


def _shape(event: Event, name: str | None) -> EventOut:
    actor = ActorOut(kind="system", id=None, name=None)
    if event.user_id is not None:
        actor = ActorOut(kind="user", id=event.user_id, name=name)
    elif event.person_id is not None:
        actor = ActorOut(kind="person", id=event.person_id, name=name)
    return EventOut(
        id=event.id,
        at=event.at,
        kind=event.kind,
        actor=actor,
        ticket_id=event.ticket_id,
        client_id=event.client_id,
        data=event.data,
    )
