"""SLA policies: for which tickets, what is promised, who is told when it is late."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.tickets import policies
from helpdesk.tickets.models import Calendar, Metric, Policy, Priority, Queue
from helpdesk.web.admin import chain
from helpdesk.web.admin.forms import chosen_id, length_text, page_status, wrong
from helpdesk.web.formats import length
from helpdesk.web.guard import actor, needs, reading
from helpdesk.web.words import words

blueprint = Blueprint("admin_policies", __name__)


@dataclass(frozen=True)
class Shown:
    """What the form of a policy holds, as typed."""

    name: str = ""
    queue: str = ""
    priority: str = ""
    client_tag: str = ""
    calendar: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)
    warn: str = "75"
    pause_on_hold: bool = False
    active: bool = True
    steps: list[chain.StepRow] = field(default_factory=list)
    version: str = ""


@blueprint.get("/admin/policies")
@needs("policy.change")
def listing() -> str:
    """The most particular policies first: in this order they are tried."""
    query = select(Policy).options(selectinload(Policy.steps), selectinload(Policy.calendar))
    rows = list(reading().scalars(query))
    rows.sort(key=lambda row: (not row.active, -_conditions(row), row.id))
    return render_template(
        "admin/policies.html",
        policies=rows,
        queues=dict(reading().execute(select(Queue.id, Queue.name)).all()),
        length_text=length_text,
    )


@blueprint.get("/admin/policies/new")
@needs("policy.change")
def new() -> str:
    targets = {"first_response": "4:00", "next_response": "8:00"}
    first = reading().scalar(select(Calendar.id).order_by(Calendar.id).limit(1))
    step = chain.StepRow("0:00", "", "notify:supervisor")
    return _page(None, Shown(calendar=str(first or ""), targets=targets, steps=[step]))


@blueprint.post("/admin/policies/new")
@needs("policy.change")
def create() -> BaseResponse | str | tuple[str, int]:
    shown = _read()
    if {"more", "drop"} & request.form.keys():
        return _page(None, shown, more="more" in request.form)
    try:
        values = _values(shown)
        with ext.write() as session:
            policy = policies.create(session, actor=actor(), at=now(), **values)
            policy_id = policy.id
    except HelpdeskError as error:
        return _page(None, shown, _wrong(error)), page_status(error)
    flash(_("Saved. It holds for new tickets, and running deadlines are counted anew."))
    return redirect(f"/admin/policies/{policy_id}")


@blueprint.get("/admin/policies/<int:policy_id>")
@needs("policy.change")
def edit(policy_id: int) -> str:
    policy = _policy(reading(), policy_id)
    return _page(policy, _shown(policy))


@blueprint.post("/admin/policies/<int:policy_id>")
@needs("policy.change")
def save(policy_id: int) -> BaseResponse | str | tuple[str, int]:
    shown = _read()
    if {"more", "drop"} & request.form.keys():
        return _page(_policy(reading(), policy_id), shown, more="more" in request.form)
    try:
        values = _values(shown)
        with ext.write() as session:
            policy = _policy(session, policy_id)
            version = int(shown.version) if shown.version.isdigit() else 0
            policies.change(session, policy, actor=actor(), at=now(), version=version, **values)
    except HelpdeskError as error:
        policy = _policy(reading(), policy_id)
        return _page(policy, shown, _wrong(error), fresh=error), page_status(error)
    flash(_("Saved. Deadlines that are running are counted anew now."))
    return redirect(f"/admin/policies/{policy_id}")


@blueprint.post("/admin/policies/<int:policy_id>/delete")
@needs("policy.change")
def delete(policy_id: int) -> BaseResponse:
    """Take away a policy that is switched off; one that clocks know stays as a record."""
    with ext.write() as session:
        policy = _policy(session, policy_id)
        if policy.active:
            raise Conflict(_lazy("Switch the policy off first."))
        name = policy.name
        policies.delete(session, policy, actor=actor(), at=now())
        session.flush()
        kept = session.get(Policy, policy_id) is not None
    if kept:
        flash(_("“%(name)s” has made promises and stays as a record.", name=name), "error")
        return redirect(f"/admin/policies/{policy_id}")
    flash(_("“%(name)s” is gone.", name=name))
    return redirect("/admin/policies")


def _policy(session: Session, policy_id: int) -> Policy:
    policy = session.get(Policy, policy_id)
    if policy is None:
        raise NotFound()
    return policy


def _conditions(policy: Policy) -> int:
    found = (policy.queue_id, policy.priority, policy.client_tag)
    return sum(condition is not None for condition in found)


def _read() -> Shown:
    form = request.form
    return Shown(
        name=form.get("name", "")[:200],
        queue=form.get("queue_id", ""),
        priority=form.get("priority", ""),
        client_tag=form.get("client_tag", "")[:80],
        calendar=form.get("calendar_id", ""),
        targets={metric: form.get(f"targets.{metric}", "")[:20] for metric in Metric},
        warn=form.get("warn_percent", "")[:9],
        pause_on_hold=form.get("pause_on_hold") == "1",
        active=form.get("active") == "1",
        steps=chain.read_steps(form),
        version=form.get("version", "")[:9],
    )


def _shown(policy: Policy) -> Shown:
    return Shown(
        name=policy.name,
        queue=str(policy.queue_id or ""),
        priority=policy.priority or "",
        client_tag=policy.client_tag or "",
        calendar=str(policy.calendar_id or ""),
        targets={metric: length_text(policy.targets.get(metric)) for metric in Metric},
        warn=str(policy.warn_percent),
        pause_on_hold=policy.pause_on_hold,
        active=policy.active,
        steps=chain.step_rows(policy.steps),
        version=str(policy.version),
    )


def _values(shown: Shown) -> dict[str, Any]:
    """What the verbs take. Raises HelpdeskError."""
    targets, errors = chain.read_targets(request.form)
    nothing = [f"targets.{metric}" for metric, seconds in targets.items() if not seconds]
    if errors or nothing:
        name = next(iter([*errors, *nothing]))
        message = _lazy("Write hours and minutes, for example 4:00 or 0:30.")
        raise HelpdeskError(message, field=name)
    if not targets:
        message = _lazy("Promise at least one thing, for example the first response in 4:00.")
        raise HelpdeskError(message, field="targets.first_response")
    if not shown.warn.isdigit():
        message = _lazy("This must be a whole number from %(low)s to %(high)s.")
        raise HelpdeskError(message, field="warn_percent", low=1, high=100)
    return {
        "name": shown.name,
        "targets": targets,
        "queue_id": chosen_id(shown.queue, "queue_id"),
        "priority": shown.priority or None,
        "client_tag": shown.client_tag or None,
        "calendar_id": chosen_id(shown.calendar, "calendar_id"),
        "warn_percent": int(shown.warn),
        "pause_on_hold": shown.pause_on_hold,
        "active": shown.active,
        "steps": chain.step_values(shown.steps),
    }


def _wrong(error: HelpdeskError) -> dict[str, str]:
    """Errors of one step stand at that step, whatever part of it is wrong."""
    (name, text), *_rest = wrong(error).items()
    parts = name.split(".")
    return {".".join(parts[:2]): text} if parts[0] == "steps" else {name: text}


def _page(
    policy: Policy | None,
    shown: Shown,
    errors: dict[str, str] | None = None,
    fresh: HelpdeskError | None = None,
    more: bool = False,
) -> str:
    version = shown.version
    if isinstance(fresh, Conflict) and policy is not None:
        version = str(policy.version)  # saving again is a decision now
    targets, _errors = chain.read_targets(request.form)
    if policy is not None and request.method == "GET":
        targets = dict(policy.targets)
    calendars = _pairs(select(Calendar.id, Calendar.name).order_by(Calendar.name))
    queues = _pairs(select(Queue.id, Queue.name).order_by(Queue.sort_key))
    shortest, warn = chain.shortest(targets), int(shown.warn) if shown.warn.isdigit() else 0
    return render_template(
        "admin/policy.html",
        policy=policy,
        shown=shown,
        version=version,
        metrics=list(Metric),
        steps=[*shown.steps, *([chain.StepRow("0:00", "", "")] if more else [])],
        acts=chain.act_options(reading()),
        calendars=[("", _("around the clock, every day")), *calendars],
        calendar_name=dict(calendars).get(shown.calendar),
        queues=[("", _("any queue")), *queues],
        priorities=[("", _("any priority")), *((p.value, words().priority[p]) for p in Priority)],
        warn_after=length(shortest * warn // 100) if shortest and 0 < warn < 100 else None,
        errors=errors or {},
    )


def _pairs(query: Select[int, str]) -> list[tuple[str, str]]:
    """Values and texts of a list to choose from."""
    return [(str(id_), name) for id_, name in reading().execute(query)]
