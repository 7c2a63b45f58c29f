"""Personal data of one client: export for those who ask, erasure for good."""

import json

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, privacy
from helpdesk.clients.models import Client
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.web.admin.forms import wrong
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_privacy", __name__)


@blueprint.get("/admin/clients/<int:client_id>/privacy")
@needs("client.erase")
def form(client_id: int) -> str:
    return _page(_client(client_id))


@blueprint.get("/admin/clients/<int:client_id>/export")
@needs("client.erase")
def export(client_id: int) -> Response:
    """Everything we know about the client, as a JSON file."""
    client = _client(client_id)
    text = json.dumps(privacy.export_client(reading(), client.id), ensure_ascii=False, indent=1)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = f"attachment; filename=client-{client.id}.json"
    return response


@blueprint.post("/admin/clients/<int:client_id>/erase")
@needs("client.erase")
def erase(client_id: int) -> BaseResponse | tuple[str, int]:
    """There is no undo, so the client's name has to be typed."""
    client = _client(client_id)
    try:
        if request.form.get("name", "").strip() != client.name:
            raise HelpdeskError(_lazy("Type the name exactly as it stands above."), field="name")
    except HelpdeskError as error:
        return _page(client, wrong(error)), 400
    with ext.write() as session:
        erased = privacy.erase_client(session, client_id, actor=actor(), at=now())
    privacy.after_erasure(erased)
    flash(_("Everything personal of this client is gone."))
    return redirect("/desk/clients")


def _client(client_id: int) -> Client:
    client = reading().get(Client, client_id)
    if client is None or client.erased_at is not None:
        raise NotFound()
    return client


def _page(client: Client, errors: dict[str, str] | None = None) -> str:
    return render_template("admin/privacy.html", client=client, errors=errors or {})
