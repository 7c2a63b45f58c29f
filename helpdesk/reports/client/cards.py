"""What a client's page shows in its small cards, each cut to the newest, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
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
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from helpdesk.clients.billing import DEBTS, NOT_BOUGHT, Debt, debt_days, debts_from
from helpdesk.clients.facts import ClientNote, Document, Invoice, Promise, Purchase
from helpdesk.ext import UTCDateTime
from helpdesk.products import Item, Product

NEWEST = 6
BOUGHT_DAYS = 365
_CLIENT = bindparam("client_id", type_=BigInteger())
_EMPTY: dict[str, Any] = {
    "moment": sql_cast(null(), UTCDateTime),
    "due": sql_cast(null(), UTCDateTime),
    "day": sql_cast(null(), Date),
    "until": sql_cast(null(), Date),
    "text": sql_cast(null(), Text),
    "more": sql_cast(null(), Text),
    "mark": sql_cast(null(), Text),
    "amount": sql_cast(null(), BigInteger),
    "paid": sql_cast(null(), BigInteger),
    "currency": sql_cast(null(), Text),
    "flag": sql_cast(null(), Boolean),
    "user_id": sql_cast(null(), BigInteger),
}
CARDS = ("items", "purchases", "unpaid", "paid", "documents", "running", "settled", "notes")


@dataclass(frozen=True)
class Cards:
    """What the cards show. `rows`: of each card in CARDS, in their order.

    Columns of a row: card, id, moment, due, day, until, text, more, mark, amount, paid, currency,
    flag, user_id; which of them are filled depends on the card. `bought`: currency and minor
    units within BOUGHT_DAYS, without what went back, the largest first.
    """

    rows: Mapping[str, list[Row[Any]]]
    bought: list[tuple[str, int]]
    debts: list[Debt]


def cards_of(session: Session, client_id: int, today: date) -> Cards:
    """All cards of a client. One statement."""
    values = {"client_id": client_id, "since": today - timedelta(days=BOUGHT_DAYS)}
    found: dict[str, list[Row[Any]]] = {name: [] for name in (*CARDS, "bought", "debt")}
    for row in session.execute(_statement(), values | debt_days(today)):
        found[row.card].append(row)
    bought = [(row.currency, int(row.amount)) for row in found.pop("bought")]
    owed = ((row.currency, row.id, row.amount, row.until) for row in found.pop("debt"))
    return Cards(found, sorted(bought, key=lambda one: -one[1]), debts_from(owed))


@lru_cache(maxsize=1)
def _statement() -> CompoundSelect[Any]:
    parts = (
        *(_items(), _purchases(), _unpaid(), _paid()),
        *(_documents(), _running(), _settled(), _notes()),
    )
    cut = (select(part.limit(NEWEST).subquery()) for part in parts)
    return union_all(*cut, _bought(), _debt())


def _bought() -> Select[Any]:
    sums = _columns(
        "bought",
        literal(0),
        amount=sql_cast(func.sum(Purchase.amount), BigInteger),
        currency=sql_cast(Purchase.currency, Text),
    )
    return sums.where(
        Purchase.client_id == _CLIENT,
        Purchase.bought_on > bindparam("since", type_=Date()),
        Purchase.status.not_in(NOT_BOUGHT),
    ).group_by(Purchase.currency)


def _debt() -> Select[Any]:
    owed = DEBTS.subquery()
    return _columns(
        "debt",
        owed.c.step,
        until=owed.c.due_on,
        amount=sql_cast(owed.c.unpaid, BigInteger),
        currency=sql_cast(owed.c.currency, Text),
    )


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
        more=sql_cast(Purchase.external_id, Text),
        mark=sql_cast(Purchase.status, Text),
        amount=Purchase.amount,
        currency=sql_cast(Purchase.currency, Text),
    )
    query = query.where(Purchase.client_id == _CLIENT)
    return query.order_by(Purchase.bought_on.desc(), Purchase.id.desc())


def _invoices(card: str) -> Select[Any]:
    return _columns(
        card,
        Invoice.id,
        day=Invoice.issued_on,
        until=Invoice.due_on,
        text=sql_cast(Invoice.external_id, Text),
        amount=Invoice.amount,
        paid=Invoice.paid,
        currency=sql_cast(Invoice.currency, Text),
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
        more=sql_cast(Document.content_type, Text),
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
