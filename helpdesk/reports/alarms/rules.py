"""Rules of alarms: made, changed, switched off and on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import Role, Team, User
from helpdesk.events import Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.reports.alarms.gauges import Gauge, Subject
from helpdesk.reports.alarms.sweep import start_over
from helpdesk.reports.alarms.watched import ALL
from helpdesk.reports.models import AlarmRule, Side
from helpdesk.reports.scope import Scope, scope_of
from helpdesk.reports.sheet import Unit
from helpdesk.tickets.models import Queue

NAME_LIMIT = 80
MOST = 1_000_000
LONGEST = 24 * 3600  # seconds a limit may have to be exceeded before it is told
MOST_RULES = 200


@dataclass(frozen=True)
class Wanted:
    """A rule as somebody wishes it. Thresholds of shares are 0 to 1, of lengths seconds."""

    name: str
    measure: str
    side: str
    threshold: float
    subject: Subject = Subject()
    for_seconds: int = 0
    user_id: int | None = None
    role: str | None = None


def create(
    session: Session, wanted: Wanted, scope: Scope, *, actor: Actor, at: datetime
) -> AlarmRule:
    """Raises HelpdeskError for what doesn't fit or lies outside of `scope`."""
    values = _checked(session, wanted, scope)
    count = session.scalar(select(func.count()).select_from(AlarmRule)) or 0
    if count >= MOST_RULES:
        raise HelpdeskError(_lazy("At most %(most)s rules fit here."), most=MOST_RULES)
    assert actor.user_id is not None
    rule = AlarmRule(**values, created_by=actor.user_id, created_at=at, version=1)
    session.add(rule)
    session.flush()
    record(session, "alarm_rule.created", actor=actor, at=at, rule_id=rule.id)
    return rule


def change(
    session: Session,
    rule: AlarmRule,
    wanted: Wanted,
    scope: Scope,
    *,
    version: int,
    actor: Actor,
    at: datetime,
) -> None:
    """Raises Conflict if somebody was quicker, HelpdeskError for what doesn't fit.

    What the old rule had begun ends: the new one looks for itself.
    """
    if version != rule.version:
        raise Conflict(_lazy("Somebody changed this in the meantime. Look and save again."))
    values = _checked(session, wanted, scope)
    changed = [name for name, value in values.items() if getattr(rule, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(rule, name, values[name])
    start_over(session, rule, at)
    _changed(session, rule, changed, actor, at)


def switch(session: Session, rule: AlarmRule, active: bool, *, actor: Actor, at: datetime) -> None:
    """On or off; one that is off has no alarm."""
    if rule.active == active:
        return
    rule.active = active
    start_over(session, rule, at)
    _changed(session, rule, ["active"], actor, at)


def _changed(
    session: Session, rule: AlarmRule, fields: list[str], actor: Actor, at: datetime
) -> None:
    rule.version += 1
    session.flush()
    record(session, "alarm_rule.changed", actor=actor, at=at, rule_id=rule.id, fields=fields)


def _checked(session: Session, wanted: Wanted, scope: Scope) -> dict[str, Any]:
    name = clean_line(wanted.name)
    if not name or len(name) > NAME_LIMIT:
        message = _lazy("Name the rule, in at most %(limit)s characters.")
        raise HelpdeskError(message, field="name", limit=NAME_LIMIT)
    gauge = ALL.get(wanted.measure)
    if gauge is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="measure")
    if wanted.side not in set(Side):
        raise HelpdeskError(_lazy("Choose one from the list."), field="side")
    if not 0 <= wanted.for_seconds <= LONGEST:
        raise HelpdeskError(_lazy("At most a day fits here: 24:00."), field="for")
    subject = _subject(session, wanted.subject, gauge, scope)
    return {
        "name": name,
        "measure": gauge.key,
        "side": Side(wanted.side),
        "threshold": _threshold(wanted.threshold, gauge),
        "for_seconds": wanted.for_seconds,
        "queue_id": subject.queue_id,
        "team_id": subject.team_id,
        "agent_id": subject.agent_id,
        **_whom(session, wanted, gauge),
    }


def _threshold(value: float, gauge: Gauge) -> float:
    most = 1.0 if gauge.unit == Unit.SHARE else MOST
    if not 0 <= value <= most:
        raise HelpdeskError(_lazy("This number is too small or too large."), field="threshold")
    return value


def _subject(session: Session, subject: Subject, gauge: Gauge, scope: Scope) -> Subject:
    if subject.kind not in gauge.of:
        raise HelpdeskError(_lazy("This measure is not counted for that."), field="subject")
    known: list[tuple[Any, int | None]] = [
        (Queue, subject.queue_id),
        (Team, subject.team_id),
        (User, subject.agent_id),
    ]
    for model, id_ in known:
        found = session.get(model, id_) if id_ is not None else None
        if id_ is not None and (found is None or not _is_in(scope, found)):
            raise HelpdeskError(_lazy("Choose one from the list."), field="subject")
    if subject.kind == "all" and not scope.everything:
        raise HelpdeskError(_lazy("Choose something of your team."), field="subject")
    return subject


def _is_in(scope: Scope, thing: Queue | Team | User) -> bool:
    if scope.everything:
        return True
    if scope.nothing or scope.team_id is None:
        return isinstance(thing, User) and thing.id == scope.user_id
    return scope.team_id == (thing.id if isinstance(thing, Team) else thing.team_id)


def _whom(session: Session, wanted: Wanted, gauge: Gauge) -> dict[str, Any]:
    if wanted.user_id is not None:
        user = session.get(User, wanted.user_id)
        if user is None or not user.active or user.role == Role.AGENT:
            raise HelpdeskError(_lazy("Choose one from the list."), field="whom")
        try:
            _subject(session, wanted.subject, gauge, scope_of(user))
        except HelpdeskError:
            message = _lazy("This person may not see these numbers. Choose somebody else.")
            raise HelpdeskError(message, field="whom") from None
        return {"user_id": user.id, "role": None}
    if wanted.role not in (Role.SUPERVISOR, Role.ADMIN):
        raise HelpdeskError(_lazy("Choose one from the list."), field="whom")
    return {"user_id": None, "role": Role(wanted.role)}
