"""What the carrier shall do, as rows: done once, looked after, tried again, given up loudly."""

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.calls import asked, claims, record
from helpdesk.calls.carriers import carrier
from helpdesk.calls.claims import (
    FETCH,
    HANG_UP,
    HOLD,
    KINDS,
    RECORD,
    REDIRECT,
    RING_AGENT,
    RING_CUSTOMER,
    RINGS,
    STALE,
    UNHOLD,
    Task,
)
from helpdesk.calls.models import Call, CallCommand, CallLeg, CommandState, Provider
from helpdesk.calls.providers.port import CarrierError, Placed
from helpdesk.ext import add_missing
from helpdesk.lib.clock import now

__all__ = [
    "FETCH",
    "HANG_UP",
    "HOLD",
    "RECORD",
    "REDIRECT",
    "RING_AGENT",
    "RING_CUSTOMER",
    "UNHOLD",
    "order",
    "run_due",
]

log = structlog.get_logger()

STEERED = frozenset({Provider.TWILIO, Provider.TWIN})
"""Carriers that do what we ask; a foreign exchange only tells us."""
HANDS = 4  # requests at one time: a carrier answers in some 100 ms
FIRST, LONGEST = 0.5, 30.0  # seconds to the next try, doubled each time
PATIENCE = {HANG_UP: timedelta(hours=1), FETCH: timedelta(hours=1)}
"""How long a command is tried; all others only while somebody waits for it."""
RINGING = 40  # seconds that a customer's telephone rings

Result = str | Placed | None

WHEN_FAILED: list[Callable[[Session, CallCommand, str, datetime], None]] = []
"""Told of each command that the carrier refused for good; `calls.flow` fills it."""


def order(
    session: Session,
    call: Call,
    kind: str,
    *,
    key: str,
    at: datetime,
    leg: CallLeg | None = None,
    **data: Any,
) -> None:
    """Have the carrier do something, once for each `key`; the same key again does nothing.

    ring_agent takes `to`, `step`, `timeout` and `status`; ring_customer `to` and `timeout`;
    redirect `step`; all may take `delay` in seconds. Without a leg it is the customer's. Raises
    ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"no command: {kind}")
    if call.provider not in STEERED:
        return
    session.flush()
    row = {
        "key": key,
        "call_id": call.id,
        "leg_id": leg.id if leg is not None else None,
        "kind": kind,
        "data": data,
        "state": CommandState.WAITING,
        "due_at": at + timedelta(seconds=int(data.get("delay", 0))),
        "attempts": 0,
        "created_at": at,
    }
    add_missing(session, CallCommand, [row], unique="key")


def run_due(limit: int = 40) -> int:
    """Ask the carrier for what is due; how many commands were looked at.

    Entry point: it commits. A request goes out in no transaction. What belongs to one call keeps
    its order; several calls are served at one time.
    """
    with ext.session() as session:
        due = claims.due(session, now(), limit)
    if not due:
        return 0
    due = sorted(due, key=lambda pair: pair[1])  # stable: of one call they stay in their order
    calls = [[id_ for id_, _ in group] for _, group in groupby(due, key=lambda pair: pair[1])]
    if len(calls) == 1:
        _run_all(calls[0])
        return len(due)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    with ThreadPoolExecutor(min(HANDS, len(calls)), "command") as hands:
        for done in [hands.submit(_in_context, app, ids) for ids in calls]:
            done.result()
    return len(due)


def _in_context(app: Flask, ids: Sequence[int]) -> None:
    with app.app_context():
        _run_all(ids)


def _run_all(ids: Iterable[int]) -> None:
    for id_ in ids:
        with ext.write() as session:
            task = claims.claim(session, id_, now())
        if task is None:
            continue
        try:
            result, error = _ask(task), None
        except CarrierError as refused:
            result, error = None, refused
        with ext.write() as session:
            _finish(session, task, result, error, now())


def _ask(task: Task) -> Result:
    """Ask the carrier. Raises CarrierError."""
    data, name = task.data, task.name
    if task.kind in RINGS:
        return _ring(task)
    if task.kind == REDIRECT:
        carrier().redirect(name, str(data["step"]))
    elif task.kind == HANG_UP:
        carrier().hang_up(name)
    elif task.kind in (HOLD, UNHOLD):
        carrier().hold(str(data["conference_id"]), name, task.kind == HOLD)
    elif task.kind == RECORD:
        return carrier().start_recording(name, str(data.get("status", "recording")))
    elif task.kind == FETCH:
        return carrier().fetch_call(name)
    return None


def _ring(task: Task) -> str | None:
    """After a request without an answer the telephone may ring already: look, then ring.

    None: it doesn't ring, and nobody wants it to any more.
    """
    to, status = str(task.data["to"]), str(task.data["status"])
    if task.look:
        found = carrier().find_call(to, since=task.created_at, status=status)
        if found is not None and not _is_known(found):
            return found
    if not task.wanted:
        return None
    return carrier().place_call(
        to,
        from_number=task.from_number,
        step=str(task.data["step"]),
        timeout=int(task.data.get("timeout", RINGING)),
        status=status,
    )


def _is_known(provider_id: str) -> bool:
    with ext.session() as session:
        query = select(CallLeg.id).where(CallLeg.provider_id == provider_id)
        return session.scalar(query) is not None


def _finish(
    session: Session, task: Task, result: Result, error: CarrierError | None, at: datetime
) -> None:
    """Write down what became of it."""
    command = session.get_one(CallCommand, task.id)
    if error is None:
        dropped = task.kind in RINGS and result is None
        claims.settle(command, CommandState.DROPPED if dropped else CommandState.DONE, at)
        _use(session, command, result, at)
        return
    command.last_error = f"{error.code or ''} {error}".strip()[:300]
    if error.unknown and task.kind == RECORD:  # a second one would record twice
        claims.settle(command, CommandState.DONE, at)
    elif error.again and at - task.created_at < PATIENCE.get(task.kind, STALE):
        command.due_at = at + _pause(task.attempts)
        if not error.unknown:
            command.tried_at = None  # refused: nothing has happened
    else:
        _give_up(session, command, at)


def _pause(attempts: int) -> timedelta:
    seconds = min(FIRST * 2 ** min(attempts - 1, 10), LONGEST)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))


def _use(session: Session, command: CallCommand, result: Result, at: datetime) -> None:
    call = session.get_one(Call, command.call_id)
    if isinstance(result, Placed):
        record.take(session, asked.leg(call.provider, result, at), at)
    elif isinstance(result, str) and command.kind in RINGS:
        record.placed(session, call, _leg(session, command), result, at)


def _give_up(session: Session, command: CallCommand, at: datetime) -> None:
    """Loudly: whoever waits for it is told; a telephone that can't be rung counts as failed."""
    claims.settle(command, CommandState.FAILED, at)
    error = command.last_error or ""
    log.error("command.failed", command_id=command.id, kind=command.kind, call_id=command.call_id)
    session.flush()
    for tell in WHEN_FAILED:
        tell(session, command, error, at)
    call, leg = session.get_one(Call, command.call_id), _leg(session, command)
    if command.kind in RINGS:
        if leg is not None and leg.provider_id is None:
            record.placed(session, call, leg, f"unrung-{command.id}", at, failed=True)
    elif command.kind != FETCH:
        order(session, call, FETCH, key=f"after-{command.id}", at=at)


def _leg(session: Session, command: CallCommand) -> CallLeg | None:
    leg = session.get(CallLeg, command.leg_id) if command.leg_id is not None else None
    return leg or record.customer_leg(session, session.get_one(Call, command.call_id))
