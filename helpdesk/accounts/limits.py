"""Limits as rows: how often something may happen in a window, over all processes."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import LimitHit
from helpdesk.ext import add_row, lock


def allow(
    session: Session, name: str, subject: str, *, most: int, seconds: int, at: datetime
) -> bool:
    """Count one act and say whether it is within `most` in the last `seconds`.

    What is refused is not counted. Parallel calls can't exceed the limit: they take turns.
    """
    digest = _digest(name, subject)
    lock(session, f"limit:{digest}")
    if taken(session, name, subject, seconds=seconds, at=at) >= most:
        return False
    add_row(
        session,
        LimitHit,
        name=name,
        subject=digest,
        at=at,
        expires_at=at + timedelta(seconds=seconds),
    )
    return True


def taken(session: Session, name: str, subject: str, *, seconds: int, at: datetime) -> int:
    """How many acts were counted in the last `seconds`."""
    since = at - timedelta(seconds=seconds)
    count = select(func.count()).where(
        LimitHit.name == name, LimitHit.subject == _digest(name, subject), LimitHit.at > since
    )
    return session.scalar(count) or 0


def forget(session: Session, name: str, subject: str) -> None:
    """Forgive what was counted, e.g. after a right password."""
    session.execute(
        delete(LimitHit).where(LimitHit.name == name, LimitHit.subject == _digest(name, subject))
    )


def sweep(session: Session, at: datetime) -> int:
    """Delete what no longer counts."""
    result = session.execute(delete(LimitHit).where(LimitHit.expires_at < at))
    return int(getattr(result, "rowcount", 0))


def _digest(name: str, subject: str) -> str:
    return hashlib.sha256(f"{name}:{subject}".encode("utf-8", "surrogatepass")).hexdigest()
