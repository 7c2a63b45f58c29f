"""Verbs on notes, documents and promises of a client; what is deleted can be put back."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import files
from helpdesk.clients.facts import ClientNote, Document, Promise
from helpdesk.clients.models import Client
from helpdesk.events import Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_filename, clean_line

NOTE_LIMIT = 20_000
PROMISE_LIMIT = 300
TYPE_LIMIT = 127

T = TypeVar("T")


def add_note(
    session: Session, client: Client, text: str, *, user_id: int, at: datetime
) -> ClientNote:
    """Write something down about a client. Raises HelpdeskError for an empty or long text."""
    if not text.strip():
        raise HelpdeskError(_lazy("There is no text yet."), field="note")
    if len(text) > NOTE_LIMIT:
        message = _lazy("The text is too long: at most %(limit)s characters.")
        raise HelpdeskError(message, field="note", limit=NOTE_LIMIT)
    note = ClientNote(client_id=client.id, user_id=user_id, text=text.strip(), created_at=at)
    session.add(note)
    session.flush()
    _record(session, "client.noted", client.id, Actor(user_id=user_id), at, note_id=note.id)
    return note


def delete_note(session: Session, note: ClientNote, *, actor: Actor, at: datetime) -> None:
    """Hide a note; `restore_note` is the undo."""
    if note.deleted_at is None:
        note.deleted_at = at
        session.flush()
        _record(session, "client.unnoted", note.client_id, actor, at, note_id=note.id)


def restore_note(session: Session, note: ClientNote, *, actor: Actor, at: datetime) -> None:
    if note.deleted_at is not None:
        note.deleted_at = None
        session.flush()
        _record(session, "client.noted", note.client_id, actor, at, note_id=note.id)


def add_document(
    session: Session,
    client: Client,
    *,
    sha256: str,
    size: int,
    filename: str,
    content_type: str,
    actor: Actor,
    at: datetime,
) -> Document:
    """Keep a file that `files.put` has stored. Raises HelpdeskError for an empty one."""
    if size == 0:
        raise HelpdeskError(_lazy("This file is empty."), field="files")
    document = Document(
        client_id=client.id,
        file_id=files.adopt(session, sha256, size),
        filename=clean_filename(filename),
        content_type=clean_line(content_type, TYPE_LIMIT) or "application/octet-stream",
        size=size,
        user_id=actor.user_id,
        created_at=at,
    )
    session.add(document)
    session.flush()
    _record(session, "document.added", client.id, actor, at, document_id=document.id)
    return document


def delete_document(session: Session, document: Document, *, actor: Actor, at: datetime) -> None:
    """Hide a document; `restore_document` is the undo."""
    if document.deleted_at is None:
        document.deleted_at = at
        session.flush()
        _record(session, "document.removed", document.client_id, actor, at, document_id=document.id)


def restore_document(session: Session, document: Document, *, actor: Actor, at: datetime) -> None:
    if document.deleted_at is not None:
        document.deleted_at = None
        session.flush()
        _record(session, "document.added", document.client_id, actor, at, document_id=document.id)


def read_document(session: Session, document: Document, *, actor: Actor, at: datetime) -> None:
    """Note who opened which document."""
    _record(session, "document.read", document.client_id, actor, at, document_id=document.id)


def make_promise(
    session: Session,
    client: Client,
    text: str,
    *,
    due_at: datetime,
    user_id: int,
    at: datetime,
    ticket_id: int | None = None,
) -> Promise:
    """Promise a client something until `due_at` (UTC). Raises HelpdeskError for a bad one."""
    text = clean_line(text, PROMISE_LIMIT)
    if not text:
        raise HelpdeskError(_lazy("Write what is promised."), field="promise")
    if due_at <= at:
        raise HelpdeskError(_lazy("This moment is over already."), field="due")
    promise = Promise(
        client_id=client.id,
        ticket_id=ticket_id,
        user_id=user_id,
        text=text,
        due_at=due_at,
        created_at=at,
    )
    session.add(promise)
    session.flush()
    actor = Actor(user_id=user_id)
    _record(session, "promise.made", client.id, actor, at, promise_id=promise.id)
    return promise


def settle_promise(
    session: Session, promise: Promise, kept: bool | None, *, actor: Actor, at: datetime
) -> None:
    """Say that a promise was kept or broken; None lets it run again (the undo)."""
    if promise.kept == kept:
        return
    promise.kept = kept
    promise.settled_at = None if kept is None else at
    session.flush()
    _record(
        session,
        "promise.settled",
        promise.client_id,
        actor,
        at,
        promise_id=promise.id,
        kept=kept,
    )


def note_of(session: Session, client_id: int, note_id: int) -> ClientNote:
    """A note of this client, deleted ones too. Raises NotFound."""
    query = select(ClientNote).where(ClientNote.id == note_id, ClientNote.client_id == client_id)
    return _found(session.scalar(query))


def document_of(
    session: Session, client_id: int, document_id: int, *, deleted: bool = False
) -> Document:
    """A document of this client, with `deleted` a deleted one too. Raises NotFound."""
    query = select(Document).where(Document.id == document_id, Document.client_id == client_id)
    document = _found(session.scalar(query))
    if document.deleted_at is not None and not deleted:
        raise NotFound()
    return document


def promise_of(session: Session, client_id: int, promise_id: int) -> Promise:
    """A promise to this client. Raises NotFound."""
    query = select(Promise).where(Promise.id == promise_id, Promise.client_id == client_id)
    return _found(session.scalar(query))


def open_client(session: Session, client_id: int) -> Client:
    """The client, locked for a change. Raises NotFound, or Conflict for one that was erased or
    merged into another.
    """
    query = select(Client).where(Client.id == client_id).with_for_update()
    client = _found(session.scalar(query.execution_options(populate_existing=True)))
    if client.erased_at is not None:
        raise Conflict(_lazy("The personal data of this client was erased; nothing is added."))
    if client.merged_into_id is not None:
        message = _lazy("This client was merged into № %(number)s; go on there.")
        raise Conflict(message, number=client.merged_into_id)
    return client


def _found(row: T | None) -> T:
    if row is None:
        raise NotFound()
    return row


def _record(
    session: Session, kind: str, client_id: int, actor: Actor, at: datetime, **data: Any
) -> None:
    record(session, kind, actor=actor, at=at, client_id=client_id, **data)
