"""How to reach us: addresses, numbers, hours in words, the present wait and promise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import current_app, g
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.lib import worktime
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.lib.phone import display
from helpdesk.outbox.rendering import moment
from helpdesk.reports import waits
from helpdesk.tickets.models import Mailbox, Metric, Priority, Queue
from helpdesk.tickets.promises import Promise, pick
from helpdesk.web.cached import keep, setting
from helpdesk.web.formats import MINUTE, worked
from helpdesk.web.guard import reading
from helpdesk.web.portal.brand import dialled
from helpdesk.web.words import words

SECONDS = 30.0
"""For which a process keeps what it has counted: whether we are open may be as old."""
AHEAD = 14  # days in which holidays are told
SOON = timedelta(days=6)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """When we are there: `lines` of the week, `unlike` days that differ soon, how it is now."""

    lines: tuple[str, ...]
    unlike: tuple[str, ...]
    is_open: bool
    text: str


@dataclass(frozen=True)
class Reach:
    """`phones`: (as people write it, as it is dialled). `wait`, `by` and `on_hold` (of who phones
    now) are "" where unknown."""

    emails: tuple[tuple[str, str], ...]
    phones: tuple[tuple[str, str], ...]
    hours: Hours | None
    wait: str
    by: str
    on_hold: str


def reach() -> Reach:
    """In the language of this request."""
    return keep(("reach", g.language), SECONDS, lambda: _reach(reading(), now()))


def hours_of(calendar: worktime.Calendar | None, at: datetime) -> Hours:
    """The hours of a calendar in words; None: round the clock."""
    if calendar is None:
        return Hours((_("Round the clock"),), (), True, _("open now"))
    zone = ZoneInfo(calendar.timezone)
    lines = tuple(_week(calendar.weekly))
    unlike = tuple(_unlike(calendar, at.astimezone(zone).date()))
    is_open, text = _present(calendar, zone, at)
    return Hours(lines, unlike, is_open, text)


def _reach(session: Session, at: datetime) -> Reach:
    rows = session.execute(
        select(Queue.id, Queue.name, Queue.numbers, Queue.in_form, Mailbox.address)
        .outerjoin(Mailbox, (Mailbox.queue_id == Queue.id) & Mailbox.is_primary.is_(True))
        .where(Queue.active.is_(True))
        .order_by(Queue.id)
    ).all()
    ours = str(setting("brand_phone"))
    phones = {dialled(ours): ours} if ours else {}
    for number in (number for row in rows for number in row.numbers):
        phones.setdefault(number, display(number))
    first = next((row.id for row in rows if row.in_form), rows[0].id if rows else None)
    promise = pick(session, first, Priority.NORMAL, ()) if first is not None else None
    return Reach(
        emails=tuple((row.name, row.address) for row in rows if row.address),
        phones=tuple((text, number) for number, text in phones.items()),
        hours=hours_of(promise.calendar, at) if promise else None,
        wait=_wait(session, first, promise, at) if first is not None else "",
        by=_by(promise, at) if promise else "",
        on_hold=_on_hold(session, rows, at) if phones else "",
    )


def _on_hold(session: Session, rows: Sequence[Any], at: datetime) -> str:
    """The present wait in the queue that calls come to: that of a number, else the oldest one."""
    queue_id = next((row.id for row in rows if row.numbers), rows[0].id if rows else None)
    found = waits.phone(session, queue_id, at) if queue_id is not None else None
    if found is None:
        return ""
    low, high = found
    if not high:
        return str(_("calls are answered at once now"))
    if not low:
        return str(
            ngettext(
                "callers wait less than %(num)s minute now",
                "callers wait less than %(num)s minutes now",
                high,
            )
        )
    return str(
        ngettext(
            "callers wait %(low)s to %(num)s minute now",
            "callers wait %(low)s to %(num)s minutes now",
            high,
            low=low,
        )
    )


def _wait(session: Session, queue_id: int, promise: Promise | None, at: datetime) -> str:
    seconds = waits.first_response(session, queue_id, at)
    if seconds is None:
        return ""
    length = worked(max(seconds, MINUTE))
    if promise is None or promise.calendar is None:
        return str(_("half of the answers come within %(time)s", time=length))
    return str(_("half of the answers come within %(time)s of working time", time=length))


def _by(promise: Promise, at: datetime) -> str:
    target = promise.targets.get(Metric.FIRST_RESPONSE)
    if target is None:
        return ""
    try:
        due = worktime.add(promise.calendar, at, target)
    except HelpdeskError:  # a calendar that never opens promises nothing
        return ""
    name = promise.calendar.timezone if promise.calendar else str(current_app.config["TIMEZONE"])
    zone = ZoneInfo(name)
    if due.astimezone(zone).date() == at.astimezone(zone).date():
        time = f"{due.astimezone(zone):%H:%M}"
        return str(_("write now, and we answer today by %(time)s", time=time))
    until = moment(due, name, g.language, today=at, zoned=False)
    return str(_("write now, and we answer by %(moment)s", moment=until))


def _week(weekly: Mapping[str, worktime.Windows]) -> Iterator[str]:
    """ "Mon–Fri 09:00–18:00": neighbours with the same hours together, closed days left out."""
    names = words().weekdays
    days = [(names[n], _windows(weekly.get(day, ()))) for n, day in enumerate(worktime.WEEKDAYS)]
    for hours, group in groupby(days, key=lambda pair: pair[1]):
        same = [name for name, _hours in group]
        if hours:
            span = same[0] if len(same) == 1 else f"{same[0]}–{same[-1]}"
            yield f"{span} {hours}"


def _windows(windows: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{start}–{end}" for start, end in windows)


def _unlike(calendar: worktime.Calendar, today: date) -> Iterator[str]:
    """The days ahead on which it is otherwise: "24 December: closed"."""
    for number in range(AHEAD):
        day = today + number * DAY
        key = day.isoformat()
        usual = calendar.weekly.get(worktime.WEEKDAYS[day.weekday()], ())
        if key in calendar.special:
            windows = calendar.special[key]
        elif key in calendar.holidays:
            windows = ()
        else:
            continue
        if tuple(windows) == tuple(usual):
            continue
        name = format_date(day, "d MMMM", locale=g.language)
        if windows:
            yield f"{name}: {_windows(windows)}"
        else:
            yield _("%(day)s: closed", day=name)


def _present(calendar: worktime.Calendar, zone: ZoneInfo, at: datetime) -> tuple[bool, str]:
    if worktime.is_open(calendar, at):
        end = worktime.spans(calendar, at, at + SOON)[0].end
        if end - at >= SOON:
            return True, _("open now")
        local = end.astimezone(zone)
        if end - at > DAY:
            return True, _("open now, till %(moment)s", moment=_day_time(local, at))
        return True, _("open now, till %(time)s", time=f"{local:%H:%M}")
    try:
        opening = worktime.next_open(calendar, at).astimezone(zone)
    except HelpdeskError:  # it never opens
        return False, _("closed")
    if opening.date() == at.astimezone(zone).date():
        return False, _("closed now, opens at %(time)s", time=f"{opening:%H:%M}")
    return False, _("closed now, opens %(moment)s", moment=_day_time(opening, at))


def _day_time(local: datetime, at: datetime) -> str:
    """ "Mon 09:00" within six days, else "24 Nov, 09:00"."""
    if local - at < SOON:
        return f"{words().weekdays[local.weekday()]} {local:%H:%M}"
    return f"{format_date(local.date(), 'd MMM', locale=g.language)}, {local:%H:%M}"
