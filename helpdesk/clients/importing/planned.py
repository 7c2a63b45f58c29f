"""What a dry run has planned so far: packed and on the disk, in the memory only where it is."""

import pickle
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from helpdesk.clients.importing.rows import ClientRow, name_key
from helpdesk.clients.importing.scratch import Pile, Places
from helpdesk.clients.importing.world import CLIENT_VALUES, ClientState, PersonState, World

MOST = 500_000  # clients; of a larger file the first ones are forgotten


class Planned:
    """Clients that earlier rows of the file would have made or changed, found by their keys."""

    def __init__(self) -> None:
        self._packed = Pile()  # a client that changes is put on the top anew
        self._newest = array("I")  # by the client's number: where it was packed last
        self._places = Places()  # hash of a key: number of the client that has it
        self._shared: dict[int, list[int]] = {}  # of keys that several clients have

    def recall(self, world: World, rows: Sequence[ClientRow]) -> None:
        """Put into the world those whom these rows may mean."""
        wanted = {hash(key) for row in rows for key in _keys_of_row(row)}
        places = {place for mark in wanted for place in self._at(mark)}
        for place in sorted(places):
            client = _unpack(self._packed[self._newest[place]])
            client.place = place
            world.add(client)

    def keep(self, world: World) -> None:
        """Remember what this chunk would have written."""
        if len(self._newest) > MOST:
            self.__init__()  # type: ignore[misc]
        changed = (one for one in world.clients.values() if one.touched or one.place is not None)
        for client in (*world.created, *changed):
            packed = self._packed.append(_pack(client))
            if client.place is None or client.place >= len(self._newest):
                client.place = len(self._newest)
                self._newest.append(packed)
            self._newest[client.place] = packed
            for key in _keys_of_client(client):
                self._index(hash(key), client.place)

    def _at(self, mark: int) -> Iterable[int]:
        if mark in self._shared:
            return self._shared[mark]
        place = self._places.get(mark)
        return () if place is None else (place,)

    def _index(self, mark: int, place: int) -> None:
        first = self._places.setdefault(mark, place)
        if first != place:
            known = self._shared.setdefault(mark, [first])
            if place not in known:
                known.append(place)


def _keys_of_client(client: ClientState) -> Iterator[tuple[Any, ...]]:
    if client.id is not None:
        yield "id", client.id
    if client.values["external_id"]:
        yield "external", client.values["external_id"]
    if client.values["kind"] == "organisation" or not any(one.points for one in client.people):
        yield "name", client.values["sort_key"]
    for person in client.people:
        if person.id is not None:
            yield "person", person.id
        if person.values["external_id"]:
            yield "person_external", person.values["external_id"]
        for kind, key in person.points:
            yield str(kind), key


def _keys_of_row(row: ClientRow) -> Iterator[tuple[Any, ...]]:
    yield "id", row.ids.get("id")
    yield "person", row.ids.get("person_id")
    yield "external", row.values.get("external_id")
    yield "person_external", row.person.get("external_id")
    if row.organisation:
        yield "external", row.organisation
        yield "name", name_key(row.organisation)
    if name := row.values.get("name") or row.person.get("name"):
        yield "name", name_key(name)
    for kind, key in row.points:
        yield str(kind), key


def _pack(client: ClientState) -> bytes:
    people = [
        (one.id, *(one.values[name] for name in _PERSON_VALUES), one.points)
        for one in client.people
    ]
    above = client.organisation
    head = _head(client)
    return pickle.dumps((head, people, _head(above) if above is not None else None))


def _head(client: ClientState) -> tuple[Any, ...]:
    values = tuple(client.values[name] for name in CLIENT_VALUES)
    return client.id, client.row, client.merged_into, values


def _unpack(data: bytes) -> ClientState:
    head, people, above = pickle.loads(data)
    client = _client(head)
    client.organisation = _client(above) if above is not None else None
    for id_, *values, points in people:
        named = dict(zip(_PERSON_VALUES, values, strict=True))
        client.people.append(PersonState(id_, named, points))
    return client


def _client(head: tuple[Any, ...]) -> ClientState:
    id_, row, merged_into, values = head
    named = dict(zip(CLIENT_VALUES, values, strict=True))
    return ClientState(id_, named, row, merged_into=merged_into)


_PERSON_VALUES = ("name", "role", "vocative", "external_id")
