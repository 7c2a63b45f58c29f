"""Schedules: reports that people get by email, each day, week or month, in their own time zone.

A schedule is a row with the moment of its next email. Whoever makes the email claims that moment
by a conditional change in the transaction that writes the email, so that each is sent once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session, joinedload

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can, viewer_of
from helpdesk.events import Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.reports import asking, filters, names
from helpdesk.reports.contracts.statements import company_zone
from helpdesk.reports.models import Every, ReportFile, Schedule
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope, scope_of
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Queue

AGAIN = timedelta(hours=1)  # after an email that could not be made
EMAILS = "schedule:"  # with this begin the keys of their emails
MOST = 50  # schedules of one person
MOST_ARGS = 30
_PERIOD = (*asking.PERIOD, "report", "table", "after", "lines", "csrf_token")

GONE = _lazy("The account of the recipient is closed.")
NO_RIGHT = _lazy("The recipient may not see reports any more.")
NO_TEAM = _lazy("The recipient sees the numbers of a team and belongs to none.")
UNFIT = _lazy("Its filters do not fit any more.")
BROKEN = _lazy("It could not be made; it is tried again within an hour.")


def create(
    session: Session,
    user_id: int,
    report: str,
    query: Mapping[str, str],
    *,
    every: Every,
    hour: int,
    actor: Actor,
    at: datetime,
) -> Schedule:
    """Let somebody get a report. `query`: its filters as they stand in an address.

    Raises HelpdeskError for filters, hours or people that don't fit, NotFound for a report that
    isn't there.
    """
    if actor.user_id is None:
        raise ValueError("a person makes a schedule")
    names.entry(report)
    user = session.get(User, user_id)
    if user is None or not user.active:
        raise HelpdeskError(_lazy("Choose one from the list."), field="user_id")
    if not 0 <= hour <= 23:
        raise HelpdeskError(_lazy("Choose one from the list."), field="hour")
    wanted = checked_query(report, query, user=user, at=at)
    if "queue" in wanted and session.get(Queue, filters.read(wanted).queue or 0) is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="queue")
    mine = select(Schedule.id).where(Schedule.user_id == user_id, Schedule.next_at.is_not(None))
    if len(session.scalars(mine.limit(MOST)).all()) >= MOST:
        raise HelpdeskError(
            _lazy("At most %(limit)s schedules fit one person."), field="user_id", limit=MOST
        )
    schedule = Schedule(
        user_id=user.id,
        report=report,
        query=wanted,
        every=every,
        hour=hour,
        next_at=next_moment(every, hour, user.timezone, at, company=company_zone()),
        created_by=actor.user_id,
        created_at=at,
    )
    session.add(schedule)
    session.flush()
    _record(session, schedule, actor, at)
    return schedule


def stop(
    session: Session, schedule: Schedule, *, actor: Actor, at: datetime, reason: str | None = None
) -> None:
    """Send nothing more; `reason` is a msgid where nobody asked for that."""
    schedule.next_at, schedule.last_error = None, reason
    session.flush()
    record(session, "report.stopped", actor=actor, at=at, schedule_id=schedule.id)


def resume(session: Session, schedule: Schedule, *, actor: Actor, at: datetime) -> None:
    """Go on with one that was stopped. Raises HelpdeskError where the recipient may not get it."""
    reason = refusal(session, schedule.user)
    if reason is not None:
        raise HelpdeskError(reason)
    if schedule.next_at is None:
        schedule.next_at = following(schedule, at)
        schedule.last_error = None
        session.flush()
        _record(session, schedule, actor, at)


def following(schedule: Schedule, after: datetime) -> datetime:
    """When its next email comes, UTC."""
    timezone = schedule.user.timezone
    return next_moment(schedule.every, schedule.hour, timezone, after, company=company_zone())


def send_now(session: Session, schedule: Schedule, *, at: datetime) -> None:
    """Let the next email go at once; those after it come at their time. Raises Conflict."""
    if schedule.next_at is None:
        raise Conflict(_lazy("This schedule is stopped. Start it again first."))
    schedule.next_at = min(schedule.next_at, at)
    session.flush()


def due(session: Session, at: datetime, limit: int) -> Sequence[Schedule]:
    """Those whose moment has come, with their recipients, the longest due first."""
    query = (
        select(Schedule)
        .where(Schedule.next_at.is_not(None), Schedule.next_at <= at)
        .options(joinedload(Schedule.user))
        .order_by(Schedule.next_at, Schedule.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def claim(
    session: Session,
    schedule: Schedule,
    moment: datetime,
    *,
    next_at: datetime | None,
    **changes: Any,
) -> bool:
    """Take over what was due at `moment`; False where somebody else has done it."""
    change = (
        update(Schedule)
        .where(Schedule.id == schedule.id, Schedule.next_at == moment)
        .values(next_at=next_at, **changes)
    )
    done = session.execute(change, execution_options={"synchronize_session": False})
    return cast(CursorResult[Any], done).rowcount == 1


def refusal(session: Session, user: User) -> str | None:
    """Why this person gets no report, as a msgid; None: they do."""
    if not user.active:
        return GONE
    viewer = viewer_of(session, user)
    if not can(viewer, "report.own"):
        return NO_RIGHT
    return NO_TEAM if scope_of(user, viewer.queue_ids).nothing else None


def ask_of(session: Session, schedule: Schedule, *, zone: ZoneInfo, at: datetime) -> Ask:
    """What the schedule asks at `at`, by the rights that the recipient has then.

    Raises HelpdeskError where its filters don't fit any more.
    """
    user = schedule.user
    return asking.asked(
        {**schedule.query, **period_of(schedule.every, zone, at).query()},
        user=user,
        queue_ids=viewer_of(session, user).queue_ids,
        zone=zone,
        at=at,
        language=user.language,
    )


def period_of(every: Every, zone: ZoneInfo, at: datetime) -> Period:
    """The day, week (from Monday) or month of the zone that has ended by `at`."""
    today = at.astimezone(zone).date()
    first = _first(every, today)
    last = first - timedelta(days=1)
    return Period(_first(every, last), last, zone)


def next_moment(
    every: Every, hour: int, timezone: str, after: datetime, *, company: ZoneInfo
) -> datetime:
    """The first moment after `after`, UTC, at which it is that hour in the zone on a day, a Monday
    or a first of the month. An hour that the change of time leaves out comes an hour later; a day
    later comes the email where the week or month has not ended by then in the company's zone.
    """
    zone = ZoneInfo(timezone)
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        if _first(every, day) == day:
            moment = _at(hour, day, zone)
            if moment.astimezone(company).date() < day:
                moment = _at(hour, day + timedelta(days=1), zone)
            if moment > after:
                return moment
        day += timedelta(days=1)


def _at(hour: int, day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def schedules_for(
    session: Session, user: User, *, every_ones: bool, limit: int = 200
) -> Sequence[Schedule]:
    """Those that this person gets or has made, or all; running ones first."""
    query = select(Schedule).options(joinedload(Schedule.user))
    if not every_ones:
        query = query.where(or_(Schedule.user_id == user.id, Schedule.created_by == user.id))
    order = (Schedule.next_at.is_(None), Schedule.next_at, Schedule.id.desc())
    return session.scalars(query.order_by(*order).limit(limit)).all()


def undelivered(session: Session, rows: Sequence[Schedule]) -> dict[int, str]:
    """Why the last email of a schedule was given up, as a msgid, by the schedule's id."""
    failed = select(Outgoing.key, Outgoing.last_error).where(
        Outgoing.created_at.in_({row.sent_at for row in rows if row.sent_at is not None}),
        Outgoing.state == OutgoingState.FAILED,
        Outgoing.key.startswith(EMAILS, autoescape=True),
    )
    found = session.execute(failed).all()
    return {int(key.removeprefix(EMAILS).partition(".")[0]): why or "" for key, why in found}


def schedule_for(session: Session, schedule_id: int, user: User, *, every_ones: bool) -> Schedule:
    """Raises NotFound, also for a schedule of others."""
    found = session.get(Schedule, schedule_id)
    if found is None or not (every_ones or user.id in (found.user_id, found.created_by)):
        raise NotFound()
    return found


def file_for(session: Session, file_id: int, user: User) -> ReportFile:
    """A file that was sent to this person, while they may see what is in it. Raises NotFound."""
    query = select(ReportFile).options(joinedload(ReportFile.file))
    found = session.scalar(query.where(ReportFile.id == file_id, ReportFile.user_id == user.id))
    if found is None:
        raise NotFound()
    now = scope_of(user, viewer_of(session, user).queue_ids)
    if not now.everything and rights_of(now) != found.rights:
        raise NotFound()
    return found


def rights_of(scope: Scope) -> str:
    """What a scope lets somebody see, in short, to be compared later."""
    parts = scope.team_id, scope.user_id, scope.nothing, sorted(scope.queue_ids or ())
    text = repr((*parts, scope.queue_ids is None))
    return "all" if scope.everything else hashlib.sha256(text.encode()).hexdigest()


def checked_query(
    report: str, query: Mapping[str, str], *, user: User, at: datetime
) -> dict[str, str]:
    """The filters and options of an address without its period. Raises HelpdeskError."""
    wanted = {name: text for name, text in query.items() if text and name not in _PERIOD}
    if len(wanted) > MOST_ARGS:
        raise HelpdeskError(_lazy("These are too many filters."))
    ask = asking.asked(
        wanted, user=user, queue_ids=None, zone=ZoneInfo("UTC"), at=at, language=user.language
    )
    names.cut_of(report, ask)
    return wanted


def _first(every: Every, day: date) -> date:
    """The first day of the stretch that `day` lies in."""
    if every == Every.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if every == Every.MONTH else day


def _record(session: Session, schedule: Schedule, actor: Actor, at: datetime) -> None:
    record(
        session,
        "report.scheduled",
        actor=actor,
        at=at,
        schedule_id=schedule.id,
        report=schedule.report,
        every=schedule.every.value,
    )
