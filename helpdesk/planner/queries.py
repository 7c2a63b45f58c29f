"""Reads of planned contacts: what is to be done by whom, the next due first."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, literal, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from helpdesk.accounts.permissions import Viewer
from helpdesk.lib.errors import NotFound
from helpdesk.planner.models import Task

PAGE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Page(NamedTuple):
    """Tasks with their clients, and the cursor of the next page, None at the end."""

    tasks: list[Task]
    cursor: str | None


def open_tasks(
    session: Session,
    viewer: Viewer,
    view: str = "mine",
    *,
    at: datetime,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page:
    """One page of what is still to be done and may be seen by the viewer.

    `view` is "mine", "all", "overdue" or "queue:ID". Raises NotFound for another one.
    """
    query = select(Task).where(Task.done_at.is_(None), *_conditions(viewer, view, at))
    query = _after(query, cursor).order_by(Task.due_at, Task.id).limit(limit + 1)
    rows = list(session.scalars(query.options(joinedload(Task.client), joinedload(Task.person))))
    return Page(rows[:limit], _cursor(rows[limit - 1]) if len(rows) > limit else None)


def _conditions(viewer: Viewer, view: str, at: datetime) -> list[ColumnElement[bool]]:
    if view == "mine":
        return [Task.owner_id == viewer.user_id]
    seen = _seen_by(viewer)
    if view == "all":
        return seen
    if view == "overdue":
        return [*seen, Task.due_at < at]
    head, _colon, id_ = view.partition(":")
    if head != "queue" or not (id_.isascii() and id_.isdigit() and len(id_) < 18):
        raise NotFound()
    return [*seen, Task.queue_id == int(id_)]


def _seen_by(viewer: Viewer) -> list[ColumnElement[bool]]:
    if viewer.queue_ids is None:
        return []
    return [or_(Task.queue_id.is_(None), Task.queue_id.in_(sorted(viewer.queue_ids)))]


def _cursor(task: Task) -> str:
    return f"{(task.due_at - EPOCH) // MICROSECOND}-{task.id}"


def _after(query: Select[Task], cursor: str | None) -> Select[Task]:
    if not cursor:
        return query
    micros, _dash, id_ = cursor.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 17 for part in (micros, id_)):
        raise NotFound()
    moment = literal(EPOCH + int(micros) * MICROSECOND, Task.due_at.type)
    return query.where(tuple_(Task.due_at, Task.id) > tuple_(moment, literal(int(id_))))
