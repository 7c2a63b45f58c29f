"""Verbs on policies: create, change, delete; clocks that another one now fits are recounted."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import Role, User
from helpdesk.clients.actions import clean_tags
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import lock
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, fold
from helpdesk.tickets.models import (
    Calendar,
    Clock,
    Metric,
    Policy,
    PolicyStep,
    Priority,
    Queue,
    StepAction,
)
from helpdesk.tickets.promises import ask_recount, forget, pick

__all__ = ["change", "create", "delete", "pick"]

NAME_LIMIT = 80
MAX_SECONDS = 366 * 86_400
MAX_STEPS = 20
ASSIGNEE = "assignee"
CONDITIONS = frozenset({"queue_id", "priority", "client_tag", "active"})
COUNTED = frozenset({"calendar_id", "targets", "warn_percent", "pause_on_hold", "steps"})
CHANGEABLE = CONDITIONS | COUNTED | {"name"}
STEP_FIELDS = ("metric", "after_seconds", "action", "user_id", "role", "priority")


def create(
    session: Session,
    *,
    name: str,
    targets: Any,
    at: datetime,
    queue_id: int | None = None,
    priority: str | None = None,
    client_tag: str | None = None,
    calendar_id: int | None = None,
    warn_percent: int = 75,
    pause_on_hold: bool = False,
    steps: Any = (),
    active: bool = True,
    actor: Actor = SYSTEM,
) -> Policy:
    """Add a policy.

    `targets` map metrics to business seconds; `warn_percent` is 1–100, where 100 never warns;
    `steps` are dicts with `action` and `after_seconds` (business seconds after the deadline),
    and as the action needs them `metric`, `user_id`, `role` (a role or "assignee"), `priority`.
    Raises HelpdeskError naming what is wrong and, in `field`, where.
    """
    lock(session, "policies")
    values = _checked(
        session,
        None,
        {
            "name": name,
            "targets": targets,
            "queue_id": queue_id,
            "priority": priority,
            "client_tag": client_tag,
            "calendar_id": calendar_id,
            "warn_percent": warn_percent,
            "pause_on_hold": pause_on_hold,
            "active": active,
            "steps": steps,
        },
    )
    rows = values.pop("steps")
    policy = Policy(**values, steps=[PolicyStep(**row) for row in rows])
    session.add(policy)
    session.flush()
    ask_recount(session)
    record(session, "policy.created", actor=actor, at=at, policy_id=policy.id)
    return policy


def change(
    session: Session,
    policy: Policy,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    **changes: Any,
) -> None:
    """Change anything that `create` takes; `sla.recount_due` counts anew what it concerns.

    Steps that stay the same keep their identity, so that no clock takes them twice; a new step
    is taken by every late clock it fits, at once where its moment is over. Raises Conflict if
    the policy has changed since `version`, HelpdeskError as `create`, and TypeError for a field
    that is not a policy's: that is a bug.
    """
    if changes.keys() - CHANGEABLE:
        raise TypeError(f"a policy has no {sorted(changes.keys() - CHANGEABLE)}")
    lock(session, "policies")
    session.refresh(policy)
    if version is not None and version != policy.version:
        raise Conflict(_lazy("Somebody changed this policy in the meantime. Look and save again."))
    values = _checked(session, policy.id, changes)
    changed = {
        key for key, value in values.items() if key != "steps" and getattr(policy, key) != value
    }
    if "steps" in values and _replace_steps(policy, values.pop("steps")):
        changed.add("steps")
    if not changed:
        return
    for key, value in values.items():
        setattr(policy, key, value)
    policy.version += 1
    session.flush()
    if changed & CONDITIONS:
        ask_recount(session)
    elif changed & COUNTED:
        ask_recount(session, Policy.id == policy.id)
    forget(session)
    record(session, "policy.changed", actor=actor, at=at, policy_id=policy.id)


def delete(session: Session, policy: Policy, *, actor: Actor, at: datetime) -> None:
    """Take a policy away. One that clocks were ever counted by is only switched off.

    Those clocks go on with the policy that fits now; the stopped ones keep what they were.
    """
    lock(session, "policies")
    used = session.scalar(select(Clock.id).where(Clock.policy_id == policy.id).limit(1))
    policy_id = policy.id
    if used is not None:
        policy.active = False
        policy.version += 1
    else:
        session.delete(policy)
    session.flush()
    ask_recount(session)
    record(session, "policy.deleted", actor=actor, at=at, policy_id=policy_id)


def _checked(session: Session, policy_id: int | None, raw: dict[str, Any]) -> dict[str, Any]:
    """The columns for these inputs. Raises HelpdeskError."""
    checks: dict[str, Callable[[Any], Any]] = {
        "name": lambda value: _free_name(session, value, policy_id),
        "targets": _targets,
        "queue_id": lambda value: _known(session, Queue, value, "queue_id"),
        "calendar_id": lambda value: _known(session, Calendar, value, "calendar_id"),
        "priority": lambda value: _priority(value, "priority"),
        "client_tag": _tag,
        "warn_percent": lambda value: _number(value, 1, 100, "warn_percent"),
        "pause_on_hold": bool,
        "active": bool,
        "steps": lambda value: _steps(session, value),
    }
    return {key: checks[key](value) for key, value in raw.items()}


def _replace_steps(policy: Policy, rows: Sequence[dict[str, Any]]) -> bool:
    """Let the policy have these steps; whether that changed anything."""
    kept, spare = [], list(policy.steps)
    for row in rows:
        same = [step for step in spare if all(getattr(step, k) == v for k, v in row.items())]
        if same:
            spare.remove(same[0])
        kept.append(same[0] if same else PolicyStep(**row))
    changed = bool(spare) or len(kept) != len(policy.steps)
    policy.steps = kept
    return changed


def _free_name(session: Session, name: Any, but: int | None) -> str:
    wanted = clean_line(name, NAME_LIMIT) if isinstance(name, str) else ""
    if not wanted:
        raise HelpdeskError(_lazy("A policy needs a name."), field="name")
    for id_, other in session.execute(select(Policy.id, Policy.name)):
        if id_ != but and fold(other) == fold(wanted):
            raise HelpdeskError(
                _lazy("There is a policy %(name)s already."), field="name", name=other
            )
    return wanted


def _targets(targets: Any) -> dict[str, int]:
    if not isinstance(targets, dict):
        raise HelpdeskError(_lazy("Targets must map metrics to seconds."), field="targets")
    for metric in targets:
        if metric not in set(Metric):
            message = _lazy("“%(metric)s” isn't something a policy can promise.")
            raise HelpdeskError(message, field="targets", metric=str(metric)[:40])
    given = {key: value for key, value in targets.items() if value is not None}
    return {
        str(metric): _number(given[metric], 1, MAX_SECONDS, f"targets.{metric}")
        for metric in Metric
        if metric in given
    }


def _tag(tag: Any) -> str | None:
    if tag is not None and not isinstance(tag, str):
        raise HelpdeskError(_lazy("A tag must be text."), field="client_tag")
    return next(iter(clean_tags([tag or ""])), None)


def _priority(value: Any, field: str) -> Priority | None:
    if value is None or value == "":
        return None
    if value not in set(Priority):
        message = _lazy("The priority must be low, normal, high or urgent.")
        raise HelpdeskError(message, field=field)
    return Priority(value)


def _known(
    session: Session, model: type[Queue] | type[Calendar] | type[User], id_: Any, field: str
) -> int | None:
    if id_ is None:
        return None
    if isinstance(id_, bool) or not isinstance(id_, int) or session.get(model, id_) is None:
        raise HelpdeskError(_lazy("There is nothing with this id."), field=field)
    return id_


def _number(value: Any, low: int, high: int, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        message = _lazy("This must be a whole number from %(low)s to %(high)s.")
        raise HelpdeskError(message, field=field, low=low, high=high)
    return value


def _steps(session: Session, steps: Any) -> list[dict[str, Any]]:
    if not isinstance(steps, list | tuple):
        raise HelpdeskError(_lazy("Steps must be a list."), field="steps")
    if len(steps) > MAX_STEPS:
        message = _lazy("At most %(limit)s steps fit one policy.")
        raise HelpdeskError(message, field="steps", limit=MAX_STEPS)
    return [_step(session, step, f"steps.{n}") for n, step in enumerate(steps)]


def _step(session: Session, step: Any, where: str) -> dict[str, Any]:
    if not isinstance(step, dict) or step.keys() - set(STEP_FIELDS):
        raise HelpdeskError(_lazy("This isn't a step of escalation."), field=where)
    metric, action, role = step.get("metric"), step.get("action"), step.get("role")
    if metric is not None and metric not in set(Metric):
        message = _lazy("“%(metric)s” isn't something a policy can promise.")
        raise HelpdeskError(message, field=f"{where}.metric", metric=str(metric)[:40])
    if action not in set(StepAction):
        message = _lazy("A step notifies, changes the priority or reassigns.")
        raise HelpdeskError(message, field=f"{where}.action")
    if role is not None and role not in {*Role, ASSIGNEE}:
        raise HelpdeskError(_lazy("There is no such role."), field=f"{where}.role")
    row = {
        "metric": Metric(metric) if metric else None,
        "after_seconds": _number(
            step.get("after_seconds", 0), 0, MAX_SECONDS, f"{where}.after_seconds"
        ),
        "action": StepAction(action),
        "user_id": _known(session, User, step.get("user_id"), f"{where}.user_id"),
        "role": role,
        "priority": _priority(step.get("priority"), f"{where}.priority"),
    }
    _check_aim(row, where)
    return row


def _check_aim(row: dict[str, Any], where: str) -> None:
    """Whether the step says whom or what its action needs."""
    action = row["action"]
    if action == StepAction.PRIORITY and row["priority"] is None:
        raise HelpdeskError(_lazy("Say which priority."), field=f"{where}.priority")
    if action == StepAction.REASSIGN and row["user_id"] is None:
        raise HelpdeskError(_lazy("Say to whom."), field=f"{where}.user_id")
    if action == StepAction.NOTIFY and row["user_id"] is None and row["role"] is None:
        raise HelpdeskError(_lazy("Say whom to notify."), field=f"{where}.role")
