"""Which sites may hold our form, and the line that puts it there."""

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.lib.errors import HelpdeskError
from helpdesk.lib.text import clean
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_embed", __name__)

NAME = "embed_origins"


@blueprint.get("/admin/embed")
@needs("setting.change")
def form() -> str:
    return _page("\n".join(settings.get(reading(), NAME)))


@blueprint.post("/admin/embed")
@needs("setting.change")
def save() -> BaseResponse | tuple[str, int]:
    """Keep the sites, one a line; what follows their name is left out."""
    typed = clean(request.form.get(NAME, ""))
    try:
        wanted = settings.read_origins(typed)
        with ext.write() as session:
            current = settings.get(session, NAME)
            check_seen(fingerprint(current))
            if wanted != current:
                settings.put(session, NAME, wanted, actor=actor())
    except HelpdeskError as error:
        return _page(typed, wrong(error)), page_status(error)
    forget()
    flash(_("Saved."))
    return redirect("/admin/embed")


def _page(typed: str, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "admin/embed.html",
        typed=typed,
        url=current_app.config["PUBLIC_URL"],
        seen=fingerprint(settings.get(reading(), NAME)),
        errors=errors or {},
    )
