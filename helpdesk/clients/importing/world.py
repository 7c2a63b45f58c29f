"""Clients as an import sees them: who is there, whom a row means, what it would change.

Nothing is written here. Rows of one chunk see each other; a dry run keeps what it planned, so
that it counts as the real run will.
"""

from dataclasses import dataclass, field
from typing import Any

from helpdesk.clients.importing.rows import ClientRow, kind_of_name, name_key
from helpdesk.clients.models import ClientKind, ContactKind
from helpdesk.lib.errors import HelpdeskError, _lazy

Key = tuple[ContactKind, str]

CREATED, CHANGED, SAME = "created", "changed", "same"


CLIENT_VALUES = (
    "kind",
    "name",
    "sort_key",
    "language",
    "owner_id",
    "tags",
    "potential",
    "about",
    "relation",
    "timezone",
    "profile",
    "external_id",
)


@dataclass(eq=False, slots=True)
class PersonState:
    """A person with what a run changes; `id` None: not in the base yet."""

    id: int | None
    values: dict[str, Any]  # name, role, vocative, external_id
    points: dict[Key, str] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    added: list[Key] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class ClientState:
    """A client with what a run changes; `row`: the line that makes a new one."""

    id: int | None
    values: dict[str, Any]
    row: int | None = None
    people: list[PersonState] = field(default_factory=list)
    organisation: "ClientState | None" = None
    new_organisation: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)  # names of what changes, for the event
    merged_into: int | None = None
    place: int | None = None  # in what a dry run remembers

    @property
    def is_new(self) -> bool:
        return self.id is None

    @property
    def touched(self) -> bool:
        return self.is_new or bool(
            self.changes
            or self.new_organisation
            or any(one.id is None or one.changes or one.added for one in self.people)
        )


class World:
    """The clients that rows may mean, found by any of their keys."""

    def __init__(self) -> None:
        self.clients: dict[int, ClientState] = {}
        self.created: list[ClientState] = []
        self._by_external: dict[str, ClientState] = {}
        self._by_point: dict[Key, list[ClientState]] = {}
        self._by_person: dict[int, tuple[ClientState, PersonState]] = {}
        self._by_person_external: dict[str, tuple[ClientState, PersonState]] = {}
        self._by_name: dict[str, list[ClientState]] = {}

    def add(self, client: ClientState) -> None:
        """Make a client known by its keys; one that is known already stays as it is."""
        if client.id is not None:
            self.clients[client.id] = client
        else:
            self.created.append(client)
        if client.values["external_id"]:
            self._by_external[client.values["external_id"]] = client
        if client.merged_into is None:
            self._by_name.setdefault(client.values["sort_key"], []).append(client)
        for person in client.people:
            self._add_person(client, person)

    def put(self, row: ClientRow) -> str:
        """Take a row in; created, changed or same.

        Raises HelpdeskError, with the key of the column as its field, and changes nothing then.
        """
        client = self._find(row)
        person = self._person(client, row) if client is not None else None
        self._check(client, person, row)
        organisation = self._organisation(client, row)
        if client is None:
            self._create(row, organisation)
            return CREATED
        changed = self._change(client, row, organisation)
        changed |= self._change_person(client, person, row)
        return CHANGED if changed else SAME

    def _add_person(self, client: ClientState, person: PersonState) -> None:
        if person.id is not None:
            self._by_person[person.id] = (client, person)
        if person.values["external_id"]:
            self._by_person_external[person.values["external_id"]] = (client, person)
        for key in person.points:
            self._add_point(key, client)

    def _add_point(self, key: Key, client: ClientState) -> None:
        owners = self._by_point.setdefault(key, [])
        if client not in owners:
            owners.append(client)

    def _find(self, row: ClientRow) -> ClientState | None:
        """Whom the row means: by our id, by the other system's, by address or number, by name."""
        if "id" in row.ids:
            return self._by_id(row.ids["id"])
        external = row.values.get("external_id")
        if external and external in self._by_external:
            return self._kept(self._by_external[external])
        if "person_id" in row.ids:
            return self._person_by_id(row.ids["person_id"])[0]
        found = self._by_points(row)
        if found is None and not external and (known := row.person.get("external_id")):
            found = self._by_person_external.get(known, (None, None))[0]
        if found is None:
            return self._by_its_name(row)
        theirs = found.values["external_id"]
        if external and theirs and theirs != external:
            key = next(key for key in row.points if found in self._by_point.get(key, ()))
            raise taken(column_of(key), row.points[key], found)
        return found

    def _by_id(self, id_: int) -> ClientState:
        client = self.clients.get(id_)
        if client is None:
            message = _lazy("There is no client with the ID %(id)s.")
            raise HelpdeskError(message, field="id", id=str(id_))
        return self._kept(client)

    def _person_by_id(self, id_: int) -> tuple[ClientState, PersonState]:
        found = self._by_person.get(id_)
        if found is None:
            message = _lazy("There is no person with the ID %(id)s.")
            raise HelpdeskError(message, field="person_id", id=str(id_))
        return found

    def _kept(self, client: ClientState) -> ClientState:
        """The client that a merged one became."""
        for _ in range(20):
            if client.merged_into is None or client.merged_into not in self.clients:
                break
            client = self.clients[client.merged_into]
        return client

    def _by_points(self, row: ClientRow) -> ClientState | None:
        owners = [self._by_point[key] for key in row.points if key in self._by_point]
        if not owners:
            return None
        common = [client for client in owners[0] if all(client in one for one in owners)]
        if not common:
            message = _lazy("The addresses and numbers lead to different clients.")
            raise HelpdeskError(message, field=column_of(next(iter(row.points))))
        return min(common, key=lambda client: (client.id is None, client.id or client.row or 0))

    def _by_its_name(self, row: ClientRow) -> ClientState | None:
        """One of whom nothing but the name is known; a person only where the row has no more."""
        name = row.values.get("name") or row.person.get("name")
        if not name:
            return None
        kind = row.values.get("kind") or _kind(row)
        plain = not row.points and not row.values.get("external_id")
        if kind == ClientKind.PERSON and not plain:
            return None
        candidates = self._by_name.get(name_key(name), ())
        fitting = (
            one
            for one in candidates
            if one.values["kind"] == kind
            and not one.values["external_id"]
            and not any(person.points for person in one.people)
        )
        return next(fitting, None)

    def _person(self, client: ClientState, row: ClientRow) -> PersonState | None:
        """Which of the client's people the row speaks of; None for one who is not there yet."""
        if "person_id" in row.ids:
            owner, person = self._person_by_id(row.ids["person_id"])
            if owner is not client:
                message = _lazy("The person with the ID %(id)s belongs to another client.")
                raise HelpdeskError(message, field="person_id", id=str(row.ids["person_id"]))
            return person
        external = row.person.get("external_id")
        if external and external in self._by_person_external:
            owner, person = self._by_person_external[external]
            if owner is not client:
                raise taken("person_external_id", external, owner)
            return person
        return _like(client, row)

    def _check(
        self, client: ClientState | None, person: PersonState | None, row: ClientRow
    ) -> None:
        for key, shown in row.points.items():
            owners = self._by_point.get(key, [])
            if owners and client not in owners:
                raise taken(column_of(key), shown, owners[0])
        external = row.values.get("external_id")
        owner = self._by_external.get(external) if external else None
        if external and owner and client is not None and self._kept(owner) is not client:
            raise taken("external_id", external, owner)
        theirs = row.person.get("external_id")
        if theirs and theirs in self._by_person_external:
            other, one = self._by_person_external[theirs]
            if one is not person:
                raise taken("person_external_id", theirs, other)
        kind = row.values.get("kind")
        if client is not None and kind and kind != client.values["kind"]:
            message = _lazy("The client is of another kind here. Change the file or the client.")
            raise HelpdeskError(message, field="kind")
        row.check_kind(client.values["kind"] if client is not None else kind or _kind(row))

    def _organisation(self, client: ClientState | None, row: ClientRow) -> ClientState | None:
        """The organisation by number or name; a new one where there is none of this name."""
        if not row.organisation:
            return None
        mine = client.organisation if client is not None else None
        key = name_key(row.organisation)
        if mine is not None and key == mine.values["sort_key"]:
            return mine
        found = self._by_external.get(row.organisation)
        if found is None or found.values["kind"] != ClientKind.ORGANISATION:
            named = self._by_name.get(key, ())
            found = next((o for o in named if o.values["kind"] == ClientKind.ORGANISATION), None)
        found = self._kept(found) if found is not None else None
        if found is not None and client is not None and client in (found, found.organisation):
            message = _lazy("An organisation cannot belong to itself.")
            raise HelpdeskError(message, field="organisation")
        return found or self._new_organisation(row)

    def _new_organisation(self, row: ClientRow) -> ClientState:
        name = row.organisation
        own = row.values.get("name")
        if own and name_key(own) == name_key(name):
            message = _lazy("An organisation cannot belong to itself.")
            raise HelpdeskError(message, field="organisation")
        made = ClientState(None, blank(ClientKind.ORGANISATION, name), row.number)
        self.add(made)
        return made

    def _create(self, row: ClientRow, organisation: ClientState | None) -> None:
        shown = next(iter(row.points.values()), "") or row.values.get("external_id") or "?"
        name = row.values.get("name") or row.person.get("name") or shown
        kind = row.values.get("kind") or _kind(row)
        values = blank(kind, name) | row.values | {"name": name, "kind": kind}
        values["profile"] = dict(row.profile)
        client = ClientState(None, values, row.number, organisation=organisation)
        if row.points or row.person or kind == ClientKind.PERSON:
            client.people.append(_new_person(client, row))
        self.add(client)

    def _change(
        self, client: ClientState, row: ClientRow, organisation: ClientState | None
    ) -> bool:
        wanted = {key: value for key, value in row.values.items() if key != "kind"}
        if client.values["external_id"] and "id" not in row.ids:
            wanted.pop("external_id", None)  # of a merged one: both stay
        if "name" in wanted:
            wanted["sort_key"] = name_key(wanted["name"])
        profile = client.values["profile"] | row.profile
        if profile != client.values["profile"]:
            old = client.values["profile"]
            client.fields |= {f"profile.{k}" for k in profile if old.get(k) != profile[k]}
            wanted["profile"] = profile
        changes = {k: v for k, v in wanted.items() if client.values[k] != v}
        if "name" in changes:
            _rename_person(client, changes["name"])
            changes["name_key"] = None
        client.values |= changes
        client.changes |= changes
        client.fields |= changes.keys() - {"sort_key", "name_key", "profile"}
        if changes.get("external_id"):
            self._by_external[changes["external_id"]] = client
        moved = organisation is not None and not _same(organisation, client.organisation)
        if moved:
            client.organisation, client.new_organisation = organisation, True
            client.fields.add("organisation_id")
        return bool(changes) or moved

    def _change_person(
        self, client: ClientState, person: PersonState | None, row: ClientRow
    ) -> bool:
        if person is None:
            if not row.person and not row.points:
                return False
            person = _new_person(client, row)
            client.people.append(person)
            self._add_person(client, person)
            return True
        changes = {k: v for k, v in row.person.items() if person.values[k] != v}
        new = [key for key in row.points if key not in person.points]
        person.values |= changes
        person.changes |= changes
        person.points |= {key: row.points[key] for key in new}
        person.added += new
        self._add_person(client, person)
        return bool(changes or new)


def _same(one: ClientState, other: ClientState | None) -> bool:
    return one is other or (other is not None and one.id is not None and one.id == other.id)


def blank(kind: ClientKind, name: str) -> dict[str, Any]:
    """Values of a client of whom only the name is known."""
    return {
        "kind": kind,
        "name": name,
        "sort_key": name_key(name),
        "language": None,
        "owner_id": None,
        "tags": [],
        "potential": True,
        "about": "",
        "relation": "client",
        "timezone": None,
        "profile": {},
        "external_id": None,
    }


def column_of(key: Key) -> str:
    """The column in which an address or number of this kind stands."""
    return f"{key[0]}s"


def taken(column: str, shown: str, owner: ClientState) -> HelpdeskError:
    """The value belongs to somebody else: said by id or by the row that made them."""
    if owner.id is None:
        message = _lazy("%(value)s belongs to another client, that of row %(row)s.")
        return HelpdeskError(message, field=column, value=shown, row=owner.row)
    message = _lazy("%(value)s belongs to another client, with the helpdesk ID %(id)s.")
    return HelpdeskError(message, field=column, value=shown, id=str(owner.id))


def _kind(row: ClientRow) -> ClientKind:
    name, person = row.values.get("name"), row.person.get("name")
    if name and person and name_key(name) != name_key(person):
        return ClientKind.ORGANISATION
    return kind_of_name(name or "")


def _like(client: ClientState, row: ClientRow) -> PersonState | None:
    """By address or number, then by name. In an organisation several may share an address."""
    name = row.person.get("name")
    key = name_key(name) if name else None
    named = [one for one in client.people if key and name_key(one.values["name"]) == key]
    reached = [one for one in client.people if any(k in one.points for k in row.points)]
    both = [one for one in reached if one in named]
    if both or named:
        return (both or named)[0]
    private = client.values["kind"] == ClientKind.PERSON
    if reached and (private or not name):
        return reached[0]
    if client.people and not name and ((private and len(client.people) == 1) or not row.points):
        return client.people[0]
    own = [o for o in client.people if name_key(o.values["name"]) == client.values["sort_key"]]
    return own[0] if own and not name else None


def _new_person(client: ClientState, row: ClientRow) -> PersonState:
    values = {"name": client.values["name"], "role": "", "vocative": None, "external_id": None}
    return PersonState(None, values | row.person, dict(row.points), added=list(row.points))


def _rename_person(client: ClientState, name: str) -> None:
    """A private client's only person has the client's name."""
    if client.values["kind"] != ClientKind.PERSON or len(client.people) != 1:
        return
    (person,) = client.people
    if person.values["name"] == client.values["name"]:
        person.values["name"] = name
        person.changes["name"] = name
