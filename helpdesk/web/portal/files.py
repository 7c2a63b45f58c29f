"""Files of a customer's ticket: what they may read, and what they send."""

import hashlib
import re
from collections.abc import Sequence
from urllib.parse import quote

from flask import Blueprint, Response, current_app, request
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import FileStorage

from helpdesk import files
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_filename, clean_line
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.drafts import MAX_FILES
from helpdesk.tickets.models import Attachment, Message
from helpdesk.web.desk.files import SANDBOX
from helpdesk.web.guard import public, reading
from helpdesk.web.portal import link, talk

blueprint = Blueprint("portal_files", __name__)
blueprint.register_error_handler(link.WrongLink, link.missing)
blueprint.after_request(link.private)

MEGABYTE = 1_048_576
OCTETS = "application/octet-stream"
PROGRAMS = ("exe", "com", "scr", "pif", "bat", "cmd", "msi", "vbs", "hta", "lnk", "jar", "ps1")
"""Endings of what a colleague's computer might run."""
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")


@blueprint.get("/t/<token>/files/<int:file_id>")
@public
def attachment(token: str, file_id: int) -> Response:
    """A file of a message the customer sees: pictures may show, everything else is only saved."""
    ticket = link.ticket_of(token)
    query = (
        select(Attachment)
        .join(Message, Message.id == Attachment.message_id)
        .where(Attachment.id == file_id, *talk.shown(ticket.id))
        .options(joinedload(Attachment.file))
    )
    file = reading().scalar(query)
    message = reading().get(Message, file.message_id) if file is not None else None
    if file is None or message is None or file not in talk.visible_files(message):
        raise link.WrongLink()
    try:
        data = files.read(file.file.sha256)
    except FileNotFoundError:
        raise link.WrongLink() from None
    may_show = talk.is_picture(file) and "save" not in request.args
    response = Response(data, mimetype=file.content_type if may_show else OCTETS)
    place = "inline" if may_show else "attachment"
    name = quote(file.filename, safe="")
    response.headers["Content-Disposition"] = f"{place}; filename*=UTF-8''{name}"
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def store(uploads: Sequence[FileStorage]) -> tuple[FileRef, ...]:
    """Put what was chosen on the disk, before the database is locked. Raises HelpdeskError."""
    return tuple(_taken(file, keep=True) for file in _chosen(uploads))


def described(uploads: Sequence[FileStorage]) -> tuple[FileRef, ...]:
    """The same without putting anything anywhere: what a form that came before is known by."""
    return tuple(_taken(file, keep=False) for file in _chosen(uploads))


def _chosen(uploads: Sequence[FileStorage]) -> list[FileStorage]:
    chosen = [file for file in uploads if file.filename]
    if len(chosen) > MAX_FILES:
        message = _lazy("At most %(most)s files fit one message.")
        raise HelpdeskError(message, field="files", most=MAX_FILES)
    return chosen


def _taken(file: FileStorage, *, keep: bool) -> FileRef:
    most = int(current_app.config["MAX_MAIL_BYTES"])
    file.stream.seek(0)
    data = file.read(most + 1)
    name = clean_filename(file.filename or "")
    shown = clean_line(name, 80)
    if name.rpartition(".")[2].lower() in PROGRAMS:
        message = _lazy("Files of this type are not taken: %(name)s")
        raise HelpdeskError(message, field="files", name=shown)
    if len(data) > most:
        message = _lazy("%(name)s is too large: at most %(most)s MB.")
        raise HelpdeskError(message, field="files", name=shown, most=most // MEGABYTE)
    digest = files.put(data) if keep else hashlib.sha256(data).hexdigest()
    kind = file.mimetype.lower()
    return FileRef(digest, len(data), name, kind if _TYPE.fullmatch(kind) else OCTETS)
