"""Clients that may be one: both records side by side, to be merged or told apart."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients import duplicates
from helpdesk.clients.models import DuplicatePair
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.reports.client.side_by_side import sides
from helpdesk.web.guard import actor, needs, reading, said

blueprint = Blueprint("desk_duplicates", __name__)

PAGE = 20


@blueprint.get("/desk/duplicates")
@needs("client.merge")
def listing() -> str:
    """Pairs that nobody settled, newest first; `?undo=` the pair that was just told apart."""
    before = _number(request.args.get("before", ""))
    pairs = duplicates.open_pairs(reading(), before=before, limit=PAGE + 1)
    shown = pairs[:PAGE]
    ids = {client.id for pair in shown for client in (pair.first, pair.second)}
    return render_template(
        "desk/duplicates.html",
        section="clients",
        pairs=shown,
        sides=sides(reading(), ids),
        reasons=_reasons(),
        count=duplicates.count_open(reading()),
        more=shown[-1].row.id if len(pairs) > PAGE else None,
        undo=_told_apart(request.args.get("undo", "")),
    )


@blueprint.post("/desk/duplicates/<int:pair_id>")
@needs("client.merge")
def settle(pair_id: int) -> BaseResponse:
    """These are two; with `back` they may be one again."""
    back = request.form.get("back") == "1"
    act = duplicates.offer_again if back else duplicates.dismiss
    try:
        with ext.write() as session:
            act(session, duplicates.pair_of(session, pair_id), actor=actor(), at=now())
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
        return redirect("/desk/duplicates")
    return redirect("/desk/duplicates" if back else f"/desk/duplicates?undo={pair_id}")


def _told_apart(text: str) -> DuplicatePair | None:
    pair = reading().get(DuplicatePair, _number(text) or 0)
    return pair if pair is not None and pair.settled_at is not None else None


def _reasons() -> dict[str, str]:
    return {"phone": _("same phone"), "email": _("same mailbox"), "name": _("same name")}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
