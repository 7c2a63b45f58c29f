"""What is missing: clients with empty fields or without an address, tickets without a reason."""

from collections.abc import Mapping

from flask import Blueprint, g, render_template, request
from flask_babel import gettext as _

from helpdesk.clients import duplicates
from helpdesk.clients.models import Client
from helpdesk.fields import FieldScope
from helpdesk.lib.errors import NotFound
from helpdesk.reports.client import gaps
from helpdesk.web.cached import keep
from helpdesk.web.desk.client_page import profile_fields
from helpdesk.web.desk.listing import draw
from helpdesk.web.guard import may, needs, reading, viewer

blueprint = Blueprint("desk_gaps", __name__)

REASON = "reason"
SECONDS = 10.0  # how old counts may be


@blueprint.get("/desk/gaps")
@needs("client.read")
def listing() -> str:
    """`?show=` one gap, `?before=` the last client looked at."""
    labels, names = _labels(), gaps.gaps_of(profile_fields())
    shown = request.args.get("show") or next(iter(labels))
    if shown not in labels:
        raise NotFound()
    before = request.args.get("before", "")
    at = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    page = gaps.GapPage([], None)
    tickets = []
    if shown == REASON:
        tickets = draw(gaps.unclassified(reading(), viewer()), "")
    else:
        page = gaps.clients_with_gap(reading(), shown, names[shown], before=at)
    return render_template(
        "desk/gaps.html",
        section="clients",
        labels=labels,
        counts=_counts(names),
        shown=shown,
        clients=page.rows,
        links={one.id: _help(one, shown) for one in page.rows},
        tickets=tickets,
        before=page.before,
        first=at is None,
        window=gaps.WINDOW,
        doubles=_doubles() if may("client.merge") else 0,
    )


def _labels() -> dict[str, str]:
    """What each gap is called, in the order in which they are worth filling."""
    fixed: dict[str, str] = {
        "unreachable": _("No address or number"),
        "bad": _("Only addresses that return mail"),
        "name": _("No name, only an address"),
        "language": _("Language not known"),
    }
    wanted = {
        gaps.PROFILE + one.key: one.label(g.language) for one in profile_fields() if one.wanted
    }
    return {**fixed, REASON: _("Tickets without a reason"), **wanted}


def _counts(names: Mapping[str, FieldScope]) -> Mapping[str, int]:
    key = ("gaps", *names.items())
    clients = keep(key, SECONDS, lambda: gaps.client_gaps(reading(), names))
    return {**clients, REASON: gaps.count_unclassified(reading(), viewer())}


def _doubles() -> int:
    return keep("doubles", SECONDS, lambda: duplicates.count_open(reading()))


def _help(client: Client, shown: str) -> str:
    """The address of the form in which the gap is filled."""
    edit = shown in ("name", "language") or shown.startswith(gaps.PROFILE)
    return f"/desk/clients/{client.id}/edit" if edit else f"/desk/clients/{client.id}#people"
