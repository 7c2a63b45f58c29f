"""Files that nobody needs any more: found again after a crash, overwritten, deleted."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session

from helpdesk import ext, files
from helpdesk.ext import Base
from helpdesk.files import StoredFile
from helpdesk.intake.models import Delivery

AT_ONCE = 50  # files overwritten in one transaction


def remove_loose(hashes: Iterable[str]) -> int:
    """Remove those of these files that nothing points to and no Delivery uses; how many went.

    Entry point. The row goes after the content: a crash in between leaves the row, by which
    `retain` finds it. Whoever adopts the same content meanwhile waits for this transaction.
    """
    gone = 0
    wanted = sorted(set(hashes))
    for start in range(0, len(wanted), AT_ONCE):
        with ext.write() as session:
            unused = _unused(session, wanted[start : start + AT_ONCE])
            session.execute(delete(StoredFile).where(StoredFile.sha256.in_(unused)))
            for sha256 in unused:
                files.remove(sha256)
            gone += len(unused)
    return gone


def owned() -> ColumnElement[bool]:
    """Whether a row of any table points to this stored file; later tables count by themselves."""
    keys = (key for table in Base.metadata.tables.values() for key in table.foreign_keys)
    pointing = (key.parent for key in keys if key.column.table is StoredFile.__table__)
    return or_(*(exists().where(column == StoredFile.id) for column in pointing))


def _unused(session: Session, hashes: Sequence[str]) -> list[str]:
    for sha256 in hashes:
        ext.lock(session, f"file:{sha256}")
    rows = session.scalars(select(StoredFile.sha256).where(StoredFile.sha256.in_(hashes), ~owned()))
    loose = set(rows)
    archived = select(Delivery.raw_sha256).where(Delivery.raw_sha256.in_(loose))
    return sorted(loose - set(session.scalars(archived)))
