"""The outbox: what goes out by email, what failed, and the mail catcher where no relay is set."""

from collections.abc import Sequence

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.outbox.actions import resend
from helpdesk.outbox.compose import MailFile, compose
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.outbox.queries import outgoing_for
from helpdesk.tickets.models import NUMBER_OFFSET, Attachment
from helpdesk.web.admin.deliveries import as_file
from helpdesk.web.admin.forms import cursor
from helpdesk.web.guard import actor, needs, reading, said

blueprint = Blueprint("admin_outbox", __name__)

PAGE = 50
# Our emails carry their styles on the elements; nothing in this frame can act or load.
FRAME = (
    "default-src 'none'; style-src-attr 'unsafe-inline'; img-src data:; sandbox; "
    "frame-ancestors 'self'"
)


@blueprint.get("/outbox")
@needs("outbox.read")
def listing() -> str:
    """The newest emails first, of one state or of all."""
    wanted = request.args.get("state", "")
    query = select(Outgoing).order_by(Outgoing.id.desc()).limit(PAGE + 1)
    if wanted in set(OutgoingState):
        query = query.where(Outgoing.state == OutgoingState(wanted))
    before = cursor()
    if before is not None:
        query = query.where(Outgoing.id < before)
    found = list(reading().scalars(query))
    return render_template(
        "admin/outbox.html",
        emails=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        wanted=wanted,
        states=states(),
        kinds=kinds(),
        relay=current_app.config["RELAY"],
        offset=NUMBER_OFFSET,
    )


@blueprint.get("/outbox/<int:outgoing_id>")
@needs("outbox.read")
def show(outgoing_id: int) -> str:
    outgoing = outgoing_for(reading(), outgoing_id)
    octets = _octets(reading(), outgoing)
    head = octets.partition(b"\r\n\r\n")[0].decode("utf-8", "replace") if octets else ""
    return render_template(
        "admin/email.html",
        email=outgoing,
        head=head,
        files=_attachments(reading(), outgoing),
        states=states(),
        kinds=kinds(),
        offset=NUMBER_OFFSET,
    )


@blueprint.get("/outbox/<int:outgoing_id>/html")
@needs("outbox.read")
def html(outgoing_id: int) -> Response:
    """The email as it was designed, in a frame that can't act or load."""
    outgoing = outgoing_for(reading(), outgoing_id)
    if not outgoing.html:
        raise NotFound()
    response = Response(outgoing.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = FRAME
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.get("/outbox/<int:outgoing_id>/raw")
@needs("outbox.read")
def raw(outgoing_id: int) -> Response:
    """The email exactly as it is handed to the relay."""
    octets = _octets(reading(), outgoing_for(reading(), outgoing_id))
    if octets is None:
        raise NotFound()
    return as_file(octets, f"email-{outgoing_id}.eml")


@blueprint.post("/outbox/<int:outgoing_id>/resend")
@needs("outbox.read")
def resend_one(outgoing_id: int) -> BaseResponse:
    try:
        with ext.write() as session:
            resend(session, outgoing_for(session, outgoing_id), actor=actor(), at=now())
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
    else:
        flash(_("The email is sent again."))
    return redirect(f"/outbox/{outgoing_id}")


def states() -> dict[str, tuple[str, str | None]]:
    """Word and tone of each state."""
    return {
        "failed": (pgettext("outgoing", "Failed"), "bad"),
        "queued": (pgettext("outgoing", "Waiting"), "acc"),
        "sending": (pgettext("outgoing", "Being sent"), "acc"),
        "sent": (pgettext("outgoing", "Sent"), "good"),
        "delivered": (pgettext("outgoing", "Delivered"), "good"),
        "caught": (pgettext("outgoing", "Kept here"), None),
    }


def kinds() -> dict[str, str]:
    return {
        "reply": _("Answer"),
        "receipt": _("Receipt"),
        "notice": _("Notice"),
        "code": _("Code for the portal"),
        "sms": _("SMS"),
    }


def _attachments(session: Session, outgoing: Outgoing) -> Sequence[Attachment]:
    if outgoing.message_id is None:
        return ()
    query = select(Attachment).where(Attachment.message_id == outgoing.message_id)
    return session.scalars(query.options(joinedload(Attachment.file)).order_by(Attachment.id)).all()


def _octets(session: Session, outgoing: Outgoing) -> bytes | None:
    """The whole email; None where it can't be written, e.g. a file or the address is missing."""
    if outgoing.kind == OutgoingKind.SMS:
        return None
    try:
        found = [
            MailFile(file.filename, file.content_type, files.read(file.file.sha256))
            for file in _attachments(session, outgoing)
        ]
        return compose(outgoing, found)
    except (OSError, ValueError):
        return None
