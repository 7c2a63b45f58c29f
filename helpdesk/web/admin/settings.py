"""Settings of the whole product: languages, how long things are kept."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.accounts import second_factor
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_settings", __name__)

TEXT_LIMIT = 60
SWITCHES = ("ask_rating",)
NORMS = ("norm_least", "norm_most")
NAMES = (
    *SWITCHES,
    "primary_language",
    "language_rule",
    "second_factor",
    "retention_raw_days",
    "retention_draft_days",
    "retention_session_days",
    "retention_recording_days",
    "retention_report_days",
    *NORMS,
)


@blueprint.get("/admin/settings")
@needs("setting.change")
def form() -> str:
    return _page(_current(reading()))


@blueprint.post("/admin/settings")
@needs("setting.change")
def save() -> BaseResponse | tuple[str, int]:
    try:
        wanted = _read()
        with ext.write() as session:
            current = _current(session)
            check_seen(fingerprint(current))
            changed = {name: value for name, value in wanted.items() if current[name] != value}
            for name, value in changed.items():
                settings.put(session, name, value, actor=actor())
            if "second_factor" in changed:
                second_factor.enforce(session, changed["second_factor"])
    except HelpdeskError as error:
        typed = {name: request.form.get(name, "") for name in NAMES}
        return _page(typed, wrong(error)), page_status(error)
    forget()
    flash(_("Saved."))
    return redirect("/admin/settings")


def _current(session: Session) -> dict[str, Any]:
    return {name: settings.get(session, name) for name in NAMES}


def _read() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in NAMES:
        if name in SWITCHES:
            found[name] = request.form.get(name) == "1"
            continue
        text = clean_line(request.form.get(name, ""), TEXT_LIMIT)
        found[name] = _number(name, text) if name.endswith("_days") or name in NORMS else text
    return found


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        if name in NORMS:
            raise HelpdeskError(_lazy("A number from 0 to 1000 fits here."), field=name)
        raise HelpdeskError(_lazy("A number of days from 1 to 3650 fits here."), field=name)
    return int(text)


def _page(values: Mapping[str, Any], errors: dict[str, str] | None = None) -> str:
    return render_template(
        "admin/settings.html",
        values=values,
        seen=fingerprint(_current(reading())),
        rules=[
            ("follow", _("The customer’s language where we know it")),
            ("primary_first", _("The primary language, until the customer chooses")),
        ],
        factors=[
            ("nobody", _("Nobody must, everybody may")),
            ("admins", _("Administrators")),
            ("supervisors", _("Administrators and supervisors")),
            ("everybody", _("Everybody")),
        ],
        errors=errors or {},
    )
