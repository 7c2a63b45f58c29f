"""Taking a command to the carrier in hand: whether it is still wanted, and what it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallLeg,
    CommandState,
    Direction,
    LegRole,
    Offer,
    OfferOutcome,
)
from helpdesk.calls.states import OVER
from helpdesk.tickets.models import Queue

RING_AGENT, RING_CUSTOMER, REDIRECT = "ring_agent", "ring_customer", "redirect"
HANG_UP, HOLD, UNHOLD, RECORD, FETCH = "hang_up", "hold", "unhold", "record", "fetch"
RINGS = frozenset({RING_AGENT, RING_CUSTOMER})
KINDS = RINGS | {REDIRECT, HANG_UP, HOLD, UNHOLD, RECORD, FETCH}

LEASE = timedelta(seconds=30)  # longer than one request may take
SOON = timedelta(milliseconds=300)  # until a leg that rings has its name
HANGING = timedelta(seconds=5)  # that the end of an agent's leg is waited for before the next
STALE = timedelta(minutes=2)  # after it nobody waits any more for what was to happen


@dataclass(frozen=True)
class Task:
    """A command that this worker has claimed, with all that the carrier must be told.

    `name` is the leg's at the carrier; `look`: it was tried before and no answer came. A telephone
    that is not `wanted` any more is only looked for, to be hung up.
    """

    id: int
    kind: str
    attempts: int
    created_at: datetime
    name: str
    data: Mapping[str, Any]
    from_number: str
    look: bool
    wanted: bool = True


def due(session: Session, at: datetime, limit: int) -> Sequence[tuple[int, int]]:
    """(id, call id) of what is to be done now, in its order."""
    query = (
        select(CallCommand.id, CallCommand.call_id)
        .where(CallCommand.due_at.is_not(None), CallCommand.due_at <= at)
        .order_by(CallCommand.due_at, CallCommand.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def claim(session: Session, command_id: int, at: datetime) -> Task | None:
    """Take a due command for this worker alone; None if another has it or nobody needs it now.

    What is over already, or was overtaken by a later command, is settled here.
    """
    taken = session.execute(
        update(CallCommand)
        .where(CallCommand.id == command_id, CallCommand.due_at <= at)
        .values(due_at=at + LEASE)
        .execution_options(synchronize_session=False)
    )
    if not getattr(taken, "rowcount", 0):
        return None
    command = session.get_one(CallCommand, command_id, populate_existing=True)
    call = session.get_one(Call, command.call_id)
    leg = _leg(session, command)
    if (state := _settled(session, command, call, leg, at)) is not None:
        settle(command, state, at)
        return None
    if _is_early(command, call, leg) or _is_busy(session, command, leg, at):
        command.due_at = at + SOON
        return None
    task = _task(session, command, call, leg)
    command.tried_at, command.attempts = at, command.attempts + 1
    return task


def settle(command: CallCommand, state: CommandState, at: datetime) -> None:
    """Nothing more will be tried."""
    command.state, command.due_at = state, None
    command.done_at = at


def _leg(session: Session, command: CallCommand) -> CallLeg | None:
    if command.leg_id is not None:
        return session.get(CallLeg, command.leg_id)
    query = select(CallLeg).where(
        CallLeg.call_id == command.call_id, CallLeg.role == LegRole.CUSTOMER
    )
    return session.scalar(query.order_by(CallLeg.id.desc()).limit(1))


def _settled(
    session: Session, command: CallCommand, call: Call, leg: CallLeg | None, at: datetime
) -> CommandState | None:
    """What became of a command without asking the carrier; None: it must be asked."""
    if command.kind == FETCH:
        unneeded = "begun" in call.facts and command.data.get("unless_begun")
        return CommandState.DROPPED if unneeded else None
    if leg is not None and leg.state in OVER:
        return CommandState.DONE if command.kind == HANG_UP else CommandState.DROPPED
    if command.kind in RINGS:
        return _settled_ring(session, command, call, leg)
    if leg is None or leg.provider_id is None:
        return _settled_unnamed(session, command, leg, at)
    return CommandState.DROPPED if _overtaken(session, command) else None


def _settled_ring(
    session: Session, command: CallCommand, call: Call, leg: CallLeg | None
) -> CommandState | None:
    """A telephone that rings already is not rung again; for nobody none is."""
    if leg is None:
        return CommandState.DROPPED
    if leg.provider_id is not None:
        return CommandState.DONE
    if command.tried_at is not None:  # it may ring: that must be known, to end it
        return None
    return None if _is_wanted(session, call, leg) else CommandState.DROPPED


def _is_wanted(session: Session, call: Call, leg: CallLeg | None) -> bool:
    """Whether somebody still waits for this telephone to ring."""
    if leg is None or call.ended_at is not None:
        return False
    query = select(Offer).where(Offer.leg_id == leg.id, Offer.closed_at.is_not(None))
    offer = session.scalar(query.order_by(Offer.id.desc()).limit(1))
    return offer is None or offer.outcome == OfferOutcome.ACCEPTED


def _settled_unnamed(
    session: Session, command: CallCommand, leg: CallLeg | None, at: datetime
) -> CommandState | None:
    """A leg without a name is being rung just now, will be, or never was."""
    if leg is not None and at - command.created_at < STALE and _ring(session, leg) is not None:
        return None
    return CommandState.DONE if command.kind == HANG_UP else CommandState.DROPPED


def _ring(session: Session, leg: CallLeg) -> CallCommand | None:
    """The command that rings this leg, while it isn't settled."""
    query = select(CallCommand).where(
        CallCommand.call_id == leg.call_id,
        CallCommand.leg_id == leg.id,
        CallCommand.kind.in_(RINGS),
        CallCommand.due_at.is_not(None),
    )
    return session.scalar(query.order_by(CallCommand.id).limit(1))


def _overtaken(session: Session, command: CallCommand) -> bool:
    """Whether a later command says where this leg goes, or whether it is held."""
    same = {HOLD: (HOLD, UNHOLD), UNHOLD: (HOLD, UNHOLD), REDIRECT: (REDIRECT, HANG_UP)}
    kinds = same.get(command.kind)
    if kinds is None:
        return False
    leg = CallCommand.leg_id
    query = select(CallCommand.id).where(
        CallCommand.call_id == command.call_id,
        CallCommand.id > command.id,
        CallCommand.kind.in_(kinds),
        leg.is_(None) if command.leg_id is None else leg == command.leg_id,
    )
    return session.scalar(query.limit(1)) is not None


def _is_early(command: CallCommand, call: Call, leg: CallLeg | None) -> bool:
    """Whether the leg has no name at the carrier yet; holding needs the conference's name too."""
    if command.kind in RINGS or command.kind == FETCH:
        return False
    if leg is None or leg.provider_id is None:
        return True
    return command.kind in (HOLD, UNHOLD) and "conference_id" not in call.facts


def _is_busy(session: Session, command: CallCommand, leg: CallLeg | None, at: datetime) -> bool:
    """Whether the agent's telephone is still in the call before this one, e.g. being hung up."""
    if command.kind != RING_AGENT or leg is None or at - command.created_at >= HANGING:
        return False
    query = (
        select(CallLeg.state)
        .join(Offer, Offer.leg_id == CallLeg.id)
        .where(Offer.user_id == leg.user_id, Offer.leg_id != leg.id)
    )
    state = session.scalar(query.order_by(Offer.id.desc()).limit(1))
    return state is not None and state not in OVER


def _task(session: Session, command: CallCommand, call: Call, leg: CallLeg | None) -> Task:
    """Our own number is what the other side sees."""
    ours = call.from_number if call.direction == Direction.OUTBOUND else call.to_number
    if command.kind in RINGS and ours is None:
        ours = _any_number(session)
    data = dict(command.data) | {"conference_id": call.facts.get("conference_id")}
    if command.kind == RING_CUSTOMER:
        data["step"] = _with(str(data.get("step", "join")), f"call={call.id}")
        data["status"] = _with(str(data.get("status", "status")), f"call={call.id}")
    if command.kind == REDIRECT:  # a second one to the same step is no repeat of the first
        data["step"] = _with(str(data["step"]), f"n=c{command.id}")
    return Task(
        id=command.id,
        kind=command.kind,
        attempts=command.attempts + 1,
        created_at=command.created_at,
        name=(leg.provider_id if leg else None) or call.provider_id,
        data=data,
        from_number=str(data.get("from_number") or ours or ""),
        look=command.tried_at is not None,
        wanted=command.kind not in RINGS or _is_wanted(session, call, leg),
    )


def _any_number(session: Session) -> str | None:
    """One of ours, where the call itself has none: of a queue, else the last that was called."""
    queues = select(Queue.numbers).where(Queue.active.is_(True)).order_by(Queue.id)
    for numbers in session.scalars(queues):
        if numbers:
            return str(numbers[0])
    called = select(Call.to_number).where(
        Call.direction == Direction.INBOUND, Call.to_number.is_not(None)
    )
    return session.scalar(called.order_by(Call.started_at.desc()).limit(1))


def _with(step: str, pair: str) -> str:
    return f"{step}{'&' if '?' in step else '?'}{pair}"
