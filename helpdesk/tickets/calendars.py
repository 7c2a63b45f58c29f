"""Verbs on business calendars: create and change; clocks that count by them are recounted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import lock
from helpdesk.lib import worktime
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, fold
from helpdesk.tickets.models import Calendar, Policy
from helpdesk.tickets.promises import ask_recount, worktime_of

__all__ = ["change", "create", "worktime_of"]

NAME_LIMIT = 80
MAX_DATES = 1000
MAX_WINDOWS = 24
CHANGEABLE = frozenset({"name", "timezone", "weekly", "holidays", "special"})


def create(
    session: Session,
    *,
    name: str,
    timezone: str,
    weekly: Any,
    at: datetime,
    holidays: Any = (),
    special: Any = None,
    actor: Actor = SYSTEM,
) -> Calendar:
    """Add a calendar; the shapes are those of `lib.worktime`, of whatever type.

    Raises HelpdeskError for a bad or taken name and whatever is wrong in the days, naming the
    place in `field`, e.g. `weekly.mon`.
    """
    lock(session, "calendars")
    name = _free_name(session, name)
    values = _checked(name, timezone, weekly, holidays, {} if special is None else special)
    calendar = Calendar(name=name, **values)
    session.add(calendar)
    session.flush()
    record(session, "calendar.created", actor=actor, at=at, calendar_id=calendar.id)
    return calendar


def change(
    session: Session,
    calendar: Calendar,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    **changes: Any,
) -> None:
    """Change name, timezone, weekly, holidays or special; `sla.recount_due` counts anew.

    Raises Conflict if the calendar has changed since `version`, HelpdeskError as `create` does,
    and TypeError for a field that is not a calendar's: that is a bug.
    """
    if changes.keys() - CHANGEABLE:
        raise TypeError(f"a calendar has no {sorted(changes.keys() - CHANGEABLE)}")
    lock(session, "calendars")
    session.refresh(calendar)
    if version is not None and version != calendar.version:
        raise Conflict(
            _lazy("Somebody changed this calendar in the meantime. Look and save again.")
        )
    wanted = {key: changes.get(key, getattr(calendar, key)) for key in CHANGEABLE}
    name = _free_name(session, wanted.pop("name"), but=calendar.id)
    values = _checked(name, **wanted)
    changed = {key for key, value in values.items() if getattr(calendar, key) != value}
    if not changed and name == calendar.name:
        return
    for key, value in (values | {"name": name}).items():
        setattr(calendar, key, value)
    calendar.version += 1
    session.flush()
    if changed:
        ask_recount(session, Policy.calendar_id == calendar.id)
    record(session, "calendar.changed", actor=actor, at=at, calendar_id=calendar.id)


def _checked(name: str, timezone: Any, weekly: Any, holidays: Any, special: Any) -> dict[str, Any]:
    """The JSON columns in order and without repeats. Raises HelpdeskError."""
    _check_sizes(weekly, holidays, special)
    read = worktime.Calendar.from_data(name, timezone, weekly, holidays, special)
    if not any(read.weekly.values()):
        raise HelpdeskError(_lazy("A week without working hours promises nothing."), field="weekly")
    return {
        "timezone": read.timezone,
        "weekly": {day: _lists(windows) for day, windows in read.weekly.items() if windows},
        "holidays": sorted(read.holidays),
        "special": {day: _lists(windows) for day, windows in read.special.items()},
    }


def _check_sizes(weekly: Any, holidays: Any, special: Any) -> None:
    """Refuse what would make every count slow, before anything reads it."""
    for field, dates in (("holidays", holidays), ("special", special)):
        if isinstance(dates, Sequence | Mapping) and len(dates) > MAX_DATES:
            message = _lazy("At most %(limit)s dates fit one calendar.")
            raise HelpdeskError(message, field=field, limit=MAX_DATES)
    for field, days in (("weekly", weekly), ("special", special)):
        if isinstance(days, Mapping) and any(
            isinstance(windows, list | tuple) and len(windows) > MAX_WINDOWS
            for windows in days.values()
        ):
            message = _lazy("At most %(limit)s windows fit one day.")
            raise HelpdeskError(message, field=field, limit=MAX_WINDOWS)


def _lists(windows: worktime.Windows) -> list[list[str]]:
    return [list(window) for window in windows]


def _free_name(session: Session, name: Any, *, but: int | None = None) -> str:
    wanted = clean_line(name, NAME_LIMIT) if isinstance(name, str) else ""
    if not wanted:
        raise HelpdeskError(_lazy("A calendar needs a name."), field="name")
    if wanted.isdigit():
        raise HelpdeskError(_lazy("A name of digits only would look like an id."), field="name")
    for id_, other in session.execute(select(Calendar.id, Calendar.name)):
        if id_ != but and fold(other) == fold(wanted):
            raise HelpdeskError(
                _lazy("There is a calendar %(name)s already."), field="name", name=other
            )
    return wanted
