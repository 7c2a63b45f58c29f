"""The people of a client and how to reach them: pages with small forms."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients import actions, contact_points, people
from helpdesk.clients.fact_actions import open_client
from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.clients.queries import people_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.web.desk import client_page
from helpdesk.web.desk.zones import find_zone
from helpdesk.web.guard import actor, needs, reading, said
from helpdesk.web.words import words

blueprint = Blueprint("desk_client_people", __name__)

FIELDS = ("name", "role", "language", "timezone", "vocative")
MARKS = {
    "verify": (contact_points.set_verified, True),
    "unverify": (contact_points.set_verified, False),
    "prefer": (contact_points.set_preferred, True),
    "unprefer": (contact_points.set_preferred, False),
    "bad": (contact_points.set_bad, True),
    "good": (contact_points.set_bad, False),
}


@blueprint.get("/desk/clients/<int:client_id>/people/new")
@needs("client.change")
def new_person(client_id: int) -> str:
    return _page(client_page.client_here(client_id), None, {})


@blueprint.post("/desk/clients/<int:client_id>/people/new")
@needs("client.change")
def add_person(client_id: int) -> BaseResponse | tuple[str, int]:
    """Add a person, with an address or number if one is given."""
    value = request.form.get("value", "")
    try:
        with ext.write() as session:
            client = open_client(session, client_id)
            who: dict[str, Any] = {"actor": actor(), "at": now()}
            values = _values()
            person = actions.add_person(session, client, name=values.pop("name"), **who)
            people.change_person(session, person, **values, **who)
            if value.strip():
                _add_point(session, person, value)
            person_id = person.id
    except HelpdeskError as error:
        if error.status == 404:
            raise
        found = client_page.client_for(reading(), client_id)
        return _page(found, None, {error.field or "": said(error)}), error.status
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}/people/{person_id}")


@blueprint.get("/desk/clients/<int:client_id>/people/<int:person_id>")
@needs("client.change")
def person(client_id: int, person_id: int) -> str:
    found = people.person_of(reading(), client_id, person_id)
    return _page(client_page.client_here(client_id), found, {})


@blueprint.post("/desk/clients/<int:client_id>/people/<int:person_id>")
@needs("client.change")
def change_person(client_id: int, person_id: int) -> BaseResponse | tuple[str, int]:
    try:
        with ext.write() as session:
            open_client(session, client_id)
            found = people.person_of(session, client_id, person_id)
            people.change_person(session, found, actor=actor(), at=now(), **_values())
    except HelpdeskError as error:
        return _again(client_id, person_id, error)
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}/people/{person_id}")


@blueprint.post("/desk/clients/<int:client_id>/people/<int:person_id>/remove")
@needs("client.change")
def remove_person(client_id: int, person_id: int) -> BaseResponse | tuple[str, int]:
    """Take the person out; the client's page offers the undo."""
    try:
        with ext.write() as session:
            found = people.person_of(session, client_id, person_id)
            people.remove_person(session, found, actor=actor(), at=now())
    except HelpdeskError as error:
        return _again(client_id, person_id, error)
    return redirect(f"/desk/clients/{client_id}?undo=person-{person_id}")


@blueprint.post("/desk/clients/<int:client_id>/points")
@needs("client.change")
def add_point(client_id: int) -> BaseResponse | tuple[str, int]:
    """Add an address or number to one of the client's people."""
    form = request.form
    wanted = form.get("person", "")
    person_id = int(wanted) if wanted.isdecimal() and len(wanted) < 18 else 0
    try:
        with ext.write() as session:
            found = people.person_of(session, client_id, person_id)
            _add_point(session, found, form.get("value", ""))
    except HelpdeskError as error:
        if error.status == 404:
            raise
        if form.get("back") == "person":
            return _again(client_id, person_id, error)
        return client_page.page(client_id, {error.field or "": said(error)}), error.status
    flash(_("Saved."))
    tail = f"/people/{person_id}" if form.get("back") == "person" else ""
    return redirect(f"/desk/clients/{client_id}{tail}")


@blueprint.post("/desk/clients/<int:client_id>/points/<int:point_id>")
@needs("client.change")
def change_point(client_id: int, point_id: int) -> BaseResponse | tuple[str, int]:
    """Correct, mark or remove a contact point: `act` says which."""
    act = request.form.get("act", "")
    person_id = 0
    try:
        with ext.write() as session:
            point = contact_points.point_of(session, client_id, point_id)
            person_id = point.person_id
            _change(session, point, act)
    except HelpdeskError as error:
        return _again(client_id, person_id, error, point_id)
    if act == "remove":
        return redirect(f"/desk/clients/{client_id}?undo=point-{point_id}")
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}/people/{person_id}")


def _change(session: Session, point: ContactPoint, act: str) -> None:
    who: dict[str, Any] = {"actor": actor(), "at": now()}
    if act == "remove":
        contact_points.remove_point(session, point, **who)
    elif act == "value":
        value = request.form.get("value", "")
        contact_points.change_point(session, point, value, country=_country(), **who)
    elif act in MARKS:
        mark, on = MARKS[act]
        mark(session, point, on, **who)
    else:
        raise HelpdeskError(_lazy("Choose one from the list."), field="act")


def _add_point(session: Session, person: Person, value: str) -> None:
    kind = ContactKind.EMAIL if "@" in value else ContactKind.PHONE
    if request.form.get("kind") == ContactKind.MESSENGER:
        kind = ContactKind.MESSENGER
    actions.add_contact_point(
        session, person, kind=kind, value=value, country=_country(), actor=actor(), at=now()
    )


def _country() -> str:
    return str(current_app.config["COUNTRY"])


def _values() -> dict[str, Any]:
    form = request.form
    values: dict[str, Any] = {name: form.get(name, "")[:300] for name in FIELDS}
    values["timezone"] = find_zone(values["timezone"][:60])
    return values | {name: values[name] or None for name in ("language", "timezone", "vocative")}


def _again(
    client_id: int, person_id: int, error: HelpdeskError, point_id: int | None = None
) -> tuple[str, int]:
    """The person's page with what is wrong."""
    if error.status == 404:
        raise error
    client = client_page.client_for(reading(), client_id)
    found = people.person_of(reading(), client_id, person_id)
    return _page(client, found, {error.field or "": said(error)}, point_id), error.status


def _page(
    client: Client, found: Person | None, errors: dict[str, str], point_id: int | None = None
) -> str:
    values: dict[str, Any] = dict.fromkeys(FIELDS, "")
    if found is not None:
        values = {name: getattr(found, name) or "" for name in FIELDS}
    if errors and "name" in request.form:
        values |= request.form.to_dict()
    mine = {one.id: points for one, points in people_of(reading(), client.id)}
    if found is not None and found.id not in mine:
        raise NotFound()
    return render_template(
        "desk/client_person.html",
        section="clients",
        client=client,
        person=found,
        points=mine[found.id] if found is not None else [],
        values=values,
        errors=errors,
        wrong_point=point_id,
        typed=request.form.get("value", "") if errors else "",
        languages=[("", _("as the client")), *words().language.items()],
    )
