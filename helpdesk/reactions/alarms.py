"""An alarm that began: whom it is for hears of it, once while it comes and goes."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, select
from sqlalchemy.orm import Session

from helpdesk.events import Event
from helpdesk.notices import Notice, tell
from helpdesk.reports.alarms import calm
from helpdesk.reports.alarms import sweep as alarms
from helpdesk.reports.models import Alarm

_BEGAN = and_(
    Event.at == Alarm.began_at,
    Event.ticket_id.is_(None),
    Event.kind == "alarm.began",
    Event.data["alarm_id"].as_integer() == Alarm.id,
)
"""Joins an alarm with the Event of its beginning."""


def tell_of_alarm(session: Session, event: Event, at: datetime) -> None:
    alarm = session.get(Alarm, event.data["alarm_id"])
    if alarm is not None:
        _tell(session, alarm, event, at)


def tell_of_lasting(session: Session, rule_ids: Collection[int], at: datetime) -> None:
    """Whoever was not told of an alarm because it had come and gone, when it is still there."""
    for alarm in calm.unseen(session, rule_ids, at):
        began = select(Event).join(Alarm, _BEGAN).where(Alarm.id == alarm.id)
        for event in session.scalars(began):
            _tell(session, alarm, event, at)


def _tell(session: Session, alarm: Alarm, event: Event, at: datetime) -> None:
    first = select(func.min(Alarm.began_at)).where(_lately(alarm, at))
    for user in alarms.told(session, alarm.id):
        before = _told(session, alarm, user.id, at)
        if before is not None:
            known = before.created_at >= alarm.began_at
            since = session.scalar(first) or alarm.began_at
            if known or calm.is_soon(since, before.created_at, at):
                continue
            session.delete(before)
            session.flush()
        tell(session, user.id, event, None, event.kind, at=at)


def _told(session: Session, alarm: Alarm, user_id: int, at: datetime) -> Notice | None:
    """The newest notice of this rule within a day: the one that stands for all of them."""
    key = cast(Event.id, String) + literal(f":{user_id}")
    query = (
        select(Notice)
        .select_from(Alarm)
        .join(Event, _BEGAN)
        .join(Notice, Notice.key == key)
        .where(_lately(alarm, at))
        .order_by(Notice.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def _lately(alarm: Alarm, at: datetime) -> ColumnElement[bool]:
    return and_(Alarm.rule_id == alarm.rule_id, Alarm.began_at > at - calm.WITHIN)
