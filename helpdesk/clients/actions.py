"""Verbs on clients: create and change them, add people and contact points."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.checks import (
    CHECKS,
    check_external_id,
    check_free,
    check_organisation,
    checked_language,
    checked_name,
    clean_tags,
    read_contact,
)
from helpdesk.clients.duplicates import look_again
from helpdesk.clients.models import Client, ClientKind, ContactKind, ContactPoint, Person
from helpdesk.clients.search import index_client, reindex_client
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.fields import check_profile
from helpdesk.lib import phone
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line

__all__ = [
    "add_contact_point",
    "add_person",
    "change_client",
    "clean_tags",
    "create_client",
    "mark_bad",
    "mark_verified",
]

COMPARED = ("name", "organisation_id", "profile")


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
    name = checked_name(name)
    if kind not in set(ClientKind):
        raise HelpdeskError(_lazy("A client is a person or an organisation."), field="kind")
    client = Client(
        kind=ClientKind(kind),
        name=name,
        sort_key=sort_key(name),
        language=checked_language(language),
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
        language=checked_language(language),
        vocative=clean_line(vocative) if vocative else None,
        created_at=at,
    )
    session.add(person)
    session.flush()
    reindex_client(session, client.id)
    record(session, "person.created", actor=actor, at=at, client_id=client.id, person_id=person.id)
    return person


def add_contact_point(
    session: Session,
    person: Person,
    *,
    kind: str,
    value: str,
    country: str,
    at: datetime,
    actor: Actor = SYSTEM,
) -> ContactPoint:
    """Add an address or number. Raises HelpdeskError if it cannot be read or is there already."""
    kind_ = ContactKind(kind)
    key, shown = read_contact(kind_, value, country)
    check_free(session, person.id, kind_, key, shown)
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
    look_again(session, person.client_id)
    record(
        session,
        "contact_point.added",
        actor=actor,
        at=at,
        client_id=person.client_id,
        contact_point_id=point.id,
    )
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
    """Change any of the columns named in CHECKS, and the profile.

    `profile` holds only the keys that change, an empty value takes one out. Raises Conflict if
    the record has changed since `version`, HelpdeskError for bad values.
    """
    if version is not None and version != client.version:
        raise Conflict(_lazy("Somebody changed this client in the meantime. Look and save again."))
    fields = _check(session, client, changes)
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
    fields |= changed.keys() - {"sort_key", "name_key", "profile"}
    record(
        session,
        "client.changed",
        actor=actor,
        at=at,
        client_id=client.id,
        fields=sorted(fields),
    )


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


def _check(session: Session, client: Client, changes: dict[str, Any]) -> set[str]:
    """Put checked values into the changes; the names of the profile's fields that differ."""
    fields: set[str] = set()
    if "profile" in changes:
        changes["profile"] = check_profile(session, client.kind, client.profile, changes["profile"])
        fields = _differing(client.profile, changes["profile"])
    for name in CHECKS.keys() & changes.keys():
        changes[name] = CHECKS[name](changes[name])
    if "name" in changes:
        changes["sort_key"] = sort_key(changes["name"])
    if any(name in changes and changes[name] != getattr(client, name) for name in COMPARED):
        changes["name_key"] = None  # the search for duplicates makes it anew
    if changes.get("organisation_id") is not None:
        check_organisation(session, client, changes["organisation_id"])
    if changes.get("external_id") is not None:
        check_external_id(session, client, changes["external_id"])
    return fields


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    return {f"profile.{key}" for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
