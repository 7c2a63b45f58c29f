"""The lists behind the numbers of the work report."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.sheet import Ask, Behind
from helpdesk.reports.work.flow import active_ids, left_ids, moved_ids
from helpdesk.reports.work.stays import BANDS, OPEN, of_age, stay_ids
from helpdesk.tickets.models import Status, Ticket

LONGEST_ID = 16


def _active(session: Session, ask: Ask) -> Sequence[int]:
    """Narrowed by `age` (a key of BANDS), `status` and `nobody` ("1") of the arguments."""
    where: list[ColumnElement[bool]] = []
    age, state = ask.args.get("age"), _state(ask)
    if age:
        if age not in BANDS:
            raise _unknown("age", age)
        where.append(of_age(age, ask.at))
    if state:
        where.append(Ticket.status == state)
    if ask.args.get("nobody"):
        where.append(Ticket.assignee_id.is_(None))
    return active_ids(session, ask, *where)


def _stays(session: Session, ask: Ask, *, ended: bool) -> Sequence[int]:
    """Narrowed by `lay_in` (a queue) and `status` of the arguments."""
    text = ask.args.get("lay_in", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < LONGEST_ID):
        raise _unknown("lay_in", text)
    return stay_ids(session, ask, int(text) if text else None, _state(ask), ended=ended)


def _state(ask: Ask) -> Status | None:
    text = ask.args.get("status")
    if text and text not in OPEN:
        raise _unknown("status", text)
    return Status(text) if text else None


def _unknown(name: str, text: str) -> HelpdeskError:
    message = _lazy("The filter %(name)s has no value “%(text)s”.")
    return HelpdeskError(message, field=name, name=name, text=text[:40])


def _moved(name: str, title: str) -> Behind:
    return Behind("ticket", title, partial(_moves, name=name))


def _moves(session: Session, ask: Ask, *, name: str) -> Sequence[int]:
    return moved_ids(session, ask, name)


def _now(title: str, ids: Callable[..., Any], **more: Any) -> Behind:
    return Behind("ticket", title, partial(ids, **more), dated=False)


LISTS: Mapping[str, Behind] = {
    "work_opened": _moved("opened", _lazy("Tickets opened")),
    "work_done": _moved("done", _lazy("Tickets resolved or closed")),
    "work_reopened": _moved("reopened", _lazy("Tickets reopened")),
    "work_transferred": _moved("transferred", _lazy("Tickets transferred")),
    "work_backlog": Behind("ticket", _lazy("Tickets active at the end"), left_ids),
    "work_active": _now(_lazy("Tickets open now"), _active),
    "work_stays": Behind(
        "ticket", _lazy("Tickets that lay there, the longest first"), partial(_stays, ended=True)
    ),
    "work_staying": _now(
        _lazy("Tickets that lie there now, the longest first"), _stays, ended=False
    ),
}
"""Where something happened to a ticket more than once, the ticket stands there as often."""
