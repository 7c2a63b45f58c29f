"""Who is behind an open stream, and whether they are still logged in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.accounts import sessions
from helpdesk.accounts.models import LoginSession, User
from helpdesk.accounts.permissions import can
from helpdesk.accounts.presence import Availability, Presence
from helpdesk.live.changes import Change

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Watcher:
    """A logged-in browser; `queue_ids` None means all queues."""

    session_id: int
    user_id: int
    queue_ids: frozenset[int] | None

    def sees(self, change: Change) -> bool:
        """Whether this change concerns something the watcher may see."""
        if self.queue_ids is None or not change.queue_ids:
            return True
        return not self.queue_ids.isdisjoint(change.queue_ids)


@dataclass(frozen=True, slots=True)
class Guest:
    """A customer's browser with the page of one ticket; no log-in is behind it."""

    ticket_id: int
    session_id: int = 0
    user_id: int = 0

    def sees(self, change: Change) -> bool:
        """Only what concerns this ticket, and of that only that something happened."""
        return change.ticket_id == self.ticket_id


def watcher(session: Session, token: str, at: datetime) -> Watcher | None:
    """Who holds this cookie, if they may use the desk."""
    found = sessions.find_viewer(session, token, at) if 0 < len(token) < 200 else None
    if found is None:
        return None
    row, user, viewer, _presence = found
    if not can(viewer, "desk.use"):
        return None
    return Watcher(row.id, user.id, viewer.queue_ids)


def still_in(session: Session, session_ids: Collection[int], at: datetime) -> set[int]:
    """Which of these log-ins have not ended."""
    ids = sorted(session_ids)
    alive: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        query = (
            select(LoginSession.id)
            .join(User, User.id == LoginSession.user_id)
            .where(
                LoginSession.id.in_(ids[start : start + CHUNK]),
                LoginSession.expires_at > at,
                LoginSession.last_seen_at > at - sessions.IDLE,
                User.active.is_(True),
            )
        )
        alive.update(session.scalars(query))
    return alive


def there(session: Session, user_ids: Collection[int], at: datetime) -> None:
    """Note that these users' browsers are open; who is off shift needs no sign of life.

    In a call the browser itself has to tell: an open connection outlives a dead one for minutes.
    """
    apart = (Availability.OFF, Availability.IN_CALL)
    ids = sorted(user_ids)
    for start in range(0, len(ids), CHUNK):
        mine = Presence.user_id.in_(ids[start : start + CHUNK])
        session.execute(
            update(Presence).where(mine, Presence.state.not_in(apart)).values(seen_at=at)
        )
