"""Attachments, the sender's own HTML and the raw message, each served so that it can do no harm."""

import base64
import re
from typing import cast
from urllib.parse import quote

from flask import Blueprint, Response, request
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from helpdesk import ext, files
from helpdesk.events import Event, record
from helpdesk.intake.archive import raw_of
from helpdesk.intake.models import Delivery
from helpdesk.lib.errors import NotFound
from helpdesk.tickets.models import Attachment, Draft, Message
from helpdesk.tickets.queries import ticket_for
from helpdesk.web.assets import asset
from helpdesk.web.desk.remote_pictures import with_remote
from helpdesk.web.desk.thread import INLINE_TYPES
from helpdesk.web.guard import actor, me, needs, reading, viewer

blueprint = Blueprint("desk_files", __name__)

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
INLINE_BUDGET = 8_000_000  # octets of pictures inside one email view
_CID = re.compile(r'<img([^<>]*?) data-cid="([^"]*)"')


@blueprint.get("/desk/files/<int:attachment_id>")
@needs("ticket.read")
def attachment(attachment_id: int) -> Response:
    """A file: pictures of four types may show, everything else is only saved."""
    file = _file(reading(), attachment_id)
    may_show = file.content_type in INLINE_TYPES and "save" not in request.args
    kind = file.content_type if may_show else "application/octet-stream"
    response = Response(_content(file), mimetype=kind)
    place = "inline" if may_show else "attachment"
    name = quote(file.filename, safe="")
    response.headers["Content-Disposition"] = f"{place}; filename*=UTF-8''{name}"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "private, max-age=3600"
    _note_reading(file)
    return response


@blueprint.get("/desk/messages/<int:message_id>/html")
@needs("ticket.read")
def html(message_id: int) -> Response:
    """The message as its sender designed it, cleaned, in a frame that can't act or load.

    With `pictures` those from elsewhere are in it: the reader asked for them.
    """
    message = _message(reading(), message_id)
    if not message.html:
        raise NotFound()
    body = _with_pictures(message.html, message.attachments)
    if "pictures" in request.args:
        body = with_remote(body)
    css = request.host_url.rstrip("/") + asset("css/mail.css")
    page = (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(message.subject)}</title>'
        f'<link rel="stylesheet" href="{escape(css)}"></head><body>{body}</body></html>'
    )
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src data:; style-src {request.host_url.rstrip('/')}; "
        "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.get("/desk/messages/<int:message_id>/raw")
@needs("ticket.read")
def raw(message_id: int) -> Response:
    """The message exactly as it came in, as a file."""
    message = _message(reading(), message_id)
    delivery = _delivery(reading(), message)
    try:
        data = raw_of(delivery)
    except FileNotFoundError:
        raise NotFound() from None
    response = Response(data, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="message-{message_id}.eml"'
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def _file(session: Session, attachment_id: int) -> Attachment:
    """A file of a ticket the reader may see; one in a draft is only its writer's."""
    query = select(Attachment).options(joinedload(Attachment.file))
    file = session.scalar(query.where(Attachment.id == attachment_id))
    if file is None:
        raise NotFound()
    if file.draft_id is not None:
        draft = session.get(Draft, file.draft_id)
        if draft is None or draft.user_id != me().id:
            raise NotFound()
    ticket_for(session, viewer(), _ticket_of(session, file), "ticket.read")
    return file


def _ticket_of(session: Session, file: Attachment) -> int:
    if file.ticket_id is not None:
        return file.ticket_id
    message = session.get(Message, file.message_id) if file.message_id else None
    if message is None:
        raise NotFound()
    return message.ticket_id


def _content(file: Attachment) -> bytes:
    try:
        return files.read(file.file.sha256)
    except FileNotFoundError:
        raise NotFound() from None


def _note_reading(file: Attachment) -> None:
    """Who opened which file of a client is kept; pictures within our own page are not opened."""
    if request.method != "GET" or request.headers.get("Sec-Fetch-Dest") == "image":
        return
    if file.message_id is None:
        return
    with ext.write() as session:
        record(
            session,
            "attachment.read",
            actor=actor(),
            ticket_id=file.ticket_id,
            attachment_id=file.id,
        )


def _message(session: Session, message_id: int) -> Message:
    query = select(Message).where(Message.id == message_id)
    message = session.scalar(query.options(joinedload(Message.attachments)))
    if message is None:
        raise NotFound()
    ticket_for(session, viewer(), message.ticket_id, "ticket.read")
    return message


def _with_pictures(html: str, attachments: list[Attachment]) -> str:
    """Pictures of the message itself go into the page; nothing is fetched from elsewhere."""
    known = {file.content_id: file for file in attachments if file.content_id}
    left = INLINE_BUDGET

    def place(match: re.Match[str]) -> str:
        nonlocal left
        file = known.get(match[2])
        if file is None or file.content_type not in INLINE_TYPES or file.size > left:
            return match[0]
        left -= file.size
        data = base64.b64encode(_content(file)).decode("ascii")
        return f'<img{match[1]} src="data:{file.content_type};base64,{data}"'

    return _CID.sub(place, html)


def _delivery(session: Session, message: Message) -> Delivery:
    query = select(Event.data).where(
        Event.ticket_id == message.ticket_id,
        Event.kind.in_(("message.received", "message.bounced")),
    )
    for data in session.scalars(query):
        if data.get("message_id") == message.id and data.get("delivery_id"):
            found = session.get(Delivery, cast(int, data["delivery_id"]))
            if found is not None:
                return found
    raise NotFound()
