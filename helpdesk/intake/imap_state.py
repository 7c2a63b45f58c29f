"""Who fetches which mailbox, how far it is, and since when it fails: rows, seen by every process.

A claim holds for some seconds and is renewed by a living process. Whoever has lost it stores
nothing more, so that two never fetch one mailbox at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from helpdesk.events import record
from helpdesk.intake.imap import Folder, Trouble
from helpdesk.intake.models import ImapBox, ImapTrouble

CLAIM = timedelta(seconds=12)
TELL_AFTER = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)
"""How often a quiet mailbox writes that all is well."""


class Lost(Exception):
    """The mailbox is somebody else's now, was changed, or was switched off."""


def wanted(session: Session) -> dict[int, int]:
    """The mailboxes to be fetched, with the version of what an administrator said of each."""
    rows = session.execute(select(ImapBox.id, ImapBox.version).where(ImapBox.active.is_(True)))
    return dict(rows.all())


def counted(session: Session) -> dict[str, int]:
    """How many are in order, fail, or are switched off."""
    query = select(ImapBox.active, ImapBox.failing_since.is_(None))
    counts = {"in_order": 0, "failing": 0, "off": 0}
    for active, fine in session.execute(query):
        counts["off" if not active else "in_order" if fine else "failing"] += 1
    return counts


def free(session: Session, at: datetime) -> list[int]:
    """Those that nobody fetches, longest unseen first."""
    query = select(ImapBox.id).where(ImapBox.active.is_(True), _is_free(at))
    order = func.coalesce(ImapBox.last_seen_at, ImapBox.created_at)
    return list(session.scalars(query.order_by(order, ImapBox.id)))


def claim(session: Session, box_id: int, me: str, at: datetime) -> bool:
    """Whether this mailbox is mine from now on."""
    query = update(ImapBox).where(ImapBox.id == box_id, ImapBox.active.is_(True), _is_free(at))
    return _done(session, query.values(claimed_by=me, claimed_until=at + CLAIM))


def renew(session: Session, names: Sequence[str], at: datetime) -> None:
    """Go on with what was claimed under these names."""
    query = update(ImapBox).where(ImapBox.claimed_by.in_(names))
    session.execute(query.values(claimed_until=at + CLAIM))


def release(session: Session, box_id: int, me: str) -> None:
    """Let others have it at once."""
    query = update(ImapBox).where(ImapBox.id == box_id, ImapBox.claimed_by == me)
    session.execute(query.values(claimed_by=None, claimed_until=None))


def mine(session: Session, box_id: int, me: str, version: int) -> ImapBox:
    """The mailbox, held until the transaction ends. Raises Lost."""
    query = select(ImapBox).where(
        ImapBox.id == box_id, ImapBox.claimed_by == me, ImapBox.version == version
    )
    box = session.scalar(query.with_for_update())
    if box is None:
        raise Lost
    return box


def begin_anew(box: ImapBox, folder: Folder) -> None:
    """The folder is another one than was seen last: look at all of it."""
    box.uidvalidity, box.cursor_uid, box.old_below = folder.uidvalidity, 0, folder.next_uid


def is_another(box: ImapBox, folder: Folder) -> bool:
    """Whether the folder was made anew. Some servers give it the same UIDVALIDITY again."""
    return box.uidvalidity != folder.uidvalidity or box.cursor_uid >= folder.next_uid


def went_well(session: Session, box: ImapBox, at: datetime) -> None:
    """Everything that was there is ours."""
    if box.told:
        record(session, "imap.recovered", at=at, box_id=box.id)
    box.last_seen_at, box.waiting = at, 0
    box.failing_since, box.told = None, False
    if box.trouble != ImapTrouble.MARK:  # that one stays until an email could be marked
        box.trouble = box.trouble_words = None


def is_news(box: ImapBox, at: datetime) -> bool:
    """Whether "all is well" is worth a write."""
    if box.failing_since is not None or box.waiting or box.last_seen_at is None:
        return True
    return at - box.last_seen_at >= SEEN_EVERY


def failed(session: Session, box: ImapBox, trouble: Trouble, at: datetime) -> None:
    """Keep why; administrators are told once after ten minutes."""
    box.trouble, box.trouble_words = trouble.kind, trouble.words or None
    box.failing_since = box.failing_since or at
    if not box.told and at - box.failing_since >= TELL_AFTER:
        box.told = True
        record(session, "imap.failing", at=at, box_id=box.id, trouble=trouble.kind.value)


def marked(box: ImapBox, refusal: str | None) -> None:
    """Whether the server marked or moved what was fetched. If not it is shown, and nothing waits
    for it."""
    if refusal is not None:
        box.trouble, box.trouble_words = ImapTrouble.MARK, refusal or None
    elif box.trouble == ImapTrouble.MARK:
        box.trouble = box.trouble_words = None


def _is_free(at: datetime) -> Any:
    return or_(ImapBox.claimed_until.is_(None), ImapBox.claimed_until < at)


def _done(session: Session, statement: Any) -> bool:
    return bool(getattr(session.execute(statement), "rowcount", 0))
