"""Writing to a ticket: replies, notes, drafts and their files."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files
from helpdesk.accounts import limits
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.tickets import actions, drafts, viewers
from helpdesk.tickets.models import Attachment, Draft, MessageKind, Status, Ticket
from helpdesk.tickets.queries import ticket_for, ticket_id_of
from helpdesk.web.cached import recount
from helpdesk.web.desk.changes import back_to, changed, is_script
from helpdesk.web.desk.kb_learn import cite_sent
from helpdesk.web.desk.thread import icon_of
from helpdesk.web.guard import actor, me, needs, reading, said, viewer

blueprint = Blueprint("desk_composer", __name__)

NONCE_SECONDS = 3 * 86_400  # a browser that was cut off asks within this time
NONCE_LIMIT = 64
THEN = {"pending": Status.PENDING, "resolved": Status.RESOLVED, "open": Status.OPEN}
TYPE_LIMIT = 127


@blueprint.post("/desk/t/<number>/messages")
@needs("ticket.answer")
def send(number: str) -> BaseResponse:
    """Send a reply or save a note, once for each nonce. What fails stays as a draft."""
    kind = _kind()
    text = request.form.get(kind.value, "")
    ticket_id = ticket_id_of(number)
    stored = _store(request.files.getlist("files"))
    try:
        with ext.write() as session:
            ticket = ticket_for(session, viewer(), ticket_id, "ticket.answer", change=True)
            client_id = ticket.client_id
            if _first_time(session):
                _attach(session, ticket_id, kind, stored)
                _write(session, ticket, kind, text)
    except HelpdeskError as error:
        if is_script() or error.status == 404:
            raise
        _keep(ticket_id, kind, text)
        flash(said(error), "error")
        return redirect(back_to(number))
    recount()
    return changed(number, ticket_id, client_id)


@blueprint.get("/desk/t/<number>/sent")
@needs("ticket.answer")
def sent(number: str) -> BaseResponse:
    """Whether the message with this nonce arrived: a browser that was cut off asks."""
    ticket_for(reading(), viewer(), ticket_id_of(number), "ticket.answer")
    taken = limits.taken(reading(), "sent", _nonce(request.args), seconds=NONCE_SECONDS, at=now())
    return jsonify(sent=taken > 0)


@blueprint.post("/desk/t/<number>/drafts")
@needs("ticket.answer")
def save_draft(number: str) -> BaseResponse:
    ticket_id = ticket_id_of(number)
    with ext.write() as session:
        ticket_for(session, viewer(), ticket_id, "ticket.answer")
        text = request.form.get("text", "")
        drafts.save_draft(session, ticket_id, me().id, _kind(), text, at=now())
    return jsonify(saved=True)


@blueprint.post("/desk/t/<number>/files")
@needs("ticket.answer")
def upload(number: str) -> BaseResponse:
    """Put files to the draft."""
    kind, ticket_id = _kind(), ticket_id_of(number)
    ticket_for(reading(), viewer(), ticket_id, "ticket.answer")
    stored = _store(request.files.getlist("files"))
    with ext.write() as session:
        ticket_for(session, viewer(), ticket_id, "ticket.answer")
        _attach(session, ticket_id, kind, stored)
        return _shown(session, number, ticket_id, kind)


@blueprint.post("/desk/t/<number>/files/<int:attachment_id>/remove")
@needs("ticket.answer")
def remove(number: str, attachment_id: int) -> BaseResponse:
    """Take a file from the draft again."""
    ticket_id = ticket_id_of(number)
    with ext.write() as session:
        ticket_for(session, viewer(), ticket_id, "ticket.answer")
        kind = drafts.detach(session, me().id, attachment_id)
        return _shown(session, number, ticket_id, kind)


def _write(session: Session, ticket: Ticket, kind: MessageKind, text: str) -> None:
    if kind == MessageKind.NOTE:
        actions.note(session, ticket, text, user_id=me().id, at=now())
        return
    seen = request.form.get("seen", "")
    if seen.isascii() and seen.isdigit() and len(seen) < 18:
        viewers.check_answered(session, ticket.id, me().id, after=int(seen))
    then = THEN.get(request.form.get("then", ""))
    actions.reply(session, ticket, text, user_id=me().id, at=now(), then=then)
    cite_sent(session, ticket, request.form.getlist("cited"), text, at=now(), by=actor())


def _first_time(session: Session) -> bool:
    nonce = _nonce(request.form)
    return not nonce or limits.allow(
        session, "sent", nonce, most=1, seconds=NONCE_SECONDS, at=now()
    )


def _nonce(values: Any) -> str:
    nonce = str(values.get("nonce", ""))[:NONCE_LIMIT]
    return f"{me().id}:{nonce}" if nonce else ""


def _kind() -> MessageKind:
    kinds = {kind.value: kind for kind in drafts.KINDS}
    kind = kinds.get(request.form.get("kind", ""))
    if kind is None:
        raise HelpdeskError(_lazy("Choose: reply or note."), field="kind")
    return kind


def _keep(ticket_id: int, kind: MessageKind, text: str) -> None:
    with ext.write() as session:
        drafts.save_draft(session, ticket_id, me().id, kind, text[: actions.TEXT_LIMIT], at=now())


Stored = tuple[str, int, str, str]


def _store(uploads: Sequence[FileStorage]) -> list[Stored]:
    """Put the files on the disk before the database is locked. Raises HelpdeskError."""
    most = int(current_app.config["MAX_MAIL_BYTES"])
    chosen = [file for file in uploads if file.filename]
    if len(chosen) > drafts.MAX_FILES:
        message = _lazy("At most %(most)s files fit one message.")
        raise HelpdeskError(message, field="files", most=drafts.MAX_FILES)
    found: list[Stored] = []
    for file in chosen:
        data = file.read(most + 1)
        if len(data) > most * 3 // 4:  # base64 in an email makes a third more of it
            raise HelpdeskError(
                _lazy("%(name)s is too large for an email: at most %(most)s MB."),
                field="files",
                name=file.filename,
                most=most * 3 // 4 // 1_048_576,
            )
        content_type = (file.mimetype or "application/octet-stream")[:TYPE_LIMIT]
        found.append((files.put(data), len(data), file.filename or "", content_type))
    return found


def _attach(session: Session, ticket_id: int, kind: MessageKind, stored: list[Stored]) -> None:
    for sha256, size, filename, content_type in stored:
        drafts.attach(
            session,
            ticket_id,
            me().id,
            kind,
            sha256=sha256,
            size=size,
            filename=filename,
            content_type=content_type,
            at=now(),
        )


def _shown(session: Session, number: str, ticket_id: int, kind: MessageKind) -> BaseResponse:
    if not is_script():
        return redirect(back_to(number))
    query = (
        select(Attachment)
        .join(Draft, Draft.id == Attachment.draft_id)
        .where(Draft.ticket_id == ticket_id, Draft.user_id == me().id, Draft.kind == kind)
        .order_by(Attachment.id)
    )
    waiting = [(file, icon_of(file.content_type)) for file in session.scalars(query)]
    html = render_template("desk/_waiting.html", files=waiting, number=number)
    return jsonify(html=html)
