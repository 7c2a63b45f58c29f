"""Stored files: content-addressed on disk, one row per content.

The path is the SHA-256 of the bytes; names given by people never reach the file system.
"""

import hashlib
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from flask import current_app
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.ext import Base, add_row, lock
from helpdesk.lib.clock import now


class StoredFile(Base):
    """One content on the disk, shared by all attachments with the same bytes."""

    __tablename__ = "stored_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int]
    created_at: Mapped[datetime]


def path_of(sha256: str) -> Path:
    """Where the content with this hash lies."""
    root = Path(current_app.config["DATA_DIR"]) / "files"
    return root / sha256[:2] / sha256[2:4] / sha256


def put(data: bytes) -> str:
    """Put the bytes on the disk, durably, and return their hash.

    Needs no transaction, so that slow writing doesn't hold the database's lock. Writing the
    same bytes twice is harmless; a crash leaves at most a file that no row names.
    """
    digest = hashlib.sha256(data).hexdigest()
    if not path_of(digest).exists():
        _write(path_of(digest), data)
    return digest


def adopt(session: Session, sha256: str, size: int) -> int:
    """The id of the row of a content that was put on the disk."""
    found = session.scalar(select(StoredFile.id).where(StoredFile.sha256 == sha256))
    if found is not None:
        return found
    lock(session, f"file:{sha256}")
    found = session.scalar(select(StoredFile.id).where(StoredFile.sha256 == sha256))
    if found is not None:
        return found
    return add_row(session, StoredFile, sha256=sha256, size=size, created_at=now())


def read(sha256: str) -> bytes:
    """The bytes with this hash. Raises FileNotFoundError."""
    return path_of(sha256).read_bytes()


def remove(sha256: str) -> None:
    """Overwrite and delete the content; gone already is fine."""
    path = path_of(sha256)
    with suppress(FileNotFoundError):
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(b"\0" * size)
            os.fsync(file.fileno())
        path.unlink()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
