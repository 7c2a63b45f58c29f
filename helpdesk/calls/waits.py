"""How long a caller will wait, told as honestly as it is known, and how wrong that turned out.

Position by mean handling time by people on duty (the queue-length predictor), less those who will
give up before it is their turn (patience taken as exponential), held within what waiting looks like
just now: at least half of what the first in line has waited, at most twice what the first has
waited or the last who was answered had (Ibrahim and Whitt, 2009: predictors by recent delays
correct themselves when people come and go). The upper limit waits until there was a wait at all:
the first of a rush of calls would be told that there is none.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts import duty
from helpdesk.accounts.duty import Duty
from helpdesk.calls.models import Call, CallState, Direction

RECENT = timedelta(minutes=15)
LONGER = timedelta(hours=8)
"""Where the last quarter of an hour saw too few talks to tell, this may have."""
FEWEST = 5
"""Of fewer talks nothing is told."""
LOOKED_AT = 100
"""Calls that are looked at, newest first, so that the cost doesn't grow with their number."""
FLOOR = 30  # seconds that a talk with its wrap-up takes at least
MINUTE = 60
SPREAD = 0.25  # of the band on either side


class Estimate(NamedTuple):
    """A place (1: the next) and the wait: seconds, and the band of minutes to be told. None where
    nobody is on duty (`people` is 0 then), or too little is known."""

    position: int
    seconds: int | None
    low: int | None
    high: int | None
    people: int  # who take calls of this queue now, busy or free


class Line(NamedTuple):
    """Who waits before a place: how many, and for how long, in seconds, the first of all does."""

    ahead: int
    first: float


class Past(NamedTuple):
    """Calls of late: the talks, the newest first, how many callers gave up, and for how many
    seconds all of them together have waited."""

    talks: Sequence["Talk"]
    gone: int
    waited: float

    def leaving(self, line: Line) -> float:
        """The share of those who wait that gives up in a second. Who waits now has not given up
        yet; they joined one after the other."""
        waited = self.waited + line.ahead * line.first / 2
        return self.gone / waited if self.gone >= FEWEST and waited else 0.0


class Talk(NamedTuple):
    """A talk that is over: seconds of waiting, and of talk with wrap-up."""

    waited: float
    handled: float
    recent: bool


def estimate(session: Session, call: Call, at: datetime) -> Estimate:
    """What a caller who waits can be told; three statements."""
    place_at = call.place_at or call.queued_at or at
    before = (Call.place_at < place_at) | ((Call.place_at == place_at) & (Call.id < call.id))
    return _estimate(session, call.queue_id, before, call.language, call.skill, at)


def present(session: Session, queue_id: int | None, at: datetime) -> Estimate:
    """What somebody would wait who joined the queue now; three statements."""
    before = Call.place_at <= at
    return _estimate(session, queue_id, before, None, None, at)


def error(session: Session, since: datetime) -> float | None:
    """By how many seconds the told waits were wrong in the mean, for calls that began since then
    and were answered; None where there are none."""
    rows = session.execute(
        select(Call.estimated_seconds, Call.queued_at, Call.answered_at)
        .where(Call.started_at >= since, Call.estimated_seconds.is_not(None))
        .where(Call.queued_at.is_not(None), Call.answered_at.is_not(None))
    ).all()
    wrong = [
        abs(told - (answered - queued).total_seconds())
        for told, queued, answered in rows
        if told is not None and queued is not None and answered is not None
    ]
    return sum(wrong) / len(wrong) if wrong else None


def predict(
    position: int,
    talks: Sequence[Talk],
    people: int,
    free: int,
    first: float,
    leaving: float = 0.0,
) -> int | None:
    """Seconds until the person at this position is answered, by the talks of late, the newest
    first; `people` are on duty, `free` of them wait for a call, `first` in line has waited so
    many seconds, `leaving` is the share of those who wait that gives up in a second.
    """
    if not people:
        return None
    if position <= free:
        return 0
    counted = [talk for talk in talks if talk.recent]
    counted = counted if len(counted) >= FEWEST else list(talks)
    if len(counted) < FEWEST:
        return None
    handled = max(sum(talk.handled for talk in counted) / len(counted), FLOOR)
    seconds = position * handled / people
    if leaving:
        seconds = math.log1p(seconds * leaving) / leaving
    if counted[0].recent and counted[0].waited >= FLOOR:
        seconds = min(seconds, 2 * max(counted[0].waited, first))
    return round(max(seconds, first / 2))


def band(seconds: int) -> tuple[int, int]:
    """The minutes between which a wait will lie, for a person: 4 minutes → 3 to 5."""
    low = int(seconds * (1 - SPREAD) // MINUTE)
    high = -int(-seconds * (1 + SPREAD) // MINUTE)
    return low, max(high, low + 1)


def _estimate(
    session: Session,
    queue_id: int | None,
    before: ColumnElement[bool],
    language: str | None,
    skill: str | None,
    at: datetime,
) -> Estimate:
    line = _line(session, queue_id, before, at)
    queue_ids = () if queue_id is None else (queue_id,)
    team = duty.able(duty.on_duty(session), queue_ids, language, skill)
    free = sum(one.free(at) for one in team)
    people = sum(_counts(one, at) for one in team)
    past = _past(session, queue_id, at)
    seconds = predict(line.ahead + 1, past.talks, people, free, line.first, past.leaving(line))
    low, high = band(seconds) if seconds is not None else (None, None)
    return Estimate(line.ahead + 1, seconds, low, high, people)


def _counts(one: Duty, at: datetime) -> bool:
    """Whether they will take calls: a free one must give signs of life."""
    return one.free(at) or (one.is_busy and not one.paused)


def _line(
    session: Session, queue_id: int | None, before: ColumnElement[bool], at: datetime
) -> Line:
    mine = Call.queue_id.is_(None) if queue_id is None else Call.queue_id == queue_id
    waits = mine, Call.waiting.is_not(None)
    row = session.execute(
        select(
            func.count().filter(before),
            func.min(Call.queued_at).filter(Call.direction == Direction.INBOUND),
        ).where(*waits)
    ).one()
    ahead, oldest = row
    return Line(ahead, max((at - oldest).total_seconds(), 0.0) if oldest else 0.0)


def _past(session: Session, queue_id: int | None, at: datetime) -> Past:
    """The newest calls that waited in this queue and are over."""
    mine = Call.queue_id.is_(None) if queue_id is None else Call.queue_id == queue_id
    rows = session.execute(
        select(Call.queued_at, Call.answered_at, Call.ended_at, Call.wrapped_at)
        .where(Call.started_at >= at - LONGER, mine)
        .where(Call.state.in_((CallState.ENDED, CallState.WRAP_UP)))
        .where(Call.queued_at.is_not(None), Call.ended_at.is_not(None))
        .where(or_(Call.answered_at.is_not(None), Call.direction == Direction.INBOUND))
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(LOOKED_AT)
    ).all()
    waited = sum(_seconds(queued, answered or ended) for queued, answered, ended, _ in rows)
    newest = sorted((row for row in rows if row[1]), key=lambda row: row[1] or at, reverse=True)
    return Past([_talk(*row, at) for row in newest], len(rows) - len(newest), waited)


def _seconds(since: datetime | None, until: datetime | None) -> float:
    assert since is not None and until is not None
    return max((until - since).total_seconds(), 0.0)


def _talk(
    queued: datetime | None,
    answered: datetime | None,
    ended: datetime | None,
    wrapped: datetime | None,
    at: datetime,
) -> Talk:
    assert queued is not None and answered is not None and ended is not None
    over = wrapped or ended
    return Talk(
        waited=_seconds(queued, answered),
        handled=_seconds(answered, over),
        recent=over > at - RECENT,
    )
