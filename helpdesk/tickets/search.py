"""Finding tickets by number, client, address, phone and the words of their messages."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.search import find_client_ids
from helpdesk.ext import fulltext
from helpdesk.lib.phone import looks_like_phone
from helpdesk.lib.stems import encode, search_terms, stems
from helpdesk.tickets.models import NUMBER_OFFSET, Message, Ticket

FTS = "message_fts"
MAX_INDEXED = 100_000  # characters of one message
MAX_HITS = 200


def index_message(session: Session, message_id: int, subject: str, text: str) -> None:
    """Index a new message; the subject is indexed with the first one of its ticket."""
    tokens = dict.fromkeys(stems(f"{subject}\n{text[:MAX_INDEXED]}"))
    fulltext.index(session, FTS, [(message_id, [encode(token) for token in tokens])])


def find_ticket_ids(session: Session, query: str, *, country: str, limit: int = 50) -> list[int]:
    """Ids of tickets that fit, newest first.

    A number (with or without №, #) finds the ticket first, an address or phone the tickets of
    that client, words the tickets whose messages or client hold all of them; so do an address
    and a phone that are no client's.
    """
    query = query.strip()
    found: list[int] = []
    number = _number(query)
    if number is not None:
        found += session.scalars(select(Ticket.id).where(Ticket.id == number - NUMBER_OFFSET))
    found += _of_clients(session, query, country, limit)
    if not found or not (looks_like_phone(query) or "@" in query):
        found += _by_words(session, query, limit)
    return list(dict.fromkeys(found))[:limit]


def ticket_of_message_id(session: Session, message_id: str) -> int | None:
    """The ticket that holds the email with this RFC 5322 Message-ID (without brackets)."""
    query = select(Message.ticket_id).where(Message.message_id == message_id)
    return session.scalar(query.order_by(Message.id.desc()).limit(1))


def _number(query: str) -> int | None:
    digits = query.lstrip("№#[ ").rstrip("] ")
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 12
    return int(digits) if plain and int(digits) > NUMBER_OFFSET else None


def _of_clients(session: Session, query: str, country: str, limit: int) -> list[int]:
    clients = find_client_ids(session, query, country=country, limit=limit)
    if not clients:
        return []
    rows = select(Ticket.id).where(Ticket.client_id.in_(clients))
    return list(session.scalars(rows.order_by(Ticket.last_message_at.desc()).limit(limit)))


def _by_words(session: Session, query: str, limit: int) -> list[int]:
    terms = search_terms(query)
    if terms is None:
        return []
    hits = list(session.scalars(fulltext.matching(session, FTS, *terms).limit(MAX_HITS)))
    rows = session.execute(select(Message.id, Message.ticket_id).where(Message.id.in_(hits)))
    tickets: dict[int, int] = dict(rows.all())
    newest = (tickets[hit] for hit in hits if hit in tickets)
    return list(dict.fromkeys(newest))[:limit]
