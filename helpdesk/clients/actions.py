"""Verbs on clients: create, change, contact points."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, ClientKind, ContactKind, ContactPoint, Person
from helpdesk.clients.search import index_client, reindex_client
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import LANGUAGES
from helpdesk.lib import phone
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, email_key, valid_email


def create_client(
    session: Session,
    *,
    kind: str,
    name: str,
    at: datetime,
    language: str | None = None,
    tags: list[str] | None = None,
    actor: Actor = SYSTEM,
) -> Client:
    """Add a client without people. Raises HelpdeskError for an empty name or unknown values."""
    name = clean_line(name)
    if not name:
        raise HelpdeskError(_lazy("A client needs a name."), field="name")
    if kind not in set(ClientKind):
        raise HelpdeskError(_lazy("A client is a person or an organisation."), field="kind")
    client = Client(
        kind=ClientKind(kind),
        name=name,
        sort_key=sort_key(name),
        language=_language(language),
        tags=clean_tags(tags or []),
        created_at=at,
        updated_at=at,
    )
    session.add(client)
    session.flush()
    index_client(session, client.id, [name], [])
    record(session, "client.created", actor=actor, at=at, client_id=client.id)
    return client


def add_person(
    session: Session,
    client: Client,
    *,
    name: str,
    at: datetime,
    role: str = "",
    language: str | None = None,
    vocative: str | None = None,
    actor: Actor = SYSTEM,
) -> Person:
    """Add a contact person. Raises HelpdeskError for an empty name."""
    name = clean_line(name)
    if not name:
        raise HelpdeskError(_lazy("A contact person needs a name."), field="name")
    person = Person(
        client_id=client.id,
        name=name,
        sort_key=sort_key(name),
        role=clean_line(role),
        language=_language(language),
        vocative=clean_line(vocative) if vocative else None,
        created_at=at,
    )
    session.add(person)
    session.flush()
    reindex_client(session, client.id)
    record(session, "person.created", actor=actor, at=at, client_id=client.id, person_id=person.id)
    return person


def add_contact_point(
    session: Session, person: Person, *, kind: str, value: str, country: str, at: datetime
) -> ContactPoint:
    """Add an address or number. Raises HelpdeskError if it cannot be read or is there already."""
    kind_ = ContactKind(kind)
    key, shown = _contact_key(kind_, value, country)
    known = session.scalar(
        select(ContactPoint.id).where(
            ContactPoint.kind == kind_, ContactPoint.key == key, ContactPoint.person_id == person.id
        )
    )
    if known:
        raise HelpdeskError(_lazy("This person has %(value)s already."), field="value", value=shown)
    point = ContactPoint(
        person_id=person.id,
        kind=kind_,
        value=shown,
        key=key,
        tail=phone.tail(key) if kind_ == ContactKind.PHONE else None,
        created_at=at,
    )
    session.add(point)
    session.flush()
    reindex_client(session, person.client_id)
    return point


def change_client(
    session: Session,
    client: Client,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    **changes: Any,
) -> None:
    """Change name, language, tags, owner_id or about.

    Raises Conflict if the record has changed since `version`, HelpdeskError for bad values.
    """
    if version is not None and version != client.version:
        raise Conflict(_lazy("Somebody changed this client in the meantime. Look and save again."))
    if "name" in changes:
        changes["name"] = clean_line(changes["name"])
        if not changes["name"]:
            raise HelpdeskError(_lazy("A client needs a name."), field="name")
        changes["sort_key"] = sort_key(changes["name"])
    if "tags" in changes:
        changes["tags"] = clean_tags(changes["tags"])
    if "language" in changes:
        changes["language"] = _language(changes["language"])
    changed = {key: value for key, value in changes.items() if getattr(client, key) != value}
    if not changed:
        return
    for key, value in changed.items():
        setattr(client, key, value)
    client.updated_at = at
    client.version += 1
    session.flush()
    if "name" in changed:
        reindex_client(session, client.id)
    fields = sorted(changed.keys() - {"sort_key"})
    record(session, "client.changed", actor=actor, at=at, client_id=client.id, fields=fields)


def mark_bad(session: Session, point: ContactPoint, *, at: datetime) -> None:
    """An address returned our mail for good: nothing more is sent there by itself."""
    if point.bad:
        return
    point.bad = True
    session.flush()
    client_id = session.scalars(select(Person.client_id).where(Person.id == point.person_id)).one()
    record(session, "contact_point.bad", at=at, client_id=client_id, contact_point_id=point.id)


def mark_verified(session: Session, contact_point_id: int, *, at: datetime) -> None:
    """The person showed that they read mail at this address (a signed link or reply address)."""
    point = session.get(ContactPoint, contact_point_id)
    if point is None or point.verified:
        return
    point.verified = True
    session.flush()
    client_id = session.scalars(select(Person.client_id).where(Person.id == point.person_id)).one()
    record(session, "contact_point.verified", at=at, client_id=client_id, contact_point_id=point.id)


def clean_tags(tags: list[str]) -> list[str]:
    """Tags in their order, one line each, without repeats and empty ones. At most 20."""
    cleaned = (clean_line(tag, 40).replace(",", " ").strip().lower() for tag in tags)
    return list(dict.fromkeys(tag for tag in cleaned if tag))[:20]


def _language(language: str | None) -> str | None:
    if language and language not in LANGUAGES:
        raise HelpdeskError(_lazy("The language must be en, ru or uk."), field="language")
    return language or None


def _contact_key(kind: ContactKind, value: str, country: str) -> tuple[str, str]:
    value = clean_line(value, 254)
    if kind == ContactKind.EMAIL:
        if not valid_email(value):
            raise HelpdeskError(
                _lazy("This is not an email address: %(email)s"), field="value", email=value
            )
        return email_key(value), value
    if kind == ContactKind.PHONE:
        key = phone.normalize(value, country)
        if key is None:
            raise HelpdeskError(
                _lazy("This is not a phone number: %(number)s"), field="value", number=value
            )
        return key, phone.display(key)
    return value.lower(), value
