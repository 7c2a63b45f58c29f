"""Log-in, log-out and the browser sessions behind the cookie."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from helpdesk.accounts import limits
from helpdesk.accounts.models import LoginSession, QueueMember, User
from helpdesk.accounts.permissions import Viewer, sees_all
from helpdesk.accounts.presence import Presence
from helpdesk.events import Actor, record
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.lib.passwords import hash_password, needs_rehash, verify_password
from helpdesk.lib.text import email_key
from helpdesk.lib.tokens import new_token, token_hash

LIFETIME = timedelta(days=14)
IDLE = timedelta(days=3)
SEEN_EVERY = timedelta(minutes=5)

TRIES_PER_ACCOUNT = 5
TRIES_PER_ADDRESS = 30
WINDOW_SECONDS = 15 * 60


class WrongPassword(HelpdeskError):
    """The address or the password is wrong; which of them is not told."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_lazy("The address or the password is wrong."), field="password")


def count_try(session: Session, email: str, address: str, at: datetime) -> None:
    """Count a log-in attempt before the password is looked at. Raises TooMany.

    Counting first, in its own transaction, is what keeps a parallel burst within the limit.
    """
    ok = limits.allow(
        session, "login", email_key(email), most=TRIES_PER_ACCOUNT, seconds=WINDOW_SECONDS, at=at
    ) and limits.allow(
        session, "login-from", address, most=TRIES_PER_ADDRESS, seconds=WINDOW_SECONDS, at=at
    )
    if not ok:
        raise TooMany(
            _lazy("Too many attempts. Try again in 15 minutes."), retry_after=WINDOW_SECONDS
        )


def check_password(session: Session, email: str, password: str) -> User | None:
    """The active user with this address and password. Takes the same time for unknown ones."""
    user = session.scalar(select(User).where(User.email == email_key(email)))
    right = verify_password(user.password_hash if user else None, password)
    return user if user and right and user.active else None


def log_in(
    session: Session,
    user: User,
    password: str | None,
    *,
    old_token: str | None,
    agent: str,
    at: datetime,
) -> str:
    """Open a new session, end the one the browser had, and return the cookie's new token.

    `password`: as it was typed, None where it was checked on the page before. Raises WrongPassword
    if the password was changed, or the user has left, since it was checked.
    """
    checked = user.password_hash
    session.refresh(user, with_for_update=True)
    if user.password_hash != checked or not user.active:
        raise WrongPassword()
    limits.forget(session, "login", user.email)
    if old_token:
        log_out(session, old_token)
    if password is not None and user.password_hash and needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    user.last_login_at = at
    token = new_token()
    session.add(
        LoginSession(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=at,
            last_seen_at=at,
            expires_at=at + LIFETIME,
            user_agent=agent[:200],
        )
    )
    session.flush()
    record(session, "user.login", actor=Actor(user_id=user.id), at=at, user_id=user.id)
    return token


class Found(NamedTuple):
    """Who is behind a cookie, with all that each of their pages asks."""

    login: LoginSession
    user: User
    viewer: Viewer
    presence: Presence | None


# Made once: every page asks it, and building a statement costs more than running it.
_BEHIND = (
    select(LoginSession, User, Presence, QueueMember.queue_id)
    .join(User, User.id == LoginSession.user_id)
    .outerjoin(Presence, Presence.user_id == User.id)
    .outerjoin(QueueMember, QueueMember.user_id == User.id)
    .where(LoginSession.token_hash == bindparam("token_hash"), User.active.is_(True))
)


def find_viewer(session: Session, token: str, at: datetime) -> Found | None:
    """The session behind a cookie, if it is alive and its user active, with the user's rights."""
    rows = session.execute(_BEHIND, {"token_hash": token_hash(token)}).all()
    if not rows:
        return None
    row, user, presence, _queue_id = rows[0]
    if row.expires_at <= at or row.last_seen_at + IDLE <= at:
        return None
    member_of = frozenset(queue_id for *_rest, queue_id in rows if queue_id is not None)
    viewer = Viewer(user.id, user.role, None if sees_all(user) else member_of)
    return Found(row, user, viewer, presence)


def touch(session: Session, session_id: int, at: datetime) -> None:
    """Remember that the browser was seen."""
    session.execute(
        update(LoginSession).where(LoginSession.id == session_id).values(last_seen_at=at)
    )


def log_out(session: Session, token: str) -> None:
    session.execute(delete(LoginSession).where(LoginSession.token_hash == token_hash(token)))


def log_out_everywhere(session: Session, user_id: int) -> None:
    """End all browser sessions of a user."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def sweep(session: Session, at: datetime) -> int:
    """Delete sessions that have expired."""
    result = session.execute(delete(LoginSession).where(LoginSession.expires_at < at))
    return int(getattr(result, "rowcount", 0))
