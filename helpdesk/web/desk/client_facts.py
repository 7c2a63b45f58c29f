"""Notes, documents and promises on a client's page: small forms, safe files, undo."""

from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, flash, redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files
from helpdesk.clients import fact_actions
from helpdesk.clients.facts import Document
from helpdesk.clients.models import Client
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.web.desk import client_page
from helpdesk.web.desk.files import SANDBOX
from helpdesk.web.desk.thread import INLINE_TYPES
from helpdesk.web.formats import zone
from helpdesk.web.guard import actor, me, needs, reading, said

blueprint = Blueprint("desk_client_facts", __name__)

MAX_FILES = 20
MEGABYTE = 1_048_576
KEPT = {"yes": True, "no": False, "": None}

Stored = tuple[str, int, str, str]


@blueprint.post("/desk/clients/<int:client_id>/notes")
@needs("client.change")
def add_note(client_id: int) -> BaseResponse | tuple[str, int]:
    try:
        with ext.write() as session:
            client = fact_actions.open_client(session, client_id)
            text = request.form.get("note", "")
            fact_actions.add_note(session, client, text, user_id=me().id, at=now())
    except HelpdeskError as error:
        return _again(client_id, error)
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}#notes")


@blueprint.post("/desk/clients/<int:client_id>/notes/<int:note_id>/delete")
@needs("client.change")
def delete_note(client_id: int, note_id: int) -> BaseResponse:
    """Delete a note; the page that follows offers the undo."""
    with ext.write() as session:
        note = fact_actions.note_of(session, client_id, note_id)
        fact_actions.delete_note(session, note, actor=actor(), at=now())
    return redirect(f"/desk/clients/{client_id}?undo=note-{note_id}")


@blueprint.post("/desk/clients/<int:client_id>/documents")
@needs("client.change")
def add_documents(client_id: int) -> BaseResponse | tuple[str, int]:
    """Keep the chosen files."""
    client_page.client_for(reading(), client_id)
    try:
        stored = _store(request.files.getlist("files"))
        with ext.write() as session:
            client = fact_actions.open_client(session, client_id)
            for one in stored:
                _add(session, client, *one)
    except HelpdeskError as error:
        return _again(client_id, error)
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}#documents")


@blueprint.get("/desk/clients/<int:client_id>/documents/<int:document_id>")
@needs("client.read")
def document(client_id: int, document_id: int) -> Response:
    """A file: pictures of four types may show, everything else is only saved. Reading is noted."""
    found = fact_actions.document_of(reading(), client_id, document_id)
    may_show = found.content_type in INLINE_TYPES and "save" not in request.args
    try:
        data = files.read(found.file.sha256)
    except FileNotFoundError:
        raise NotFound() from None
    kind = found.content_type if may_show else "application/octet-stream"
    response = Response(data, mimetype=kind)
    place = "inline" if may_show else "attachment"
    name = quote(found.filename, safe="")
    response.headers["Content-Disposition"] = f"{place}; filename*=UTF-8''{name}"
    response.headers["Content-Security-Policy"] = SANDBOX
    if request.method == "GET":
        _note_reading(found)
    return response


@blueprint.post("/desk/clients/<int:client_id>/documents/<int:document_id>/delete")
@needs("client.change")
def delete_document(client_id: int, document_id: int) -> BaseResponse:
    """Delete a document; the page that follows offers the undo."""
    with ext.write() as session:
        found = fact_actions.document_of(session, client_id, document_id, deleted=True)
        fact_actions.delete_document(session, found, actor=actor(), at=now())
    return redirect(f"/desk/clients/{client_id}?undo=document-{document_id}")


@blueprint.post("/desk/clients/<int:client_id>/promises")
@needs("client.change")
def make_promise(client_id: int) -> BaseResponse | tuple[str, int]:
    """Promise something by a moment, in the reader's time or the client's."""
    form = request.form
    try:
        with ext.write() as session:
            client = fact_actions.open_client(session, client_id)
            fact_actions.make_promise(
                session,
                client,
                form.get("promise", ""),
                due_at=_due(client, form.get("due", ""), form.get("whose", "")),
                user_id=me().id,
                at=now(),
            )
    except HelpdeskError as error:
        return _again(client_id, error)
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}#promises")


@blueprint.post("/desk/clients/<int:client_id>/promises/<int:promise_id>")
@needs("client.change")
def settle_promise(client_id: int, promise_id: int) -> BaseResponse:
    """Kept or broken; the page that follows offers the undo."""
    kept = KEPT.get(request.form.get("kept", ""))
    with ext.write() as session:
        promise = fact_actions.promise_of(session, client_id, promise_id)
        fact_actions.settle_promise(session, promise, kept, actor=actor(), at=now())
    tail = f"?undo=promise-{promise_id}" if kept is not None else ""
    return redirect(f"/desk/clients/{client_id}{tail}")


def _again(client_id: int, error: HelpdeskError) -> tuple[str, int]:
    """The client's page with what is wrong and what was typed."""
    if error.status == 404:
        raise error
    return client_page.page(client_id, {error.field or "": said(error)}), error.status


def _due(client: Client, text: str, whose: str) -> datetime:
    """The moment (UTC) of "2026-11-23T16:00" on the clock of the reader or the client."""
    where = ZoneInfo(client.timezone) if whose == "client" and client.timezone else zone()
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise HelpdeskError(_lazy("Choose a day and an hour."), field="due") from None
    if local.tzinfo is not None or not 2000 <= local.year <= 2200:
        raise HelpdeskError(_lazy("Choose a day and an hour."), field="due")
    return local.replace(tzinfo=where).astimezone(UTC)


def _store(uploads: list[FileStorage]) -> list[Stored]:
    """Put the files on the disk before the database is locked. Raises HelpdeskError."""
    chosen = [file for file in uploads if file.filename]
    if not chosen:
        raise HelpdeskError(_lazy("Choose a file."), field="files")
    most = int(current_app.config["MAX_MAIL_BYTES"])
    found: list[Stored] = []
    for file in chosen[:MAX_FILES]:
        data = file.read(most + 1)
        if len(data) > most:
            message = _lazy("%(name)s is too large: at most %(most)s MB.")
            name = file.filename or ""
            raise HelpdeskError(message, field="files", name=name, most=most // MEGABYTE)
        found.append((files.put(data), len(data), file.filename or "", file.mimetype or ""))
    return found


def _add(
    session: Session, client: Client, sha256: str, size: int, filename: str, content_type: str
) -> None:
    fact_actions.add_document(
        session,
        client,
        sha256=sha256,
        size=size,
        filename=filename,
        content_type=content_type,
        actor=actor(),
        at=now(),
    )


def _note_reading(found: Document) -> None:
    with ext.write() as session:
        fact_actions.read_document(session, found, actor=actor(), at=now())
