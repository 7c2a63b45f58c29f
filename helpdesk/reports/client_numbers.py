"""The numbers above a client's page: open tickets, contacts, promises, satisfaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import Session

from helpdesk.clients.facts import Promise
from helpdesk.clients.models import Person
from helpdesk.events import Event
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Ticket

CAP = 999
NEWEST = 500  # tickets, promises and ratings that are looked at: one client's numbers stay cheap
CONTACT_DAYS = 30


@dataclass(frozen=True)
class Numbers:
    """Counts of one client."""

    open_tickets: int
    contacts: int  # that came in within CONTACT_DAYS, at most CAP + 1
    kept: int
    broken: int
    running: int
    overdue: int  # of the running promises
    rating: float | None  # mean of 1 to 5
    ratings: int


def numbers_of(
    session: Session, client_id: int, *, queue_ids: frozenset[int] | None, at: datetime
) -> Numbers:
    """What stands above the page. `queue_ids`: as in `client_timeline`. One statement."""
    counts = session.execute(_counts(client_id, queue_ids, at)).one()
    return Numbers(
        open_tickets=counts.open_tickets,
        contacts=counts.contacts,
        kept=counts.kept,
        broken=counts.broken,
        running=counts.running,
        overdue=counts.overdue,
        rating=None if counts.rating is None else float(counts.rating),
        ratings=counts.ratings,
    )


def _counts(client_id: int, queue_ids: frozenset[int] | None, at: datetime) -> Select[Any]:
    tickets = select(Ticket.done_at).where(Ticket.client_id == client_id)
    scores = (
        select(Rating.score)
        .join(Person, Person.id == Rating.person_id)
        .where(Person.client_id == client_id)
    )
    if queue_ids is not None:
        tickets = tickets.where(Ticket.queue_id.in_(queue_ids))
        scores = scores.join(Ticket, Ticket.id == Rating.ticket_id)
        scores = scores.where(Ticket.queue_id.in_(queue_ids))
    newest = tickets.order_by(Ticket.last_message_at.desc()).limit(NEWEST).subquery()
    rated = scores.limit(NEWEST).subquery()
    made = _promises(client_id)
    is_open = made.c.settled_at.is_(None)
    return select(
        _count(select(newest).where(newest.c.done_at.is_(None))).label("open_tickets"),
        _contacts(client_id, queue_ids, at).label("contacts"),
        _count(select(made).where(made.c.kept.is_(True))).label("kept"),
        _count(select(made).where(made.c.kept.is_(False))).label("broken"),
        _count(select(made).where(is_open)).label("running"),
        _count(select(made).where(is_open, made.c.due_at < at)).label("overdue"),
        select(func.avg(rated.c.score)).scalar_subquery().label("rating"),
        _count(select(rated)).label("ratings"),
    )


def _promises(client_id: int) -> Any:
    query = select(Promise.kept, Promise.settled_at, Promise.due_at)
    query = query.where(Promise.client_id == client_id).order_by(Promise.created_at.desc())
    return query.limit(NEWEST).subquery()


def _contacts(client_id: int, queue_ids: frozenset[int] | None, at: datetime) -> ScalarSelect[int]:
    query = select(Event.id).where(
        Event.client_id == client_id,
        Event.at >= at - timedelta(days=CONTACT_DAYS),
        Event.kind == "message.received",
    )
    if queue_ids is not None:
        query = query.join(Ticket, Ticket.id == Event.ticket_id)
        query = query.where(Ticket.queue_id.in_(queue_ids))
    return _count(query.limit(CAP + 1))


def _count(query: Select[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(query.subquery()).scalar_subquery()
