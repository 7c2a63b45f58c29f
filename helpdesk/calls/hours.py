"""When a queue answers calls: by the calendar of its phone menu, else that of its SLA policy."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy.orm import Session

from helpdesk.calls import menus
from helpdesk.calls.models import PhoneMenu
from helpdesk.lib import worktime
from helpdesk.lib.errors import HelpdeskError
from helpdesk.tickets.models import Calendar, Priority
from helpdesk.tickets.promises import pick, worktime_of

AHEAD = timedelta(days=8)
"""How far a closing time is looked for: who is open longer than a week doesn't close."""


@dataclass(frozen=True)
class Hours:
    """The hours of one queue; a calendar of None is open around the clock."""

    calendar: worktime.Calendar | None
    zone: str

    def is_open(self, at: datetime) -> bool:
        """Whether calls are answered at this moment; special days and holidays count."""
        return worktime.is_open(self.calendar, at)

    def next_open(self, at: datetime) -> datetime | None:
        """The next moment, UTC, at which calls are answered; None where there is none."""
        try:
            return worktime.next_open(self.calendar, at)
        except HelpdeskError:  # a calendar that never opens
            return None

    def closes(self, at: datetime) -> datetime | None:
        """Until when, UTC, calls are answered that are answered now; None: no end is near."""
        if self.calendar is None or not self.is_open(at):
            return None
        spans = worktime.spans(self.calendar, at, at + AHEAD)
        return next((span.start for span in spans if not span.counted), None)


def hours_for(session: Session, queue_id: int | None, menu: PhoneMenu | None = None) -> Hours:
    """The hours of a queue; `menu`: its phone menu, where it is known already."""
    found = menu if menu is not None else menus.menu_for(session, queue_id)
    if found.calendar_id is not None:
        row = session.get(Calendar, found.calendar_id)
        if row is not None:
            return Hours(worktime_of(row), row.timezone)
    promise = pick(session, queue_id, Priority.NORMAL, ()) if queue_id is not None else None
    calendar = promise.calendar if promise is not None else None
    return Hours(calendar, calendar.timezone if calendar else str(current_app.config["TIMEZONE"]))


def open_now(session: Session, queue_id: int | None, at: datetime) -> bool:
    """Whether calls to this queue are answered now."""
    return hours_for(session, queue_id).is_open(at)
