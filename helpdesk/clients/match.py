"""Who is this: finds the person behind an address or number, or makes a new client."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, ClientKind, ContactKind, ContactPoint, Person
from helpdesk.clients.search import index_client
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import add_row, lock
from helpdesk.lib import phone
from helpdesk.lib.collate import sort_key
from helpdesk.lib.text import clean_line, email_key

NOBODY = "unknown sender"

_CLIENT, _PERSON = cast(Table, Client.__table__).c, cast(Table, Person.__table__).c
_POINT = cast(Table, ContactPoint.__table__).c
# Made once, over tables: intake asks it for every email.
_BY_KEY = (
    select(
        _PERSON.client_id,
        _PERSON.id,
        _POINT.id,
        _PERSON.language,
        _CLIENT.language,
        _POINT.bad,
        _CLIENT.tags,
    )
    .select_from(
        cast(Table, ContactPoint.__table__)
        .join(cast(Table, Person.__table__), _PERSON.id == _POINT.person_id)
        .join(cast(Table, Client.__table__), _CLIENT.id == _PERSON.client_id)
    )
    .where(_POINT.kind == bindparam("kind"), _POINT.key == bindparam("key"))
    .order_by(_POINT.id)
    .limit(2)  # a second one says that it is shared
)


@dataclass(frozen=True)
class Known:
    """A person as intake needs them."""

    client_id: int
    person_id: int
    contact_point_id: int | None
    language: str | None
    bad: bool = False
    created: bool = False
    tags: tuple[str, ...] = ()  # of the client; SLA policies choose by them
    shared: bool = False  # others have this address or number too


def by_email(session: Session, address: str) -> Known | None:
    """The person with this address. Of several, the one who was here first."""
    return _by_key(session, ContactKind.EMAIL, email_key(address))


def by_phone(session: Session, number: str, country: str) -> Known | None:
    """The person with this number in any spelling."""
    found = contact_key(None, number, country)
    return _by_key(session, *found) if found else None


def contact_key(
    email: str | None, number: str | None, country: str
) -> tuple[ContactKind, str] | None:
    """The kind and key under which an address or number is stored; None if it can't be read."""
    if email:
        return ContactKind.EMAIL, email_key(email)
    key = phone.normalize(number, country) if number else None
    return (ContactKind.PHONE, key) if key else None


def _by_key(session: Session, kind: ContactKind, key: str) -> Known | None:
    rows = session.execute(_BY_KEY, {"kind": kind, "key": key}).all()
    if not rows:
        return None
    row = rows[0]
    return Known(
        row[0],
        row[1],
        row[2],
        row[3] or row[4],
        bad=row[5],
        tags=tuple(row[6]),
        shared=len(rows) > 1,
    )


def find_or_create(
    session: Session,
    *,
    at: datetime,
    email: str | None = None,
    number: str | None = None,
    country: str = "UA",
    name: str = "",
    language: str | None = None,
    actor: Actor = SYSTEM,
) -> Known:
    """The person with this address or number; a potential client is made if there is none.

    Two senders at the same moment get one client: they take turns under a lock of the key.
    Raises ValueError if neither address nor a readable number is given.
    """
    kind, key, value = _contact(email, number, country)
    found = _by_key(session, kind, key)
    if found is None and lock(session, f"contact:{kind}:{key}"):
        found = _by_key(session, kind, key)
    if found is not None:
        return found
    return _create(session, kind, key, value, name or value, language, at, actor)


def find_or_create_alike(
    session: Session,
    *,
    at: datetime,
    email: str | None = None,
    number: str | None = None,
    country: str = "UA",
    name: str = "",
    language: str | None = None,
) -> Known:
    """As `find_or_create`, with the same work whether there is somebody or not (T17).

    For whoever names an address and has not shown that it is theirs: a client is made each time,
    and unmade where there was one.
    """
    kind, key, value = _contact(email, number, country)
    lock(session, f"contact:{kind}:{key}")
    found = _by_key(session, kind, key)
    with session.begin_nested() as trial:
        with session.begin_nested():  # the full-text index is written at its end, in both cases
            made = _create(session, kind, key, value, name or value, language, at, SYSTEM)
        if found is not None:
            trial.rollback()
    return found or made


def nobody(session: Session, *, at: datetime) -> Known:
    """The person that stands for senders without any address."""
    found = _by_key(session, ContactKind.MESSENGER, NOBODY)
    if found is None and lock(session, f"contact:{NOBODY}"):
        found = _by_key(session, ContactKind.MESSENGER, NOBODY)
    if found is None:
        found = _create(session, ContactKind.MESSENGER, NOBODY, NOBODY, "?", None, at, SYSTEM)
    return replace(found, contact_point_id=None)


def _contact(email: str | None, number: str | None, country: str) -> tuple[ContactKind, str, str]:
    found = contact_key(email, number, country)
    if found is None:
        raise ValueError("an address or a readable number is needed")
    kind, key = found
    return kind, key, clean_line(email, 254) if email else phone.display(key)


def _create(
    session: Session,
    kind: ContactKind,
    key: str,
    value: str,
    name: str,
    language: str | None,
    at: datetime,
    actor: Actor,
) -> Known:
    name = clean_line(name) or value
    names = {"name": name, "sort_key": sort_key(name), "language": language, "created_at": at}
    client_id = add_row(
        session, Client, kind=ClientKind.PERSON, tags=[], potential=True, updated_at=at, **names
    )
    person_id = add_row(session, Person, client_id=client_id, **names)
    point_id = add_row(
        session,
        ContactPoint,
        person_id=person_id,
        kind=kind,
        value=value,
        key=key,
        tail=phone.tail(key) if kind == ContactKind.PHONE else None,
        created_at=at,
    )
    record(session, "client.created", actor=actor, at=at, client_id=client_id)
    index_client(session, client_id, [name], [value])
    return Known(client_id, person_id, point_id, language, created=True)
