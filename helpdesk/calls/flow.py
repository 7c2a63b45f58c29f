"""The one way in: what a carrier said is taken once, and answered the same each time it asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.calls import agent, caller, commands, outcomes, payloads, record, recordings, safe
from helpdesk.calls.carriers import carrier
from helpdesk.calls.models import Call, CallEvent, Direction
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.script import Hangup, Script, numbered
from helpdesk.ext import lock

Step = Callable[[Session, Call, Heard, datetime], Script]

STEPS: Mapping[str, Step] = {**caller.STEPS, **agent.STEPS}
"""Every step by its name."""
DOCUMENTS = frozenset({"voice", "step", "queue", "fallback"})
"""Kinds that are answered with a document; of all others the carrier only wants to know that they
came."""
ASK_AFTER = 5  # seconds; the beginning may only be late
TRIES = 5  # of an event that can't be worked on

record.WHEN_LEG.append(agent.leg_changed)
record.WHEN_CALL.extend([outcomes.changed, agent.call_changed])
commands.WHEN_FAILED.append(outcomes.command_failed)


@dataclass(frozen=True)
class Answer:
    """What the carrier gets: an HTTP status and a document, or nothing."""

    status: int
    body: str = ""
    repeat: bool = False


def receive(session: Session, heard: Heard, at: datetime, *, reconciled: bool = False) -> Answer:
    """Take what a carrier said, once. A repeat gets the answer of the first, byte for byte.

    `reconciled`: we asked and it wasn't told. Whatever this raises has changed nothing once the
    transaction is rolled back.
    """
    lock(session, f"call_event:{heard.key}")  # the same at the same moment waits for the first
    event = session.scalar(select(CallEvent).where(CallEvent.key == heard.key))
    if event is not None and (event.todo is None or heard.kind in DOCUMENTS):
        event.repeats += 1
        return Answer(event.status, event.answer, repeat=True)
    call, answer = _work(session, heard, at)
    event = event or _added(session, heard, at)
    event.call_id = call.id if call else None
    event.reconciled, event.payload = reconciled, payloads.kept(heard)
    event.status, event.answer, event.todo, event.error = answer.status, answer.body, None, None
    if call is not None and reconciled:
        call.reconciled = True
    session.flush()
    return answer


def failed(session: Session, heard: Heard, at: datetime, answer: Answer, error: str) -> None:
    """Keep what could not be worked on, whole, for another try; `answer` is what it got."""
    lock(session, f"call_event:{heard.key}")
    event = session.scalar(select(CallEvent).where(CallEvent.key == heard.key))
    if event is not None and event.todo is None:
        return
    tries = (event.todo or 0) + 1 if event else 1
    event = event or _added(session, heard, at)
    event.payload = payloads.whole(heard)
    event.todo, event.error = tries if tries <= TRIES else None, error
    event.status, event.answer = answer.status, answer.body
    session.flush()


def again(session: Session, event_id: int, heard: Heard, at: datetime) -> None:
    """Work once more on what was kept; who asked has long gone, so nothing is said to them."""
    event = session.get_one(CallEvent, event_id, with_for_update=True)
    if event.todo is None:
        return
    call = _written(session, heard, event.received_at)
    event.call_id = call.id if call else None
    event.payload, event.todo, event.error = payloads.kept(heard), None, None
    if call is not None:
        call.reconciled = True
    session.flush()


def answer(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """The document that a telephone is owed at this step.

    Unknown steps lead the caller on too. The steps it leads to are numbered, so that coming to one
    of them again is told from a repeat.
    """
    step = STEPS.get(_name(heard)) or STEPS["sorry"]
    script = step(session, call, heard, at)
    return numbered(script, record.document(call))


def _work(session: Session, heard: Heard, at: datetime) -> tuple[Call | None, Answer]:
    call = _written(session, heard, at)
    if heard.kind not in DOCUMENTS:
        return call, Answer(204)
    script = answer(session, call, heard, at) if call else _unknown(heard)
    return call, Answer(200, carrier().document(script))


def _unknown(heard: Heard) -> Script:
    """For what is about no call: a telephone of ours hangs up, a caller may leave a message."""
    if heard.direction == Direction.OUTBOUND:
        return Script([Hangup()])
    return safe.script(heard.step or "voice")


def _written(session: Session, heard: Heard, at: datetime) -> Call | None:
    call = record.take(session, heard, at)
    if call is not None:
        recordings.heard(session, heard, call, at)
        _ask_after(session, call, at)
    return call


def _ask_after(session: Session, call: Call, at: datetime) -> None:
    """What began without us is asked after: there may be more that we don't know."""
    if "begun" not in call.facts:
        key = f"begun-{call.id}"
        commands.order(
            session, call, commands.FETCH, key=key, at=at, delay=ASK_AFTER, unless_begun=True
        )


def _name(heard: Heard) -> str:
    if heard.kind == "voice":
        return "voice"
    return "sorry" if heard.kind == "fallback" else heard.step


def _added(session: Session, heard: Heard, at: datetime) -> CallEvent:
    event = CallEvent(
        key=heard.key,
        provider=heard.provider,
        kind=heard.kind if heard.kind != "step" else heard.step[:40],
        provider_id=heard.provider_id,
        sequence=heard.sequence,
        provider_at=heard.at,
        received_at=at,
        payload={},
        status=0,
    )
    session.add(event)
    return event
