"""How the telephone does, for the page of its health: what came, what failed, what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from helpdesk.calls import reconcile
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallEvent,
    CommandState,
    Recording,
    RecordingState,
)

DAY = timedelta(days=1)
SHOWN = 20
CAP = 99


@dataclass(frozen=True)
class Overview:
    """`repeats` of the last 24 hours; counts end at CAP + 1."""

    last_heard_at: datetime | None
    repeats: int
    live: int
    todo: int
    recordings: int  # still to be fetched
    given_up: int  # recordings that could not be fetched
    commands: Sequence[CallCommand]
    events: Sequence[CallEvent]
    reconciled: tuple[datetime, str | None] | None


def overview(session: Session, at: datetime) -> Overview:
    """About ten statements, none of which reads more than a day."""
    since = at - DAY
    waiting = Recording.due_at.is_not(None), Recording.file_id.is_(None)
    lost = Recording.state == RecordingState.FAILED, Recording.created_at >= since
    return Overview(
        last_heard_at=session.scalar(select(func.max(CallEvent.received_at))),
        repeats=session.scalar(_day(select(func.sum(CallEvent.repeats)), since)) or 0,
        live=_count(session, select(Call.id).where(Call.over_at.is_(None))),
        todo=_count(session, select(CallEvent.id).where(CallEvent.todo.is_not(None))),
        recordings=_count(session, select(Recording.id).where(*waiting)),
        given_up=_count(session, select(Recording.id).where(*lost)),
        commands=session.scalars(_failed(since)).all(),
        events=session.scalars(_unworked()).all(),
        reconciled=reconcile.last(session),
    )


def _day(query: Select[int], since: datetime) -> Select[int]:
    return query.where(CallEvent.received_at >= since)


def _failed(since: datetime) -> Select[CallCommand]:
    query = select(CallCommand).where(
        CallCommand.last_error.is_not(None),
        CallCommand.state == CommandState.FAILED,
        CallCommand.created_at >= since,
    )
    return query.order_by(CallCommand.id.desc()).limit(SHOWN)


def _unworked() -> Select[CallEvent]:
    """Also those that were tried often enough."""
    query = select(CallEvent).where(CallEvent.error.is_not(None))
    return query.order_by(CallEvent.id.desc()).limit(SHOWN)


def _count(session: Session, query: Select[int]) -> int:
    return session.scalar(select(func.count()).select_from(query.limit(CAP + 1).subquery())) or 0
