"""Limits as rows: how often something may happen in a window, over all processes."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import LimitHit
from helpdesk.ext import add_row, lock

_HIT = cast(Table, LimitHit.__table__)
# Made once: building a statement costs more than running it.
_WINDOW = (_HIT.c.name == bindparam("name"), _HIT.c.at > bindparam("since"))
_TAKEN = select(func.count()).where(*_WINDOW, _HIT.c.subject == bindparam("subject"))
_TAKEN_EACH = (
    select(_HIT.c.subject, func.count())
    .where(*_WINDOW, _HIT.c.subject.in_(bindparam("subjects", expanding=True)))
    .group_by(_HIT.c.subject)
)
_COUNT = insert(_HIT)


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
    add_row(session, LimitHit, **_row(name, digest, seconds, at))
    return True


def taken(session: Session, name: str, subject: str, *, seconds: int, at: datetime) -> int:
    """How many acts were counted in the last `seconds`."""
    values = {"name": name, "subject": _digest(name, subject), "since": _since(seconds, at)}
    return session.scalar(_TAKEN, values) or 0


class Tally:
    """Several limits for many subjects at once: read by a statement a limit, written by one.

    `windows` maps the names of the limits to seconds. Parallel tallies take turns, as `allow`
    does, until the transaction ends. What was allowed is counted for the acts that follow, and
    written by `save`.
    """

    def __init__(
        self,
        session: Session,
        windows: Mapping[str, int],
        subjects: Collection[str],
        *,
        at: datetime,
    ) -> None:
        self._session, self._windows, self._at = session, windows, at
        digests = {_digest(name, subject) for name in windows for subject in subjects}
        for digest in sorted(digests):  # in one order, so that two never wait for each other
            lock(session, f"limit:{digest}")
        self._taken: Counter[str] = Counter()
        for name, seconds in windows.items():
            mine = [_digest(name, subject) for subject in subjects]
            values = {"name": name, "subjects": mine, "since": _since(seconds, at)}
            self._taken.update(dict(session.execute(_TAKEN_EACH, values).all()))
        self._rows: list[dict[str, Any]] = []

    def taken(self, name: str, subject: str) -> int:
        """How many acts were counted in the window, those of this tally among them."""
        return self._taken[_digest(name, subject)]

    def allow(self, name: str, subject: str, *, most: int) -> bool:
        """Count one act if that is within `most`; what is refused is not counted."""
        digest = _digest(name, subject)
        if self._taken[digest] >= most:
            return False
        self._taken[digest] += 1
        self._rows.append(_row(name, digest, self._windows[name], self._at))
        return True

    def save(self) -> None:
        """Write what was counted."""
        if self._rows:
            self._session.execute(_COUNT, self._rows)
        self._rows = []


def forget(session: Session, name: str, subject: str) -> None:
    """Forgive what was counted, e.g. after a right password."""
    session.execute(
        delete(LimitHit).where(LimitHit.name == name, LimitHit.subject == _digest(name, subject))
    )


def sweep(session: Session, at: datetime) -> int:
    """Delete what no longer counts."""
    result = session.execute(delete(LimitHit).where(LimitHit.expires_at < at))
    return int(getattr(result, "rowcount", 0))


def _row(name: str, digest: str, seconds: int, at: datetime) -> dict[str, Any]:
    expires = at + timedelta(seconds=seconds)
    return {"name": name, "subject": digest, "at": at, "expires_at": expires}


def _since(seconds: int, at: datetime) -> datetime:
    return at - timedelta(seconds=seconds)


def _digest(name: str, subject: str) -> str:
    return hashlib.sha256(f"{name}:{subject}".encode("utf-8", "surrogatepass")).hexdigest()
