"""Whose address or number this is, where it belongs to several people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.match import Known, contact_key
from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.tickets.models import NUMBER_OFFSET, Ticket

MOST = 20


class Candidate(NamedTuple):
    """A person behind an address or number, with their newest ticket if there is one."""

    person_id: int
    name: str
    client_id: int
    client_name: str
    ticket: int | None  # its number
    last_message_at: datetime | None


def candidates(
    session: Session,
    *,
    email: str | None = None,
    number: str | None = None,
    country: str = "UA",
    limit: int = MOST,
) -> list[Candidate]:
    """All people with this address or number in any spelling; who was in touch last comes first.

    Empty for what cannot be read. One statement.
    """
    found = contact_key(email, number, country)
    if found is None:
        return []
    return [
        Candidate(
            person_id=person.id,
            name=person.name,
            client_id=client.id,
            client_name=client.name,
            ticket=ticket_id + NUMBER_OFFSET if ticket_id else None,
            last_message_at=at,
        )
        for person, client, _point, ticket_id, at in _by_key(session, *found, limit)
    ]


def sharing(session: Session, who: Known) -> list[Known]:
    """All who have the address or number of `who`; who was in touch last comes first.

    Only `who`, without a statement, where nobody shares it.
    """
    if not who.shared or who.contact_point_id is None:
        return [who]
    mine = session.get_one(ContactPoint, who.contact_point_id)
    return [
        Known(
            client.id,
            person.id,
            point.id,
            person.language or client.language,
            bad=point.bad,
            tags=tuple(client.tags),
            shared=True,
        )
        for person, client, point, _ticket, _at in _by_key(session, mine.kind, mine.key, MOST)
    ]


def _by_key(session: Session, kind: ContactKind, key: str, limit: int) -> Sequence[Any]:
    newest = (
        select(Ticket.id)
        .where(Ticket.person_id == Person.id)
        .order_by(Ticket.id.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    query = (
        select(Person, Client, ContactPoint, Ticket.id, Ticket.last_message_at)
        .select_from(ContactPoint)
        .join(Person, Person.id == ContactPoint.person_id)
        .join(Client, Client.id == Person.client_id)
        .outerjoin(Ticket, Ticket.id == newest)
        .where(ContactPoint.kind == kind, ContactPoint.key == key)
        .order_by(Ticket.last_message_at.desc().nulls_last(), ContactPoint.id)
        .limit(limit)
    )
    return session.execute(query).all()
