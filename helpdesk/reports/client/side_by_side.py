"""What tells two clients apart, for those who judge whether they are one."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.tickets.models import Ticket

POINTS = 6  # of one client that are shown
MOST = 1000


@dataclass
class Side:
    """People and addresses of one client, and when a ticket of theirs was written to last."""

    people: list[str] = field(default_factory=list)
    points: list[tuple[ContactKind, str]] = field(default_factory=list)
    more: bool = False  # not all addresses are here
    last_at: datetime | None = None


def sides(session: Session, client_ids: Collection[int]) -> dict[int, Side]:
    """The sides of these clients. Two statements."""
    found = {id_: Side() for id_ in client_ids}
    if not found:
        return found
    for client_id, name, kind, value in session.execute(_points(found)):
        side = found[client_id]
        if name not in side.people:
            side.people.append(name)
        if kind is None or (kind, value) in side.points:
            continue
        if len(side.points) == POINTS:
            side.more = True
        else:
            side.points.append((kind, value))
    last = (
        select(Ticket.last_message_at)
        .where(Ticket.client_id == Client.id)
        .order_by(Ticket.last_message_at.desc())
        .limit(1)
        .correlate(Client)
        .scalar_subquery()
    )
    for client_id, at in session.execute(select(Client.id, last).where(Client.id.in_(found))):
        found[client_id].last_at = at
    return found


def _points(client_ids: Collection[int]) -> Select[Any]:
    here = ContactPoint.removed_at.is_(None)
    query = select(Person.client_id, Person.name, ContactPoint.kind, ContactPoint.value)
    query = query.outerjoin(ContactPoint, (ContactPoint.person_id == Person.id) & here)
    query = query.where(Person.client_id.in_(client_ids), Person.removed_at.is_(None))
    query = query.order_by(Person.client_id, Person.id, ContactPoint.id).limit(MOST)
    return cast(Select[Any], query)
