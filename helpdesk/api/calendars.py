"""Business calendars."""

from sqlalchemy import select

from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.shapes.base import Paged, Query
from helpdesk.api.shapes.setup import CalendarIn, CalendarList, CalendarOut, WeeklyOut
from helpdesk.lib.worktime import WEEKDAYS
from helpdesk.tickets import calendars
from helpdesk.tickets.models import Calendar


@operation(
    "GET",
    "/calendars",
    permission="calendar.read",
    query=Paged,
    answer=CalendarList,
    tag="set-up",
)
def list_calendars(call: Call[Paged, None]) -> CalendarList:
    """List calendars."""
    rows = select(Calendar).where(Calendar.id > id_of(call.query.cursor, 0))
    rows = rows.order_by(Calendar.id).limit(call.query.limit + 1)
    page, last = cut(call.session.scalars(rows).all(), call.query.limit)
    return CalendarList(
        items=[_shape(calendar) for calendar in page],
        next_cursor=id_cursor(last.id if last else None),
    )


@operation(
    "POST",
    "/calendars",
    permission="calendar.change",
    body=CalendarIn,
    answer=CalendarOut,
    tag="set-up",
    status=201,
)
def add_calendar(call: Call[Query, CalendarIn]) -> CalendarOut:
    """Add a calendar.

    A window may end at "24:00"; a special day wins over a holiday, a holiday over the week.
    """
    body = call.body
    calendar = calendars.create(
        call.session,
        name=body.name,
        timezone=body.timezone,
        weekly=body.weekly.model_dump(),
        holidays=body.holidays,
        special=body.special,
        at=call.at,
        actor=call.actor,
    )
    return _shape(calendar)


def _shape(calendar: Calendar) -> CalendarOut:
    week = {day: calendar.weekly.get(day, []) for day in WEEKDAYS}
    return CalendarOut(
        id=calendar.id,
        name=calendar.name,
        timezone=calendar.timezone,
        weekly=WeeklyOut(**week),
        holidays=calendar.holidays,
        special=calendar.special,
    )
