"""How often it is told that an alarm comes and goes: each pause is twice the one before."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.reports.models import Alarm

WITHIN = timedelta(days=1)
PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=4)
"""After a rule was told there is nothing more of it for so long; after each time within a day,
twice that. So a measure that goes up and down around its limit fills no mailbox."""


def is_pause(told: Sequence[datetime], at: datetime) -> bool:
    """Whether it is too early to tell again what was told at these moments within a day, the
    newest first."""
    if not told:
        return False
    pause: timedelta = min(PAUSE * 2 ** (len(told) - 1), LONGEST_PAUSE)
    return at < told[0] + pause


def is_soon(first: datetime, last: datetime, at: datetime) -> bool:
    """The same where only the first and the last time are known: as much again has to pass."""
    return at < last + min(max(last - first, PAUSE), LONGEST_PAUSE)


def unseen(session: Session, rule_ids: Collection[int], at: datetime) -> Sequence[Alarm]:
    """Open alarms of these rules that began within a day and that nobody took note of."""
    query = select(Alarm).where(
        Alarm.rule_id.in_(rule_ids),
        Alarm.ended_at.is_(None),
        Alarm.acknowledged_at.is_(None),
        Alarm.began_at > at - WITHIN,
    )
    return session.scalars(query.order_by(Alarm.id)).all()


def times(session: Session, rule_id: int, at: datetime) -> int:
    """How often alarms of this rule began within a day."""
    query = select(func.count()).where(Alarm.rule_id == rule_id, Alarm.began_at > at - WITHIN)
    return session.scalar(query) or 0
