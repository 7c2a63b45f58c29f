"""The tree of contact reasons: its order and places, and the form about one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as browser
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.ext import LANGUAGES
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.tickets import reasons
from helpdesk.tickets.about import tickets_by_reason
from helpdesk.tickets.models import ContactReason, TicketKind
from helpdesk.tickets.reasons import Tree
from helpdesk.web.about import language
from helpdesk.web.admin.forms import check_seen, chosen_id, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.desk.directory import directory
from helpdesk.web.guard import actor, needs, reading, said
from helpdesk.web.words import words

blueprint = Blueprint("admin_reasons", __name__)

COUNT_CAP = 99
UNDO = "reason_undo"


@dataclass(frozen=True)
class Shown:
    """What the form of a reason holds."""

    names: dict[str, str]
    key: str
    parent: str
    kind: str
    queue: str
    in_form: bool
    active: bool

    def changes(self) -> dict[str, Any]:
        """What the verbs take. Raises HelpdeskError for what no list offers."""
        if self.kind and self.kind not in set(TicketKind):
            raise HelpdeskError(_lazy("Choose one from the list."), field="kind")
        return {
            "names": self.names,
            "parent_id": chosen_id(self.parent, "parent"),
            "kind": TicketKind(self.kind) if self.kind else None,
            "queue_id": chosen_id(self.queue, "queue"),
            "in_form": self.in_form,
        }


@blueprint.get("/admin/reasons")
@needs("reason.change")
def listing() -> str:
    """The whole tree; after a change with its undo."""
    known = reasons.tree(reading())
    return render_template(
        "admin/reasons.html",
        tree=known,
        shut={one.id for one in known} - {one.id for one in known.open()},
        lang=language(),
        counts=tickets_by_reason(reading(), cap=COUNT_CAP),
        cap=COUNT_CAP,
        deepest=reasons.MAX_DEPTH,
        kinds=words().kind,
        queues=directory().queue_names,
        undo=browser.get(UNDO, {}).get("said"),
    )


@blueprint.get("/admin/reasons/new")
@needs("reason.change")
def new() -> str:
    """An empty form; `?under=` the reason that it will stand under."""
    under = request.args.get("under", "")[:18]
    return _page(None, Shown(dict.fromkeys(LANGUAGES, ""), "", under, "", "", True, True))


@blueprint.post("/admin/reasons/new")
@needs("reason.change")
def create() -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            made = reasons.create_reason(session, key=shown.key, actor=actor(), **shown.changes())
            name = made.names[language()]
            _keep_undo(made, {"active": False}, _("Added: %(name)s.", name=name))
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    return _done()


@blueprint.get("/admin/reasons/<int:reason_id>")
@needs("reason.change")
def edit(reason_id: int) -> str:
    found = reasons.reason_for_change(reading(), reason_id)
    return _page(found, _shown(found))


@blueprint.post("/admin/reasons/<int:reason_id>")
@needs("reason.change")
def save(reason_id: int) -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            found = reasons.reason_for_change(session, reason_id)
            check_seen(_seen(found))
            _change(session, found, {**shown.changes(), "active": shown.active}, _("Saved."))
    except HelpdeskError as error:
        found = reasons.reason_for_change(reading(), reason_id)
        return _page(found, shown, wrong(error)), page_status(error)
    return _done()


@blueprint.post("/admin/reasons/<int:reason_id>/move")
@needs("reason.change")
def move(reason_id: int) -> BaseResponse:
    """One place up or down among its neighbours."""
    step = -1 if request.form.get("step") == "up" else 1
    with ext.write() as session:
        found = reasons.reason_for_change(session, reason_id)
        reasons.move_reason(session, found, step, actor=actor())
    browser.pop(UNDO, None)
    return _done(f"#r{reason_id}")


@blueprint.post("/admin/reasons/<int:reason_id>/switch")
@needs("reason.change")
def switch(reason_id: int) -> BaseResponse:
    """On or off; nothing that tickets have is lost."""
    on = request.form.get("active") == "1"
    with ext.write() as session:
        found = reasons.reason_for_change(session, reason_id)
        name = found.names[language()]
        text = (
            _("Switched on: %(name)s.", name=name)
            if on
            else _("Switched off: %(name)s.", name=name)
        )
        _change(session, found, {"active": on}, text)
    return _done()


@blueprint.post("/admin/reasons/undo")
@needs("reason.change")
def undo() -> BaseResponse:
    """Put the last change of this browser back, unless somebody changed the reason since."""
    kept: Mapping[str, Any] = browser.pop(UNDO, {})
    try:
        if not kept:
            raise HelpdeskError(_lazy("There is nothing to put back."))
        with ext.write() as session:
            found = reasons.reason_for_change(session, kept["id"])
            if _seen(found) != kept["seen"]:
                raise Conflict(_lazy("Somebody changed this in the meantime."))
            changes = dict(kept["old"])
            if changes.get("kind"):
                changes["kind"] = TicketKind(changes["kind"])
            reasons.change_reason(session, found, actor=actor(), **changes)
    except HelpdeskError as error:
        flash(said(error), "error")
    else:
        flash(_("Put back as it was."))
    return _done()


def _change(session: Session, found: ContactReason, changes: dict[str, Any], text: str) -> None:
    """Change it and keep what was before."""
    before = {name: getattr(found, name) for name in (*changes, "position")}
    reasons.change_reason(session, found, actor=actor(), **changes)
    old = {name: value for name, value in before.items() if getattr(found, name) != value}
    if old:
        _keep_undo(found, old, text)


def _keep_undo(found: ContactReason, old: dict[str, Any], text: str) -> None:
    browser[UNDO] = {"id": found.id, "old": old, "seen": _seen(found), "said": text}


def _done(place: str = "") -> BaseResponse:
    forget()
    return redirect(f"/admin/reasons{place}")


def _read() -> Shown:
    form = request.form
    return Shown(
        names={lang: form.get(f"name_{lang}", "")[:200] for lang in LANGUAGES},
        key=form.get("key", "")[:100].strip(),
        parent=form.get("parent", "")[:20],
        kind=form.get("kind", "")[:20],
        queue=form.get("queue", "")[:20],
        in_form=form.get("in_form") == "1",
        active=form.get("active") == "1",
    )


def _shown(found: ContactReason) -> Shown:
    return Shown(
        names={lang: str(found.names.get(lang, "")) for lang in LANGUAGES},
        key=found.key,
        parent=str(found.parent_id or ""),
        kind=found.kind or "",
        queue=str(found.queue_id or ""),
        in_form=found.in_form,
        active=found.active,
    )


def _seen(found: ContactReason) -> str:
    return fingerprint(_shown(found).changes(), found.active)


def _page(found: ContactReason | None, shown: Shown, errors: dict[str, str] | None = None) -> str:
    known = reasons.tree(reading())
    return render_template(
        "admin/reason.html",
        reason=found,
        shown=shown,
        seen=_seen(found) if found is not None else "",
        parents=[("", _("the top")), *_parents(known, found.id if found is not None else None)],
        kinds=[("", _("leave as it is")), *words().kind.items()],
        queues=[("", _("the usual one")), *directory().queues],
        lang=language(),
        errors=errors or {},
    )


def _parents(known: Tree, reason_id: int | None) -> list[tuple[int, str]]:
    """Where a reason may stand: not under itself, and not too deep."""
    return [
        (one.id, known.title(one.id, language()))
        for one in known
        if reason_id not in one.path and one.depth < reasons.MAX_DEPTH
    ]
