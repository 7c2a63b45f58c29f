"""Reads the clients that the rows of a chunk may mean: a few statements, whatever their number."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.importing.rows import ClientRow, name_key
from helpdesk.clients.importing.world import CLIENT_VALUES, ClientState, PersonState, World
from helpdesk.clients.models import Client, ClientKind, ContactKind, ContactPoint, Person

_DEEP = 5  # merges of merges that are followed
_CLIENT = tuple(getattr(Client, name) for name in CLIENT_VALUES)
_PERSON = (
    Person.id,
    Person.client_id,
    Person.name,
    Person.role,
    Person.vocative,
    Person.external_id,
)


def load(session: Session, world: World, rows: Sequence[ClientRow]) -> None:
    """Put into the world whom the rows may mean, with their people, addresses and organisations."""
    _forget_removed(session, rows)
    wanted = _ids(session, rows) - world.clients.keys()
    found: list[ClientState] = []
    links: dict[int, int] = {}
    for _ in range(_DEEP):
        fresh = _clients(session, wanted - world.clients.keys() - {one.id for one in found}, links)
        found += fresh
        wanted = {one.merged_into for one in fresh if one.merged_into is not None}
        if not wanted:
            break
    known = world.clients | {one.id: one for one in found if one.id is not None}
    above = _clients(session, set(links.values()) - known.keys(), {})
    known |= {one.id: one for one in above if one.id is not None}
    for one in found:
        if one.id in links:
            one.organisation = known.get(links[one.id])
    _people(session, found)
    for one in found:
        world.add(one)


def _forget_removed(session: Session, rows: Sequence[ClientRow]) -> None:
    """Ids of people who were removed or merged here stay theirs: such a row speaks of the client,
    and of whom it names.
    """
    ids = {row.person["external_id"] for row in rows if row.person.get("external_id")}
    query = select(Person.external_id, Person.client_id)
    query = query.where(Person.external_id.in_(ids), Person.removed_at.is_not(None))
    gone = dict(session.execute(query).all()) if ids else {}
    for row in rows:
        client_id = gone.get(row.person.get("external_id"))
        if client_id is None:
            continue
        del row.person["external_id"]
        if not (row.ids or row.points or row.values.get("external_id")):
            row.ids["id"] = client_id


def _ids(session: Session, rows: Sequence[ClientRow]) -> set[int]:
    ids = {row.ids["id"] for row in rows if "id" in row.ids}
    people = {row.ids["person_id"] for row in rows if "person_id" in row.ids}
    external = {row.values.get("external_id") for row in rows} | {row.organisation for row in rows}
    people_external = {row.person.get("external_id") for row in rows}
    ids |= _select(session, Client.id, Client.external_id, external)
    ids |= _select(session, Person.client_id, Person.id, people)
    ids |= _select(session, Person.client_id, Person.external_id, people_external)
    for kind in ContactKind:
        keys = {key for row in rows for of, key in row.points if of == kind}
        ids |= _by_points(session, kind, keys)
    return ids | _by_names(session, rows)


def _select(session: Session, column: Any, by: Any, values: Iterable[Any]) -> set[int]:
    given = [value for value in values if value not in (None, "")]
    return set(session.scalars(select(column).where(by.in_(given)))) if given else set()


def _by_points(session: Session, kind: ContactKind, keys: Iterable[str]) -> set[int]:
    given = list(keys)
    if not given:
        return set()
    query = select(Person.client_id).join(ContactPoint, ContactPoint.person_id == Person.id)
    query = query.where(ContactPoint.kind == kind, ContactPoint.key.in_(given))
    return set(session.scalars(query))


def _by_names(session: Session, rows: Sequence[ClientRow]) -> set[int]:
    """Organisations by name, and people of whom the row says no more than the name."""
    names = {row.organisation for row in rows if row.organisation}
    bare = set()
    for row in rows:
        name = row.values.get("name") or row.person.get("name")
        if name and not row.points and not row.values.get("external_id") and not row.ids:
            bare.add(name_key(name))
        elif name and not row.ids:
            names.add(name)
    query = select(Client.id).where(Client.erased_at.is_(None), Client.merged_into_id.is_(None))
    found: set[int] = set()
    if names:
        keys = [name_key(name) for name in names]
        only = query.where(Client.kind == ClientKind.ORGANISATION, Client.sort_key.in_(keys))
        found |= set(session.scalars(only))
    if bare:
        found |= set(session.scalars(query.where(Client.sort_key.in_(bare))))
    return found


def _clients(session: Session, ids: set[Any], links: dict[int, int]) -> list[ClientState]:
    """Clients by id, the oldest first; `links` is told who belongs to which organisation."""
    if not ids:
        return []
    query = select(Client.id, Client.merged_into_id, Client.organisation_id, *_CLIENT).where(
        Client.id.in_(ids), Client.erased_at.is_(None)
    )
    found = []
    for id_, merged, organisation_id, *values in session.execute(query.order_by(Client.id)):
        named = dict(zip(CLIENT_VALUES, values, strict=True))
        found.append(ClientState(id_, named, merged_into=merged))
        if organisation_id is not None:
            links[id_] = organisation_id
    return found


def _people(session: Session, clients: Sequence[ClientState]) -> None:
    by_id = {one.id: one for one in clients}
    if not by_id:
        return
    query = select(*_PERSON).where(Person.client_id.in_(by_id), Person.removed_at.is_(None))
    people: dict[int, PersonState] = {}
    for id_, client_id, name, role, vocative, external in session.execute(
        query.order_by(Person.id)
    ):
        values = {"name": name, "role": role, "vocative": vocative, "external_id": external}
        people[id_] = PersonState(id_, values)
        by_id[client_id].people.append(people[id_])
    points = (
        select(ContactPoint.person_id, ContactPoint.kind, ContactPoint.key, ContactPoint.value)
        .join(Person, Person.id == ContactPoint.person_id)
        .where(Person.client_id.in_(by_id), ContactPoint.removed_at.is_(None))
        .order_by(ContactPoint.id)
    )
    for person_id, kind, key, value in session.execute(points):
        if person_id in people:
            people[person_id].points[kind, key] = value
