"""The lists behind the numbers of the SLA report."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.sheet import Ask, Behind
from helpdesk.reports.sla.sums import breached, counted, kept, seconds
from helpdesk.tickets.models import Clock, Metric, Ticket

OUTCOMES = ("met", "breached", "running", "done", "stopped")
"""`done`: met or breached; `stopped`: those that have ended, the slowest first."""


def _clocks(session: Session, ask: Ask) -> Sequence[int]:
    """Ids of promises, the newest first; `metric` and `outcome` of the arguments narrow them."""
    query = counted(session, ask, ask.period, Clock.id).where(*_asked(ask))
    slowest = [seconds().desc()] if ask.args.get("outcome") == "stopped" else []
    query = query.order_by(*slowest, Clock.id.desc())
    return [row[0] for row in kept(session, query, ask, ask.period)]


def _tickets(session: Session, ask: Ask) -> Sequence[int]:
    """Ids of the tickets that have such promises, the newest first."""
    query = counted(session, ask, ask.period, Ticket.id).where(*_asked(ask))
    found = {row[0] for row in kept(session, query, ask, ask.period)}
    return sorted(found, reverse=True)


def _asked(ask: Ask) -> list[Any]:
    found: list[Any] = []
    metric, outcome = ask.args.get("metric"), ask.args.get("outcome")
    if metric:
        if metric not in set(Metric):
            raise _unknown("metric", metric)
        found.append(Clock.metric == Metric(metric))
    if outcome:
        if outcome not in OUTCOMES:
            raise _unknown("outcome", outcome)
        late, over = breached(ask), Clock.stopped_at.is_not(None)
        known: dict[str, list[Any]] = {
            "met": [~late, over],
            "breached": [late],
            "running": [~late, ~over],
            "done": [late | over],
            "stopped": [over],
        }
        found += known[outcome]
    return found


def _unknown(name: str, text: str) -> HelpdeskError:
    message = _lazy("The filter %(name)s has no value “%(text)s”.")
    return HelpdeskError(message, field=name, name=name, text=text[:40])


LISTS: Mapping[str, Behind] = {
    "sla": Behind("clock", _lazy("SLA promises"), _clocks),
    "sla_tickets": Behind("ticket", _lazy("Tickets with an SLA promise"), _tickets),
}
