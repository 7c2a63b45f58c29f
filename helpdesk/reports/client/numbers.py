"""The numbers above a client's page: open tickets, contacts, promises, satisfaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, Select, bindparam, func, select
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call, Direction
from helpdesk.clients.facts import Promise
from helpdesk.clients.models import Person
from helpdesk.events import Event
from helpdesk.ext import UTCDateTime
from helpdesk.reports.client.timeline_calls import of_queues
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Ticket

CAP = 999
NEWEST = 500  # tickets, promises and ratings that are looked at: one client's numbers stay cheap
CONTACT_DAYS = 30
_CLIENT = bindparam("client_id", type_=BigInteger())
_AT = bindparam("at", type_=UTCDateTime())


@dataclass(frozen=True)
class Numbers:
    """Counts of one client."""

    open_tickets: int
    contacts: int  # messages and calls that came in within CONTACT_DAYS; capped above CAP
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
    values: dict[str, Any] = {
        "client_id": client_id,
        "at": at,
        "since": at - timedelta(days=CONTACT_DAYS),
    }
    if queue_ids is not None:
        values["queue_ids"] = sorted(queue_ids)
    counts = session.execute(_statement(queue_ids is not None), values).one()
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


@lru_cache(maxsize=2)
def _statement(restricted: bool) -> Select[Any]:
    """Made once: building it costs more than running it."""
    tickets = select(Ticket.done_at).where(Ticket.client_id == _CLIENT)
    scores = (
        select(Rating.score)
        .join(Person, Person.id == Rating.person_id)
        .where(Person.client_id == _CLIENT)
    )
    if restricted:
        tickets = tickets.where(_open())
        scores = scores.join(Ticket, Ticket.id == Rating.ticket_id).where(_open())
    newest = tickets.order_by(Ticket.last_message_at.desc()).limit(NEWEST).subquery()
    rated = scores.limit(NEWEST).subquery()
    made = _promises()
    runs = made.c.settled_at.is_(None)
    return select(
        _count(select(newest).where(newest.c.done_at.is_(None))).label("open_tickets"),
        (_contacts(restricted) + _called(restricted)).label("contacts"),
        _count(select(made).where(made.c.kept.is_(True))).label("kept"),
        _count(select(made).where(made.c.kept.is_(False))).label("broken"),
        _count(select(made).where(runs)).label("running"),
        _count(select(made).where(runs, made.c.due_at < _AT)).label("overdue"),
        select(func.avg(rated.c.score)).scalar_subquery().label("rating"),
        _count(select(rated)).label("ratings"),
    )


def _open() -> ColumnElement[bool]:
    return Ticket.queue_id.in_(bindparam("queue_ids", expanding=True))


def _promises() -> Any:
    query = select(Promise.kept, Promise.settled_at, Promise.due_at)
    query = query.where(Promise.client_id == _CLIENT).order_by(Promise.created_at.desc())
    return query.limit(NEWEST).subquery()


def _contacts(restricted: bool) -> ScalarSelect[int]:
    query = select(Event.id).where(
        Event.client_id == _CLIENT,
        Event.at >= bindparam("since", type_=UTCDateTime()),
        Event.kind == "message.received",
    )
    if restricted:
        query = query.join(Ticket, Ticket.id == Event.ticket_id).where(_open())
    return _count(query.limit(CAP + 1))


def _called(restricted: bool) -> ScalarSelect[int]:
    query = select(Call.id).where(
        Call.client_id == _CLIENT,
        Call.started_at >= bindparam("since", type_=UTCDateTime()),
        Call.direction == Direction.INBOUND,
    )
    if restricted:
        query = query.where(of_queues())
    return _count(query.limit(CAP + 1))


def _count(query: Select[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(query.subquery()).scalar_subquery()
