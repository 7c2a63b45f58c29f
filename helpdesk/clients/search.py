"""Finding clients by name, address and number."""

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.ext import fulltext
from helpdesk.lib import phone
from helpdesk.lib.stems import encode, search_terms, stems
from helpdesk.lib.text import email_key

FTS = "client_fts"
TAIL = 9  # digits, as `phone.tail` keeps them
_FEW_DIGITS = re.compile(r"(?:[0-9][ -]?){4,6}")  # the end of a number, if they are nothing else


def index_client(
    session: Session, client_id: int, names: Iterable[str], values: Iterable[str]
) -> None:
    """Index a client that is not indexed yet, by names and contact points."""
    index_clients(session, [(client_id, names, values)])


def index_clients(
    session: Session, clients: Iterable[tuple[int, Iterable[str], Iterable[str]]]
) -> None:
    """Index clients that are not indexed yet: (id, names, contact points) of each."""
    fulltext.index(
        session, FTS, [(id_, _tokens((*names, *values))) for id_, names, values in clients]
    )


def _tokens(texts: Iterable[str]) -> list[str]:
    tokens = dict.fromkeys(token for text in texts for token in stems(text))
    return [encode(token) for token in tokens]


def reindex_client(session: Session, client_id: int) -> None:
    """Index a client anew after a change of names or contact points."""
    fulltext.unindex(session, FTS, [client_id])
    client = session.get_one(Client, client_id)
    if client.erased_at is not None:
        return
    people = session.scalars(
        select(Person).where(Person.client_id == client_id, Person.removed_at.is_(None))
    ).all()
    values = session.scalars(
        select(ContactPoint.value).where(
            ContactPoint.person_id.in_([p.id for p in people]), ContactPoint.removed_at.is_(None)
        )
    )
    index_client(session, client_id, [client.name, *(p.name for p in people)], values)


def find_clients(session: Session, query: str, *, country: str, limit: int = 50) -> list[Client]:
    """Clients that fit the words, address or number, newest first."""
    ids = find_client_ids(session, query, country=country, limit=limit)
    found = session.scalars(select(Client).where(Client.id.in_(ids)))
    order = {id_: n for n, id_ in enumerate(ids)}
    return sorted(found, key=lambda client: order[client.id])


def find_client_ids(session: Session, query: str, *, country: str, limit: int = 50) -> list[int]:
    """Ids of clients that fit, newest first."""
    if "@" in query:
        exact = _by_contact(session, ContactKind.EMAIL, email_key(query.strip()), limit)
        if exact:
            return exact
    if phone.looks_like_phone(query):
        return _by_number(session, query, country, limit)
    terms = search_terms(query)
    if terms is None:
        return []
    found = list(session.scalars(fulltext.matching(session, FTS, *terms).limit(limit)))
    if not found and _FEW_DIGITS.fullmatch(query.strip()):
        return _by_number(session, query, country, limit)
    return found


def _by_contact(session: Session, kind: ContactKind, key: str, limit: int) -> list[int]:
    rows = select(Person.client_id).join(ContactPoint, ContactPoint.person_id == Person.id)
    rows = rows.where(ContactPoint.kind == kind, ContactPoint.key == key)
    return list(dict.fromkeys(session.scalars(rows.order_by(Person.client_id.desc()).limit(limit))))


def _ends(tail: str) -> ColumnElement[bool]:
    """Points whose number ends so. People also say its last few digits: these are looked for in
    the index alone, which is a small part of the table.
    """
    if len(tail) == TAIL:
        return ContactPoint.tail == tail
    found = select(ContactPoint.id).where(ContactPoint.tail.like(f"%{tail}"))
    return ContactPoint.id.in_(found)


def _by_number(session: Session, query: str, country: str, limit: int) -> list[int]:
    key = phone.normalize(query, country)
    exact = _by_contact(session, ContactKind.PHONE, key, limit) if key else []
    if exact:
        return exact
    rows = (
        select(Person.client_id)
        .join(ContactPoint, ContactPoint.person_id == Person.id)
        .where(_ends(phone.tail(query)))
        .order_by(Person.client_id.desc())
        .limit(limit)
    )
    return list(dict.fromkeys(session.scalars(rows)))
