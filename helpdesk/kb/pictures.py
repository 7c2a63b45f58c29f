"""Verbs on pictures of articles: what is taken is told by its content, not by its name."""

from datetime import datetime

from sqlalchemy.orm import Session

from helpdesk import files
from helpdesk.events import Actor
from helpdesk.kb.models import Picture
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_filename

MAX_SIZE = 5_000_000
"""Octets of one picture."""


def kind_of(data: bytes) -> str | None:
    """The content type of a PNG, JPEG, GIF or WebP by its first octets; None for all else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def checked_kind(data: bytes) -> str:
    """The content type. Raises HelpdeskError for what is no picture or too large."""
    if len(data) > MAX_SIZE:
        message = _lazy("The picture has more than %(limit)s MB.")
        raise HelpdeskError(message, field="picture", limit=MAX_SIZE // 1_000_000)
    kind = kind_of(data)
    if kind is None:
        message = _lazy("Only PNG, JPEG, GIF and WebP pictures fit here.")
        raise HelpdeskError(message, field="picture")
    return kind


def add_picture(
    session: Session,
    *,
    sha256: str,
    size: int,
    kind: str,
    filename: str,
    at: datetime,
    actor: Actor,
) -> Picture:
    """Keep a picture that `files.put` stored; `kind` is what `checked_kind` said."""
    picture = Picture(
        file_id=files.adopt(session, sha256, size),
        filename=clean_filename(filename),
        content_type=kind,
        size=size,
        user_id=actor.user_id,
        created_at=at,
    )
    session.add(picture)
    session.flush()
    return picture
