"""/supervisor/levels: from where on a number of the wallboard is to be watched or acted on."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.reports.scope import scope_of
from helpdesk.reports.wallboard import levels
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, me, needs, reading, viewer
from helpdesk.web.supervisor.entered import help_of, read_value, value_text

blueprint = Blueprint("supervisor_levels", __name__)

STEPS = ("warn", "bad")


@blueprint.get("/supervisor/levels")
@needs("alarm.change")
def form() -> str:
    _need_all()
    return _page(_typed(_stored()))


@blueprint.post("/supervisor/levels")
@needs("alarm.change")
def save() -> BaseResponse | tuple[str, int]:
    _need_all()
    fields = [f"{usual.key}.{step}" for usual in levels.USUAL for step in STEPS]
    typed = {name: request.form.get(name, "")[:20] for name in fields}
    try:
        wanted = {usual.key: _read(usual, typed) for usual in levels.USUAL}
        with ext.write() as session:
            check_seen(fingerprint(settings.get(session, levels.SETTING)))
            levels.put(session, wanted, actor=actor())
    except HelpdeskError as error:
        return _page(typed, wrong(error)), page_status(error)
    forget()
    flash(_("Saved. The wallboard is drawn by these levels now."))
    return redirect("/supervisor/levels")


def _need_all() -> None:
    """The levels are everybody's: who answers for one team doesn't set them. Raises NotFound."""
    if not scope_of(me(), viewer().queue_ids).everything:
        raise NotFound()


def _read(usual: levels.Limits, typed: Mapping[str, str]) -> tuple[float, float]:
    warn, bad = (
        read_value(typed[f"{usual.key}.{step}"], usual.unit, f"{usual.key}.{step}")
        for step in STEPS
    )
    return warn, bad


def _stored() -> Mapping[str, levels.Limits]:
    stored = settings.get(reading(), levels.SETTING)
    return levels.limits(stored if isinstance(stored, dict) else {})


def _typed(known: Mapping[str, levels.Limits]) -> dict[str, str]:
    return {
        f"{key}.{step}": value_text(getattr(one, step), one.unit)
        for key, one in known.items()
        for step in STEPS
    }


def _page(typed: Mapping[str, str], errors: dict[str, str] | None = None) -> str:
    return render_template(
        "supervisor/levels.html",
        limits=[(usual, _(usual.label), help_of(usual.unit)) for usual in levels.USUAL],
        typed=typed,
        seen=fingerprint(settings.get(reading(), levels.SETTING)),
        errors=errors or {},
    )
