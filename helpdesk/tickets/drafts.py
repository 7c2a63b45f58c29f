"""Verbs on drafts: what an agent has typed and not sent, and the files that wait with it."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from helpdesk import files
from helpdesk.ext import add_row, lock
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_filename
from helpdesk.tickets.actions import TEXT_LIMIT
from helpdesk.tickets.models import Attachment, Draft, MessageKind

MAX_FILES = 20
KINDS = (MessageKind.OUTBOUND, MessageKind.NOTE)


def save_draft(
    session: Session, ticket_id: int, user_id: int, kind: MessageKind, text: str, *, at: datetime
) -> None:
    """Keep the text. An empty draft without files is no draft. Raises HelpdeskError."""
    if len(text) > TEXT_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="text",
            limit=TEXT_LIMIT,
        )
    draft_id = _find(session, ticket_id, user_id, kind)
    if draft_id is None:
        if text.strip():
            _add(session, ticket_id, user_id, kind, text, at)
    elif text.strip() or _files(session, draft_id):
        values = {"text": text, "updated_at": at}
        session.execute(update(Draft).where(Draft.id == draft_id).values(values))
    else:
        session.execute(delete(Draft).where(Draft.id == draft_id))


def attach(
    session: Session,
    ticket_id: int,
    user_id: int,
    kind: MessageKind,
    *,
    sha256: str,
    size: int,
    filename: str,
    content_type: str,
    at: datetime,
) -> int:
    """Put a stored file (`files.put`) to the draft; its id. Raises HelpdeskError if too many."""
    draft_id = _find(session, ticket_id, user_id, kind)
    if draft_id is None:
        draft_id = _add(session, ticket_id, user_id, kind, "", at)
    if _files(session, draft_id) >= MAX_FILES:
        raise HelpdeskError(
            _lazy("At most %(most)s files fit one message."), field="files", most=MAX_FILES
        )
    return add_row(
        session,
        Attachment,
        ticket_id=ticket_id,
        draft_id=draft_id,
        file_id=files.adopt(session, sha256, size),
        filename=clean_filename(filename),
        content_type=content_type,
        size=size,
        inline=False,
    )


def detach(session: Session, user_id: int, attachment_id: int) -> MessageKind:
    """Take a file from the user's own draft; the kind of that draft. Raises NotFound."""
    kind = session.scalar(
        select(Draft.kind)
        .join(Attachment, Attachment.draft_id == Draft.id)
        .where(Attachment.id == attachment_id, Draft.user_id == user_id)
    )
    if kind is None:
        raise NotFound()
    session.execute(delete(Attachment).where(Attachment.id == attachment_id))
    return kind


def _find(session: Session, ticket_id: int, user_id: int, kind: MessageKind) -> int | None:
    if kind not in KINDS:
        raise NotFound()
    # Two tabs of one browser may save at the same moment.
    lock(session, f"draft:{user_id}:{ticket_id}:{kind}")
    return session.scalar(
        select(Draft.id).where(
            Draft.ticket_id == ticket_id, Draft.user_id == user_id, Draft.kind == kind
        )
    )


def _add(
    session: Session, ticket_id: int, user_id: int, kind: MessageKind, text: str, at: datetime
) -> int:
    return add_row(
        session,
        Draft,
        ticket_id=ticket_id,
        user_id=user_id,
        kind=kind,
        text=text,
        updated_at=at,
    )


def _files(session: Session, draft_id: int) -> int:
    query = select(func.count(Attachment.id)).where(Attachment.draft_id == draft_id)
    return session.scalar(query) or 0
