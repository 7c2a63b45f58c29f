"""What a client's page shows in its small cards, each cut to the newest, in one statement."""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CompoundSelect,
    Date,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from helpdesk.clients.facts import ClientNote, Document, Invoice, Promise, Purchase
from helpdesk.ext import UTCDateTime
from helpdesk.products import Item, Product

NEWEST = 6
_CLIENT = bindparam("client_id", type_=BigInteger())
_EMPTY: dict[str, Any] = {
    "moment": cast(null(), UTCDateTime),
    "due": cast(null(), UTCDateTime),
    "day": cast(null(), Date),
    "until": cast(null(), Date),
    "text": cast(null(), Text),
    "more": cast(null(), Text),
    "mark": cast(null(), Text),
    "amount": cast(null(), BigInteger),
    "paid": cast(null(), BigInteger),
    "currency": cast(null(), Text),
    "flag": cast(null(), Boolean),
    "user_id": cast(null(), BigInteger),
}
CARDS = ("items", "purchases", "unpaid", "paid", "documents", "running", "settled", "notes")


def cards_of(session: Session, client_id: int) -> dict[str, list[Row[Any]]]:
    """Rows of each card in CARDS, in their order. One statement.

    Columns: card, id, moment, due, day, until, text, more, mark, amount, paid, currency, flag,
    user_id; which of them are filled depends on the card.
    """
    found: dict[str, list[Row[Any]]] = {name: [] for name in CARDS}
    for row in session.execute(_statement(), {"client_id": client_id}):
        found[row.card].append(row)
    return found


@lru_cache(maxsize=1)
def _statement() -> CompoundSelect[Any]:
    parts = (
        *(_items(), _purchases(), _unpaid(), _paid()),
        *(_documents(), _running(), _settled(), _notes()),
    )
    return union_all(*(select(part.limit(NEWEST).subquery()) for part in parts))


def _columns(card: str, id_: Any, **columns: Any) -> Select[Any]:
    whole = _EMPTY | columns
    named = (value.label(name) for name, value in whole.items())
    return select(literal(card).label("card"), id_.label("id"), *named)


def _items() -> Select[Any]:
    query = _columns(
        "items",
        Item.id,
        day=Item.bought_on,
        until=Item.warranty_until,
        text=Product.name,
        more=Item.serial,
        mark=Item.batch,
    )
    query = query.join(Product, Product.id == Item.product_id)
    return query.where(Item.client_id == _CLIENT).order_by(Item.id.desc())


def _purchases() -> Select[Any]:
    query = _columns(
        "purchases",
        Purchase.id,
        day=Purchase.bought_on,
        text=Purchase.title,
        more=cast(Purchase.external_id, Text),
        mark=cast(Purchase.status, Text),
        amount=Purchase.amount,
        currency=cast(Purchase.currency, Text),
    )
    query = query.where(Purchase.client_id == _CLIENT)
    return query.order_by(Purchase.bought_on.desc(), Purchase.id.desc())


def _invoices(card: str) -> Select[Any]:
    return _columns(
        card,
        Invoice.id,
        day=Invoice.issued_on,
        until=Invoice.due_on,
        text=cast(Invoice.external_id, Text),
        amount=Invoice.amount,
        paid=Invoice.paid,
        currency=cast(Invoice.currency, Text),
        flag=Invoice.cancelled,
    ).where(Invoice.client_id == _CLIENT)


def _unpaid() -> Select[Any]:
    """The longest due first."""
    query = _invoices("unpaid").where(Invoice.amount > Invoice.paid, Invoice.cancelled.is_(False))
    return query.order_by(Invoice.due_on.is_(None), Invoice.due_on, Invoice.id)


def _paid() -> Select[Any]:
    done = or_(Invoice.amount <= Invoice.paid, Invoice.cancelled.is_(True))
    query = _invoices("paid").where(done)
    return query.order_by(Invoice.issued_on.desc(), Invoice.id.desc())


def _documents() -> Select[Any]:
    query = _columns(
        "documents",
        Document.id,
        moment=Document.created_at,
        text=Document.filename,
        more=cast(Document.content_type, Text),
        amount=Document.size,
        user_id=Document.user_id,
    ).where(Document.client_id == _CLIENT, Document.deleted_at.is_(None))
    return query.order_by(Document.created_at.desc(), Document.id.desc())


def _promises(card: str) -> Select[Any]:
    return _columns(
        card,
        Promise.id,
        moment=Promise.created_at,
        due=Promise.due_at,
        text=Promise.text,
        amount=Promise.ticket_id,
        flag=Promise.kept,
        user_id=Promise.user_id,
    ).where(Promise.client_id == _CLIENT)


def _running() -> Select[Any]:
    query = _promises("running").where(Promise.settled_at.is_(None))
    return query.order_by(Promise.due_at, Promise.id)


def _settled() -> Select[Any]:
    query = _promises("settled").where(Promise.settled_at.is_not(None))
    return query.order_by(Promise.created_at.desc(), Promise.id.desc())


def _notes() -> Select[Any]:
    query = _columns(
        "notes",
        ClientNote.id,
        moment=ClientNote.created_at,
        text=ClientNote.text,
        user_id=ClientNote.user_id,
    ).where(ClientNote.client_id == _CLIENT, ClientNote.deleted_at.is_(None))
    return query.order_by(ClientNote.created_at.desc(), ClientNote.id.desc())
