"""Tables of staff: users, teams, queue membership, sessions, API tokens, one-time links, limits."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.ext import Base, EnumText, SortKey


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class ReportScope(StrEnum):
    """Whose numbers a supervisor sees. An agent sees their own, an administrator all."""

    ALL = "all"
    TEAM = "team"
    NONE = "none"


class Team(Base):
    """People who work together, and the queues that are theirs."""

    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    sort_key: Mapped[str] = mapped_column(SortKey)
    created_at: Mapped[datetime]


class User(Base):
    """A member of staff who can log in."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # lower case
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(SortKey)
    role: Mapped[Role] = mapped_column(EnumText(Role))
    password_hash: Mapped[str | None]
    language: Mapped[str] = mapped_column(String(8), default="en")
    timezone: Mapped[str] = mapped_column(String(60), default="Europe/Kyiv")
    theme: Mapped[str] = mapped_column(String(8), default="system")  # system, light, dark
    signature: Mapped[str] = mapped_column(default="")
    all_queues: Mapped[bool] = mapped_column(default=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    reports: Mapped[ReportScope] = mapped_column(
        EnumText(ReportScope), default=ReportScope.ALL, server_default="all"
    )
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]


class QueueMember(Base):
    """A queue that a user without `all_queues` may work in."""

    __tablename__ = "queue_member"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)


class LoginSession(Base):
    """A browser that is logged in; the cookie holds the token, the row only its hash."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user_agent: Mapped[str] = mapped_column(default="")


class ApiToken(Base):
    """A token for programs; may do what its user may, within its scopes."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]  # empty: all its user may do
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class OneTimeLink(Base):
    """A link to set a password: first set-up, invitation or reset. Works once, for 24 hours."""

    __tablename__ = "one_time_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class PortalCode(Base):
    """A one-time code sent to an address, so that its owner sees their requests on the portal."""

    __tablename__ = "portal_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket: Mapped[str] = mapped_column(String(64), unique=True)  # hash of what the browser holds
    code_hash: Mapped[str] = mapped_column(String(64))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"), index=True)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class PortalSession(Base):
    """A customer's browser that has shown a code; it sees what the holder of the address may."""

    __tablename__ = "portal_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LimitHit(Base):
    """One counted act under a limit, e.g. a failed log-in; `subject` is a hash, never a name."""

    __tablename__ = "limit_hit"
    __table_args__ = (Index("ix_limit_hit_window", "name", "subject", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class IdempotentAnswer(Base):
    """The first answer to an API request with this Idempotency-Key, kept for 24 hours."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (Index("uq_idempotent_answer", "token_id", "key", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id"))
    key: Mapped[str] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]  # NULL while the first request is still running
    body: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
