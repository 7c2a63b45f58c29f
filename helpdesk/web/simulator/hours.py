"""Where "to the night" and "to opening time" lead the simulated clock."""

from datetime import datetime, timedelta

from sqlalchemy import select

from helpdesk.calls.hours import Hours, hours_for
from helpdesk.tickets.models import Queue
from helpdesk.web.formats import zone
from helpdesk.web.guard import reading

NIGHT = 2  # o'clock
SETTLED = timedelta(minutes=5)  # after opening


def night(at: datetime) -> datetime:
    """The next time when it is two at night for the reader."""
    local = at.astimezone(zone())
    goal = local.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    return (goal if goal > local else goal + timedelta(days=1)).astimezone(at.tzinfo)


def opening(at: datetime) -> datetime:
    """The next moment at which calls to the first queue are answered; now, if it never opens."""
    found = first_hours()
    if found.is_open(at):
        return at
    opens = found.next_open(at)
    return opens + SETTLED if opens is not None else at


def first_hours() -> Hours:
    """The hours of the oldest queue, to which unknown numbers lead."""
    query = select(Queue.id).where(Queue.active.is_(True)).order_by(Queue.id).limit(1)
    return hours_for(reading(), reading().scalar(query))
