"""Say, Play and Pause, and the plain verbs: Redirect, Reject, Hangup, Leave."""

from xml.etree.ElementTree import Element

from helpdesk.calls.providers.twin.engine.exchange import Exchange
from helpdesk.calls.providers.twin.engine.running import Runner
from helpdesk.calls.providers.twin.engine.things import Frame, Leg

CHARACTERS_A_SECOND = 14
PLAY_SECONDS = 10.0  # a sound is not fetched, so how long it is isn't known
ENDLESS = 1000  # times, for loop="0"


def hear(exchange: Exchange, leg: Leg, verb: Element) -> float:
    """Let a Say, Play or Pause sound in the telephone; returns how long it takes, seconds."""
    if verb.tag == "Pause":
        return float(verb.get("length") or 1)
    times = int(verb.get("loop") or 1) or ENDLESS
    text = " ".join("".join(verb.itertext()).split())
    if verb.tag == "Play":
        exchange.hear(leg, "voice", "play", text or verb.get("digits", ""))
        return PLAY_SECONDS * times
    exchange.hear(leg, "voice", "say", text, verb.get("language"))
    return max(len(text) / CHARACTERS_A_SECOND, 0.5) * times


def sound(runner: Runner, leg: Leg, _frame: Frame, verb: Element) -> None:
    """Say, Play, Pause."""
    seconds = hear(runner.exchange, leg, verb)
    runner.exchange.later(leg, seconds, lambda: runner.step(leg))


def redirect(runner: Runner, leg: Leg, frame: Frame, verb: Element) -> None:
    address = Element("Redirect", {"action": (verb.text or "").strip(), **verb.attrib})
    runner.follow(leg, frame, address, {}, default=frame.url)


def reject(runner: Runner, leg: Leg, _frame: Frame, verb: Element) -> None:
    """Refuse to answer; a call that was answered already is hung up."""
    if leg.answered_at is not None:
        runner.exchange.end(leg)
        return
    busy = verb.get("reason") == "busy"
    runner.exchange.hear(leg, "carrier", "error", "busy" if busy else "not in service")
    runner.exchange.end(leg, "busy" if busy else "no-answer")


def hang_up(runner: Runner, leg: Leg, _frame: Frame, _verb: Element) -> None:
    runner.exchange.end(leg)


def leave(runner: Runner, leg: Leg, _frame: Frame, _verb: Element) -> None:
    """Leave the queue; outside of one the document just goes on."""
    if not any(under.activity.leave() for under in list(leg.frames[:-1])):
        runner.step(leg)
