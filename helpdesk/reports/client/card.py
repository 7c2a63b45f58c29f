"""The client's card beside a ticket: all that an agent wants to know at once, in one statement."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Date,
    Select,
    Text,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session, aliased

from helpdesk.calls.models import Call, Direction, EndReason
from helpdesk.clients.billing import DEBTS, Debt, debt_days, debts_from
from helpdesk.clients.facts import Promise
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.events import Event
from helpdesk.ext import UTCDateTime
from helpdesk.fields import Field, FieldScope
from helpdesk.lib.text import shorten
from helpdesk.products import Item, Product
from helpdesk.tickets.models import NUMBER_OFFSET, ContactReason, Message, Ticket

CONTACTS = 5
FEW = 4
MANY = 50  # people and contact points
SAID_LIMIT = 60
VERIFIED, PREFERRED, BAD = 1, 2, 4
_EMPTY: dict[str, Any] = {
    "number": sql_cast(null(), BigInteger),
    "moment": sql_cast(null(), UTCDateTime),
    "until": sql_cast(null(), UTCDateTime),
    "day": sql_cast(null(), Date),
    "text": sql_cast(null(), Text),
    "more": sql_cast(null(), Text),
    "mark": sql_cast(null(), Text),
}
_CLIENT = bindparam("client_id", type_=BigInteger())
_PERSON = bindparam("person_id", type_=BigInteger())


class Reach(NamedTuple):
    """An address or number of the person, those to use first come first."""

    kind: str
    value: str
    verified: bool
    preferred: bool
    bad: bool


class Contact(NamedTuple):
    """One of the last contacts: what came in, what went out, a call."""

    at: datetime
    kind: str  # of the event
    channel: str
    text: str
    number: int  # of the ticket


class Talk(NamedTuple):
    """One of the last calls; `seconds` of talk is None for one that nobody answered."""

    id: int
    at: datetime
    direction: Direction
    seconds: int | None
    end_reason: EndReason | None
    reason: Mapping[str, str]  # names of the contact reason by language
    number: int | None  # of the ticket


class Candidate(NamedTuple):
    """Another person with the address or number that this ticket came from."""

    person_id: int
    name: str
    client_name: str


@dataclass(frozen=True)
class Card:
    """What is known of a ticket's person and client besides their own rows."""

    points: list[Reach]
    people: list[tuple[int, str, str]]  # id, name, role of the others
    organisation: tuple[int, str] | None
    debts: list[Debt]
    warranties: list[tuple[int, str, str, date]]  # item, product, serial number, last day
    promises: list[tuple[int, str, datetime]]  # that run, the next due first
    contacts: list[Contact]
    talks: list[Talk]
    candidates: list[Candidate]
    wanted: list[tuple[str, Mapping[str, str]]]  # key and labels of the wanted fields


def card_of(
    session: Session, about: Ticket | Call, *, queue_ids: frozenset[int] | None, today: date
) -> Card:
    """The card for a ticket or a call. `queue_ids`: as in `client_timeline`. One statement."""
    values: dict[str, Any] = {
        "client_id": about.client_id or 0,
        "person_id": about.person_id or 0,
        "point_id": about.contact_point_id or 0,
        "today": today,
        **debt_days(today),
    }
    if queue_ids is not None:
        values["queue_ids"] = sorted(queue_ids)
    found: dict[str, list[Any]] = {name: [] for name in _PARTS}
    for row in session.execute(_statement(queue_ids is not None), values):
        found[row.card].append(row)
    above = [(row.id, row.text) for row in found["organisation"]]
    owed = ((row.mark, row.id, row.number, row.day) for row in found["debt"])
    return Card(
        points=[_reach(row) for row in found["point"]],
        people=[(row.id, row.text, row.more) for row in found["person"]],
        organisation=above[0] if above else None,
        debts=debts_from(owed),
        warranties=[(row.id, row.text, row.more, row.day) for row in found["item"]],
        promises=[(row.id, row.text, row.moment) for row in found["promise"]],
        contacts=[_contact(row) for row in found["contact"]],
        talks=[_talk(row) for row in found["talk"]],
        candidates=[Candidate(row.id, row.text, row.more) for row in found["candidate"]],
        wanted=[(row.text, json.loads(row.more)) for row in found["field"]],
    )


@lru_cache(maxsize=2)
def _statement(restricted: bool) -> CompoundSelect[Any]:
    """Made once: building it costs more than running it."""
    parts = (make(restricted) if name in _QUEUED else make() for name, make in _PARTS.items())
    return union_all(*(select(part.subquery()) for part in parts))


def _columns(card: str, id_: Any, **columns: Any) -> Select[Any]:
    named = (value.label(name) for name, value in (_EMPTY | columns).items())
    return select(literal(card).label("card"), id_.label("id"), *named)


def _points() -> Select[Any]:
    marks = (
        case((ContactPoint.verified.is_(True), VERIFIED), else_=0)
        + case((ContactPoint.preferred.is_(True), PREFERRED), else_=0)
        + case((ContactPoint.bad.is_(True), BAD), else_=0)
    )
    query = _columns(
        "point",
        ContactPoint.id,
        number=sql_cast(marks, BigInteger),
        text=ContactPoint.value,
        mark=sql_cast(ContactPoint.kind, Text),
    ).where(ContactPoint.person_id == _PERSON, ContactPoint.removed_at.is_(None))
    order = (ContactPoint.bad, ContactPoint.preferred.desc(), ContactPoint.id)
    return query.order_by(*order).limit(MANY)


def _people() -> Select[Any]:
    query = _columns("person", Person.id, text=Person.name, more=Person.role)
    query = query.where(
        Person.client_id == _CLIENT, Person.id != _PERSON, Person.removed_at.is_(None)
    )
    return query.order_by(Person.id).limit(FEW + 1)


def _organisation() -> Select[Any]:
    above = aliased(Client)
    query = _columns("organisation", above.id, text=above.name).select_from(Client)
    return query.join(above, above.id == Client.organisation_id).where(Client.id == _CLIENT)


def _debt() -> Select[Any]:
    owed = DEBTS.subquery()
    return _columns(
        "debt",
        owed.c.step,
        number=sql_cast(owed.c.unpaid, BigInteger),
        day=owed.c.due_on,
        mark=sql_cast(owed.c.currency, Text),
    )


def _items() -> Select[Any]:
    query = _columns(
        "item", Item.id, day=Item.warranty_until, text=Product.name, more=Item.serial
    ).join(Product, Product.id == Item.product_id)
    query = query.where(
        Item.client_id == _CLIENT, Item.warranty_until >= bindparam("today", type_=Date())
    )
    return query.order_by(Item.id.desc()).limit(FEW)


def _promises() -> Select[Any]:
    query = _columns("promise", Promise.id, moment=Promise.due_at, text=Promise.text)
    query = query.where(Promise.client_id == _CLIENT, Promise.settled_at.is_(None))
    return query.order_by(Promise.due_at, Promise.id).limit(FEW)


def _contacts(restricted: bool) -> Select[Any]:
    kinds = ("message.received", "message.sent")
    newest = select(Event.id, Event.at, Event.kind, Event.data, Event.ticket_id)
    newest = newest.where(Event.client_id == _CLIENT, Event.kind.in_(kinds))
    if restricted:
        open_ = Ticket.queue_id.in_(bindparam("queue_ids", expanding=True))
        newest = newest.join(Ticket, Ticket.id == Event.ticket_id).where(open_)
    e = newest.order_by(Event.at.desc(), Event.id.desc()).limit(CONTACTS).subquery().c
    said = func.substr(func.coalesce(Message.visible_text, Message.text), 1, 4 * SAID_LIMIT)
    query = _columns(
        "contact",
        sql_cast(e.ticket_id, BigInteger),
        moment=e.at,
        text=said,
        more=sql_cast(Message.channel, Text),
        mark=sql_cast(e.kind, Text),
    )
    query = query.join(Message, Message.id == e.data["message_id"].as_integer())
    return query.order_by(e.at.desc(), e.id.desc())


def _talks(restricted: bool) -> Select[Any]:
    query = _columns(
        "talk",
        Call.id,
        number=sql_cast(Call.ticket_id, BigInteger),
        moment=func.coalesce(Call.answered_at, Call.started_at),
        until=case((Call.answered_at.is_not(None), Call.ended_at)),
        text=sql_cast(Call.end_reason, Text),
        more=_json(ContactReason.names),
        mark=sql_cast(Call.direction, Text),
    ).outerjoin(ContactReason, ContactReason.id == Call.reason_id)
    query = query.where(Call.client_id == _CLIENT, Call.over_at.is_not(None))
    if restricted:
        open_ = Call.queue_id.in_(bindparam("queue_ids", expanding=True))
        query = query.where(open_ | Call.queue_id.is_(None))
    return query.order_by(Call.started_at.desc(), Call.id.desc()).limit(CONTACTS)


def _candidates() -> Select[Any]:
    mine = aliased(ContactPoint)
    query = _columns("candidate", Person.id, text=Person.name, more=Client.name)
    return (
        query.select_from(mine)
        .join(
            ContactPoint,
            (ContactPoint.kind == mine.kind)
            & (ContactPoint.key == mine.key)
            & (ContactPoint.person_id != _PERSON),
        )
        .join(Person, Person.id == ContactPoint.person_id)
        .join(Client, Client.id == Person.client_id)
        .where(mine.id == bindparam("point_id", type_=BigInteger()))
        .order_by(Person.id)
        .limit(FEW)
    )


def _wanted() -> Select[Any]:
    query = _columns("field", Field.id, text=sql_cast(Field.key, Text), more=_json(Field.labels))
    query = query.join(Client, Client.id == _CLIENT)
    query = query.where(
        Field.active.is_(True),
        Field.wanted.is_(True),
        or_(Field.scope == FieldScope.ALL, Field.scope == Client.kind),
    )
    return query.order_by(Field.position, Field.id).limit(MANY)


def _json(column: Any) -> Any:
    """A JSON column as its text in both databases."""
    return sql_cast(column, Text)


_PARTS: Mapping[str, Any] = {
    "point": _points,
    "person": _people,
    "organisation": _organisation,
    "debt": _debt,
    "item": _items,
    "promise": _promises,
    "contact": _contacts,
    "talk": _talks,
    "candidate": _candidates,
    "field": _wanted,
}


_QUEUED = ("contact", "talk")  # parts that depend on the reader's queues


def _reach(row: Any) -> Reach:
    marks = int(row.number)
    return Reach(
        row.mark, row.text, bool(marks & VERIFIED), bool(marks & PREFERRED), bool(marks & BAD)
    )


def _contact(row: Any) -> Contact:
    text = shorten(row.text or "", SAID_LIMIT)
    return Contact(row.moment, row.mark, row.more, text, row.id + NUMBER_OFFSET)


def _talk(row: Any) -> Talk:
    seconds = int((row.until - row.moment).total_seconds()) if row.until else None
    return Talk(
        id=row.id,
        at=row.moment,
        direction=Direction(row.mark),
        seconds=seconds,
        end_reason=EndReason(row.text) if row.text else None,
        reason=json.loads(row.more) if row.more else {},
        number=row.number + NUMBER_OFFSET if row.number else None,
    )
