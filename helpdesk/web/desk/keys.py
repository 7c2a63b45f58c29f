"""The keys of the desk as a page of their own; the dialog behind "?" shows the same."""

from flask import Blueprint, render_template

from helpdesk.web.guard import needs

blueprint = Blueprint("desk_keys", __name__)


@blueprint.get("/desk/keys")
@needs("desk.use")
def keys() -> str:
    return render_template("desk/keys.html", section="me")
