"""How a task begins: at most one open callback to a number in a queue, with a clock if promised."""

from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import lock
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.planner import quiet
from helpdesk.planner.models import Task, TaskKind, TaskState
from helpdesk.tickets import call_clocks

UNPROMISED = timedelta(hours=4)
"""When a callback is due where no policy says so."""


class About(TypedDict, total=False):
    """What a task may say of itself; all of it may be left out."""

    person_id: int | None
    contact_point_id: int | None
    number: str | None  # E.164
    language: str | None
    ticket_id: int | None
    queue_id: int | None
    owner_id: int | None
    title: str


def plan(
    session: Session,
    *,
    kind: TaskKind,
    client_id: int,
    at: datetime,
    due_at: datetime | None = None,
    actor: Actor = SYSTEM,
    place_at: datetime | None = None,
    next_at: datetime | None = None,
    **about: Unpack[About],
) -> Task:
    """Plan a contact, or change the open callback to this number in this queue.

    `due_at` is the moment agreed with the client; a callback without one is due by the policy of
    its ticket. `next_at`: when it is tried first, at once by default, but by day where the client
    lives unless a moment was agreed or they keep their place in the queue (`place_at`).
    Raises HelpdeskError for a moment that is past, or a contact other than a callback without one.
    """
    _check_due(kind, due_at, at)
    about["title"] = clean_line(about.get("title", ""))
    number, queue_id = about.get("number"), about.get("queue_id")
    if kind == TaskKind.CALLBACK and number is not None:
        lock(session, f"callback:{queue_id}:{number}")
        known = open_callback(session, number, queue_id)
        if known is not None:
            return _again(session, known, actor, at, due_at, place_at, next_at, about)
    task = Task(
        kind=kind,
        client_id=client_id,
        due_at=due_at or at,
        place_at=place_at,
        created_at=at,
        **about,
    )
    task.state, task.attempts, task.version = TaskState.PLANNED, 0, 1
    task.created_by = actor.user_id
    session.add(task)
    start_clock(session, task, at, due_at)
    task.next_at = due_at or _first_try(session, task, next_at or at)
    session.flush()
    ids: dict[str, Any] = {"ticket_id": task.ticket_id, "client_id": client_id}
    record(session, "task.planned", actor=actor, at=at, **ids, task_id=task.id, kind=kind.value)
    return task


def open_callback(
    session: Session, number: str | None, queue_id: int | None, *, change: bool = True
) -> Task | None:
    """The callback to this number that is still to be made; `change` locks its row."""
    if number is None:
        return None
    session.flush()
    query = select(Task).where(
        Task.number == number,
        Task.done_at.is_(None),
        Task.queue_id == queue_id,
        Task.kind == TaskKind.CALLBACK,
    )
    query = query.order_by(Task.id).limit(1)
    return session.scalar(query.with_for_update() if change else query)


def start_clock(session: Session, task: Task, at: datetime, agreed_at: datetime | None) -> None:
    """Promise the callback: the clock's deadline is when the task is due."""
    clock = None
    if task.kind == TaskKind.CALLBACK and task.ticket_id is not None:
        clock = call_clocks.callback_promised(session, task.ticket_id, at=at, agreed_at=agreed_at)
    task.clock_id = clock.id if clock is not None else None
    if agreed_at is None:
        task.due_at = (clock.due_at if clock is not None else None) or at + UNPROMISED
    session.flush()
    session.expire(task, ["clock"])


def move(session: Session, task: Task, due_at: datetime, at: datetime) -> None:
    """Another moment was agreed. Raises HelpdeskError for one that is past."""
    _check_due(task.kind, due_at, at)
    task.due_at = due_at
    if task.state == TaskState.PLANNED:
        task.next_at = due_at
    if task.clock is not None:
        call_clocks.callback_moved(session, task.clock, agreed_at=due_at, at=at)


def say(
    session: Session,
    kind: str,
    task: Task,
    actor: Actor,
    at: datetime,
    key: str | None = None,
    **data: Any,
) -> None:
    """Write down what was done to a task, and its Event."""
    touch(session, task)
    about: dict[str, Any] = {"ticket_id": task.ticket_id, "client_id": task.client_id, "key": key}
    record(session, kind, actor=actor, at=at, **about, task_id=task.id, **data)


def touch(session: Session, task: Task) -> None:
    """Write it, as another version."""
    task.version += 1
    session.flush()


def _again(
    session: Session,
    task: Task,
    actor: Actor,
    at: datetime,
    due_at: datetime | None,
    place_at: datetime | None,
    next_at: datetime | None,
    about: About,
) -> Task:
    """The newest agreement counts; what nobody agreed on keeps what was promised before."""
    news = {key: about.get(key) for key in ("ticket_id", "owner_id", "title")}
    changed = [key for key, value in news.items() if value and not getattr(task, key)]
    for key in changed:
        setattr(task, key, news[key])
    if due_at is not None and due_at != task.due_at:
        move(session, task, due_at, at)
        changed.append("due_at")
    if place_at is not None and (task.place_at is None or place_at < task.place_at):
        task.place_at = place_at
        changed.append("place_at")
    if task.state == TaskState.PLANNED and due_at is None:
        soon = _first_try(session, task, next_at or at)
        task.next_at = min(task.next_at or soon, soon)
    if changed:
        say(session, "task.changed", task, actor, at, fields=sorted(changed))
    return task


def _first_try(session: Session, task: Task, next_at: datetime) -> datetime:
    if task.place_at is not None or task.kind != TaskKind.CALLBACK:
        return next_at
    return quiet.daytime(next_at, quiet.zone_of(session, task.client_id, task.person_id))


def _check_due(kind: TaskKind, due_at: datetime | None, at: datetime) -> None:
    if due_at is None and kind != TaskKind.CALLBACK:
        raise HelpdeskError(_lazy("Say when."), field="due")
    if due_at is not None and due_at <= at:
        raise HelpdeskError(_lazy("This moment is past. Choose a later one."), field="due")
