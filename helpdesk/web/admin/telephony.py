"""The health of the telephone: what the carrier told us, what we asked of it, what went wrong."""

from collections.abc import Mapping

from flask import Blueprint, current_app, render_template
from flask_babel import gettext as _

from helpdesk.calls.carriers import carrier, provider
from helpdesk.calls.models import Provider
from helpdesk.calls.overview import CAP, overview
from helpdesk.calls.providers.port import CarrierError
from helpdesk.intake.voice import webhooks
from helpdesk.lib.clock import now
from helpdesk.web.guard import needs, reading

blueprint = Blueprint("admin_telephony", __name__)


@blueprint.get("/admin/telephony")
@needs("setting.change")
def show() -> str:
    return _page()


@blueprint.post("/admin/telephony/check")
@needs("setting.change")
def check() -> str:
    """Ask the carrier what it thinks of the set-up; some seconds at most."""
    try:
        found = carrier().health()
    except CarrierError as error:
        found = {"account": str(error)}
    return _page(found)


def _page(found: Mapping[str, str] | None = None) -> str:
    counts = webhooks().counts.totals()
    return render_template(
        "admin/telephony.html",
        found=found and [(_check_words().get(name, name), text) for name, text in found.items()],
        provider=_provider_words()[provider()],
        is_twin=provider() == Provider.TWIN,
        address=f"{current_app.config['PUBLIC_URL']}/twilio/voice",
        forged=counts["forged"],
        health=overview(reading(), now()),
        kinds=_kinds(),
        cap=CAP,
    )


def _provider_words() -> Mapping[Provider, str]:
    return {
        Provider.TWILIO: "Twilio",
        Provider.TWIN: _("Offline twin: calls come from the simulator"),
    }


def _check_words() -> Mapping[str, str]:
    return {
        "account": _("Account at the carrier"),
        "numbers": _("Addresses of the phone numbers"),
        "recordings": _("Recordings under lock"),
        "browser_phones": _("Phones in the browser"),
    }


def _kinds() -> Mapping[str, str]:
    return {
        "ring_agent": _("Ring an agent"),
        "ring_customer": _("Ring a customer"),
        "redirect": _("Lead a caller on"),
        "hang_up": _("Hang up"),
        "hold": _("Put on hold"),
        "unhold": _("Take off hold"),
        "record": _("Record"),
        "fetch": _("Ask after a call"),
    }
