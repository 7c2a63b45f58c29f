"""Recordings and voicemail, played from our own files to those who may hear them."""

from collections.abc import Sequence

from flask import Blueprint, Response, flash, g, redirect, request, send_file
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files
from helpdesk.accounts.permissions import Guarded, can
from helpdesk.calls import recordings
from helpdesk.calls.models import Call, Recording
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.desk.changes import back_to, changed, is_script
from helpdesk.web.desk.files import SANDBOX
from helpdesk.web.guard import actor, needs, public, reading, viewer

blueprint = Blueprint("desk_recordings", __name__)

TYPES = ("audio/wav", "audio/mpeg", "audio/ogg")


@blueprint.get("/desk/recordings/<int:recording_id>")
@public  # a stranger must not even learn that there is one: no log-in page but "not found"
def play(recording_id: int) -> Response:
    """The sound, whole or the asked part (RFC 9110 §14), for who may see its call or ticket."""
    if g.user is None:
        raise NotFound()
    row = _recording(reading(), recording_id, "ticket.read")
    if row.file is None or row.content_type not in TYPES:
        raise NotFound()
    path = files.path_of(row.file.sha256)
    if not path.is_file():
        raise NotFound()
    response = send_file(path, row.content_type, conditional=True, etag=row.file.sha256)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "private, no-store"
    _note_playing(row, response)
    return response


@blueprint.post("/desk/recordings/<int:recording_id>/again")
@needs("ticket.answer")
def fetch_again(recording_id: int) -> BaseResponse:
    """Ask the carrier once more for a recording that was given up."""
    with ext.write() as session:
        row = _recording(session, recording_id, "ticket.answer")
        recordings.fetch_again(session, row, at=now())
        ticket_id, client_id = row.call.ticket_id, row.call.client_id
    if ticket_id is None or client_id is None:
        return redirect("/desk")
    number = str(ticket_id + NUMBER_OFFSET)
    if not is_script():
        flash(_("The recording is being fetched again."))
        return redirect(back_to(number))
    return changed(number, ticket_id, client_id)


def _recording(session: Session, recording_id: int, permission: str) -> Recording:
    """The recording, by the queue of its call or of the ticket it stands on. Raises NotFound."""
    whole = joinedload(Recording.call).joinedload(Call.ticket)
    query = select(Recording).where(Recording.id == recording_id)
    row = session.scalar(query.options(whole, joinedload(Recording.file)))
    if row is None:
        raise NotFound()
    if not any(can(viewer(), permission, place) for place in _places(row.call)):
        raise NotFound()
    return row


def _places(call: Call) -> Sequence[Guarded]:
    """A call that came to no queue is guarded by its ticket alone."""
    if call.ticket is None:
        return [call]
    return [call.ticket] if call.queue_id is None else [call, call.ticket]


def _note_playing(row: Recording, response: Response) -> None:
    """Each listening is kept once; the parts that a player asks for while seeking are not."""
    asked = request.range
    begins = asked is None or asked.ranges[0][0] == 0
    if request.method != "GET" or not begins or response.status_code not in (200, 206):
        return
    with ext.write() as session:
        found = session.get_one(Recording, row.id)
        recordings.played(session, found, actor=actor(), at=now())
