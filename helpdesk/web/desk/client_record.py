"""The form about a client's record: name, relation, organisation, owner, language, profile."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients import actions
from helpdesk.clients.checks import ABOUT_LIMIT, checked_tags
from helpdesk.clients.fact_actions import open_client
from helpdesk.clients.models import Client, ClientKind, Relation
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.web.desk.client_page import (
    Value,
    client_for,
    client_here,
    profile_fields,
    value_of,
)
from helpdesk.web.desk.directory import directory
from helpdesk.web.desk.zones import find_zone
from helpdesk.web.guard import actor, may, needs, reading, said
from helpdesk.web.words import words

blueprint = Blueprint("desk_client_record", __name__)

PROFILE = "profile."


def relation_words() -> dict[str, str]:
    """What each relation is called."""
    return {
        Relation.CLIENT: _("client"),
        Relation.PARTNER: _("partner"),
        Relation.SUPPLIER: _("supplier"),
    }


@blueprint.get("/desk/clients/<int:client_id>/edit")
@needs("client.change")
def form(client_id: int) -> str:
    return _page(client_here(client_id), {})


@blueprint.post("/desk/clients/<int:client_id>")
@needs("client.change")
def change(client_id: int) -> BaseResponse | tuple[str, int]:
    """Change the record; a conflict or a wrong value shows the form with what was typed."""
    try:
        with ext.write() as session:
            client = open_client(session, client_id)
            actions.change_client(
                session,
                client,
                actor=actor(),
                at=now(),
                version=_number(request.form.get("version", "")) or 0,
                **_changes(session, client),
            )
    except HelpdeskError as error:
        if error.status not in (400, 409):
            raise
        found = client_for(reading(), client_id)
        return _page(found, {error.field or "": said(error)}), error.status
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}")


def _changes(session: Session, client: Client) -> dict[str, Any]:
    """What the form holds; what it leaves out stays as it is."""
    form = request.form
    if len(form.get("about", "")) > ABOUT_LIMIT:
        message = _lazy("The text is too long: at most %(limit)s characters.")
        raise HelpdeskError(message, field="about", limit=ABOUT_LIMIT)
    changes: dict[str, Any] = {
        "name": form.get("name", ""),
        "language": form.get("language") or None,
        "tags": checked_tags(form.get("tags", "")[:2000].split(",")),
        "about": form.get("about", "").strip(),
    }
    if "relation" in form:
        changes |= {
            "relation": form["relation"],
            "potential": form.get("potential") == "1",
            "timezone": find_zone(form.get("timezone", "")[:60]) or None,
            "owner_id": _owner(form.get("owner", "")),
            "external_id": form.get("external_id", "")[:200] or None,
            "organisation_id": _organisation(session, client, form.get("organisation", "")),
            "profile": _profile(),
        }
    return changes


def _profile() -> dict[str, str]:
    """Typed values of the fields that the reader may see."""
    return {
        field.key: request.form[PROFILE + field.key]
        for field in profile_fields()
        if PROFILE + field.key in request.form and (not field.sensitive or may("client.sensitive"))
    }


def _owner(text: str) -> int | None:
    if not text:
        return None
    user_id = _number(text)
    if user_id not in {worker.id for worker in directory().workers}:
        raise HelpdeskError(_lazy("Choose one from the list."), field="owner")
    return user_id


def _organisation(session: Session, client: Client, text: str) -> int | None:
    """The organisation of this name, or with this number ("№ 12"). Raises HelpdeskError."""
    name = clean_line(text)
    if not name:
        return None
    number = _number(name.lstrip("№# "))
    query = select(Client.id).where(
        Client.kind == ClientKind.ORGANISATION,
        Client.id == number if number else Client.sort_key == sort_key(name),
        Client.erased_at.is_(None),
        Client.merged_into_id.is_(None),
    )
    found = session.scalars(query.limit(20)).all()
    if client.organisation_id in found:
        return client.organisation_id
    if len(found) > 1:
        message = _lazy("There are several organisations of this name: write the number, “№ 12”.")
        raise HelpdeskError(message, field="organisation")
    if not found:
        message = _lazy("There is no organisation %(name)s. Write its whole name, or “№ 12”.")
        raise HelpdeskError(message, field="organisation", name=name)
    return found[0]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _page(client: Client, errors: dict[str, str]) -> str:
    above = reading().get(Client, client.organisation_id) if client.organisation_id else None
    values: dict[str, Any] = {
        "name": client.name,
        "relation": client.relation,
        "language": client.language or "",
        "timezone": client.timezone or "",
        "tags": ", ".join(client.tags),
        "about": client.about,
        "owner": client.owner_id or "",
        "external_id": client.external_id or "",
        "organisation": above.name if above else "",
        "potential": "1" if client.potential else "",
    }
    values |= {PROFILE + key: _raw(value) for key, value in client.profile.items()}
    if errors:
        values |= {"potential": ""} | request.form.to_dict()
    return render_template(
        "desk/client_edit.html",
        section="clients",
        client=client,
        values=values,
        errors=errors,
        choices_of=_choices,
        relations=list(relation_words().items()),
        languages=[("", _("not known")), *words().language.items()],
        owners=[("", _("nobody")), *((one.id, one.name) for one in directory().workers)],
        profile=[value_of(field, client) for field in profile_fields(client)],
    )


def _choices(value: Value) -> list[tuple[str, str]]:
    """The options of a field that is one of a list, with none of them first."""
    return [("", "–"), *((one, one) for one in value.field.choices)]


def _raw(value: Any) -> str:
    """A stored value as the form's field holds it."""
    return ("1" if value else "0") if isinstance(value, bool) else str(value)
