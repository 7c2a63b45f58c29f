"""/admin/kb: the categories of articles, and when an answer is given without a person."""

from dataclasses import dataclass, field

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.ext import LANGUAGES
from helpdesk.kb import categories
from helpdesk.kb.categories import ICON, MAX_NAME, flat, name_of, tree
from helpdesk.kb.confidence import SETTING
from helpdesk.kb.models import Category
from helpdesk.kb.queries import STAFF, counts_by_category
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.web.admin.forms import check_seen, chosen_id, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, me, needs, reading, said

blueprint = Blueprint("admin_kb", __name__)

RETENTION = "retention_search_days"
ICONS = (
    *("file-text", "truck-delivery", "credit-card", "shopping-cart", "arrow-back-up", "tool"),
    *("plug", "user-star", "package", "receipt", "shield-check", "phone", "mail", "key", "bulb"),
    *("book-2", "home", "building", "building-store", "cash", "calendar-event", "clock", "coffee"),
    *("headset", "heart-handshake", "info-circle", "language", "lock", "message", "settings"),
    *("star", "tag", "user", "users", "world"),
)


@dataclass(frozen=True)
class Shown:
    """What the form about a category holds."""

    names: dict[str, str] = field(default_factory=dict)
    icon: str = ICON
    parent: str = ""


@blueprint.get("/admin/kb")
@needs("kb.admin")
def index() -> str:
    return _index()


@blueprint.post("/admin/kb")
@needs("kb.admin")
def save() -> BaseResponse | tuple[str, int]:
    """The share of wrong answers that is put up with, and how long searches are kept."""
    try:
        wanted = {name: _number(name) for name in (SETTING, RETENTION)}
        with ext.write() as session:
            changed = {n: v for n, v in wanted.items() if settings.get(session, n) != v}
            for name, value in changed.items():
                settings.put(session, name, value, actor=actor())
    except HelpdeskError as error:
        return _index(wrong(error)), page_status(error)
    forget()
    flash(_("Saved."))
    return redirect("/admin/kb")


@blueprint.get("/admin/kb/categories/new")
@needs("kb.admin")
def new() -> str:
    return _page(None, Shown(parent=request.args.get("parent", "")))


@blueprint.post("/admin/kb/categories/new")
@needs("kb.admin")
def create() -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            categories.create_category(
                session,
                shown.names,
                parent_id=chosen_id(shown.parent, "parent"),
                icon=_icon(shown),
                at=now(),
                actor=actor(),
            )
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    flash(_("Saved."))
    return redirect("/admin/kb")


@blueprint.get("/admin/kb/categories/<int:category_id>")
@needs("kb.admin")
def edit(category_id: int) -> str:
    category = _category(reading(), category_id)
    return _page(category, _shown(category))


@blueprint.post("/admin/kb/categories/<int:category_id>")
@needs("kb.admin")
def change(category_id: int) -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            category = _category(session, category_id)
            check_seen(_seen(category))
            categories.change_category(
                session,
                category,
                names=shown.names,
                icon=_icon(shown),
                parent_id=chosen_id(shown.parent, "parent"),
                at=now(),
                actor=actor(),
            )
    except HelpdeskError as error:
        category = _category(reading(), category_id)
        return _page(category, shown, wrong(error)), page_status(error)
    flash(_("Saved."))
    return redirect("/admin/kb")


@blueprint.post("/admin/kb/categories/<int:category_id>/move")
@needs("kb.admin")
def move(category_id: int) -> BaseResponse:
    step = -1 if request.form.get("step") == "up" else 1
    with ext.write() as session:
        category = _category(session, category_id)
        categories.move_category(session, category, step, at=now(), actor=actor())
    return redirect("/admin/kb")


@blueprint.post("/admin/kb/categories/<int:category_id>/delete")
@needs("kb.admin")
def delete(category_id: int) -> BaseResponse:
    """Only an empty one goes, so there is nothing to undo but its names."""
    try:
        with ext.write() as session:
            category = _category(session, category_id)
            name = name_of(category, me().language)
            categories.delete_category(session, category, at=now(), actor=actor())
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
        return redirect(f"/admin/kb/categories/{category_id}")
    flash(_("The category %(name)s is deleted.", name=name))
    return redirect("/admin/kb")


def _category(session: Session, category_id: int) -> Category:
    category = session.get(Category, category_id)
    if category is None:
        raise NotFound()
    return category


def _number(name: str) -> int:
    text = request.form.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise HelpdeskError(_lazy("Write a whole number."), field=name)
    return int(text)


def _icon(shown: Shown) -> str:
    if shown.icon not in ICONS:
        raise HelpdeskError(_lazy("Choose one from the list."), field="icon")
    return shown.icon


def _read() -> Shown:
    form = request.form
    names = {lang: form.get(f"name_{lang}", "")[: MAX_NAME * 2] for lang in LANGUAGES}
    return Shown(names, form.get("icon", ""), form.get("parent", ""))


def _shown(category: Category) -> Shown:
    parent = str(category.parent_id) if category.parent_id is not None else ""
    return Shown(
        {lang: str(category.names.get(lang, "")) for lang in LANGUAGES}, category.icon, parent
    )


def _seen(category: Category) -> str:
    shown = _shown(category)
    return fingerprint(shown.names, shown.icon, shown.parent)


def _index(errors: dict[str, str] | None = None) -> str:
    nodes = flat(tree(reading(), counts_by_category(reading(), states=STAFF)))
    values = {name: settings.get(reading(), name) for name in (SETTING, RETENTION)}
    if errors:
        values |= {name: request.form.get(name, "") for name in values}
    return render_template(
        "admin/kb.html",
        nodes=nodes,
        names={node.category.id: name_of(node.category, me().language) for node in nodes},
        missing={
            node.category.id: [lang for lang in LANGUAGES if not node.category.names.get(lang)]
            for node in nodes
        },
        values=values,
        errors=errors or {},
    )


def _page(category: Category | None, shown: Shown, errors: dict[str, str] | None = None) -> str:
    nodes = flat(tree(reading()))
    offered = [
        (str(node.category.id), "\u2003" * node.depth + name_of(node.category, me().language))
        for node in nodes
        if category is None or node.category.id != category.id
    ]
    return render_template(
        "admin/kb_category.html",
        category=category,
        shown=shown,
        seen=_seen(category) if category is not None else "",
        parents=offered,
        icons=ICONS if shown.icon in ICONS else (shown.icon, *ICONS),
        limit=MAX_NAME,
        errors=errors or {},
    )
