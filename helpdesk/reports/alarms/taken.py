"""How much somebody takes out within an hour: files and documents opened, recordings, exports."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.events import Event
from helpdesk.lib.errors import _lazy
from helpdesk.reports.alarms.gauges import Gauge, Subject
from helpdesk.reports.sheet import Unit

WITHIN = timedelta(hours=1)
KINDS = (
    "attachment.read",
    "document.read",
    "recording.played",
    "export.made",
    "report.exported",
    "report.file_read",
)
TAKEN = Gauge(
    "taken",
    _lazy("Files and exports that one person took within an hour"),
    Unit.COUNT,
    None,
    frozenset({"all", "team", "agent"}),
)
"""A stolen account shows by this: nobody reads hundreds of files in an hour."""


def most_taken(session: Session, subject: Subject, at: datetime) -> float:
    """Of one person what they took; of many, what the one took who took most. One statement."""
    query = (
        select(func.count().label("count"))
        .select_from(Event)
        .join(User, User.id == Event.user_id)
        .where(Event.at > at - WITHIN, Event.kind.in_(KINDS))
        .group_by(User.id)
        .order_by(func.count().desc())
        .limit(1)
    )
    if subject.team_id is not None:
        query = query.where(User.team_id == subject.team_id)
    if subject.agent_id is not None:
        query = query.where(User.id == subject.agent_id)
    return float(session.scalar(query) or 0)
