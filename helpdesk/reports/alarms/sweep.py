"""Alarms: looking whether the rules hold, what began, what ended, what was acknowledged."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from helpdesk.accounts.models import Role, User
from helpdesk.accounts.permissions import can, viewer_of
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.reports.alarms.gauges import Gauge, Subject
from helpdesk.reports.alarms.watched import ALL, REPORTED, value_of
from helpdesk.reports.models import Alarm, AlarmRule, Side
from helpdesk.reports.scope import Scope, scope_of
from helpdesk.reports.wallboard.snapshot import snapshot
from helpdesk.tickets.models import Queue

EVERY = timedelta(seconds=15)
SELDOM = timedelta(seconds=60)
"""How often numbers of the present and those of reports, which cost more, are looked at."""
COMMENT_LIMIT = 500
PAGE = 50


def acknowledge(
    session: Session, alarm: Alarm, comment: str, *, actor: Actor, at: datetime
) -> None:
    """Somebody has seen it and says what they do about it; the first one stands.

    Raises Conflict if somebody did before, HelpdeskError for a comment that is too long.
    """
    if len(comment) > COMMENT_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="comment",
            limit=COMMENT_LIMIT,
        )
    if alarm.acknowledged_at is not None:
        raise Conflict(_lazy("Somebody has acknowledged this alarm already."))
    alarm.acknowledged_at, alarm.acknowledged_by = at, actor.user_id
    alarm.comment = comment.strip()
    session.flush()
    record(
        session,
        "alarm.acknowledged",
        actor=actor,
        at=at,
        alarm_id=alarm.id,
        rule_id=alarm.rule_id,
    )


def due(session: Session, at: datetime) -> bool:
    """Whether any rule waits to be looked at; reads only."""
    return session.scalar(select(AlarmRule.id).where(*_due(at)).limit(1)) is not None


def look(session: Session, *, at: datetime, zone: ZoneInfo) -> dict[int, float | None]:
    """The value of every rule that is due, by its id; reads only."""
    rules = session.scalars(select(AlarmRule).where(*_due(at)).order_by(AlarmRule.id)).all()
    if not rules:
        return {}
    board = snapshot(session, Scope(), at=at, zone=zone)
    return {
        rule.id: value_of(session, ALL[rule.measure], subject_of(rule), board, zone=zone)
        for rule in rules
        if rule.measure in ALL
    }


def sweep(session: Session, values: Mapping[int, float | None], at: datetime) -> int:
    """Note what was seen, begin and end alarms; how many began or ended.

    A rule that another worker has looked at meanwhile is left alone.
    """
    done = 0
    for rule_id, value in sorted(values.items()):
        if not _claim(session, rule_id, value, at):
            continue
        rule = session.get_one(AlarmRule, rule_id, populate_existing=True)
        done += _judge(session, rule, value, at)
    session.flush()
    return done


def start_over(session: Session, rule: AlarmRule, at: datetime) -> None:
    """Forget what was seen of a rule and end what it began."""
    rule.since = rule.value = rule.looked_at = None
    alarm = _open(session, rule)
    if alarm is not None:
        _end(session, alarm, at)


def exceeded(rule: AlarmRule, value: float | None) -> bool:
    """Whether the value is past the limit. Where there was nothing to measure, it isn't."""
    if value is None:
        return False
    return value > rule.threshold if rule.side == Side.OVER else value < rule.threshold


def subject_of(rule: AlarmRule) -> Subject:
    return Subject(rule.queue_id, rule.team_id, rule.agent_id)


def gauge_of(rule: AlarmRule) -> Gauge:
    return ALL[rule.measure]


def rules(session: Session, scope: Scope) -> Sequence[AlarmRule]:
    """Those the reader may see, with what they name; who is switched on first."""
    query = select(AlarmRule).where(*seen_in(scope)).options(*_NAMED)
    return session.scalars(query.order_by(AlarmRule.active.desc(), AlarmRule.id)).all()


def rule_for(session: Session, scope: Scope, rule_id: int) -> AlarmRule:
    """Raises NotFound."""
    query = select(AlarmRule).where(AlarmRule.id == rule_id, *seen_in(scope)).options(*_NAMED)
    found = session.scalar(query)
    if found is None:
        raise NotFound()
    return found


def alarm_for(session: Session, scope: Scope, alarm_id: int) -> Alarm:
    """Raises NotFound."""
    query = select(Alarm).join(Alarm.rule).where(Alarm.id == alarm_id, *seen_in(scope))
    found = session.scalar(query)
    if found is None:
        raise NotFound()
    return found


def open_alarms(session: Session, scope: Scope) -> Sequence[Alarm]:
    """The newest first."""
    query = _alarms(scope).where(Alarm.ended_at.is_(None))
    return session.scalars(query.order_by(Alarm.began_at.desc(), Alarm.id.desc())).all()


def open_count(session: Session, scope: Scope) -> int:
    query = select(func.count()).select_from(Alarm).join(Alarm.rule)
    return session.scalar(query.where(Alarm.ended_at.is_(None), *seen_in(scope))) or 0


def past_alarms(
    session: Session, scope: Scope, before: int | None
) -> tuple[list[Alarm], int | None]:
    """One page of alarms that are over, the newest first, and from where to go on."""
    query = _alarms(scope).where(Alarm.ended_at.is_not(None))
    if before is not None:
        query = query.where(Alarm.id < before)
    rows = list(session.scalars(query.order_by(Alarm.id.desc()).limit(PAGE + 1)))
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def seen_in(scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions on AlarmRule: a supervisor of one team sees the rules about it."""
    if scope.everything:
        return []
    if scope.nothing:
        return [false()]
    if scope.team_id is not None:
        queues = select(Queue.id).where(Queue.team_id == scope.team_id)
        people = select(User.id).where(User.team_id == scope.team_id)
        mine = AlarmRule.team_id == scope.team_id
        return [or_(mine, AlarmRule.queue_id.in_(queues), AlarmRule.agent_id.in_(people))]
    return [AlarmRule.agent_id == scope.user_id]


def told(session: Session, alarm_id: int) -> list[User]:
    """Whom a new alarm is for: the person or those of the role of its rule who may see its numbers
    today; where there is nobody of them, administrators.
    """
    rule = session.scalar(select(AlarmRule).join(Alarm).where(Alarm.id == alarm_id))
    if rule is None:
        return []
    wanted = User.id == rule.user_id if rule.user_id is not None else User.role == rule.role
    for whom in (wanted, User.role == Role.ADMIN):
        query = select(User).where(whom, User.active.is_(True)).order_by(User.id)
        people = [one for one in session.scalars(query) if _sees(session, one, rule)]
        if people:
            return people
    return []


def _sees(session: Session, user: User, rule: AlarmRule) -> bool:
    if not can(viewer_of(session, user), "alarm.change"):
        return False
    seen = select(AlarmRule.id).where(AlarmRule.id == rule.id, *seen_in(scope_of(user)))
    return session.scalar(seen) is not None


_NAMED = (
    joinedload(AlarmRule.queue),
    joinedload(AlarmRule.team),
    joinedload(AlarmRule.agent),
    joinedload(AlarmRule.user),
)


def _alarms(scope: Scope) -> Any:
    named = joinedload(Alarm.rule)
    return (
        select(Alarm)
        .join(Alarm.rule)
        .where(*seen_in(scope))
        .options(
            named.joinedload(AlarmRule.queue),
            named.joinedload(AlarmRule.team),
            named.joinedload(AlarmRule.agent),
            joinedload(Alarm.acknowledger),
        )
    )


def _due(at: datetime) -> tuple[ColumnElement[bool], ...]:
    often = and_(AlarmRule.measure.not_in([*REPORTED]), AlarmRule.looked_at <= at - EVERY)
    unseen = or_(AlarmRule.looked_at.is_(None), AlarmRule.looked_at <= at - SELDOM, often)
    return (AlarmRule.active.is_(True), unseen)


def _claim(session: Session, rule_id: int, value: float | None, at: datetime) -> bool:
    query = update(AlarmRule).where(AlarmRule.id == rule_id, *_due(at))
    result = session.execute(query.values(looked_at=at, value=value))
    return bool(getattr(result, "rowcount", 0))


def _judge(session: Session, rule: AlarmRule, value: float | None, at: datetime) -> int:
    alarm = _open(session, rule)
    if not exceeded(rule, value):
        rule.since = None
        return int(alarm is not None and _end(session, alarm, at))
    assert value is not None
    rule.since = rule.since or at
    if alarm is not None:
        worse = max if rule.side == Side.OVER else min
        alarm.worst = worse(alarm.worst, value)
        return 0
    if at - rule.since < timedelta(seconds=rule.for_seconds):
        return 0
    _begin(session, rule, value, at)
    return 1


def _begin(session: Session, rule: AlarmRule, value: float, at: datetime) -> None:
    alarm = Alarm(
        rule_id=rule.id,
        began_at=at,
        value=value,
        worst=value,
        threshold=rule.threshold,
        comment="",
    )
    session.add(alarm)
    session.flush()
    record(session, "alarm.began", at=at, alarm_id=alarm.id, rule_id=rule.id)


def _end(session: Session, alarm: Alarm, at: datetime, actor: Actor = SYSTEM) -> bool:
    alarm.ended_at = at
    session.flush()
    record(session, "alarm.ended", actor=actor, at=at, alarm_id=alarm.id, rule_id=alarm.rule_id)
    return True


def _open(session: Session, rule: AlarmRule) -> Alarm | None:
    query = select(Alarm).where(and_(Alarm.rule_id == rule.id, Alarm.ended_at.is_(None)))
    return session.scalar(query)
