"""Articles that a receipt offers, where its queue wants that and one of them may well answer.

Looking takes milliseconds for each ticket, so it is done before anybody holds the write lock:
`prepare` finds what waits for a receipt, `of` takes what was found from the session.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import structlog
from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.clients.models import Client, Person
from helpdesk.events import Event
from helpdesk.kb.queries import public_path
from helpdesk.kb.search import search
from helpdesk.outbox.addressing import public_url, spoken
from helpdesk.outbox.upset import is_upset
from helpdesk.tickets.models import Message, MessageKind, Queue, Ticket, TicketKind
from helpdesk.tickets.reasons import tree

log = structlog.get_logger()

Setting = Callable[[str], Any]

MOST = 3
SURE = 0.44
"""How likely the first article must be the right one. Of such articles about 70 in a hundred are
(`kb.confidence`); nobody asked for these, so a receipt with none is better than one with chance."""
FAR = 0.6
"""What scores less than this part of the first is not offered beside it."""
LENGTH = 4_000  # characters of an email that are looked at: it tells its question first

_KEY = "receipt_articles"  # in Session.info

_TICKET, _QUEUE, _CLIENT, _PERSON, _MESSAGE, _EVENT = (
    cast(Table, model.__table__) for model in (Ticket, Queue, Client, Person, Message, Event)
)
_EARLIER = _MESSAGE.alias("earlier")
_FIRST = (
    select(func.min(_EARLIER.c.id))
    .where(_EARLIER.c.ticket_id == _TICKET.c.id, _EARLIER.c.kind == MessageKind.INBOUND)
    .correlate(_TICKET)
    .scalar_subquery()
)
# Made once: building a statement costs more than running it.
_WAITING = (
    select(_EVENT.c.ticket_id, _EVENT.c.data)
    .select_from(
        _EVENT.join(_TICKET, _TICKET.c.id == _EVENT.c.ticket_id).join(
            _QUEUE, _QUEUE.c.id == _TICKET.c.queue_id
        )
    )
    .where(_EVENT.c.todo.is_not(None), _EVENT.c.kind == "ticket.opened")
    .where(_QUEUE.c.receipt_articles.is_(True))
    .order_by(_EVENT.c.id)
    .limit(bindparam("most"))
)
_ASKED = (
    select(
        _TICKET.c.id,
        _TICKET.c.subject,
        _TICKET.c.language,
        _TICKET.c.reason_id,
        _PERSON.c.language,
        _CLIENT.c.language,
        func.substr(func.coalesce(_MESSAGE.c.visible_text, _MESSAGE.c.text), 1, LENGTH),
    )
    .select_from(
        _TICKET.join(_QUEUE, _QUEUE.c.id == _TICKET.c.queue_id)
        .join(_CLIENT, _CLIENT.c.id == _TICKET.c.client_id)
        .join(_PERSON, _PERSON.c.id == _TICKET.c.person_id)
        .join(_MESSAGE, _MESSAGE.c.id == _FIRST)
    )
    .where(_TICKET.c.id.in_(bindparam("ids", expanding=True)))
    .where(_QUEUE.c.receipts.is_(True), _QUEUE.c.receipt_articles.is_(True))
    .where(_TICKET.c.kind.is_distinct_from(TicketKind.COMPLAINT))
    .where(_MESSAGE.c.is_auto_reply.is_(False), _MESSAGE.c.is_bounce.is_(False))
)


class _Asked(NamedTuple):
    """A ticket and what its client wrote first; the columns of `_ASKED`."""

    ticket_id: int
    subject: str
    language: str | None
    reason_id: int | None
    person_language: str | None
    client_language: str | None
    text: str

    @property
    def words(self) -> str:
        return f"{self.subject}\n{self.text}".strip()


class Offer(NamedTuple):
    """A public article in the reader's language; `path` leads to it for everybody."""

    article_id: int
    key: str
    title: str
    path: str

    @property
    def address(self) -> str:
        """Where everybody reads it."""
        return f"{public_url()}{self.path}"

    def solved_address(self, link: str) -> str:
        """Where the client says that it answered; `link` is that of the ticket."""
        return f"{link}/solved?article={quote(self.key)}"


Offers = Mapping[int, Sequence[Offer]]
"""By ticket; an empty one was looked for in vain."""


def prepare(session: Session, limit: int) -> dict[str, Offers]:
    """What the receipts of the next `limit` tickets offer, to be put into the `info` of the session
    that writes them. One statement where no queue wants articles.
    """
    rows = session.execute(_WAITING, {"most": limit})
    ids = [ticket_id for ticket_id, data in rows if data.get("receipt") is True]
    return {_KEY: _look(session, ids)} if ids else {}


def of(session: Session, ticket_ids: Collection[int]) -> Offers:
    """What the receipts of these tickets offer; looked for now where it wasn't prepared."""
    ready: Offers = session.info.get(_KEY, {})
    late = [ticket_id for ticket_id in ticket_ids if ticket_id not in ready]
    return {**ready, **_look(session, late)} if late else ready


def _look(session: Session, ticket_ids: Sequence[int]) -> Offers:
    rows = map(_Asked._make, session.execute(_ASKED, {"ids": list(ticket_ids)}))
    calm = [asked for asked in rows if not is_upset(asked.words)]
    if any(asked.reason_id is not None for asked in calm):
        complaints = _complaints(session)
        calm = [asked for asked in calm if asked.reason_id not in complaints]
    setting = cache(partial(settings.get, session))
    found = {asked.ticket_id: _safely(session, asked, setting) for asked in calm}
    return {ticket_id: found.get(ticket_id, ()) for ticket_id in ticket_ids}


def _complaints(session: Session) -> set[int]:
    """The reasons that make a ticket a complaint, with all under them."""
    known = tree(session)
    upper = {one.id for one in known if one.kind == TicketKind.COMPLAINT}
    return {one.id for one in known if not upper.isdisjoint(one.path)}


def _safely(session: Session, asked: _Asked, setting: Setting) -> tuple[Offer, ...]:
    """None where looking fails: no email may be so odd that nobody gets a receipt any more."""
    try:
        return _offers(session, asked, setting)
    except SQLAlchemyError:
        raise  # the database is away: the whole batch comes again
    except Exception as error:  # whose words may hold the client's
        log.error("receipt.no_articles", ticket_id=asked.ticket_id, error=type(error).__name__)
        return ()


def _offers(session: Session, asked: _Asked, setting: Setting) -> tuple[Offer, ...]:
    """Articles that have no text in the language of the receipt are not offered."""
    stored = (asked.person_language, asked.client_language)
    language = spoken(stored, asked.language, setting)
    found = search(session, asked.words, lang=language, limit=MOST)
    if found.chance < SURE or not found.items:
        return ()
    least = FAR * found.items[0].score
    return tuple(
        Offer(hit.article_id, hit.key, hit.title, public_path(hit.lang, hit.slug))
        for hit in found.items
        if hit.lang == language and hit.score >= least
    )
