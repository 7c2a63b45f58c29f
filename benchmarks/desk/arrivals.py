"""When clients turn to the desk: more on weekdays and around noon, and in the repeated hour."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from benchmarks.desk.plan import Plan, midnight
from helpdesk.lib import worktime

WEEKDAYS = (10, 9, 9, 9, 8, 3, 2)
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 12, 12, 13, 13, 12, 10, 7, 5, 4, 3, 2, 1)
NIGHT = 6  # tickets in each night that has an hour twice


def arrivals(plan: Plan, draw: random.Random) -> list[datetime]:
    """So many moments as the plan has tickets, in order, UTC, whole seconds."""
    days = [plan.first_day + timedelta(days=number) for number in range(plan.days)]
    weights = [WEEKDAYS[day.weekday()] for day in days]
    found = list(_repeated(plan, draw))
    while len(found) < plan.tickets:
        day = draw.choices(days, weights)[0]
        hour = draw.choices(range(24), HOURS)[0]
        at = midnight(day) + timedelta(hours=hour, seconds=draw.randrange(3_600))
        if plan.start <= at < plan.at:
            found.append(at)
    return sorted(found[: plan.tickets])


def _repeated(plan: Plan, draw: random.Random) -> Iterator[datetime]:
    """Some in both showings of the hour that is there twice."""
    for number in range(plan.days - 1):
        start = midnight(plan.first_day + timedelta(days=number))
        end = midnight(plan.first_day + timedelta(days=number + 1))
        if end - start > timedelta(hours=24):
            for _ in range(NIGHT):
                yield start + timedelta(hours=3, seconds=draw.randrange(7_200))


def staffed(calendar: worktime.Calendar | None, at: datetime, seconds: float) -> datetime:
    """The moment when somebody at work from `at` on has worked so long."""
    return worktime.add(calendar, at, max(int(seconds), 1))


def open_at(calendar: worktime.Calendar | None, at: datetime) -> bool:
    """Whether somebody is there."""
    return worktime.elapsed(calendar, at, at + timedelta(seconds=60)) > 0
