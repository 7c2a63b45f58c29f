"""The webhook of telephone exchanges: its secret address is made, shown once, taken away."""

from flask import Blueprint, current_app, flash, redirect, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.calls import exchange
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_exchange", __name__)


@blueprint.get("/admin/exchange")
@needs("setting.change")
def form() -> str:
    return _page()


@blueprint.post("/admin/exchange")
@needs("setting.change")
def renew() -> str:
    """Make a new address; the page that follows is the only one that shows it."""
    with ext.write() as session:
        token = exchange.renew(session, actor=actor())
    return _page(token)


@blueprint.post("/admin/exchange/off")
@needs("setting.change")
def off() -> BaseResponse:
    """Let no address open the webhook."""
    with ext.write() as session:
        exchange.turn_off(session, actor=actor())
    flash(_("No exchange can tell us of its calls any more."))
    return redirect("/admin/exchange")


def _page(token: str | None = None) -> str:
    address = f"{current_app.config['PUBLIC_URL']}/hooks/pbx/"
    is_on = token is not None or bool(settings.get(reading(), exchange.TOKEN))
    return render_template(
        "admin/exchange.html", made=address + token if token else None, address=address, is_on=is_on
    )
