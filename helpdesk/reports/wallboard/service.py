"""The service level of the telephone today, for the wallboard and the alarms."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from helpdesk.reports.calls import rows as call_rows
from helpdesk.reports.filters import Filters
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask


@dataclass(frozen=True)
class Served:
    """`quick`: calls answered in time; `counted`: those that formula F5 of the calls report counts.

    Both are what that report shows of today.
    """

    quick: int = 0
    counted: int = 0

    def __add__(self, other: "Served") -> "Served":
        return Served(self.quick + other.quick, self.counted + other.counted)

    @property
    def share(self) -> float | None:
        """None before the first call."""
        return self.quick / self.counted if self.counted else None


def served_today(
    session: Session, scope: Scope, *, at: datetime, zone: ZoneInfo
) -> dict[tuple[int | None, int | None], Served]:
    """By queue and agent, for calls that entered a queue since midnight of `zone`."""
    today = at.astimezone(zone).date()
    ask = Ask(Period(today, today, zone), Filters(), scope, at, language="en")
    calls, _before = call_rows.read(session, ask)
    found: dict[tuple[int | None, int | None], Served] = {}
    for call in filter(call_rows.counts, calls):
        key = (call.queue_id, call.user_id)
        found[key] = found.get(key, Served()) + Served(int(call_rows.in_time(call)), 1)
    return found
