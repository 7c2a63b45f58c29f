"""Staff and queues by name, and who works where: one statement, kept for seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Boolean, CompoundSelect, cast, false, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from helpdesk.accounts.models import QueueMember, Role, User
from helpdesk.accounts.permissions import Viewer
from helpdesk.tickets.models import Queue
from helpdesk.web.cached import SETTINGS_SECONDS, keep
from helpdesk.web.guard import reading


@dataclass(frozen=True)
class Worker:
    """An active member of staff. `queue_ids` None: every queue."""

    id: int
    name: str
    queue_ids: frozenset[int] | None


@dataclass(frozen=True)
class Directory:
    """Names by id of everybody and everything there ever was; what is active in order of name."""

    user_names: Mapping[int, str]
    queue_names: Mapping[int, str]
    workers: tuple[Worker, ...]
    queues: tuple[tuple[int, str], ...]


def user_names() -> Mapping[int, str]:
    """Names of all staff by id."""
    return directory().user_names


def queue_names() -> Mapping[int, str]:
    """Names of all queues by id."""
    return directory().queue_names


def open_queues(who: Viewer) -> list[tuple[int, str]]:
    """(id, name) of the active queues the viewer works in, by name."""
    found = directory().queues
    return [pair for pair in found if who.queue_ids is None or pair[0] in who.queue_ids]


def workers_of(queue_id: int) -> list[tuple[int, str]]:
    """(id, name) of the people who work in a queue, by name."""
    return [
        (worker.id, worker.name)
        for worker in directory().workers
        if worker.queue_ids is None or queue_id in worker.queue_ids
    ]


def directory() -> Directory:
    """All of it, a few seconds old at most."""
    return keep("directory", SETTINGS_SECONDS, lambda: read_directory(reading()))


def read_directory(session: Session) -> Directory:
    rows = sorted(session.execute(_statement()), key=lambda row: (row.sort_key, row.id))
    users = {row.id: row.name for row in rows if row.is_user}
    queues = {row.id: row.name for row in rows if not row.is_user}
    open_to: dict[int, set[int] | None] = {}
    for row in rows:
        if not (row.is_user and row.active):
            continue
        if row.everywhere:
            open_to[row.id] = None
            continue
        within = open_to.setdefault(row.id, set())
        if within is not None and row.queue_id is not None:
            within.add(row.queue_id)
    return Directory(
        user_names=users,
        queue_names=queues,
        workers=tuple(
            Worker(id_, users[id_], None if within is None else frozenset(within))
            for id_, within in open_to.items()
        ),
        queues=tuple((row.id, row.name) for row in rows if not row.is_user and row.active),
    )


def _statement() -> CompoundSelect[tuple[bool, int, str, str, bool, bool, int | None]]:
    """A line for each membership of a user, at least one for each, and one for each queue."""
    users = select(
        cast(literal(True), Boolean).label("is_user"),
        User.id.label("id"),
        User.name.label("name"),
        User.sort_key.label("sort_key"),
        User.active.label("active"),
        or_(User.all_queues, User.role != Role.AGENT).label("everywhere"),
        QueueMember.queue_id.label("queue_id"),
    ).outerjoin(QueueMember, QueueMember.user_id == User.id)
    queues = select(
        false(), Queue.id, Queue.name, Queue.sort_key, Queue.active, false(), null()
    ).select_from(Queue)
    return union_all(users, queues)
