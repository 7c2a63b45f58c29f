"""The reader's own settings: theme, language, time zone, signature; signing out elsewhere."""

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.accounts import second_factor, sessions
from helpdesk.accounts.actions import change_user
from helpdesk.accounts.models import User
from helpdesk.accounts.second_factor import REQUIRED
from helpdesk.ext import LANGUAGES
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.web.desk.zones import find_zone
from helpdesk.web.guard import actor, me, needs, reading, said
from helpdesk.web.words import words

blueprint = Blueprint("desk_me", __name__)

THEMES = ("system", "light", "dark")
SIGNATURE_LIMIT = 2000


@blueprint.get("/desk/me")
@needs("desk.use")
def form() -> str:
    return _page({})


@blueprint.post("/desk/me")
@needs("desk.use")
def save() -> BaseResponse | tuple[str, int]:
    try:
        changes = _read()
    except HelpdeskError as error:
        return _page({error.field or "": said(error)}), 400
    with ext.write() as session:
        user = session.get_one(User, me().id)
        change_user(session, user, actor=actor(), **changes)
    response = redirect("/desk/me")
    response.set_cookie("language", changes["language"], max_age=31_536_000, samesite="Lax")
    flash(_("Saved."))
    return response


@blueprint.post("/desk/me/elsewhere")
@needs("desk.use")
def sign_out_everywhere() -> BaseResponse:
    """End every session of this user, this one as well."""
    with ext.write() as session:
        sessions.log_out_everywhere(session, me().id)
    return redirect("/login")


def _read() -> dict[str, str]:
    form = request.form
    found = {
        "theme": form.get("theme", ""),
        "language": form.get("language", ""),
        "timezone": find_zone(form.get("timezone", "")),
    }
    allowed = {"theme": THEMES, "language": LANGUAGES, "timezone": available_timezones()}
    for name, value in found.items():
        if value not in allowed[name]:
            raise HelpdeskError(_lazy("Choose one from the list."), field=name)
    signature = form.get("signature", "").strip()
    if len(signature) > SIGNATURE_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="signature",
            limit=SIGNATURE_LIMIT,
        )
    return found | {"signature": signature}


def _page(errors: dict[str, str]) -> str:
    themes = {"system": _("As the system"), "light": _("Light"), "dark": _("Dark")}
    return render_template(
        "desk/me.html",
        section="me",
        factor=second_factor.confirmed(reading(), me().id),
        factor_needed=me().role in REQUIRED[settings.get(reading(), "second_factor")],
        errors=errors,
        values={**{key: getattr(me(), key) for key in _FIELDS}, **request.form.to_dict()},
        themes=list(themes.items()),
        languages=list(words().language.items()),
    )


_FIELDS = ("theme", "language", "timezone", "signature")
