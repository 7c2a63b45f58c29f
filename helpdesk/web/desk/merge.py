"""Making two clients one: which record stays and whose values; the client's page has the undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients.duplicates import doubles_of, look_again
from helpdesk.clients.merge import FIELDS, merge, survivor
from helpdesk.clients.models import Client
from helpdesk.clients.search import find_clients
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.lib.text import clean_line
from helpdesk.reports.client.side_by_side import sides
from helpdesk.web.desk.client_page import Value, client_for, profile_fields, value_of
from helpdesk.web.desk.client_record import relation_words
from helpdesk.web.desk.directory import user_names
from helpdesk.web.desk.listing import QUERY_LIMIT
from helpdesk.web.guard import actor, needs, reading, said
from helpdesk.web.words import words

blueprint = Blueprint("desk_merge", __name__)

HITS = 20
CHOICE = "value."


@dataclass(frozen=True)
class Line:
    """A field in which the two differ: what each of them has, "" for nothing."""

    name: str
    label: str
    first: str
    second: str

    @property
    def open(self) -> bool:
        """Whether there is anything to choose: an empty one is filled from the other."""
        return bool(self.first and self.second)


@blueprint.get("/desk/clients/<int:client_id>/merge")
@needs("client.merge")
def form(client_id: int) -> str | BaseResponse:
    """`?with=` the other client, else `?q=` to look for it."""
    client = client_for(reading(), client_id)
    if client.merged_into_id is not None:
        return redirect(f"/desk/clients/{survivor(reading(), client).id}/merge")
    wanted = request.args.get("with", "")
    if not wanted:
        return _search(client)
    other = survivor(reading(), client_for(reading(), _number(wanted)))
    if other.id == client.id:
        return _search(client, _("Choose two different clients."))
    return _page(client, other, {})


@blueprint.post("/desk/clients/<int:client_id>/merge")
@needs("client.merge")
def save(client_id: int) -> BaseResponse | tuple[str, int]:
    """Merge the two; `keep` names the one that stays."""
    other_id = _number(request.form.get("other", ""))
    kept_id = other_id if _number(request.form.get("keep", "")) == other_id else client_id
    gone_id = client_id if kept_id == other_id else other_id
    try:
        with ext.write() as session:
            done = merge(session, kept_id, gone_id, take=_taken(gone_id), actor=actor(), at=now())
            look_again(session, kept_id)
            merge_id = done.id
    except NotFound:
        client = client_for(reading(), client_id)
        return _search(client, _("Choose the other client.")), 400
    except HelpdeskError as error:
        client, other = client_for(reading(), client_id), client_for(reading(), other_id)
        return _page(client, other, {error.field or "": said(error)}), error.status
    return redirect(f"/desk/clients/{kept_id}?undo=merge-{merge_id}")


def _taken(gone_id: int) -> list[str]:
    """The fields whose value comes from the record that goes."""
    chosen = request.form.items()
    return [
        name.removeprefix(CHOICE)
        for name, value in chosen
        if name.startswith(CHOICE) and _number(value) == gone_id
    ]


def _search(client: Client, wrong: str = "") -> str:
    query = clean_line(request.args.get("q", ""), QUERY_LIMIT)
    country = current_app.config["COUNTRY"]
    found = find_clients(reading(), query, country=country, limit=HITS) if query else []
    hits = [one for one in found or doubles_of(reading(), client.id) if one.id != client.id]
    return render_template(
        "desk/merge_search.html",
        section="clients",
        client=client,
        q=query,
        hits=hits,
        found=bool(found),
        sides=sides(reading(), [one.id for one in hits]),
        wrong=wrong,
    )


def _page(client: Client, other: Client, errors: Mapping[str, str]) -> str:
    first, second = sorted((client, other), key=lambda one: one.id)
    lines = _lines(first, second)
    form = request.form
    return render_template(
        "desk/merge.html",
        section="clients",
        client=client,
        other=other,
        first=first,
        second=second,
        sides=sides(reading(), [first.id, second.id]),
        lines=[line for line in lines if line.open],
        filled=[line for line in lines if not line.open],
        keep=_number(form.get("keep", "")) or first.id,
        chosen={line.name: _number(form.get(CHOICE + line.name, "")) for line in lines},
        errors=errors,
    )


def _lines(first: Client, second: Client) -> list[Line]:
    """Fields of which the two have different values."""
    firms = _firms(first, second)
    found = [
        Line(name, label, *(_shown(name, getattr(one, name), firms) for one in (first, second)))
        for name, label in _labels().items()
    ]
    lines = [line for line in found if line.first != line.second]
    for field in profile_fields(first, second):
        if first.profile.get(field.key) != second.profile.get(field.key):
            mine, theirs = value_of(field, first), value_of(field, second)
            lines.append(Line(f"profile.{field.key}", mine.label, _text(mine), _text(theirs)))
    return lines


def _text(value: Value) -> str:
    return str(_("hidden")) if value.hidden and value.text is not None else value.text or ""


def _labels() -> dict[str, str]:
    labels: dict[str, str] = {
        "name": _("Name"),
        "kind": _("Kind"),
        "relation": _("Relation"),
        "owner_id": _("Account owner"),
        "organisation_id": _("Organisation"),
        "language": _("Language"),
        "timezone": _("Time zone"),
        "external_id": _("Number in another system"),
    }
    return {name: labels[name] for name in labels if name in FIELDS}


def _firms(*clients: Client) -> dict[int, str]:
    ids = {client.organisation_id for client in clients if client.organisation_id is not None}
    found = (reading().get(Client, id_) for id_ in ids)
    return {firm.id: firm.name for firm in found if firm is not None}


def _shown(name: str, value: Any, firms: Mapping[int, str]) -> str:
    if value is None:
        return ""
    readers: dict[str, Mapping[Any, str]] = {
        "kind": {"organisation": _("Organisation"), "person": _("Person")},
        "relation": relation_words(),
        "owner_id": user_names(),
        "organisation_id": firms,
        "language": words().language,
    }
    return str(readers.get(name, {}).get(value, value))


def _number(text: str) -> int:
    """The number of a client; 0, which nobody has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
