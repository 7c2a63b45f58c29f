"""Reads of clients that pages, the card and the API share."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.models import ContactPoint, Person

MOST = 200  # contact points of one client that a page shows

People = list[tuple[Person, list[ContactPoint]]]


def people_of(session: Session, client_id: int) -> People:
    """The people of a client, the oldest first, each with their contact points: those to use first
    come first, bad ones last. One statement.
    """
    here = ContactPoint.removed_at.is_(None)
    query = (
        select(Person, ContactPoint)
        .outerjoin(ContactPoint, (ContactPoint.person_id == Person.id) & here)
        .where(Person.client_id == client_id, Person.removed_at.is_(None))
        .order_by(Person.id, ContactPoint.bad, ContactPoint.preferred.desc(), ContactPoint.id)
        .limit(MOST)
    )
    found: dict[int, tuple[Person, list[ContactPoint]]] = {}
    for person, point in session.execute(query):
        _known, points = found.setdefault(person.id, (person, []))
        if point is not None:
            points.append(point)
    return list(found.values())
