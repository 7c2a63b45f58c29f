"""What belongs to the people who are to be erased: the queries that all of privacy shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, undefer

from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.intake.archive import raw_of
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.tickets.models import Message, Ticket

CHUNK = 500  # ids in one statement
HEADER = 64 << 10  # bytes of an undecided email that are searched for an address


@dataclass(frozen=True)
class Scope:
    """Ids of everything that is wholly theirs, and where others may have quoted them."""

    client_id: int | None  # None: the client stays
    person_ids: tuple[int, ...]
    ticket_ids: tuple[int, ...]
    message_ids: tuple[int, ...]  # all on their tickets, and theirs elsewhere
    quoting_ids: tuple[int, ...]  # messages of others that came later on others' tickets
    delivery_ids: tuple[int, ...]
    quoting_delivery_ids: tuple[int, ...]  # of others, on others' tickets where they wrote


def chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    """The ids in parts that fit one statement."""
    return [ids[n : n + CHUNK] for n in range(0, len(ids), CHUNK)]


def scope_of(session: Session, person_ids: Sequence[int], client_id: int | None) -> Scope:
    """Everything of these people and, if given, of their client."""
    asked = or_(Ticket.person_id.in_(person_ids), Ticket.client_id == (client_id or 0))
    ticket_ids = list(session.scalars(select(Ticket.id).where(asked).order_by(Ticket.id)))
    written = select(Message.id, Message.ticket_id).where(Message.person_id.in_(person_ids))
    theirs = set(ticket_ids)
    elsewhere = [row for row in session.execute(written) if row.ticket_id not in theirs]
    message_ids = [row.id for row in elsewhere]
    for part in chunks(ticket_ids):
        message_ids += session.scalars(select(Message.id).where(Message.ticket_id.in_(part)))
    first: dict[int, int] = {}
    for row in elsewhere:
        first[row.ticket_id] = min(row.id, first.get(row.ticket_id, row.id))
    points = select(ContactPoint.key, ContactPoint.kind).where(
        ContactPoint.person_id.in_(person_ids), ContactPoint.kind != ContactKind.MESSENGER
    )
    senders = session.execute(points).all()
    deliveries = _deliveries(session, person_ids, ticket_ids, senders)
    beside = {id_ for part in chunks(list(first)) for id_ in _of_tickets(session, part)}
    return Scope(
        client_id,
        tuple(person_ids),
        tuple(ticket_ids),
        tuple(sorted(message_ids)),
        tuple(_quoting(session, person_ids, first)),
        tuple(sorted(deliveries)),
        tuple(sorted(beside - deliveries)),
    )


def family(session: Session, client_id: int) -> list[int]:
    """A client and those that were merged into it."""
    merged = select(Client.id).where(Client.merged_into_id == client_id)
    return [client_id, *session.scalars(merged)]


def people_of(session: Session, client_id: int) -> list[int]:
    """The ids of all people of a client."""
    return list(session.scalars(select(Person.id).where(Person.client_id == client_id)))


def _quoting(session: Session, person_ids: Sequence[int], first: dict[int, int]) -> list[int]:
    found: list[int] = []
    for ticket_id, message_id in first.items():
        query = select(Message.id).where(Message.ticket_id == ticket_id, Message.id > message_id)
        others = or_(Message.person_id.is_(None), Message.person_id.not_in(person_ids))
        found += session.scalars(query.where(others).order_by(Message.id))
    return found


def _deliveries(
    session: Session,
    person_ids: Sequence[int],
    ticket_ids: Sequence[int],
    senders: Sequence[Any],
) -> set[int]:
    """Their emails, all emails of their tickets, and those that may come from them; SMS as well."""
    found = set(session.scalars(select(Delivery.id).where(Delivery.person_id.in_(person_ids))))
    for part in chunks(ticket_ids):
        found |= set(_of_tickets(session, part))
    addresses = [key for key, kind in senders if kind == ContactKind.EMAIL]
    return found | _undecided(session, addresses, [key for key, _kind in senders])


def _of_tickets(session: Session, ticket_ids: Sequence[int]) -> Sequence[int]:
    return session.scalars(select(Delivery.id).where(Delivery.ticket_id.in_(ticket_ids))).all()


def _undecided(session: Session, addresses: Sequence[str], senders: Sequence[str]) -> set[int]:
    """What led to no ticket (not processed yet, failed), comes from one of these senders or, being
    an email, names one of the addresses."""
    rows = select(Delivery).where(
        Delivery.state != DeliveryState.DONE, Delivery.ticket_id.is_(None)
    )
    by_envelope = select(Delivery.id).where(
        Delivery.state != DeliveryState.DONE,
        func.lower(Delivery.envelope_from).in_(senders),
    )
    found = set(session.scalars(by_envelope)) if senders else set()
    if not addresses:
        return found
    needles = [address.encode() for address in addresses]
    last = 0
    while True:
        query = rows.where(Delivery.id > last).order_by(Delivery.id).limit(50)
        page = session.scalars(query.options(undefer(Delivery.raw))).all()
        found |= {one.id for one in page if _names(one, needles)}
        if len(page) < 50:
            return found
        last = page[-1].id


def _names(delivery: Delivery, needles: Sequence[bytes]) -> bool:
    try:
        head = raw_of(delivery)[:HEADER].lower()
    except FileNotFoundError:
        return False
    return any(needle in head for needle in needles)
