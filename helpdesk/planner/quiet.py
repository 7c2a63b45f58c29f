"""When a client may be phoned: in the daytime of their own time zone."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, Person
from helpdesk.lib import worktime

DAY = ("09:00", "20:00")
"""No call comes before or after, unless the moment was agreed."""


def zone_of(session: Session, client_id: int, person_id: int | None) -> str:
    """The time zone of a person, else of their client, else ours."""
    person = session.get(Person, person_id) if person_id is not None else None
    client = session.get(Client, client_id)
    mine = (person.timezone if person else None) or (client.timezone if client else None)
    return mine or str(current_app.config["TIMEZONE"])


def daytime(at: datetime, zone: str) -> datetime:
    """The first moment, UTC, not before `at` at which it is day in the zone."""
    return worktime.next_open(_days(zone), at)


def next_day(at: datetime, zone: str) -> datetime:
    """The same time by the clock on the wall, a day later; UTC."""
    local = at.astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return local.astimezone(at.tzinfo)


@lru_cache(maxsize=64)
def _days(zone: str) -> worktime.Calendar:
    return worktime.Calendar("", zone, dict.fromkeys(worktime.WEEKDAYS, [DAY]))
