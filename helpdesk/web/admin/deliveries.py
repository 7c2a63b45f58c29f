"""Deliveries: what came in, what became of it, what failed and can be replayed."""

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.intake.actions import replay
from helpdesk.intake.archive import raw_of
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.lib.text import clean
from helpdesk.web.admin.forms import cursor
from helpdesk.web.desk.files import SANDBOX
from helpdesk.web.guard import actor, needs, reading, said

blueprint = Blueprint("admin_deliveries", __name__)

PAGE = 50
AT_ONCE = 500  # how many one press of "replay all" takes
PREVIEW = 4000  # octets of the raw message that the page shows
ID_LIMIT = 990


@blueprint.get("/admin/deliveries")
@needs("delivery.read")
def listing() -> str:
    """By state (failed ones at first) or by Message-ID, the newest first."""
    wanted = request.args.get("state", "")
    message_id = request.args.get("message_id", "").strip().strip("<>")[:ID_LIMIT]
    if not wanted and not message_id:
        wanted = DeliveryState.FAILED.value
    query = select(Delivery).order_by(Delivery.id.desc()).limit(PAGE + 1)
    if wanted in set(DeliveryState):
        query = query.where(Delivery.state == DeliveryState(wanted))
    if message_id:
        query = query.where(Delivery.message_id == message_id)
    before = cursor()
    if before is not None:
        query = query.where(Delivery.id < before)
    found = list(reading().scalars(query))
    return render_template(
        "admin/deliveries.html",
        deliveries=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        wanted=wanted,
        message_id=message_id,
        states=states(),
    )


@blueprint.post("/admin/deliveries/replay")
@needs("delivery.replay")
def replay_all() -> BaseResponse:
    """Process the oldest failed ones again."""
    with ext.write() as session:
        query = select(Delivery).where(Delivery.state == DeliveryState.FAILED)
        query = query.order_by(Delivery.id).limit(AT_ONCE).with_for_update()
        found = session.scalars(query).all()
        for delivery in found:
            replay(session, delivery, actor=actor(), at=now())
        count = len(found)
    flash(
        ngettext(
            "%(num)s delivery is processed again.", "%(num)s deliveries are processed again.", count
        )
    )
    return redirect("/admin/deliveries")


@blueprint.get("/admin/deliveries/<int:delivery_id>")
@needs("delivery.read")
def show(delivery_id: int) -> str:
    delivery = _delivery(reading(), delivery_id)
    try:
        start = clean(raw_of(delivery)[:PREVIEW].decode("utf-8", "replace"))
    except FileNotFoundError:
        start = None
    return render_template(
        "admin/delivery.html", delivery=delivery, start=start, states=states(), preview=PREVIEW
    )


@blueprint.get("/admin/deliveries/<int:delivery_id>/raw")
@needs("delivery.read")
def raw(delivery_id: int) -> Response:
    """What came in, octet by octet, as a file."""
    try:
        data = raw_of(_delivery(reading(), delivery_id))
    except FileNotFoundError:
        raise NotFound() from None
    return as_file(data, f"delivery-{delivery_id}.eml")


@blueprint.post("/admin/deliveries/<int:delivery_id>/replay")
@needs("delivery.replay")
def replay_one(delivery_id: int) -> BaseResponse:
    try:
        with ext.write() as session:
            replay(session, _delivery(session, delivery_id), actor=actor(), at=now())
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
    else:
        flash(_("It is processed again."))
    return redirect(f"/admin/deliveries/{delivery_id}")


def as_file(data: bytes, name: str) -> Response:
    """An answer that is only saved, whatever is in it."""
    response = Response(data, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def states() -> dict[str, tuple[str, str | None]]:
    """Word and tone of each state."""
    return {
        "failed": (pgettext("delivery", "Failed"), "bad"),
        "quarantined": (pgettext("delivery", "Quarantined"), "warn"),
        "new": (pgettext("delivery", "Waiting"), "acc"),
        "done": (pgettext("delivery", "Done"), "good"),
        "ignored": (pgettext("delivery", "Ignored"), None),
    }


def _delivery(session: Session, delivery_id: int) -> Delivery:
    query = select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    delivery = session.scalar(query.options(undefer(Delivery.raw)))
    if delivery is None:
        raise NotFound()
    return delivery
