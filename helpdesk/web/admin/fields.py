"""Custom fields of clients: their list with its order, and the form about one."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, fields
from helpdesk.ext import LANGUAGES
from helpdesk.fields import Field, FieldKind, FieldScope
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_fields", __name__)

CHOICES_LIMIT = 10_000


@dataclass(frozen=True)
class Shown:
    """What the form of a field holds; `choices` one a line."""

    key: str
    labels: dict[str, str]
    kind: str
    scope: str
    choices: str
    sensitive: bool
    wanted: bool
    active: bool

    def changes(self) -> dict[str, Any]:
        return {
            "labels": self.labels,
            "scope": self.scope,
            "choices": self.choices.splitlines(),
            "sensitive": self.sensitive,
            "wanted": self.wanted,
        }


def kind_words() -> dict[str, str]:
    """What each kind of field is called."""
    return {
        FieldKind.TEXT: _("Text"),
        FieldKind.NUMBER: pgettext("field", "Number"),
        FieldKind.DATE: _("Date"),
        FieldKind.CHOICE: _("One of a list"),
        FieldKind.YES_NO: _("Yes or no"),
    }


def scope_words() -> dict[str, str]:
    """Of whom a field is kept."""
    return {
        FieldScope.ALL: _("All clients"),
        FieldScope.PERSON: _("People only"),
        FieldScope.ORGANISATION: _("Organisations only"),
    }


@blueprint.get("/admin/fields")
@needs("field.change")
def listing() -> str:
    rows = fields.fields_of(reading(), active=False)
    words = {"kinds": kind_words(), "scopes": scope_words()}
    return render_template("admin/fields.html", fields=rows, **words)


@blueprint.get("/admin/fields/new")
@needs("field.change")
def new() -> str:
    labels = dict.fromkeys(LANGUAGES, "")
    return _page(None, Shown("", labels, FieldKind.TEXT, FieldScope.ALL, "", False, False, True))


@blueprint.post("/admin/fields/new")
@needs("field.change")
def create() -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            fields.create_field(
                session, key=shown.key, kind=shown.kind, actor=actor(), **shown.changes()
            )
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    forget()
    flash(_("The field is in the client's profile now."))
    return redirect("/admin/fields")


@blueprint.get("/admin/fields/<int:field_id>")
@needs("field.change")
def edit(field_id: int) -> str:
    field = _field(reading(), field_id)
    return _page(field, _shown(field))


@blueprint.post("/admin/fields/<int:field_id>")
@needs("field.change")
def save(field_id: int) -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            field = _field(session, field_id)
            check_seen(_seen(field))
            changes = shown.changes() | {"active": shown.active}
            fields.change_field(session, field, actor=actor(), **changes)
    except HelpdeskError as error:
        return _page(_field(reading(), field_id), shown, wrong(error)), page_status(error)
    forget()
    flash(_("Saved."))
    return redirect("/admin/fields")


@blueprint.post("/admin/fields/<int:field_id>/move")
@needs("field.change")
def move(field_id: int) -> BaseResponse:
    """One place up or down."""
    step = -1 if request.form.get("step") == "up" else 1
    with ext.write() as session:
        fields.move_field(session, _field(session, field_id), step, actor=actor())
    forget()
    return redirect("/admin/fields")


def _field(session: Session, field_id: int) -> Field:
    field = session.get(Field, field_id)
    if field is None:
        raise NotFound()
    return field


def _read() -> Shown:
    form = request.form
    return Shown(
        key=form.get("key", "")[:60].strip(),
        labels={lang: form.get(f"label_{lang}", "")[:200] for lang in LANGUAGES},
        kind=form.get("kind", "")[:20],
        scope=form.get("scope", FieldScope.ALL)[:20],
        choices=form.get("choices", "")[:CHOICES_LIMIT],
        sensitive=form.get("sensitive") == "1",
        wanted=form.get("wanted") == "1",
        active=form.get("active") == "1",
    )


def _shown(field: Field) -> Shown:
    return Shown(
        key=field.key,
        labels={lang: str(field.labels.get(lang, "")) for lang in LANGUAGES},
        kind=field.kind,
        scope=field.scope,
        choices="\n".join(field.choices),
        sensitive=field.sensitive,
        wanted=field.wanted,
        active=field.active,
    )


def _seen(field: Field) -> str:
    return fingerprint(_shown(field).changes(), field.active)


def _page(field: Field | None, shown: Shown, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "admin/field.html",
        field_=field,
        shown=shown,
        seen=_seen(field) if field is not None else "",
        kinds=list(kind_words().items()),
        scopes=list(scope_words().items()),
        errors=errors or {},
    )
