"""The chain of a policy: its promises and steps as a form shows and reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from helpdesk.accounts.models import Role, User
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.tickets.models import Metric, PolicyStep, Priority
from helpdesk.web.admin.forms import length_text, read_length
from helpdesk.web.words import words

MOST_STEPS = 20
ASSIGNEE = "assignee"

Options = list[tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True)
class StepRow:
    """A step as typed. `act` is one value: "notify:assignee", "notify:7", "priority:high"…"""

    after: str
    metric: str
    act: str

    @property
    def icon(self) -> str:
        kind, _colon, aim = self.act.partition(":")
        if kind == "priority":
            return "arrow-up"
        if kind == "reassign":
            return "arrow-right"
        return "user" if aim == ASSIGNEE or aim.isdigit() else "users"


def read_steps(form: MultiDict[str, str]) -> list[StepRow]:
    """The steps as typed, without the one that is to be dropped and without empty lines."""
    columns = (form.getlist(name)[:MOST_STEPS] for name in ("after", "step_metric", "act"))
    rows = [StepRow(a.strip()[:20], m[:20], act[:30]) for a, m, act in zip(*columns, strict=False)]
    dropped = form.get("drop", "")
    return [row for n, row in enumerate(rows) if row.act and str(n) != dropped]


def step_values(rows: Sequence[StepRow]) -> list[dict[str, Any]]:
    """The steps for the verbs. Raises HelpdeskError naming the step in `field`."""
    return [_value(row, f"steps.{n}") for n, row in enumerate(rows)]


def step_rows(steps: Sequence[PolicyStep]) -> list[StepRow]:
    """What a policy holds."""
    return [
        StepRow(length_text(step.after_seconds), step.metric or "", _act(step)) for step in steps
    ]


def act_options(session: Session) -> Options:
    """What a step can do, in groups: who is told, to which priority, to whom it goes."""
    users = session.execute(
        select(User.id, User.name).where(User.active.is_(True)).order_by(User.sort_key)
    ).all()
    roles = words().role
    told = [(f"notify:{ASSIGNEE}", _("Tell the assignee"))]
    told += [(f"notify:{role}", _("Tell all: %(role)s", role=roles[role])) for role in Role]
    told += [(f"notify:{id_}", _("Tell %(name)s", name=name)) for id_, name in users]
    names = words().priority
    raised = [
        (f"priority:{one}", _("Raise the priority: %(priority)s", priority=names[one]))
        for one in list(Priority)[1:]
    ]
    given = [(f"reassign:{id_}", _("Give it to %(name)s", name=name)) for id_, name in users]
    return [(_("Tell"), told), (_("Priority"), raised), (_("Assignee"), given)]


def read_targets(form: MultiDict[str, str]) -> tuple[dict[str, int], dict[str, str]]:
    """Targets in seconds, and errors by field for those that can't be read."""
    targets, errors = {}, {}
    for metric in Metric:
        field = f"targets.{metric}"
        try:
            seconds = read_length(form.get(field, ""), field)
        except HelpdeskError as error:
            errors[field] = str(_(error.message))
            continue
        if seconds is not None:
            targets[metric.value] = seconds
    return targets, errors


def shortest(targets: Mapping[str, int]) -> int | None:
    """The target whose warning the chain writes out: the first response, else the shortest."""
    first = targets.get(Metric.FIRST_RESPONSE)
    return first if first is not None else min(targets.values(), default=None)


def _act(step: PolicyStep) -> str:
    aim = step.priority or step.user_id or step.role or ""
    return f"{step.action.value}:{aim}"


def _value(row: StepRow, where: str) -> dict[str, Any]:
    kind, _colon, aim = row.act.partition(":")
    value: dict[str, Any] = {
        "action": kind,
        "after_seconds": read_length(row.after, f"{where}.after_seconds") or 0,
        "metric": row.metric or None,
    }
    if kind == "priority":
        return value | {"priority": aim}
    if aim.isdigit() and aim.isascii() and len(aim) < 18:
        return value | {"user_id": int(aim)}
    if kind == "notify":
        return value | {"role": aim}
    raise HelpdeskError(_lazy("Choose one from the list."), field=f"{where}.action")
