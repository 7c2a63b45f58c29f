"""Verbs on planned contacts: plan, change, take, try, finish, cancel, and undo.

A task is open until `done_at` is set; the caller holds its row (`locked`). A callback on a ticket
has a clock (`tickets.call_clocks`), which the first attempt stops.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.events import SYSTEM, Actor, Event
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.planner import quiet
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.planner.planning import move, open_callback, plan, say, start_clock, touch
from helpdesk.tickets import call_clocks

__all__ = ["begin", "cancel", "change", "done", "fail", "locked", "plan", "postpone"]
__all__ += ["restore", "take", "tried"]

RETRIES = (timedelta(minutes=15), timedelta(hours=2), None)
"""After an attempt that reached nobody; None: the next day at the same time."""
UNREACHED = (TaskResult.NO_ANSWER, TaskResult.BUSY)
CHANGEABLE = frozenset({"due_at", "owner_id", "title"})
OUTCOME_LIMIT = 2_000


def locked(session: Session, task_id: int) -> Task:
    """The task as it is now, its row locked. Raises NotFound."""
    query = select(Task).where(Task.id == task_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    return found


def change(
    session: Session,
    task: Task,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    **changes: Any,
) -> None:
    """Change what CHANGEABLE names; a new `due_at` was agreed with the client.

    Raises Conflict for a task that is over or that somebody changed since `version`,
    HelpdeskError for a moment that is past, and TypeError for another field: that is a bug.
    """
    if changes.keys() - CHANGEABLE:
        raise TypeError(f"a task has no {sorted(changes.keys() - CHANGEABLE)}")
    _check_open(task)
    if version is not None and version != task.version:
        raise Conflict(_lazy("Somebody changed this in the meantime. Look and save again."))
    if "title" in changes:
        changes["title"] = clean_line(changes["title"])
    if changes.get("owner_id") is not None:
        _check_owner(session, changes["owner_id"])
    changed = {key: value for key, value in changes.items() if getattr(task, key) != value}
    if not changed:
        return
    if "due_at" in changed:
        move(session, task, changed["due_at"], at)
    for key, value in changed.items():
        setattr(task, key, value)
    if "owner_id" in changed and task.state == TaskState.PLANNED and task.next_at is None:
        task.next_at = max(task.due_at, at)  # the former owner was told; now somebody else is
    say(session, "task.changed", task, actor, at, fields=sorted(changed))


def take(session: Session, task: Task, *, user_id: int, at: datetime) -> None:
    """Make it one's own. Raises Conflict if somebody else has it, or it is over."""
    _check_open(task)
    if task.owner_id is not None and task.owner_id != user_id:
        raise Conflict(_lazy("%(name)s has this already."), name=_name(session, task.owner_id))
    change(session, task, actor=Actor(user_id=user_id), at=at, owner_id=user_id)


def begin(session: Session, task: Task, *, at: datetime) -> bool:
    """A call about it is under way; False if there is one already, or it is over."""
    if task.state != TaskState.PLANNED:
        return False
    task.state, task.next_at = TaskState.TRYING, None
    touch(session, task)
    return True


def postpone(session: Session, task: Task, next_at: datetime | None) -> None:
    """Try it later than planned, e.g. because the queue is closed; what was promised stays."""
    if task.done_at is None:
        task.state, task.next_at = TaskState.PLANNED, next_at
        touch(session, task)


def tried(
    session: Session,
    task: Task,
    result: TaskResult,
    *,
    at: datetime,
    call_id: int | None = None,
    error: str | None = None,
    actor: Actor = SYSTEM,
) -> None:
    """An attempt was made. One that reached nobody is repeated, three times in all.

    The same call counts once, whatever it is said to have come to. The first attempt keeps the
    promise. `error` is the carrier's own text.
    """
    key = f"task:{task.id}:call:{call_id}" if call_id is not None else None
    if task.done_at is not None or (key is not None and _known(session, key)):
        return
    task.attempts += 1
    task.first_tried_at = task.first_tried_at or at
    task.last_error = error
    _keep(session, task, at)
    say(
        session,
        "task.tried",
        task,
        actor,
        at,
        key=key,
        call_id=call_id,
        result=result.value,
    )
    if result not in UNREACHED:
        _finish(session, task, _end_state(result), result, actor, at)
    elif task.attempts > len(RETRIES):
        _finish(session, task, TaskState.FAILED, result, actor, at)
    else:
        task.result = result
        postpone(session, task, next_attempt(session, task, at))


def next_attempt(session: Session, task: Task, at: datetime) -> datetime:
    """When somebody who was not reached is phoned again: by day, where they live."""
    zone = quiet.zone_of(session, task.client_id, task.person_id)
    pause = RETRIES[min(task.attempts, len(RETRIES)) - 1]
    later = at + pause if pause is not None else quiet.next_day(at, zone)
    return quiet.daytime(later, zone)


def done(
    session: Session,
    task: Task,
    *,
    actor: Actor,
    at: datetime,
    result: TaskResult | None = None,
    outcome: str = "",
) -> None:
    """It is over, with what came of it. Raises Conflict if it was before."""
    _check_open(task)
    if len(outcome) > OUTCOME_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="outcome",
            limit=OUTCOME_LIMIT,
        )
    task.outcome = outcome.strip()
    if result == TaskResult.TALKED:
        task.first_tried_at = task.first_tried_at or at
        _keep(session, task, at)
    state = _end_state(result) if result is not None else TaskState.DONE
    _finish(session, task, state, result, actor, at)


def fail(session: Session, task: Task, *, at: datetime, error: str) -> bool:
    """Give it up: its number can't be called. False if it was over already."""
    if task.done_at is not None:
        return False
    task.last_error = error
    _finish(session, task, TaskState.FAILED, task.result, SYSTEM, at)
    return True


def cancel(
    session: Session,
    task: Task,
    *,
    actor: Actor,
    at: datetime,
    result: TaskResult | None = None,
) -> None:
    """It isn't needed any more; `restore` undoes that. Raises Conflict if it is over."""
    _check_open(task)
    _finish(session, task, TaskState.CANCELLED, result, actor, at)


def restore(session: Session, task: Task, *, actor: Actor, at: datetime) -> None:
    """Undo its end: it is planned again, at once where its time has come.

    Raises Conflict where another callback to this number was planned meanwhile.
    """
    if task.done_at is None:
        return
    other = open_callback(session, task.number, task.queue_id)
    if task.kind == TaskKind.CALLBACK and other is not None:
        raise Conflict(_lazy("Another callback to this number is planned already."))
    task.state, task.done_at, task.result, task.outcome = TaskState.PLANNED, None, None, ""
    if task.attempts > len(RETRIES):
        task.attempts = 0
    zone = quiet.zone_of(session, task.client_id, task.person_id)
    task.next_at = quiet.daytime(max(task.due_at, at), zone)
    if task.first_tried_at is None:
        start_clock(session, task, at, task.due_at if task.due_at > at else None)
    say(session, "task.changed", task, actor, at, fields=["state"])


def _finish(
    session: Session,
    task: Task,
    state: TaskState,
    result: TaskResult | None,
    actor: Actor,
    at: datetime,
) -> None:
    task.state, task.done_at, task.next_at = state, at, None
    task.result = result if result is not None else task.result
    _drop(session, task, at)
    kind = "task.failed" if state == TaskState.FAILED else "task.done"
    say(session, kind, task, actor, at, result=task.result and task.result.value)


def _drop(session: Session, task: Task, at: datetime) -> None:
    clock = task.clock
    if clock is None:
        return
    task.clock_id = None  # nothing may point to a clock that goes
    session.flush()
    if not call_clocks.callback_dropped(session, clock, at=at):
        task.clock_id = clock.id
    session.flush()
    session.expire(task, ["clock"])


def _known(session: Session, key: str) -> bool:
    return session.scalar(select(Event.id).where(Event.key == key)) is not None


def _end_state(result: TaskResult) -> TaskState:
    return TaskState.FAILED if result == TaskResult.WRONG_NUMBER else TaskState.DONE


def _keep(session: Session, task: Task, at: datetime) -> None:
    if task.clock is not None:
        call_clocks.callback_made(session, task.clock, at=at)


def _check_open(task: Task) -> None:
    if task.done_at is not None:
        raise Conflict(_lazy("This is over already."))


def _check_owner(session: Session, user_id: int) -> None:
    user = session.get(User, user_id)
    if user is None or not user.active:
        raise HelpdeskError(_lazy("There is no user %(ref)s."), field="owner", ref=user_id)


def _name(session: Session, user_id: int) -> str:
    user = session.get(User, user_id)
    return user.name if user is not None else "?"
