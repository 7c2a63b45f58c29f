"""/supervisor/alarms: what is exceptional now, what was, and the rules that say so."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import Select, select
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts.models import Role, Team, User
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.reports.alarms import rules as alarm_rules
from helpdesk.reports.alarms import sweep as alarms
from helpdesk.reports.alarms.gauges import Gauge, Subject
from helpdesk.reports.alarms.rules import Wanted
from helpdesk.reports.alarms.watched import ALL, PRESENT, REPORTED
from helpdesk.reports.models import AlarmRule, Side
from helpdesk.reports.scope import Scope, scope_of
from helpdesk.reports.sheet import Unit
from helpdesk.tickets.models import Queue
from helpdesk.web.admin.forms import cursor, length_text, page_status, read_length, wrong
from helpdesk.web.cached import recount
from helpdesk.web.desk.directory import user_names
from helpdesk.web.guard import actor, me, needs, reading, viewer
from helpdesk.web.supervisor import alarm_words
from helpdesk.web.supervisor.entered import read_value, value_text

blueprint = Blueprint("supervisor_alarms", __name__)


@dataclass(frozen=True)
class Shown:
    """What the form of a rule holds, as typed."""

    name: str = ""
    measure: str = "calls"
    subject: str = ""  # "queue:3", "team:1", "agent:7"; "": everything
    side: str = Side.OVER
    threshold: str = ""
    length: str = "0:05"
    whom: str = "role:supervisor"  # or "user:7"
    version: str = ""


@blueprint.get("/supervisor/alarms")
@needs("alarm.change")
def listing() -> str:
    """Open alarms, the rules, and alarms that are over, page by page."""
    session, scope = reading(), _scope()
    past, more = alarms.past_alarms(session, scope, cursor())
    return render_template(
        "supervisor/alarms.html",
        open_alarms=alarms.open_alarms(session, scope),
        past=past,
        more=f"/supervisor/alarms?before={more}" if more else None,
        later="before" in request.args,
        rules=alarms.rules(session, scope),
        says=alarm_words.says,
        shown=alarm_words.value,
        behind=alarm_words.behind,
        whom=_whom_words,
        exceeded=alarms.exceeded,
        names=user_names(),
        errors={},
    )


@blueprint.get("/supervisor/alarms/new")
@needs("alarm.change")
def new() -> str:
    return _page(None, Shown(whom=f"user:{me().id}"))


@blueprint.post("/supervisor/alarms/new")
@needs("alarm.change")
def create() -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        wanted = _wanted(shown)
        with ext.write() as session:
            alarm_rules.create(session, wanted, _scope(), actor=actor(), at=now())
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    flash(_("Saved. The rule is looked at every 15 seconds."))
    return redirect("/supervisor/alarms")


@blueprint.get("/supervisor/alarms/rules/<int:rule_id>")
@needs("alarm.change")
def edit(rule_id: int) -> str:
    rule = alarms.rule_for(reading(), _scope(), rule_id)
    return _page(rule, _typed(rule))


@blueprint.post("/supervisor/alarms/rules/<int:rule_id>")
@needs("alarm.change")
def save(rule_id: int) -> BaseResponse | tuple[str, int]:
    shown = _read()
    version = int(shown.version) if shown.version.isascii() and shown.version.isdigit() else 0
    try:
        wanted = _wanted(shown)
        with ext.write() as session:
            rule = alarms.rule_for(session, _scope(), rule_id)
            alarm_rules.change(
                session, rule, wanted, _scope(), version=version, actor=actor(), at=now()
            )
    except HelpdeskError as error:
        rule = alarms.rule_for(reading(), _scope(), rule_id)
        return _page(rule, shown, wrong(error), isinstance(error, Conflict)), page_status(error)
    flash(_("Saved. What the rule had begun has ended; it looks anew."))
    return redirect("/supervisor/alarms")


@blueprint.post("/supervisor/alarms/rules/<int:rule_id>/switch")
@needs("alarm.change")
def switch(rule_id: int) -> BaseResponse:
    """On or off, as `active` says; the other one is offered at once."""
    active = request.form.get("active") == "1"
    with ext.write() as session:
        rule = alarms.rule_for(session, _scope(), rule_id)
        alarm_rules.switch(session, rule, active, actor=actor(), at=now())
        name = rule.name
    if active:
        flash(_("“%(name)s” is watched again.", name=name))
    else:
        flash(_("“%(name)s” is off. It stays in the list and can be switched on.", name=name))
    return redirect("/supervisor/alarms")


@blueprint.post("/supervisor/alarms/<int:alarm_id>/acknowledge")
@needs("alarm.change")
def acknowledge(alarm_id: int) -> BaseResponse:
    with ext.write() as session:
        alarm = alarms.alarm_for(session, _scope(), alarm_id)
        comment = request.form.get("comment", "")
        alarms.acknowledge(session, alarm, comment, actor=actor(), at=now())
    recount()
    flash(_("Acknowledged. Everybody sees who cares for it."))
    return redirect("/supervisor/alarms")


def _scope() -> Scope:
    return scope_of(me(), viewer().queue_ids)


def _read() -> Shown:
    form = request.form
    return Shown(
        name=form.get("name", "")[:200],
        measure=form.get("measure", "")[:40],
        subject=form.get("subject", "")[:30],
        side=form.get("side", "")[:10],
        threshold=form.get("threshold", "")[:20],
        length=form.get("for", "")[:20],
        whom=form.get("whom", "")[:30],
        version=form.get("version", "")[:9],
    )


def _typed(rule: AlarmRule) -> Shown:
    gauge = alarms.gauge_of(rule)
    ids = {"queue": rule.queue_id, "team": rule.team_id, "agent": rule.agent_id}
    return Shown(
        name=rule.name,
        measure=rule.measure,
        subject=next((f"{kind}:{id_}" for kind, id_ in ids.items() if id_ is not None), ""),
        side=rule.side,
        threshold=value_text(rule.threshold, gauge.unit),
        length=length_text(rule.for_seconds),
        whom=f"user:{rule.user_id}" if rule.user_id is not None else f"role:{rule.role}",
        version=str(rule.version),
    )


def _wanted(shown: Shown) -> Wanted:
    """Raises HelpdeskError."""
    gauge = ALL.get(shown.measure)
    if gauge is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="measure")
    kind, _colon, whom = shown.whom.partition(":")
    return Wanted(
        name=shown.name,
        measure=shown.measure,
        side=shown.side,
        threshold=read_value(shown.threshold, gauge.unit, "threshold"),
        subject=_subject(shown.subject),
        for_seconds=read_length(shown.length, "for") or 0,
        user_id=_id(whom, "whom") if kind == "user" else None,
        role=whom if kind == "role" else None,
    )


def _subject(text: str) -> Subject:
    kind, _colon, id_ = text.partition(":")
    if not kind:
        return Subject()
    if kind not in ("queue", "team", "agent"):
        raise HelpdeskError(_lazy("Choose one from the list."), field="subject")
    return Subject(**{f"{kind}_id": _id(id_, "subject")})


def _id(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return int(text)


def _page(
    rule: AlarmRule | None,
    shown: Shown,
    errors: dict[str, str] | None = None,
    again: bool = False,
) -> str:
    return render_template(
        "supervisor/alarm_rule.html",
        rule=rule,
        shown=shown,
        version=rule.version if again and rule is not None else shown.version,
        gauges=_gauges(),
        subjects=_subjects(_scope()),
        sides=[(Side.OVER.value, _("is over")), (Side.UNDER.value, _("is under"))],
        whoms=_whoms(),
        errors=errors or {},
    )


def _gauges() -> list[tuple[str, str]]:
    """What can be watched: numbers of now, then those of the reports, each with its unit."""
    now_ = [(one.key, f"{_(one.label)}, {_unit(one)}") for one in PRESENT.values()]
    return now_ + [
        (one.key, _("today: %(measure)s, %(unit)s", measure=_(one.label), unit=_unit(one)))
        for one in REPORTED.values()
    ]


def _unit(gauge: Gauge) -> str:
    if gauge.unit == Unit.SECONDS:
        return str(_("hours:minutes:seconds"))
    return str(_("per cent") if gauge.unit == Unit.SHARE else _("number"))


def _subjects(scope: Scope) -> list[tuple[str, str]]:
    queues = select(Queue.id, Queue.name).where(Queue.active.is_(True)).order_by(Queue.sort_key)
    teams = select(Team.id, Team.name).order_by(Team.sort_key)
    people = select(User.id, User.name).where(User.active.is_(True)).order_by(User.sort_key)
    if not scope.everything:
        queues = queues.where(Queue.team_id == (scope.team_id or 0))
        teams = teams.where(Team.id == (scope.team_id or 0))
        mine = User.id == scope.user_id if scope.user_id else User.team_id == (scope.team_id or 0)
        people = people.where(mine)
    found = [("", _("everything"))] if scope.everything else []
    found += [(f"queue:{id_}", _("queue %(name)s", name=name)) for id_, name in _pairs(queues)]
    found += [(f"team:{id_}", _("team %(name)s", name=name)) for id_, name in _pairs(teams)]
    return found + [(f"agent:{id_}", name) for id_, name in _pairs(people)]


def _whoms() -> list[tuple[str, str]]:
    people = select(User.id, User.name).where(User.active.is_(True), User.role != Role.AGENT)
    people = people.order_by(User.sort_key)
    return [
        (f"role:{Role.SUPERVISOR}", _("all supervisors")),
        (f"role:{Role.ADMIN}", _("all administrators")),
        *((f"user:{id_}", name) for id_, name in _pairs(people)),
    ]


def _pairs(query: Select[int, str]) -> list[tuple[int, str]]:
    return [(id_, name) for id_, name in reading().execute(query)]


def _whom_words(rule: AlarmRule) -> str:
    if rule.user is not None:
        return rule.user.name
    if rule.role == Role.ADMIN:
        return str(_("all administrators"))
    return str(_("all supervisors"))
