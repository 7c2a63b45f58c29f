"""The part of a timeline that rows of their own tell: notes, documents, money, articles read.

Each source is walked by its index and cut before they are joined into one statement.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import (
    CompoundSelect,
    Integer,
    Select,
    String,
    Text,
    cast,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from helpdesk.accounts.models import User
from helpdesk.calls.models import Call, VoiceAnswer
from helpdesk.clients.facts import ClientNote, Document, Invoice, Purchase
from helpdesk.clients.models import Person
from helpdesk.kb.models import ArticleText, Reading
from helpdesk.lib.text import shorten
from helpdesk.reports.client.timeline_calls import CALL, call_item, calls, calls_in, of_queues
from helpdesk.reports.client.timeline_columns import CLIENT, MOST, columns_of
from helpdesk.reports.client.timeline_item import (
    Found,
    Mark,
    TimelineItem,
    noon,
    older,
    older_day,
    place,
)
from helpdesk.reports.client.timeline_words import (
    article_title,
    document_title,
    invoice_title,
    purchase_title,
)

TITLE_LIMIT = 120
HEARD = 6
CALLS = frozenset({"call", "called"})
CHANNELS = {5: "web", HEARD: "phone"}  # by rank
Part = Callable[[int], Select[Any]]


class Source(NamedTuple):
    """Where items come from: their rank in the order, their kind, the statement."""

    rank: int
    kind: str
    part: Part


def facts(
    session: Session,
    client_id: int,
    names: tuple[str, ...],
    queue_ids: frozenset[int] | None,
    limit: int,
    before: Mark | None,
) -> list[Found]:
    """At most `limit` entries of each of these sources; calls of these queues. One statement."""
    ranks = [SOURCES[name].rank for name in names]
    values = place(before, set(ranks) - DAYS, DAYS.intersection(ranks))
    values |= {"client_id": client_id, "most": limit}
    restricted = queue_ids is not None and not CALLS.isdisjoint(names)
    if queue_ids is not None and restricted:
        values["queue_ids"] = sorted(queue_ids)
    rows = session.execute(_statement(names, restricted), values).all()
    return [_found(row) for row in rows]


@lru_cache(maxsize=64)
def _statement(names: tuple[str, ...], restricted: bool) -> CompoundSelect[Any]:
    """Made once for each choice of sources: building it costs more than running it."""
    parts = {name: SOURCES[name].part(SOURCES[name].rank) for name in names}
    if restricted:
        parts |= {name: parts[name].where(of_queues()) for name in CALLS.intersection(names)}
    cuts = (part.subquery() for part in parts.values())
    return union_all(*(select(cut) for cut in cuts))


def _notes(rank: int) -> Select[Any]:
    note = ClientNote
    columns = columns_of(rank, note.id, moment=note.created_at, text=note.text, by=User.name)
    return (
        columns.join(User, User.id == note.user_id)
        .where(
            note.client_id == CLIENT,
            note.deleted_at.is_(None),
            older(note.created_at, note.id, rank),
        )
        .order_by(note.created_at.desc(), note.id.desc())
        .limit(MOST)
    )


def _documents(rank: int) -> Select[Any]:
    file = Document
    columns = columns_of(
        rank, file.id, moment=file.created_at, text=file.filename, by=User.name, thing=file.id
    )
    return (
        columns.outerjoin(User, User.id == file.user_id)
        .where(
            file.client_id == CLIENT,
            file.deleted_at.is_(None),
            older(file.created_at, file.id, rank),
        )
        .order_by(file.created_at.desc(), file.id.desc())
        .limit(MOST)
    )


def _purchases(rank: int) -> Select[Any]:
    sale = Purchase
    columns = columns_of(
        rank,
        sale.id,
        day=sale.bought_on,
        text=sale.title,
        more=cast(sale.external_id, Text),
        amount=sale.amount,
        currency=cast(sale.currency, Text),
    )
    return (
        columns.where(sale.client_id == CLIENT, older_day(sale.bought_on, sale.id, rank))
        .order_by(sale.bought_on.desc(), sale.id.desc())
        .limit(MOST)
    )


def _invoices(rank: int) -> Select[Any]:
    bill = Invoice
    columns = columns_of(
        rank,
        bill.id,
        day=bill.issued_on,
        text=cast(bill.external_id, Text),
        amount=bill.amount,
        currency=cast(bill.currency, Text),
    )
    return (
        columns.where(bill.client_id == CLIENT, older_day(bill.issued_on, bill.id, rank))
        .order_by(bill.issued_on.desc(), bill.id.desc())
        .limit(MOST)
    )


def _readings(rank: int) -> Select[Any]:
    """The newest readings of each person first, so that a page costs the same in any history."""
    newest = aliased(Reading)
    of_person = (
        select(newest.id)
        .where(newest.person_id == Person.id, older(newest.at, newest.id, rank))
        .order_by(newest.at.desc(), newest.id.desc())
        .limit(MOST)
        .correlate(Person)
        .scalar_subquery()
    )
    columns = columns_of(
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
        .where(Person.client_id == CLIENT)
        .order_by(Reading.at.desc(), Reading.id.desc())
        .limit(MOST)
    )


def _heard(rank: int) -> Select[Any]:
    """Articles that were read to a caller; a client has few calls."""
    answer = VoiceAnswer
    columns = columns_of(
        rank,
        answer.id,
        moment=answer.at,
        text=ArticleText.title,
        more=cast(cast(answer.helped, Integer), String),
        thing=answer.article_id,
    )
    return (
        columns.select_from(Call)
        .join(answer, answer.call_id == Call.id)
        .join(
            ArticleText,
            (ArticleText.article_id == answer.article_id) & (ArticleText.lang == answer.language),
        )
        .where(Call.client_id == CLIENT, older(answer.at, answer.id, rank))
        .order_by(answer.at.desc(), answer.id.desc())
        .limit(MOST)
    )


def _found(row: Any) -> Found:
    if row.rank == CALL:
        return Found(Mark(row.moment, CALL, row.id), "phone", partial(call_item, row))
    mark = Mark(row.moment or noon(row.day), row.rank, row.id)
    return Found(mark, CHANNELS.get(row.rank), partial(_item, row, mark))


def _item(row: Any, mark: Mark) -> TimelineItem:
    text = shorten(row.text, TITLE_LIMIT)
    source = _BY_RANK[row.rank]
    return TimelineItem(
        at=mark.at,
        kind=source.kind,
        channel=CHANNELS.get(row.rank),
        direction=None,
        title=_title(source.kind, row, text),
        by=row.by,
        ticket_id=None,
        call_id=None,
        mark=mark,
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
        "article": lambda: article_title(text, heard=row.rank == HEARD, helped=row.more),
    }
    return titles[kind]()


SOURCES: Mapping[str, Source] = {
    "note": Source(1, "client.note", _notes),
    "document": Source(2, "document", _documents),
    "purchase": Source(3, "purchase", _purchases),
    "invoice": Source(4, "invoice", _invoices),
    "reading": Source(5, "article", _readings),
    "heard": Source(HEARD, "article", _heard),
    "call": Source(CALL, "call", calls),
    "called": Source(CALL, "call", calls_in),  # a part of "call": never with it
}
DAYS = frozenset({3, 4})  # ranks of which only the day is known
_BY_RANK = {source.rank: source for source in SOURCES.values()}
