"""Lists and definitions of the numbers on the wallboard; the numbers: `snapshot`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call
from helpdesk.lib.errors import _lazy
from helpdesk.planner.models import Task
from helpdesk.reports.filters import conditions
from helpdesk.reports.sheet import Ask, Behind, Measure, Unit
from helpdesk.reports.wallboard import rows as now_rows
from helpdesk.tickets.models import Ticket


def _tickets(condition: Callable[[Ask], ColumnElement[bool] | None], order: Any) -> Any:
    def ids(session: Session, ask: Ask) -> list[int]:
        filters = replace(
            ask.filters, slot=None
        )  # an hour of a weekday says nothing of the present
        query = select(Ticket.id).where(*now_rows.active())
        query = query.where(*conditions(session, filters, ask.scope))
        wanted = condition(ask)
        query = query if wanted is None else query.where(wanted)
        return list(session.scalars(query.order_by(order, Ticket.id)))

    return ids


def _calls(session: Session, ask: Ask) -> list[int]:
    query = select(Call.id).where(*now_rows.calls_in(session, ask.filters, ask.scope))
    return list(session.scalars(query.order_by(Call.queued_at, Call.id)))


def _callbacks(due: Callable[[Ask], ColumnElement[bool]]) -> Any:
    def ids(session: Session, ask: Ask) -> list[int]:
        query = select(Task.id).where(*now_rows.callbacks_in(session, ask.filters, ask.scope))
        return list(session.scalars(query.where(due(ask)).order_by(Task.due_at, Task.id)))

    return ids


LISTS: Mapping[str, Behind] = {
    "now_open": Behind(
        "ticket",
        _lazy("Open tickets now"),
        _tickets(lambda ask: None, Ticket.last_message_at.desc()),
        dated=False,
    ),
    "now_unassigned": Behind(
        "ticket",
        _lazy("Tickets that nobody has"),
        _tickets(lambda ask: Ticket.assignee_id.is_(None), Ticket.last_message_at),
        dated=False,
    ),
    "now_unanswered": Behind(
        "ticket",
        _lazy("Clients who wait for an answer, the longest first"),
        _tickets(lambda ask: now_rows.unanswered(), Ticket.waiting_since),
        dated=False,
    ),
    "now_due": Behind(
        "ticket",
        _lazy("Tickets at risk in the next hour"),
        _tickets(lambda ask: now_rows.due_soon(ask.at), Ticket.next_due_at),
        dated=False,
    ),
    "now_breached": Behind(
        "ticket",
        _lazy("Open tickets with a broken promise"),
        _tickets(lambda ask: now_rows.breached(), Ticket.next_due_at),
        dated=False,
    ),
    "now_calls": Behind("call", _lazy("Callers who wait now"), _calls, dated=False),
    "now_callbacks": Behind(
        "task",
        _lazy("Callbacks due within the hour"),
        _callbacks(lambda ask: now_rows.callbacks_due(ask.at)),
        dated=False,
    ),
    "now_late_callbacks": Behind(
        "task",
        _lazy("Callbacks that are late"),
        _callbacks(lambda ask: Task.due_at < ask.at),
        dated=False,
    ),
}

_MERGED = _lazy("Merged tickets count as the one they were merged into.")
_PAUSED = _lazy("A paused clock has no due moment and is in no danger.")

MEASURES: tuple[Measure, ...] = (
    Measure(
        "now_calls",
        _lazy("Calls waiting"),
        Unit.COUNT,
        _lazy("callers in the queue who are not connected to an agent yet"),
        (_lazy("A caller who hears the menu, leaves a message or wants a callback doesn’t wait."),),
        better="down",
    ),
    Measure(
        "now_longest",
        _lazy("Longest wait"),
        Unit.SECONDS,
        _lazy("now − the moment the first of the waiting callers joined the queue"),
        better="down",
    ),
    Measure(
        "now_open",
        _lazy("Open tickets"),
        Unit.COUNT,
        _lazy("tickets that are neither resolved nor closed"),
        (_MERGED, _lazy("A reopened ticket is open again.")),
        better="down",
    ),
    Measure(
        "now_unassigned",
        _lazy("Unassigned"),
        Unit.COUNT,
        _lazy("open tickets without an assignee"),
        (_MERGED,),
        better="down",
    ),
    Measure(
        "now_oldest",
        _lazy("Oldest unanswered"),
        Unit.SECONDS,
        _lazy("now − the earliest moment since which a client waits for an answer (wall clock)"),
        (_lazy("A note or an automatic receipt is no answer."),),
        better="down",
    ),
    Measure(
        "now_due",
        _lazy("At risk in the next hour"),
        Unit.COUNT,
        _lazy("open tickets whose next promise ends within 60 minutes and none is broken yet"),
        (_PAUSED, _MERGED),
        better="down",
    ),
    Measure(
        "now_breached",
        _lazy("Breached, open"),
        Unit.COUNT,
        _lazy("open tickets with a promise that is over and not answered yet"),
        (_lazy("Once it is answered late the ticket leaves this number, not the SLA report."),),
        better="down",
    ),
    Measure(
        "now_callbacks",
        _lazy("Callbacks due"),
        Unit.COUNT,
        _lazy("callbacks promised for the next 60 minutes or earlier and not made yet"),
        better="down",
    ),
    Measure(
        "now_free",
        _lazy("Agents free"),
        Unit.COUNT,
        _lazy("people who are available and not paused"),
        (_lazy("Paused is who left an offered call unanswered."),),
        better="up",
    ),
)
