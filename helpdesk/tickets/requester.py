"""Whose ticket this is: giving it to another person with the same address or number."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.clients.models import ContactKind, ContactPoint, Person
from helpdesk.events import Actor, Event, record
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.tickets import sla
from helpdesk.tickets.models import Message, Ticket


def change_requester(
    session: Session, ticket: Ticket, person: Person, *, actor: Actor, at: datetime
) -> None:
    """Give the ticket, and what its person wrote in it, to the right one of several people.

    The history of the ticket moves to that client's timeline, answers go to that person's own
    address. Raises HelpdeskError for a person who was removed or erased.
    """
    if person.removed_at is not None or person.erased_at is not None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="person")
    old = ticket.person_id
    if old == person.id:
        return
    here = Message.ticket_id == ticket.id
    session.execute(
        update(Message).where(here, Message.person_id == old).values(person_id=person.id)
    )
    ticket.contact_point_id = _same_point(session, ticket.contact_point_id, person)
    moved = ticket.client_id != person.client_id
    ticket.person_id, ticket.client_id = person.id, person.client_id
    ticket.updated_at = at
    ticket.version += 1
    session.flush()
    if moved:
        events = update(Event).where(Event.ticket_id == ticket.id)
        session.execute(events.values(client_id=person.client_id))
        sla.conditions_changed(session, ticket.id, at=at)
    record(
        session,
        "ticket.requester",
        actor=actor,
        at=at,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
        old=old,
        new=person.id,
    )


def _same_point(session: Session, point_id: int | None, person: Person) -> int | None:
    """The new person's row of the same address; without one, an email of theirs that works."""
    mine = select(ContactPoint.id).where(
        ContactPoint.person_id == person.id, ContactPoint.removed_at.is_(None)
    )
    point = session.get(ContactPoint, point_id) if point_id else None
    if point is not None:
        same = mine.where(ContactPoint.kind == point.kind, ContactPoint.key == point.key)
        found = session.scalar(same)
        if found is not None:
            return found
    emails = mine.where(ContactPoint.kind == ContactKind.EMAIL, ContactPoint.bad.is_(False))
    return session.scalar(emails.order_by(ContactPoint.preferred.desc(), ContactPoint.id).limit(1))
