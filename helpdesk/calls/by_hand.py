"""Calls over another telephone, written down by an agent."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.calls import outcomes, record, wrap_up
from helpdesk.calls.models import (
    Call,
    CallState,
    Direction,
    Disposition,
    EndReason,
    NextStep,
    Provider,
)
from helpdesk.clients.models import Client, Person
from helpdesk.events import Actor
from helpdesk.events import record as record_event
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.tokens import new_token
from helpdesk.planner import actions as planner
from helpdesk.planner.models import TaskResult

LONGEST = timedelta(days=1)


def log(
    session: Session,
    *,
    user_id: int,
    at: datetime,
    client_id: int,
    direction: Direction,
    person_id: int | None = None,
    contact_point_id: int | None = None,
    number: str | None = None,
    ticket_id: int | None = None,
    queue_id: int | None = None,
    talked: bool = True,
    minutes: int = 0,
    started_at: datetime | None = None,
    notes: str = "",
    reason_id: int | None = None,
    product_id: int | None = None,
    disposition: Disposition | None = None,
    next_step: NextStep | None = None,
    due_at: datetime | None = None,
    task_id: int | None = None,
) -> Call:
    """Write down a call that ended just now, or began at `started_at`; `minutes` is its length.

    Without a ticket it stands in the client's history only, unless there is something to do next
    or a reason to keep. A talk is an answer to the client. `task_id`: the planned contact that it
    was about. Raises HelpdeskError for a length or moment that can't be, and as `wrap_up.save`.
    """
    length = timedelta(minutes=minutes)
    begun = started_at if started_at is not None else at - length
    if not timedelta(0) <= length <= LONGEST:
        raise HelpdeskError(_lazy("This is no length of a call."), field="minutes")
    if begun + length > at:
        raise HelpdeskError(_lazy("This call would end in the future."), field="started_at")
    moments: dict[str, Any] = {"started_at": begun, "ended_at": begun + length, "wrapped_at": at}
    outcome = {"answered_at": begun} if talked else {"end_reason": EndReason.NO_ANSWER}
    if queue_id is not None:
        moments["queue_id"] = queue_id
    who, ours = (number, None) if direction == Direction.INBOUND else (None, number)
    call = record.create(
        session,
        provider=Provider.HAND,
        provider_id=f"hand-{new_token(16)}",
        direction=direction,
        at=at,
        from_number=who,
        to_number=ours,
        client_id=client_id,
        person_id=person_id,
        contact_point_id=contact_point_id,
        ticket_id=ticket_id,
        user_id=user_id,
        language=_language(session, client_id, person_id),
        **moments,
        **outcome,
    )
    _say(session, call, user_id, at)
    given = {
        "reason_id": reason_id,
        "product_id": product_id,
        "disposition": disposition,
        "next_step": next_step,
        "due_at": due_at,
    }
    _keep(session, call, notes, given, user_id, at)
    _follow(session, call, task_id, talked, user_id, at)
    return call


def _keep(
    session: Session, call: Call, notes: str, given: dict[str, Any], user_id: int, at: datetime
) -> None:
    """Bare notes need no ticket: they stand in the client's history with the call."""
    if any(given.values()):
        wrap_up.save(session, call, user_id=user_id, at=at, notes=notes, **given)
    elif notes.strip():
        wrap_up.note(session, call, notes, user_id=user_id, at=at)


def _follow(
    session: Session, call: Call, task_id: int | None, talked: bool, user_id: int, at: datetime
) -> None:
    if talked and call.ticket_id is not None:
        outcomes.talked(session, call, CallState.NEW, at)
    if task_id is not None:
        task = planner.locked(session, task_id)
        result = TaskResult.TALKED if talked else TaskResult.NO_ANSWER
        actor = Actor(user_id=user_id)
        planner.tried(session, task, result, at=at, call_id=call.id, actor=actor)


def _language(session: Session, client_id: int, person_id: int | None) -> str:
    client = session.get(Client, client_id)
    if client is None or client.erased_at is not None:
        raise NotFound()
    person = session.get(Person, person_id) if person_id is not None else None
    known = (person.language if person else None) or client.language
    return known or str(settings.get(session, "primary_language"))


def _say(session: Session, call: Call, user_id: int, at: datetime) -> None:
    record_event(
        session,
        "call.logged",
        actor=Actor(user_id=user_id),
        at=at,
        ticket_id=call.ticket_id,
        client_id=call.client_id,
        call_id=call.id,
        user_id=user_id,
    )
