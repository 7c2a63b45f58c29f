"""A customer's own tickets, as they see them behind a one-time code."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from helpdesk.clients.holders import Holder
from helpdesk.ext import fulltext
from helpdesk.lib.stems import search_terms
from helpdesk.tickets.models import NUMBER_OFFSET, Message, MessageKind, Ticket
from helpdesk.tickets.search import FTS

PAGE = 20
SEARCHED = 1_000
"""Of a person's messages the newest ones that a search looks through."""
MOST_COUNTED = 1_000


@dataclass(frozen=True)
class Own:
    """One page of tickets, newest first, and whether there are earlier ones."""

    tickets: Sequence[Ticket]
    more: bool


def own_tickets(
    session: Session,
    holder: Holder,
    *,
    done: bool | None = None,
    query: str = "",
    before: int | None = None,
) -> Own:
    """The tickets of a mailbox's holder that have anything to read; `before`: older than this id.

    `done` None: in any state. Words are looked for in what the holder may read, never in notes.
    """
    rows = select(Ticket).where(*_mine(holder), _readable_at_all())
    if done is not None:
        rows = rows.where(Ticket.done_at.is_not(None) if done else Ticket.done_at.is_(None))
    if query:
        rows = rows.where(_fits(session, holder, query))
    if before is not None:
        rows = rows.where(Ticket.id < before)
    found = session.scalars(rows.order_by(Ticket.id.desc()).limit(PAGE + 1)).all()
    return Own(found[:PAGE], len(found) > PAGE)


def count_own(session: Session, holder: Holder) -> tuple[int, int]:
    """How many are open, and how many solved, each at most about `MOST_COUNTED`."""
    some = select(Ticket.done_at).where(*_mine(holder), _readable_at_all())
    some_rows = some.order_by(Ticket.id.desc()).limit(MOST_COUNTED).subquery()
    done, all_ = session.execute(
        select(func.count(some_rows.c.done_at), func.count()).select_from(some_rows)
    ).one()
    return all_ - done, done


def _mine(holder: Holder) -> tuple[ColumnElement[bool], ...]:
    """All of one person's; of a mailbox that several share, what came by it (I3)."""
    conditions: tuple[ColumnElement[bool], ...] = (
        Ticket.person_id.in_(holder.person_ids),
        Ticket.merged_into_id.is_(None),
    )
    if holder.shared:
        conditions += (Ticket.contact_point_id.in_(holder.point_ids),)
    return conditions


def _readable() -> ColumnElement[bool]:
    """Messages that the client may read: theirs, and what we sent them."""
    by_client = (
        (Message.kind == MessageKind.INBOUND)
        & Message.person_id.is_not(None)
        & Message.stranger.is_(False)
        & Message.is_bounce.is_(False)
    )
    return or_(Message.kind == MessageKind.OUTBOUND, by_client)


def _readable_at_all() -> ColumnElement[bool]:
    """A ticket with notes alone is our own matter: its subject is not for the client."""
    return exists().where(Message.ticket_id == Ticket.id, _readable())


def _fits(session: Session, holder: Holder, query: str) -> ColumnElement[bool]:
    bare = query.strip().lstrip("№#").strip()
    if bare.isascii() and bare.isdigit() and len(bare) < 12 and int(bare) > NUMBER_OFFSET:
        return Ticket.id == int(bare) - NUMBER_OFFSET
    return Ticket.id.in_(_ids_by_words(session, holder, query))


def _ids_by_words(session: Session, holder: Holder, query: str) -> set[int]:
    """Asks the index of the holder's messages alone, so that it costs what they have."""
    terms = search_terms(query)
    if terms is None:
        return set()
    mine = (
        select(Message.id, Message.ticket_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(*_mine(holder), _readable())
        .order_by(Message.id.desc())
        .limit(SEARCHED)
    )
    tickets: dict[int, int] = dict(session.execute(mine).all())
    return {tickets[id_] for id_ in fulltext.among(session, FTS, tickets, *terms)}
