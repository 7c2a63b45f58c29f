"""Calls over another telephone, written down by an agent."""

from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.calls import outcomes, record, wrap_up
from helpdesk.calls.models import (
    Call,
    Direction,
    EndReason,
    Provider,
)
from helpdesk.clients.models import Client, Person
from helpdesk.events import Actor
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.tokens import new_token
from helpdesk.planner import actions as planner
from helpdesk.planner.models import TaskResult

LONGEST = timedelta(days=1)
RESULT = tuple(wrap_up.Result.__annotations__)


class About(TypedDict, total=False):
    """With whom it was and on what; all of it may be left out."""

    person_id: int | None
    contact_point_id: int | None
    ticket_id: int | None
    queue_id: int | None
    number: str | None  # the other one's, E.164


class Told(wrap_up.Result, About, total=False):
    """Whatever else there is to say of a call."""


def log(
    session: Session,
    *,
    user_id: int,
    at: datetime,
    client_id: int,
    direction: Direction,
    talked: bool = True,
    minutes: int = 0,
    started_at: datetime | None = None,
    notes: str = "",
    task_id: int | None = None,
    **told: Unpack[Told],
) -> Call:
    """Write down a call that ended just now, or began at `started_at`; `minutes` is its length.

    Without a ticket it stands in the client's history only, unless there is something to do next
    or a reason to keep. A talk is an answer to the client. `task_id`: the planned contact that it
    was about. Raises HelpdeskError for a length or moment that can't be, and as `wrap_up.save`.
    """
    begun = _begun(at, minutes, started_at)
    facts: dict[str, Any] = {
        "started_at": begun,
        "ended_at": begun + timedelta(minutes=minutes),
        "wrapped_at": at,
    }
    facts |= {"answered_at": begun} if talked else {"end_reason": EndReason.NO_ANSWER}
    about: dict[str, Any] = {name: told.get(name) for name in About.__annotations__}
    side = "from_number" if direction == Direction.INBOUND else "to_number"
    about[side] = about.pop("number")
    if about["queue_id"] is None:
        del about["queue_id"]
    call = record.create(
        session,
        provider=Provider.HAND,
        provider_id=f"hand-{new_token(16)}",
        direction=direction,
        at=at,
        client_id=client_id,
        user_id=user_id,
        language=_language(session, client_id, about["person_id"]),
        **facts,
        **about,
    )
    _say(session, call, user_id, at)
    result = {name: value for name, value in told.items() if name in RESULT}
    _keep(session, call, notes, result, user_id, at)
    _follow(session, call, task_id, talked, user_id, at)
    return call


def _begun(at: datetime, minutes: int, started_at: datetime | None) -> datetime:
    length = timedelta(minutes=minutes)
    if not timedelta(0) <= length <= LONGEST:
        raise HelpdeskError(_lazy("This is no length of a call."), field="minutes")
    begun = started_at if started_at is not None else at - length
    if begun + length > at:
        raise HelpdeskError(_lazy("This call would end in the future."), field="started_at")
    return begun


def _keep(
    session: Session, call: Call, notes: str, result: dict[str, Any], user_id: int, at: datetime
) -> None:
    """Bare notes need no ticket: they stand in the client's history with the call."""
    if any(result.values()):
        wrap_up.save(session, call, user_id=user_id, at=at, notes=notes, **result)
    elif notes.strip():
        wrap_up.note(session, call, notes, user_id=user_id, at=at)


def _follow(
    session: Session, call: Call, task_id: int | None, talked: bool, user_id: int, at: datetime
) -> None:
    if talked and call.ticket_id is not None:
        outcomes.talked(session, call, at)
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
    record.say(session, call, "call.logged", at, actor=Actor(user_id=user_id), user_id=user_id)
