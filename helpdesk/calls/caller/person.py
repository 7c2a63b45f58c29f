"""The way to a person: consent to the recording, the queue, and what is heard while waiting."""

from datetime import datetime, timedelta

from helpdesk.calls import prompts, record, waits
from helpdesk.calls.caller import lines
from helpdesk.calls.caller.turn import Part, Turn, scene, step
from helpdesk.calls.hours import hours_for
from helpdesk.calls.menus import menu_for
from helpdesk.calls.models import Call, CallState
from helpdesk.calls.script import Enqueue, Gather, Leave, Pause, Play, Say, Script

BETWEEN = 5  # seconds of silence at the end of an announcement; with the music some 40 in all
MUSIC = "/static/phone/hold.wav"
RINGING = (CallState.OFFERED, CallState.CONNECTING)
GONE = frozenset(
    {"bridged", "bridging-in-process", "redirected", "redirected-from-bridged", "hangup"}
)
"""Why a caller left a queue when nothing more is to be said: the call goes on elsewhere."""
REFUSE = "9"


@scene("person")
def person(turn: Turn) -> Script:
    """Within the hours everybody who wants a person waits for one, even with nobody on yet."""
    queue_id = turn.queue_id if turn.queue_id is not None else turn.call.queue_id
    menu = menu_for(turn.session, queue_id)
    hours = hours_for(turn.session, queue_id, menu)
    if not hours.is_open(turn.hour):
        turn.queue_id = queue_id
        turn.first(lines.closed(hours, turn.language, turn.hour))
        return turn.go("later")
    if menu.recording and turn.call.consent_asked_at is None:
        turn.call.consent_asked_at = turn.at
        turn.call.consent_version = menu.consent_version
        says = lines.consent(menu.consent, turn.language)
        return turn.ask("consent", says, timeout=3, queue_id=queue_id)
    return _enqueue(turn, queue_id)


@step("consent")
def consent(turn: Turn) -> Script:
    """Silence agrees to the recording, as the wording says; 9 refuses."""
    call = turn.call
    call.consent_given = turn.key != REFUSE
    given, version = call.consent_given, call.consent_version
    record.say(turn.session, call, "call.consent", turn.at, given=given, version=version)
    if not call.consent_given:
        turn.first(turn.say("not_recorded"))
    turn.queue_id = turn.was.get("queue_id")
    return turn.go("person")


@step("wait")
def wait(turn: Turn) -> Script:
    """What a waiting caller hears, again and again: place, wait, other ways, music."""
    if turn.call.state == CallState.CONNECTING:
        turn.stand("waited", **_announced(turn))
        return Script([turn.say("connecting"), Pause(5)])
    if _waited_enough(turn):
        return _leave(turn, "later", turn.say("too_long"))
    return _announce(turn)


@step("waited")
def waited(turn: Turn) -> Script:
    """A key was pressed while waiting, or the music ended."""
    if turn.call.state != CallState.CONNECTING:
        if turn.key == "1" and turn.menu.callbacks:
            return _leave(turn, "callback")
        if turn.key == "2" and turn.menu.voicemail:
            return _leave(turn, "voicemail")
    return wait(turn)


@step("left")
def left(turn: Turn) -> Script:
    """The caller is out of the queue."""
    if turn.heard.queue_result in GONE:
        return Script(())
    if "leave" in turn.was:
        return turn.go(str(turn.was["leave"]))
    turn.note(left_at=turn.at)
    return turn.first(turn.say("sorry")).go("later")


def _enqueue(turn: Turn, queue_id: int | None) -> Script:
    call = turn.call
    where = {} if queue_id is None else {"queue_id": queue_id}
    again = {"queued_again_at": turn.at} if call.queued_at is not None else {}
    turn.note(queued_at=turn.at, **where, **again)
    estimate = waits.estimate(turn.session, call, turn.at)
    if call.estimated_seconds is None:
        call.estimated_seconds = estimate.seconds
    turn.stand("wait", **({"ahead": turn.ahead} if turn.ahead else {}))
    return Script([*turn.lead, Enqueue(f"q-{queue_id or 0}", wait="wait", then="left")])


def _announce(turn: Turn) -> Script:
    estimate = waits.estimate(turn.session, turn.call, turn.at)
    says: list[Say] = [*turn.lead, lines.place(estimate.position, turn.language)]
    kept = _announced(turn)
    if not estimate.people:
        says += _nobody_on(turn)
    elif estimate.seconds is None:
        says.append(turn.say("busy"))
    else:
        kept["told"] = prompts.told(kept.get("told"), estimate.seconds)
        says.append(prompts.wait(kept["told"], turn.language))
    says += lines.while_waiting(turn.menu, turn.language)
    turn.stand("waited", **kept)
    heard: list[Part] = [*says, Play(MUSIC)]
    return Script([Gather(then="waited", say=heard, timeout=BETWEEN)])


def _nobody_on(turn: Turn) -> list[Say]:
    closes = turn.hours.closes(turn.hour)
    found = [turn.say("nobody")]
    if closes is not None:
        time = prompts.clock_time(closes, turn.hours.zone)
        found.append(turn.say("until", time=time))
    return found


def _announced(turn: Turn) -> dict[str, int]:
    """The wait that was told last: the next one is told by it; and a simulated clock's time."""
    return {name: int(turn.was[name]) for name in ("told", "ahead") if name in turn.was}


def _waited_enough(turn: Turn) -> bool:
    """Whether the longest wait is over and nobody's phone rings for this caller."""
    longest = timedelta(seconds=turn.menu.max_wait_seconds)
    skipped = timedelta(seconds=turn.ahead - int(turn.was.get("ahead", 0)))
    return turn.at + skipped - _since(turn.call) >= longest and turn.call.state not in RINGING


def _since(call: Call) -> datetime:
    """Since when they wait: who came back, or lost an agent while talking, begins anew."""
    later = [call.facts["queued_again_at"]] if "queued_again_at" in call.facts else []
    if call.answered_at is not None:
        later += call.facts.get("released", {}).values()
    joined = call.queued_at or call.started_at
    return max([joined, *map(datetime.fromisoformat, later)])


def _leave(turn: Turn, scene_name: str, *says: Say) -> Script:
    """Take the caller out of the queue; the step "left" goes on at the scene."""
    turn.note(left_at=turn.at)
    turn.stand("left", leave=scene_name)
    return Script([*says, Leave()])
