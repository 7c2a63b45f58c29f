"""The record of a call: what carriers, callers and agents say, merged into one row.

Everything that happens to a call comes through `take` (a carrier said it) or `note` (a verb did
it): the facts are merged, the columns are read from them, and who has to know is told.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.calls import arrival, facts
from helpdesk.calls.derive import Columns, Leg, derive, leg_of
from helpdesk.calls.models import (
    Call,
    CallLeg,
    CallState,
    Direction,
    LegRole,
    LegState,
    Provider,
)
from helpdesk.calls.providers.port import Heard
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import lock
from helpdesk.lib.tokens import new_token

CallChanged = Callable[[Session, Call, CallState, datetime], None]
LegChanged = Callable[[Session, Call, CallLeg, LegState | None, datetime], None]

WHEN_CALL: list[CallChanged] = []
"""Told after each change of a call's state or end; `calls.flow` fills it."""
WHEN_LEG: list[LegChanged] = []
"""Told after each change of the state of an agent's leg."""

_HELD = "calls_held"
_STARTED = {"queued_at": "call.queued", "answered_at": "call.answered", "ended_at": "call.ended"}


def take(session: Session, heard: Heard, at: datetime) -> Call | None:
    """Write what a carrier said into the record of its call, in any order and any number of times.

    A call that is not known is made of what is said about it: its beginning may have been missed.
    Returns None for what is about no call of ours.
    """
    found = arrival.find(session, heard)
    if found is None and lock(session, f"call:{heard.parent_id or heard.provider_id}"):
        found = arrival.find(session, heard)
    call = _locked(session, found.call_id) if found else _stranger(session, heard, at)
    if call is None:
        return None
    role = found.role if found else _role(heard)
    if found and found.leg_id is not None:
        _name_leg(session, found.leg_id, heard)
    news = facts.of(heard, role, at)
    if role == LegRole.CUSTOMER and call.from_number is None and call.to_number is None:
        news |= _complete(session, call, heard)
    _merge(session, call, news, at)
    return call


def note(session: Session, call: Call, at: datetime, **said: Any) -> None:
    """Write what a verb did into the record; names and rules of `said` stand in `calls.facts`.

    Datetimes are moments, `queue_id` is where it waits. Raises KeyError for an unknown name.
    """
    news = facts.told(at, said)
    session.flush()
    _locked(session, call.id)
    _merge(session, call, news, at)


def document(call: Call) -> int:
    """Count a document of this call, whose row is held; its number. No column depends on it."""
    number = int(call.facts.get("documents", 0)) + 1
    call.facts = facts.merge(call.facts, {"documents": number})
    return number


def create(
    session: Session,
    *,
    provider: Provider,
    provider_id: str,
    direction: Direction,
    at: datetime,
    **given: Any,
) -> Call:
    """A call that we begin, or that an agent logs.

    `given` are facts by the names of `note` (started_at, queue_id, queued_at, answered_at…), all
    else are columns. Nobody is told of its state.
    """
    factual = {name: given.pop(name) for name in (*given,) if _is_fact(name)}
    news = facts.told(at, {"started_at": at, "begun": 1} | factual)
    if direction == Direction.OUTBOUND:
        news["outbound"] = 1
    return _add(
        session, news, at, provider=provider, provider_id=provider_id, direction=direction, **given
    )


def placed(
    session: Session,
    call: Call,
    leg: CallLeg | None,
    provider_id: str,
    at: datetime,
    *,
    failed: bool = False,
) -> None:
    """A leg that we asked for has a name at the carrier now, or could not be rung at all."""
    session.flush()
    _locked(session, call.id)
    if leg is None:
        return
    session.refresh(leg)
    if leg.provider_id is None:
        leg.provider_id = provider_id
    moment = facts.text_of(at)
    told: facts.Facts = {"role": leg.role.value, "started_at": moment}
    if leg.user_id is not None:
        told["user_id"] = leg.user_id
    if failed:
        told["over"] = [moment, 0, LegState.FAILED.value]
    _merge(session, call, {"legs": {leg.provider_id: told}}, at)


def customer_leg(session: Session, call: Call) -> CallLeg | None:
    """The customer's telephone in this call."""
    query = select(CallLeg).where(CallLeg.call_id == call.id, CallLeg.role == LegRole.CUSTOMER)
    return session.scalar(query.order_by(CallLeg.id.desc()).limit(1))


def _is_fact(name: str) -> bool:
    return name in ("queue_id", *facts.FACTS)


def _locked(session: Session, call_id: int) -> Call:
    """The row as it is now, for this transaction alone: two events at once both count.

    It is read once in a transaction (or savepoint, whose end may let go of it).
    """
    transaction = session.get_nested_transaction() or session.get_transaction()
    held: tuple[object, set[int]] | None = session.info.get(_HELD)
    if held is None or held[0] is not transaction:
        held = (transaction, set())
    elif call_id in held[1]:
        return session.get_one(Call, call_id)
    query = select(Call).where(Call.id == call_id).with_for_update()
    call = session.scalars(query.execution_options(populate_existing=True)).one()
    session.info[_HELD] = (session.get_nested_transaction() or session.get_transaction(), held[1])
    held[1].add(call_id)
    return call


def _stranger(session: Session, heard: Heard, at: datetime) -> Call | None:
    """A call that begins, or whose beginning was missed; None where nothing tells of a call."""
    if heard.provider_id is None or arrival.is_foreign(heard):
        return None
    who = arrival.who(session, heard)
    news = {"started_at": facts.text_of(heard.at or at)} | who.told
    return _add(session, news, at, provider=heard.provider, **who.columns)


def _complete(session: Session, call: Call, heard: Heard) -> facts.Facts:
    """Fill in who calls, where the first that was heard of the call didn't say it."""
    if heard.from_number is None and heard.to_number is None:
        return {}
    who = arrival.who(session, heard)
    for name in ("from_number", "to_number", "client_id", "person_id", "contact_point_id"):
        if getattr(call, name) is None:
            setattr(call, name, who.columns.get(name))
    if not call.step:  # the caller has chosen no language yet
        call.language = who.columns.get("language", call.language)
    return who.told


def _role(heard: Heard) -> LegRole:
    return LegRole.AGENT if (heard.label or "").startswith("agent-") else LegRole.CUSTOMER


def _add(session: Session, news: facts.Facts, at: datetime, **columns: Any) -> Call:
    derived = derive(news)
    call = Call(
        **{
            "token": new_token(16),
            "language": settings.get(session, "primary_language"),
            "step": {},
            "last_event_at": at,
            "notes": "",
            "facts": news,
        }
        | {field.name: getattr(derived, field.name) for field in fields(Columns)}
        | columns
    )
    session.add(call)
    session.flush()
    say(session, call, "call.started", at, direction=call.direction.value)
    _tell_moments(session, call, {}, at)
    return call


def _name_leg(session: Session, leg_id: int, heard: Heard) -> None:
    """A leg that we asked for shows itself before the carrier's answer told us its name."""
    leg = session.get_one(CallLeg, leg_id)
    if leg.provider_id is None:
        leg.provider_id = heard.provider_id
        session.flush()


def _merge(session: Session, call: Call, news: facts.Facts, at: datetime) -> None:
    merged = facts.merge(call.facts, news)
    call.last_event_at = max(call.last_event_at, at)
    call.facts = merged
    state, reason = call.state, call.end_reason
    moments = {name: getattr(call, name) for name in _STARTED}
    _apply(call, derive(merged))
    changed = _apply_legs(session, call, news.get("legs", {}))
    session.flush()
    _tell_moments(session, call, moments, at)
    for leg, before in changed:
        if leg.role == LegRole.AGENT:
            for tell_leg in WHEN_LEG:
                tell_leg(session, call, leg, before, at)
    if (call.state, call.end_reason) != (state, reason):
        for tell in WHEN_CALL:
            tell(session, call, state, at)


def _apply(call: Call, columns: Columns) -> None:
    for field in fields(Columns):
        value = getattr(columns, field.name)
        if getattr(call, field.name) != value:
            setattr(call, field.name, value)


def _apply_legs(
    session: Session, call: Call, news: facts.Facts
) -> list[tuple[CallLeg, LegState | None]]:
    """Bring the rows of the legs that were spoken of up to the facts; returns what changed."""
    changed = []
    for provider_id in news:
        told = leg_of(call.facts["legs"][provider_id])
        query = select(CallLeg).where(CallLeg.provider_id == provider_id)
        leg = session.scalar(query)
        before = leg.state if leg else None
        leg = _leg(session, call, provider_id, leg, told)
        if leg.state != before:
            changed.append((leg, before))
    return changed


def _leg(session: Session, call: Call, provider_id: str, leg: CallLeg | None, told: Leg) -> CallLeg:
    user_id = told.user_id
    if user_id is not None and (leg is None or leg.user_id is None):
        user_id = user_id if arrival.is_agent(session, user_id) else None
    if leg is None:
        leg = CallLeg(call_id=call.id, provider_id=provider_id, role=told.role)
        leg.created_at, leg.state = told.started_at, told.state
        session.add(leg)
    if leg.role == LegRole.CUSTOMER and call.provider_id != provider_id:
        call.provider_id = provider_id  # an outbound call gets its name when it is rung
    leg.user_id = leg.user_id or user_id
    leg.created_at = min(leg.created_at, told.started_at)
    leg.state, leg.answered_at, leg.ended_at = told.state, told.answered_at, told.ended_at
    return leg


def _tell_moments(
    session: Session, call: Call, before: dict[str, datetime | None], at: datetime
) -> None:
    """The Event of each moment that is known now and wasn't before."""
    about: dict[str, dict[str, Any]] = {
        "queued_at": {"queue_id": call.queue_id},
        "answered_at": {"user_id": call.user_id, "queue_id": call.queue_id},
        "ended_at": {
            "user_id": call.user_id,
            "queue_id": call.queue_id,
            "end_reason": call.end_reason.value if call.end_reason else None,
        },
    }
    for name, kind in _STARTED.items():
        if before.get(name) is None and getattr(call, name) is not None:
            say(session, call, kind, at, **about[name])


def say(
    session: Session,
    call: Call,
    kind: str,
    at: datetime,
    *,
    actor: Actor = SYSTEM,
    key: str | None = None,
    **data: Any,
) -> None:
    """Write an Event of a call; it stands with the call's ticket and client."""
    record(
        session,
        kind,
        actor=actor,
        at=at,
        key=key,
        ticket_id=call.ticket_id,
        client_id=call.client_id,
        call_id=call.id,
        **data,
    )
