"""Clients, their people and what happened with them."""

from typing import Any

from flask import request
from pydantic import MISSING
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.api.operation import Call, Reply, operation
from helpdesk.api.paging import cut, id_cursor, id_of, mark_cursor, mark_of
from helpdesk.api.problems import NOT_YOURS, Refused
from helpdesk.api.refs import check_match, etag, given, user_of
from helpdesk.api.shapes.base import MAX_ID, Named, Query
from helpdesk.api.shapes.clients import (
    ClientChange,
    ClientIn,
    ClientList,
    ClientOut,
    ClientQuery,
    ContactPointOut,
    PersonIn,
    PersonOut,
    TimelineList,
    TimelineOut,
    TimelineQuery,
)
from helpdesk.clients.actions import add_contact_point, add_person, change_client, create_client
from helpdesk.clients.contact_points import set_preferred
from helpdesk.clients.fact_actions import open_client
from helpdesk.clients.models import Client, ClientKind, ContactKind, ContactPoint, Person
from helpdesk.clients.search import find_client_ids
from helpdesk.fields import Field, fields_of
from helpdesk.lib import phone
from helpdesk.lib.errors import NotFound
from helpdesk.lib.text import email_key
from helpdesk.reports.client.timeline import TimelineItem, client_timeline

MAX_HITS = 200
SENSITIVE = "client.sensitive"


@operation(
    "GET",
    "/clients",
    permission="client.read",
    query=ClientQuery,
    answer=ClientList,
    tag="clients",
)
def list_clients(call: Call[ClientQuery, None]) -> ClientList:
    """List clients, newest first."""
    query = call.query
    rows = (
        _with_people(select(Client))
        .where(*_filters(call), Client.id < id_of(query.cursor, MAX_ID))
        .order_by(Client.id.desc())
        .limit(query.limit + 1)
    )
    page, last = cut(call.session.scalars(rows).all(), query.limit)
    return ClientList(
        items=_shape_all(call, page), next_cursor=id_cursor(last.id if last else None)
    )


@operation(
    "POST",
    "/clients",
    permission="client.change",
    body=ClientIn,
    answer=ClientOut,
    tag="clients",
    status=201,
)
def add_client(call: Call[Query, ClientIn]) -> Reply:
    """Add a client with their people."""
    body, session = call.body, call.session
    kind = given(body.kind, ClientKind.PERSON.value)
    client = create_client(
        session,
        kind=kind,
        name=body.name,
        at=call.at,
        language=given(body.language),
        tags=given(body.tags),
        actor=call.actor,
    )
    change_client(session, client, actor=call.actor, at=call.at, **_record(call))
    if given(body.owner) is not None:
        client.owner_id = user_of(session, given(body.owner), "owner").id
        session.flush()
    people = given(body.people)
    if people is None:
        people = [PersonIn(name=body.name)] if kind == ClientKind.PERSON else []
    for person in people:
        _add_person(call, client, person)
    headers = {"Location": f"{request.path}/{client.id}", **etag(client.version)}
    return Reply(_read(call, client.id), headers)


@operation(
    "GET", "/clients/<int:client_id>", permission="client.read", answer=ClientOut, tag="clients"
)
def read_client(call: Call[Query, None], client_id: int) -> Reply:
    """Read a client."""
    client = _client(call.session, client_id)
    return Reply(_read(call, client.id), etag(client.version))


@operation(
    "PATCH",
    "/clients/<int:client_id>",
    permission="client.change",
    body=ClientChange,
    answer=ClientOut,
    tag="clients",
    refusals=(412,),
)
def patch_client(call: Call[Query, ClientChange], client_id: int) -> Reply:
    """Change a client.

    Send If-Match with the ETag that you have read to change only that version.
    """
    session, body = call.session, call.body
    client = open_client(session, client_id)
    check_match(request.headers.get("If-Match"), client.version)
    changes: dict[str, Any] = {
        name: getattr(body, name)
        for name in ("name", "language", "tags")
        if getattr(body, name) is not MISSING
    }
    changes |= _record(call)
    if body.owner is not MISSING:
        named = body.owner
        changes["owner_id"] = None if named is None else user_of(session, named, "owner").id
    change_client(session, client, actor=call.actor, at=call.at, **changes)
    return Reply(_read(call, client.id), etag(client.version))


@operation(
    "GET",
    "/clients/<int:client_id>/timeline",
    permission="client.read",
    query=TimelineQuery,
    answer=TimelineList,
    tag="clients",
)
def read_timeline(call: Call[TimelineQuery, None], client_id: int) -> TimelineList:
    """Read what happened with a client, newest first."""
    _client(call.session, client_id)
    limit = call.query.limit
    found = client_timeline(
        call.session,
        client_id,
        queue_ids=call.viewer.queue_ids,
        limit=limit + 1,
        before=mark_of(call.query.cursor),
    )
    page, last = cut(found, limit)
    return TimelineList(
        items=[_item(item) for item in page],
        next_cursor=mark_cursor(last.mark if last else None),
    )


def _filters(call: Call[ClientQuery, None]) -> list[Any]:
    query = call.query
    found: list[Any] = [Client.merged_into_id.is_(None)]
    if query.email is not MISSING:
        found.append(_reached_by(ContactKind.EMAIL, email_key(query.email)))
    if query.phone is not MISSING:
        key = phone.normalize(query.phone, call.country)
        found.append(_reached_by(ContactKind.PHONE, key or ""))
    if query.external_id is not MISSING:
        found.append(Client.external_id == query.external_id.strip())
    if query.q is not MISSING and query.q.strip():
        ids = find_client_ids(call.session, query.q, country=call.country, limit=MAX_HITS)
        found.append(Client.id.in_(ids))
    return found


def _reached_by(kind: ContactKind, key: str) -> Any:
    people = select(Person.client_id).join(ContactPoint, ContactPoint.person_id == Person.id)
    return Client.id.in_(people.where(ContactPoint.kind == kind, ContactPoint.key == key))


def _with_people(query: Select[Client]) -> Select[Client]:
    people = selectinload(Client.people)
    return query.options(people.selectinload(Person.contact_points))


def _client(session: Session, client_id: int) -> Client:
    client = session.get(Client, client_id)
    if client is None:
        raise NotFound()
    return client


def _read(call: Call[Any, Any], client_id: int) -> ClientOut:
    call.session.expire_all()
    query = _with_people(select(Client).where(Client.id == client_id))
    return _shape_all(call, [call.session.scalars(query).one()])[0]


def _add_person(call: Call[Query, ClientIn], client: Client, given_: PersonIn) -> None:
    person = add_person(
        call.session,
        client,
        name=given_.name,
        at=call.at,
        role=given(given_.role, ""),
        actor=call.actor,
    )
    for point in given_.contact_points:
        added = add_contact_point(
            call.session,
            person,
            kind=point.kind,
            value=point.value,
            country=call.country,
            at=call.at,
        )
        if point.preferred:
            set_preferred(call.session, added, True, actor=call.actor, at=call.at)


def _record(call: Call[Query, Any]) -> dict[str, Any]:
    """What the body says of the record beyond its fixed fields, as `change_client` takes it."""
    body = call.body
    names = {name: name for name in ("relation", "potential", "timezone", "external_id", "profile")}
    names["organisation"] = "organisation_id"
    changes = {
        column: getattr(body, name)
        for name, column in names.items()
        if getattr(body, name) is not MISSING
    }
    if "profile" in changes and not can(call.viewer, SENSITIVE):
        hidden = changes["profile"].keys() & _sensitive(call.session)
        if hidden:
            field = f"profile.{min(hidden)}"
            raise Refused(403, NOT_YOURS, field=field, permission=SENSITIVE)
    return changes


def _sensitive(session: Session) -> set[str]:
    """Keys of the fields whose values need the permission SENSITIVE."""
    return {field.key for field in fields_of(session, active=False) if field.sensitive}


def _fields(session: Session) -> dict[str, list[Field]]:
    """The fields that are kept of each kind of client."""
    found = fields_of(session, active=False)
    return {kind: [one for one in found if one.suits(kind)] for kind in ClientKind}


def _shape_all(call: Call[Any, Any], clients: list[Client]) -> list[ClientOut]:
    """The clients as the API shows them to this token: as many statements, however many."""
    session = call.session
    owners = {client.owner_id for client in clients if client.owner_id is not None}
    above = {client.organisation_id for client in clients if client.organisation_id is not None}
    users = _names(session, User, owners)
    firms = _names(session, Client, above)
    fields, all_ = _fields(session), can(call.viewer, SENSITIVE)
    return [_shape(client, users, firms, fields[client.kind], all_) for client in clients]


def _names(session: Session, model: type[User] | type[Client], ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return dict(session.execute(select(model.id, model.name).where(model.id.in_(ids))).all())


def _shape(
    client: Client, users: dict[int, str], firms: dict[int, str], fields: list[Field], all_: bool
) -> ClientOut:
    above = client.organisation_id
    mine = {one.key for one in fields}
    hidden = set() if all_ else {one.key for one in fields if one.sensitive}
    shown = {key: value for key, value in client.profile.items() if key in mine - hidden}
    return ClientOut(
        id=client.id,
        kind=client.kind.value,
        name=client.name,
        language=client.language,
        owner=users.get(client.owner_id or 0),
        tags=client.tags,
        people=[_person(person) for person in client.people],
        relation=client.relation.value,
        potential=client.potential,
        organisation=Named(id=above, name=firms.get(above, "")) if above else None,
        timezone=client.timezone,
        external_id=client.external_id,
        merged_into=client.merged_into_id,
        profile=shown,
        profile_hidden=sorted(client.profile.keys() & hidden),
        created_at=client.created_at,
    )


def _person(person: Person) -> PersonOut:
    return PersonOut(
        id=person.id,
        name=person.name,
        role=person.role,
        contact_points=[
            ContactPointOut(
                kind=point.kind.value,
                value=point.key if point.kind == ContactKind.PHONE else point.value,
                verified=point.verified,
                preferred=point.preferred,
                bad=point.bad,
            )
            for point in person.contact_points
        ],
    )


def _item(item: TimelineItem) -> TimelineOut:
    fields = ("at", "kind", "channel", "direction", "title", "by", "ticket_id", "call_id")
    return TimelineOut(**{name: getattr(item, name) for name in fields})
