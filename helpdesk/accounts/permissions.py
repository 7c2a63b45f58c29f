"""The one answer to "may I": `can(user, permission, thing)`."""

from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import QueueMember, Role, User

AGENT = frozenset(
    {
        "desk.use",
        "ticket.read",
        "ticket.answer",
        "ticket.change",
        "client.read",
        "client.change",
        "client.merge",
        "queue.read",
        "calendar.read",
        "policy.read",
        "product.read",
        "reason.read",
        "user.read",
        "event.read",
        "token.own",
        "kb.read",
        "kb.write",
        "report.own",
    }
)
SUPERVISOR = AGENT | {
    "delivery.read",
    "delivery.replay",
    "supervisor.use",
    "client.sensitive",
    "client.import",
    "client.export",
    "kb.publish",
    "report.read",
    "report.export",
    "report.schedule",
    "alarm.change",
    "exclusion.ask",
}
ADMIN = SUPERVISOR | {
    "admin.use",
    "queue.change",
    "calendar.change",
    "policy.change",
    "user.change",
    "setting.change",
    "outbox.read",
    "log.read",
    "client.erase",
    "field.change",
    "reason.change",
    "product.change",
    "kb.admin",
    "team.change",
    "exclusion.decide",
    "statement.close",
}
GRANTS: dict[Role, frozenset[str]] = {
    Role.AGENT: AGENT,
    Role.SUPERVISOR: frozenset(SUPERVISOR),
    Role.ADMIN: frozenset(ADMIN),
}
PERMISSIONS = frozenset(ADMIN)


@dataclass(frozen=True)
class Access:
    """What decides whether a thing may be seen: the queue it lies in, if any."""

    queue_id: int | None = None


class Guarded(Protocol):
    """A thing that says what guards it."""

    def access(self) -> Access: ...


@dataclass(frozen=True)
class Viewer:
    """Who asks: a user with the queues open to them, narrowed by an API token's scopes."""

    user_id: int
    role: Role
    queue_ids: frozenset[int] | None  # None: all queues
    scopes: frozenset[str] = field(default=frozenset())  # empty: no narrowing
    token_id: int | None = None


def viewer_of(
    session: Session,
    user: User,
    *,
    scopes: frozenset[str] = frozenset(),
    token_id: int | None = None,
) -> Viewer:
    """The user's rights, read once a request."""
    queue_ids = None
    if not sees_all(user):
        rows = session.scalars(select(QueueMember.queue_id).where(QueueMember.user_id == user.id))
        queue_ids = frozenset(rows)
    return Viewer(user.id, user.role, queue_ids, scopes, token_id)


def sees_all(user: User) -> bool:
    """Whether every queue is open to this user."""
    return user.all_queues or user.role != Role.AGENT


def can(viewer: Viewer | None, permission: str, thing: Guarded | None = None) -> bool:
    """Whether the viewer may do this, to this thing if one is given.

    Raises ValueError for a permission that does not exist: that is a bug.
    """
    if permission not in PERMISSIONS:
        raise ValueError(f"no permission {permission}")
    if viewer is None or permission not in GRANTS[viewer.role]:
        return False
    if viewer.scopes and permission not in viewer.scopes:
        return False
    if thing is None or viewer.queue_ids is None:
        return True
    queue_id = thing.access().queue_id
    return queue_id is None or queue_id in viewer.queue_ids
