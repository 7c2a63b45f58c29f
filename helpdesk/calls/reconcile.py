"""What the carrier knows and we don't: calls and recordings that were missed, calls gone silent.

It asks in place of webhooks that never came, and puts the answers through the way of webhooks, so
that what did come meanwhile changes nothing. Each round goes on where the last one ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.calls import asked, flow, payloads, record
from helpdesk.calls.carriers import carrier, provider
from helpdesk.calls.flow import Answer
from helpdesk.calls.models import Call, CallEvent, CallLeg, Direction, LegState
from helpdesk.calls.providers.port import Carrier, CarrierError, Heard, Placed
from helpdesk.calls.states import LEG_RANK, OVER
from helpdesk.lib.clock import now
from helpdesk.settings import Setting
from helpdesk.tickets.models import Queue

log = structlog.get_logger()

SILENT = timedelta(seconds=90)
"""A live call of which nothing was heard for so long is asked after."""
FORGOTTEN = timedelta(hours=4)
"""A live call that nobody can be asked about is over after so long."""
OVERLAP = timedelta(minutes=5)  # looked at twice: their clock, and calls still under way
AT_ONCE = 100
CURSOR = "calls.reconciled"

_LIVE = [state for state in LEG_RANK if state not in OVER]


@dataclass
class Round:
    """What one round found."""

    events: int = 0
    asked: int = 0
    calls: int = 0
    recordings: int = 0
    forgotten: int = 0
    error: str | None = None

    @property
    def did(self) -> int:
        return self.events + self.asked + self.calls + self.recordings + self.forgotten


def run() -> Round:
    """One round. Entry point: it commits, each thing by itself. Never raises CarrierError: a
    carrier that is away is asked again in the next round.
    """
    at = now()
    found = Round(events=_again(), forgotten=_forget(at))
    try:
        _ask(found, at)
    except CarrierError as error:
        found.error = str(error)[:300]
        log.warning("reconcile.carrier", error=found.error)
    _remember(found, at)
    if found.did:
        log.info("reconcile", **vars(found))
    return found


def last(session: Session) -> tuple[datetime, str | None] | None:
    """When the carrier was asked last, and what was wrong then; None: never."""
    row = session.get(Setting, CURSOR)
    if row is None:
        return None
    return datetime.fromisoformat(row.value["tried_at"]), row.value.get("error")


def _ask(found: Round, at: datetime) -> None:
    company = carrier()
    since = _cursor(at) - OVERLAP
    numbers = _our_numbers()
    for placed in company.calls_since(since):
        if _is_ours(placed, numbers):
            found.calls += _put(asked.leg(company.provider, placed, at))
    for kept in company.recordings_since(since):
        if _leg_state(kept.call_id) is not None:
            found.recordings += _put(asked.recording(company.provider, kept))
    for call_id, names in _silent(at):
        found.asked += _ask_after(company, call_id, names)


def _ask_after(company: Carrier, call_id: int, names: Sequence[str]) -> int:
    for name in names:
        placed = company.fetch_call(name)
        if placed.state is not None:
            _put(asked.leg(company.provider, placed, now()))
            continue
        with ext.write() as session:  # they know nothing of it: it ended when it fell silent
            call = session.get_one(Call, call_id)
            _end(session, call, name, call.last_event_at)
    with ext.write() as session:
        session.get_one(Call, call_id).last_event_at = now()
    return len(names)


def _end(session: Session, call: Call, name: str, at: datetime) -> None:
    leg = session.scalar(select(CallLeg).where(CallLeg.provider_id == name))
    if leg is not None:
        record.placed(session, call, leg, name, at, failed=True)
    else:
        record.note(session, call, now(), ended_at=at)
    call.reconciled = True


def _put(heard: Heard) -> int:
    """Through the way of webhooks; 1 if it was news."""
    if not _is_news(heard):
        return 0
    with ext.write() as session:
        answer = flow.receive(session, heard, now(), reconciled=True)
    return 0 if answer.repeat else 1


def _is_news(heard: Heard) -> bool:
    """Whether the row of the leg, or of the recording, doesn't say so already."""
    with ext.session() as session:
        if session.scalar(select(CallEvent.id).where(CallEvent.key == heard.key)) is not None:
            return False
    known = _leg_state(heard.provider_id)
    if heard.kind != "leg":
        return True
    return known is None or (known not in OVER and known != heard.state)


def _leg_state(provider_id: str | None) -> LegState | None:
    with ext.session() as session:
        query = select(CallLeg.state).where(CallLeg.provider_id == provider_id)
        return session.scalar(query)


def _our_numbers() -> set[str]:
    """The numbers that queues name; none where all numbers lead to one queue."""
    with ext.session() as session:
        rows = session.scalars(select(Queue.numbers).order_by(Queue.id)).all()
    return {number for numbers in rows for number in numbers}


def _is_ours(placed: Placed, numbers: set[str]) -> bool:
    """The account may serve others too: a call that we don't know is ours if its number is."""
    if placed.direction == Direction.OUTBOUND or not numbers or placed.to_number in numbers:
        return True
    return _leg_state(placed.provider_id) is not None


def _silent(at: datetime) -> list[tuple[int, list[str]]]:
    """Live calls of this carrier without news, with the names of their open legs."""
    with ext.session() as session:
        query = select(Call.id, Call.provider_id).where(
            Call.over_at.is_(None), Call.last_event_at <= at - SILENT, Call.provider == provider()
        )
        calls = session.execute(query.order_by(Call.last_event_at).limit(AT_ONCE)).all()
        legs = select(CallLeg.call_id, CallLeg.provider_id).where(
            CallLeg.call_id.in_([call_id for call_id, _ in calls]),
            CallLeg.provider_id.is_not(None),
            CallLeg.state.in_(_LIVE),
        )
        names: dict[int, list[str]] = {call_id: [] for call_id, _ in calls}
        for call_id, name in session.execute(legs.order_by(CallLeg.id)):
            names[call_id].append(str(name))
    return [(call_id, found) for call_id, found in names.items() if found]


def _forget(at: datetime) -> int:
    """End live calls that nobody can be asked about: of an exchange that only tells, of a carrier
    that was used before, or without any leg.
    """
    query = select(Call).where(Call.over_at.is_(None), Call.last_event_at <= at - FORGOTTEN)
    query = query.order_by(Call.last_event_at).limit(AT_ONCE)
    with ext.session() as session:
        if session.scalar(query.with_only_columns(Call.id)) is None:
            return 0
    with ext.write() as session:
        mute = [call for call in session.scalars(query).all() if _is_mute(session, call)]
        for call in mute:
            _close(session, call, at)
    return len(mute)


def _is_mute(session: Session, call: Call) -> bool:
    return call.provider != provider() or not _has_legs(session, call)


def _has_legs(session: Session, call: Call) -> bool:
    query = select(CallLeg.id).where(
        CallLeg.call_id == call.id, CallLeg.provider_id.is_not(None), CallLeg.state.in_(_LIVE)
    )
    return session.scalar(query.limit(1)) is not None


def _close(session: Session, call: Call, at: datetime) -> None:
    silent_at = call.last_event_at
    query = select(CallLeg).where(CallLeg.call_id == call.id, CallLeg.state.in_(_LIVE))
    for leg in session.scalars(query.order_by(CallLeg.id)).all():
        if leg.provider_id is not None:
            record.placed(session, call, leg, leg.provider_id, silent_at, failed=True)
    record.note(session, call, at, ended_at=silent_at)
    call.reconciled = True


def _again() -> int:
    """Work on what was kept because working on it failed."""
    with ext.session() as session:
        query = select(CallEvent.id).where(CallEvent.todo.is_not(None)).order_by(CallEvent.id)
        ids = session.scalars(query.limit(AT_ONCE)).all()
    return sum(_once_more(id_) for id_ in ids)


def _once_more(event_id: int) -> int:
    with ext.session() as session:
        heard = payloads.read(session.get_one(CallEvent, event_id).payload)
    try:
        with ext.write() as session:
            flow.again(session, event_id, heard, now())
    except OperationalError:
        raise
    except Exception as error:
        log.exception("reconcile.failed", event_id=event_id)
        with ext.write() as session:
            flow.failed(session, heard, now(), Answer(503), type(error).__name__)
        return 0
    return 1


def _cursor(at: datetime) -> datetime:
    with ext.session() as session:
        row = session.get(Setting, CURSOR)
    begin = row.value.get("until") if row is not None else None
    return datetime.fromisoformat(begin) if begin else at  # what was before us isn't ours


def _remember(found: Round, at: datetime) -> None:
    """The next round goes on from here, unless the carrier was away."""
    with ext.write() as session:
        ext.lock(session, CURSOR)
        row = session.get(Setting, CURSOR)
        before = row.value if row is not None else {}
        until = (before.get("until") if found.error else None) or at.isoformat()
        value = {"until": until, "tried_at": at.isoformat(), "error": found.error}
        if row is None:
            session.add(Setting(name=CURSOR, value=value))
        else:
            row.value = value
