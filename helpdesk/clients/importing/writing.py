"""Writes what a chunk of clients came to: inserts of many rows, one Event for each client."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.orm import Session

from helpdesk.clients.importing.rows import name_key
from helpdesk.clients.importing.world import ClientState, Key, PersonState, World
from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.clients.search import FTS, index_clients
from helpdesk.events import Actor, event_row, record_all
from helpdesk.ext import Base, fulltext
from helpdesk.lib import phone

Event = dict[str, Any]


def write(session: Session, world: World, *, actor: Actor, at: datetime) -> None:
    """Write everything the world holds that is not in the base yet."""
    old = [one for one in world.clients.values() if one.touched]
    made = list(world.created)
    fresh = {id(one) for one in made}
    _insert_clients(session, made, at)
    events = [event_row("client.created", actor=actor, at=at, client_id=one.id) for one in made]
    everybody = [(one, person) for one in (*made, *old) for person in one.people]
    new_people = [(one, person) for one, person in everybody if person.id is None]
    changed_people = [(one, person) for one, person in everybody if person.id and person.changes]
    _insert_people(session, new_people, at)
    points = _insert_points(session, everybody, at)
    _change_clients(session, old, at)
    _change_people(session, [person for _one, person in changed_people])
    say = _Said(actor, at, fresh)
    events += say.clients(old) + say.people(new_people, changed_people) + say.points(points)
    record_all(session, events)
    with_new = {id(one) for one, _person in new_people}
    _index(session, made, old, with_new)


def _insert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> list[int]:
    """The ids of new rows in their order."""
    if not rows:
        return []
    table = cast(Table, model.__table__)
    query = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.execute(query, list(rows)).scalars())


def _insert_clients(session: Session, made: Sequence[ClientState], at: datetime) -> None:
    """Organisations before those who belong to them."""
    left = list(made)
    while left:
        ready = [o for o in left if o.organisation is None or o.organisation.id is not None]
        rows = [_client_row(one, at) for one in ready]
        for one, id_ in zip(ready, _insert(session, Client, rows), strict=True):
            one.id = id_
        left = [one for one in left if one.id is None]


def _client_row(one: ClientState, at: datetime) -> dict[str, Any]:
    above = one.organisation.id if one.organisation is not None else None
    stamps = {"created_at": at, "updated_at": at, "version": 1}
    return one.values | stamps | {"organisation_id": above}


def _insert_people(
    session: Session, people: Sequence[tuple[ClientState, PersonState]], at: datetime
) -> None:
    rows = [
        person.values
        | {
            "client_id": client.id,
            "sort_key": name_key(person.values["name"]),
            "language": client.values["language"] if client.values["kind"] == "person" else None,
            "created_at": at,
        }
        for client, person in people
    ]
    for (_client, person), id_ in zip(people, _insert(session, Person, rows), strict=True):
        person.id = id_


def _insert_points(
    session: Session, people: Sequence[tuple[ClientState, PersonState]], at: datetime
) -> list[tuple[ClientState, int]]:
    """(client, id) of the new contact points."""
    new = [(client, person, key) for client, person in people for key in person.added]
    rows = [_point_row(person, key, at) for _client, person, key in new]
    ids = _insert(session, ContactPoint, rows)
    return [(client, id_) for (client, _person, _key), id_ in zip(new, ids, strict=True)]


def _point_row(person: PersonState, key: Key, at: datetime) -> dict[str, Any]:
    kind, text = key
    return {
        "person_id": person.id,
        "kind": kind,
        "value": person.points[key],
        "key": text,
        "tail": phone.tail(text) if kind == ContactKind.PHONE else None,
        "verified": False,
        "preferred": False,
        "bad": False,
        "soft_bounces": 0,
        "created_at": at,
    }


def _change_clients(session: Session, clients: Sequence[ClientState], at: datetime) -> None:
    table = cast(Table, Client.__table__)
    for one in clients:
        changes: dict[str, Any] = one.changes | {"updated_at": at}
        if one.new_organisation and one.organisation is not None:
            changes["organisation_id"] = one.organisation.id
        query = update(table).where(table.c.id == bindparam("the_id"))
        query = query.values(**changes, version=table.c.version + 1)
        session.execute(query, {"the_id": one.id})


def _change_people(session: Session, people: Sequence[PersonState]) -> None:
    table = cast(Table, Person.__table__)
    for one in people:
        changes = dict(one.changes)
        if "name" in changes:
            changes["sort_key"] = name_key(changes["name"])
        session.execute(update(table).where(table.c.id == one.id).values(**changes))


class _Said:
    """The Events about what changed; of a new client one says everything."""

    def __init__(self, actor: Actor, at: datetime, fresh: set[int]) -> None:
        self._who: dict[str, Any] = {"actor": actor, "at": at}
        self._fresh = fresh

    def clients(self, clients: Sequence[ClientState]) -> list[Event]:
        return [
            event_row("client.changed", **self._who, client_id=one.id, fields=sorted(one.fields))
            for one in clients
            if one.fields
        ]

    def people(
        self,
        new: Sequence[tuple[ClientState, PersonState]],
        changed: Sequence[tuple[ClientState, PersonState]],
    ) -> list[Event]:
        found = [
            event_row("person.created", **self._who, client_id=one.id, person_id=person.id)
            for one, person in new
            if id(one) not in self._fresh
        ]
        for one, person in changed:
            about: dict[str, Any] = {"person_id": person.id, "fields": sorted(person.changes)}
            found.append(event_row("person.changed", **self._who, client_id=one.id, **about))
        return found

    def points(self, points: Sequence[tuple[ClientState, int]]) -> list[Event]:
        return [
            event_row(
                "contact_point.added", **self._who, client_id=one.id, contact_point_id=point_id
            )
            for one, point_id in points
            if id(one) not in self._fresh
        ]


def _index(
    session: Session, made: Sequence[ClientState], old: Sequence[ClientState], with_new: set[int]
) -> None:
    """Full text, all at once. Those whose words did not change stay as they are."""
    anew = [
        one
        for one in old
        if "name" in one.changes
        or id(one) in with_new
        or any("name" in person.changes or person.added for person in one.people)
    ]
    fulltext.unindex(session, FTS, [one.id for one in anew if one.id is not None])
    index_clients(session, [_words(one) for one in (*made, *anew)])


def _words(one: ClientState) -> tuple[int, list[str], list[str]]:
    names = [one.values["name"], *(person.values["name"] for person in one.people)]
    values = [value for person in one.people for value in person.points.values()]
    return one.id or 0, names, values
