"""The part of a timeline that rows of their own tell: notes, documents, money, articles read.

Each source is walked by its index and cut before they are joined into one statement.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Date,
    Integer,
    Select,
    String,
    Text,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from helpdesk.accounts.models import User
from helpdesk.clients.facts import ClientNote, Document, Invoice, Purchase
from helpdesk.clients.models import Person
from helpdesk.ext import UTCDateTime
from helpdesk.kb.models import ArticleText, Reading
from helpdesk.lib.text import shorten
from helpdesk.reports.timeline_item import (
    Mark,
    TimelineItem,
    noon,
    older,
    older_day,
    place,
)
from helpdesk.reports.timeline_words import (
    article_title,
    document_title,
    invoice_title,
    purchase_title,
)

TITLE_LIMIT = 120
_NO_MOMENT = cast(null(), UTCDateTime)
_NO_DAY = cast(null(), Date)
_NO_NUMBER = cast(null(), Integer)
_NO_TEXT = cast(null(), Text)

_CLIENT = bindparam("client_id", type_=BigInteger())
_MOST = bindparam("most", type_=Integer())

Part = Callable[[int], Select[Any]]


class Source(NamedTuple):
    """Where items come from: their rank in the order, their kind, the statement."""

    rank: int
    kind: str
    part: Part


def facts(
    session: Session, client_id: int, names: tuple[str, ...], limit: int, before: Mark | None
) -> list[TimelineItem]:
    """At most `limit` items of each of these sources. One statement."""
    ranks = [SOURCES[name].rank for name in names]
    values = place(before, set(ranks) - DAYS, DAYS.intersection(ranks))
    values |= {"client_id": client_id, "most": limit}
    rows = session.execute(_statement(names), values).all()
    return [_item(row) for row in rows]


@lru_cache(maxsize=64)
def _statement(names: tuple[str, ...]) -> CompoundSelect[Any]:
    """Made once for each choice of sources: building it costs more than running it."""
    cuts = (SOURCES[name].part(SOURCES[name].rank).subquery() for name in names)
    return union_all(*(select(cut) for cut in cuts))


def _columns(
    rank: int,
    id_: Any,
    *,
    moment: Any = _NO_MOMENT,
    day: Any = _NO_DAY,
    text: Any,
    more: Any = _NO_TEXT,
    amount: Any = _NO_NUMBER,
    currency: Any = _NO_TEXT,
    by: Any = _NO_TEXT,
    thing: Any = _NO_NUMBER,
) -> Select[Any]:
    return select(
        literal(rank, Integer).label("rank"),
        id_.label("id"),
        moment.label("moment"),
        day.label("day"),
        text.label("text"),
        more.label("more"),
        amount.label("amount"),
        currency.label("currency"),
        by.label("by"),
        thing.label("thing"),
    )


def _notes(rank: int) -> Select[Any]:
    note = ClientNote
    columns = _columns(rank, note.id, moment=note.created_at, text=note.text, by=User.name)
    return (
        columns.join(User, User.id == note.user_id)
        .where(
            note.client_id == _CLIENT,
            note.deleted_at.is_(None),
            older(note.created_at, note.id, rank),
        )
        .order_by(note.created_at.desc(), note.id.desc())
        .limit(_MOST)
    )


def _documents(rank: int) -> Select[Any]:
    file = Document
    columns = _columns(
        rank, file.id, moment=file.created_at, text=file.filename, by=User.name, thing=file.id
    )
    return (
        columns.outerjoin(User, User.id == file.user_id)
        .where(
            file.client_id == _CLIENT,
            file.deleted_at.is_(None),
            older(file.created_at, file.id, rank),
        )
        .order_by(file.created_at.desc(), file.id.desc())
        .limit(_MOST)
    )


def _purchases(rank: int) -> Select[Any]:
    sale = Purchase
    columns = _columns(
        rank,
        sale.id,
        day=sale.bought_on,
        text=sale.title,
        more=cast(sale.external_id, Text),
        amount=sale.amount,
        currency=cast(sale.currency, Text),
    )
    return (
        columns.where(sale.client_id == _CLIENT, older_day(sale.bought_on, sale.id, rank))
        .order_by(sale.bought_on.desc(), sale.id.desc())
        .limit(_MOST)
    )


def _invoices(rank: int) -> Select[Any]:
    bill = Invoice
    columns = _columns(
        rank,
        bill.id,
        day=bill.issued_on,
        text=cast(bill.external_id, Text),
        amount=bill.amount,
        currency=cast(bill.currency, Text),
    )
    return (
        columns.where(bill.client_id == _CLIENT, older_day(bill.issued_on, bill.id, rank))
        .order_by(bill.issued_on.desc(), bill.id.desc())
        .limit(_MOST)
    )


def _readings(rank: int) -> Select[Any]:
    """The newest readings of each person first, so that a page costs the same in any history."""
    newest = aliased(Reading)
    of_person = (
        select(newest.id)
        .where(newest.person_id == Person.id, older(newest.at, newest.id, rank))
        .order_by(newest.at.desc(), newest.id.desc())
        .limit(_MOST)
        .correlate(Person)
        .scalar_subquery()
    )
    columns = _columns(
        rank,
        Reading.id,
        moment=Reading.at,
        text=ArticleText.title,
        more=cast(Reading.source, String),
        by=Person.name,
        thing=Reading.article_id,
    )
    return (
        columns.select_from(Person)
        .join(Reading, Reading.id.in_(of_person))
        .join(
            ArticleText,
            (ArticleText.article_id == Reading.article_id) & (ArticleText.lang == Reading.lang),
        )
        .where(Person.client_id == _CLIENT)
        .order_by(Reading.at.desc(), Reading.id.desc())
        .limit(_MOST)
    )


def _item(row: Any) -> TimelineItem:
    at = row.moment or noon(row.day)
    text = shorten(row.text, TITLE_LIMIT)
    source = _BY_RANK[row.rank]
    return TimelineItem(
        at=at,
        kind=source.kind,
        channel="web" if source.kind == "article" else None,
        direction=None,
        title=_title(source.kind, row, text),
        by=row.by,
        ticket_id=None,
        call_id=None,
        mark=Mark(at, row.rank, row.id),
        more=f"№ {row.more}" if source.kind == "purchase" else "",
        thing_id=row.thing,
        whole_day=row.moment is None,
    )


def _title(kind: str, row: Any, text: str) -> str:
    titles: Mapping[str, Callable[[], str]] = {
        "client.note": lambda: text,
        "document": lambda: document_title(text),
        "purchase": lambda: purchase_title(text, row.amount, row.currency),
        "invoice": lambda: invoice_title(text, row.amount, row.currency),
        "article": lambda: article_title(text),
    }
    return titles[kind]()


SOURCES: Mapping[str, Source] = {
    "note": Source(1, "client.note", _notes),
    "document": Source(2, "document", _documents),
    "purchase": Source(3, "purchase", _purchases),
    "invoice": Source(4, "invoice", _invoices),
    "reading": Source(5, "article", _readings),
}
DAYS = frozenset({3, 4})  # ranks of which only the day is known
_BY_RANK = {source.rank: source for source in SOURCES.values()}
