"""Verbs on staff: add, change, passwords by one-time link, API tokens."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from helpdesk.accounts import sessions
from helpdesk.accounts.models import ApiToken, OneTimeLink, QueueMember, Role, User
from helpdesk.accounts.permissions import PERMISSIONS
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.passwords import check_strength, hash_password
from helpdesk.lib.text import clean_line, email_key, valid_email
from helpdesk.lib.tokens import new_token, token_hash

LINK_LIFETIME = timedelta(hours=24)


def add_user(
    session: Session,
    *,
    email: str,
    name: str,
    role: str,
    at: datetime,
    password: str | None = None,
    language: str = "en",
    timezone: str = "Europe/Kyiv",
    actor: Actor = SYSTEM,
) -> User:
    """Add a member of staff. Raises HelpdeskError for a bad or taken address, role or password."""
    if not valid_email(email):
        raise HelpdeskError(
            _lazy("This is not an email address: %(email)s"), field="email", email=email
        )
    if role not in set(Role):
        raise HelpdeskError(
            _lazy("The role must be one of: %(roles)s."), field="role", roles=", ".join(Role)
        )
    if session.scalar(select(User.id).where(User.email == email_key(email))):
        raise HelpdeskError(_lazy("Somebody with this address is here already."), field="email")
    name = clean_line(name) or email.split("@")[0]
    user = User(
        email=email_key(email),
        name=name,
        sort_key=sort_key(name),
        role=Role(role),
        password_hash=_hash(password, email) if password else None,
        language=language,
        timezone=timezone,
        created_at=at,
    )
    session.add(user)
    session.flush()
    record(session, "user.created", actor=actor, at=at, user_id=user.id)
    return user


def change_user(session: Session, user: User, *, actor: Actor, **changes: Any) -> None:
    """Change name, role, language, timezone, theme, signature, team, reports, all_queues or active.

    A changed role or a leaver's account ends their sessions at once. Raises HelpdeskError when
    the last active administrator would lose the role.
    """
    if "name" in changes:
        changes["name"] = clean_line(changes["name"]) or user.name
        changes["sort_key"] = sort_key(changes["name"])
    changed = {key: value for key, value in changes.items() if getattr(user, key) != value}
    loses_admin = user.role == Role.ADMIN and (
        changed.get("role", Role.ADMIN) != Role.ADMIN or changed.get("active") is False
    )
    if loses_admin and not _other_admins(session, user.id):
        raise HelpdeskError(_lazy("The last administrator must stay one."), field="role")
    for key, value in changed.items():
        setattr(user, key, value)
    if {"role", "active", "all_queues"} & changed.keys():
        sessions.log_out_everywhere(session, user.id)
    if changed:
        session.flush()
        record(session, "user.changed", actor=actor, user_id=user.id, fields=sorted(changed))


def set_queues(session: Session, user: User, queue_ids: Iterable[int], *, actor: Actor) -> None:
    """Name the queues a user without `all_queues` may work in."""
    session.execute(delete(QueueMember).where(QueueMember.user_id == user.id))
    session.add_all(QueueMember(user_id=user.id, queue_id=id_) for id_ in sorted(set(queue_ids)))
    session.flush()
    record(session, "user.changed", actor=actor, user_id=user.id, fields=["queues"])


def set_password(session: Session, user: User, password: str, *, actor: Actor) -> None:
    """Set a password; all sessions and unused links end. Raises HelpdeskError if it is too weak."""
    user.password_hash = _hash(password, user.email)
    unused = delete(OneTimeLink).where(OneTimeLink.user_id == user.id)
    session.execute(unused.where(OneTimeLink.used_at.is_(None)))
    sessions.log_out_everywhere(session, user.id)
    session.flush()
    record(session, "user.password", actor=actor, user_id=user.id)


def one_time_link(session: Session, user: User, at: datetime) -> str:
    """A token for a link to set the password, valid once within 24 hours; older ones end."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
    token = new_token()
    session.add(
        OneTimeLink(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=at,
            expires_at=at + LINK_LIFETIME,
        )
    )
    session.flush()
    return token


def link_user(session: Session, token: str, at: datetime) -> User:
    """Whose password this link may set. Raises NotFound if it is used, expired or unknown."""
    link = session.scalar(select(OneTimeLink).where(OneTimeLink.token_hash == token_hash(token)))
    user = session.get(User, link.user_id) if link else None
    if link is None or link.used_at or link.expires_at <= at or not user or not user.active:
        raise NotFound(_lazy("This link has been used or is out of date. Ask for a new one."))
    return user


def use_link(session: Session, token: str, password: str, at: datetime) -> User:
    """Set the password by a one-time link. Raises NotFound or HelpdeskError."""
    user = link_user(session, token, at)
    claimed = session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.token_hash == token_hash(token), OneTimeLink.used_at.is_(None))
        .values(used_at=at)
    )
    if getattr(claimed, "rowcount", 0) != 1:
        raise NotFound(_lazy("This link has been used or is out of date. Ask for a new one."))
    set_password(session, user, password, actor=Actor(user_id=user.id))
    return user


def create_token(
    session: Session, user: User, name: str, scopes: Iterable[str], at: datetime
) -> str:
    """Make an API token and return it; only its hash is kept. Raises HelpdeskError."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in PERMISSIONS:
            raise HelpdeskError(
                _lazy("There is no scope %(scope)s. Known: %(known)s."),
                field="scope",
                scope=scope,
                known=", ".join(sorted(PERMISSIONS)),
            )
    token = new_token()
    row = ApiToken(
        user_id=user.id,
        name=clean_line(name) or "token",
        token_hash=token_hash(token),
        scopes=wanted,
        created_at=at,
    )
    session.add(row)
    session.flush()
    record(session, "token.created", actor=Actor(user_id=user.id), at=at, token_id=row.id)
    return token


def find_token(session: Session, token: str) -> tuple[ApiToken, User] | None:
    """The live token and its active user."""
    row = session.execute(
        select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(
            ApiToken.token_hash == token_hash(token),
            ApiToken.revoked_at.is_(None),
            User.active.is_(True),
        )
    ).first()
    return (row[0], row[1]) if row else None


def revoke_token(session: Session, token: ApiToken, at: datetime, *, actor: Actor) -> None:
    token.revoked_at = at
    session.flush()
    record(session, "token.revoked", actor=actor, at=at, token_id=token.id)


def _hash(password: str, email: str) -> str:
    check_strength(password, email)
    return hash_password(password)


def _other_admins(session: Session, user_id: int) -> bool:
    query = select(User.id).where(
        User.role == Role.ADMIN, User.active.is_(True), User.id != user_id
    )
    return session.scalar(query.limit(1)) is not None
