"""Verbs on the people of a client: change, remove, put back."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Column, Table, exists, select
from sqlalchemy.orm import Session

from helpdesk.clients.checks import checked_language, checked_timezone
from helpdesk.clients.contact_points import remove_point, restore_point
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.clients.search import reindex_client
from helpdesk.events import Actor, record
from helpdesk.ext import Base
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line


def person_of(session: Session, client_id: int, person_id: int, *, removed: bool = False) -> Person:
    """A person of this client, with `removed` also one that was removed. Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None or person.client_id != client_id:
        raise NotFound()
    if person.removed_at is not None and not removed:
        raise NotFound()
    return person


def change_person(
    session: Session, person: Person, *, actor: Actor, at: datetime, **changes: Any
) -> None:
    """Change name, role, language, timezone or vocative. Raises HelpdeskError for bad values."""
    if "name" in changes:
        changes["name"] = clean_line(changes["name"])
        if not changes["name"]:
            raise HelpdeskError(_lazy("A contact person needs a name."), field="name")
        changes["sort_key"] = sort_key(changes["name"])
    if "role" in changes:
        changes["role"] = clean_line(changes["role"])
    if "vocative" in changes:
        changes["vocative"] = clean_line(changes["vocative"] or "") or None
    if "language" in changes:
        changes["language"] = checked_language(changes["language"])
    if "timezone" in changes:
        changes["timezone"] = checked_timezone(changes["timezone"])
    changed = {name: value for name, value in changes.items() if getattr(person, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(person, name, value)
    _touch(session, person.client_id, at)
    if "name" in changed:
        reindex_client(session, person.client_id)
    fields = sorted(changed.keys() - {"sort_key"})
    _record(session, "person.changed", person, actor, at, fields=fields)


def remove_person(session: Session, person: Person, *, actor: Actor, at: datetime) -> None:
    """Take a person out, with their contact points. Raises HelpdeskError for one with a history."""
    if _has_history(session, person.id):
        message = _lazy("%(name)s has tickets or messages and stays. Mark the addresses as bad.")
        raise HelpdeskError(message, field="person", name=person.name)
    points = select(ContactPoint).where(
        ContactPoint.person_id == person.id, ContactPoint.removed_at.is_(None)
    )
    for point in session.scalars(points).all():
        remove_point(session, point, actor=actor, at=at)
    person.removed_at = at
    _touch(session, person.client_id, at)
    reindex_client(session, person.client_id)
    _record(session, "person.removed", person, actor, at)


def restore_person(session: Session, person: Person, *, actor: Actor, at: datetime) -> None:
    """Put a removed person back, with the contact points that went at the same moment."""
    if person.removed_at is None:
        return
    gone = select(ContactPoint).where(
        ContactPoint.person_id == person.id, ContactPoint.removed_at == person.removed_at
    )
    person.removed_at = None
    for point in session.scalars(gone).all():
        restore_point(session, point, actor=actor, at=at)
    _touch(session, person.client_id, at)
    reindex_client(session, person.client_id)
    record(
        session,
        "person.created",
        actor=actor,
        at=at,
        client_id=person.client_id,
        person_id=person.id,
    )


def _has_history(session: Session, person_id: int) -> bool:
    """Whether a row of any later room points to the person, looked up where an index leads."""
    found = [
        exists().where(column == person_id)
        for table in Base.metadata.tables.values()
        if table.name != ContactPoint.__tablename__
        for column in table.columns
        if _leads_to_person(column) and _is_indexed(table, column)
    ]
    return bool(session.scalar(select(_any(found)))) if found else False


def _any(conditions: list[Any]) -> Any:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = whole | condition
    return whole


def _leads_to_person(column: Column[Any]) -> bool:
    person = cast(Table, Person.__table__).c.id
    return any(key.column is person for key in column.foreign_keys)


def _is_indexed(table: Table, column: Column[Any]) -> bool:
    return any(list(index.columns)[:1] == [column] for index in table.indexes)


def _touch(session: Session, client_id: int, at: datetime) -> None:
    client = session.get_one(Client, client_id)
    client.updated_at = at
    client.version += 1
    session.flush()


def _record(
    session: Session, kind: str, person: Person, actor: Actor, at: datetime, **data: Any
) -> None:
    record(
        session, kind, actor=actor, at=at, client_id=person.client_id, person_id=person.id, **data
    )
