"""What people do with their telephones: call, answer, decline, press, speak, hang up."""

import re
from collections.abc import Mapping

from helpdesk.calls.providers.twin.engine.exchange import Exchange
from helpdesk.calls.providers.twin.engine.running import Runner
from helpdesk.calls.providers.twin.engine.things import Hook, Leg, new_sid

KEYS = re.compile(r"[0-9*#]{1,32}")
LONGEST_SPEECH = 1000
_ADDRESS = re.compile(r"\+[1-9][0-9]{1,14}|client:[A-Za-z0-9_.-]{1,120}|anonymous|\+266696687")


class Wrong(Exception):
    """An act that makes no sense now, in words for whoever tried it."""


def call(
    exchange: Exchange, runner: Runner, from_: str, to: str, extra: Mapping[str, str] | None = None
) -> Leg:
    """Somebody calls one of our numbers, or a browser calls out. Raises Wrong."""
    if not _ADDRESS.fullmatch(from_ or "anonymous"):
        raise Wrong(f"A caller is a number such as +380671234567, not {from_!r}.")
    browser = from_.startswith("client:")
    if not browser and not re.fullmatch(r"\+[1-9][0-9]{1,14}", to):
        raise Wrong(f"Call a number such as +380441234567, not {to!r}.")
    urls = exchange.number(None if browser else to).urls
    leg = Leg(
        new_sid("CA"),
        "inbound",
        from_,
        to,
        exchange.agenda.now(),
        Hook(urls["voice_url"]),
        fallback=Hook.made(urls["voice_fallback_url"], "POST"),
        status_hook=Hook.made(urls["status_callback"], "POST"),
        status="ringing",
        extra=dict(extra or {}),
    )
    exchange.add_leg(leg)
    exchange.hear(leg, "carrier", "ringing", "")
    runner.start(leg)
    return leg


def answer(exchange: Exchange, leg: Leg) -> None:
    """Take up a ringing telephone. Raises Wrong."""
    if leg.direction == "inbound" or leg.status != "ringing":
        raise Wrong("This telephone does not ring.")
    exchange.answer(leg)


def decline(exchange: Exchange, leg: Leg) -> None:
    """Refuse a ringing telephone. Raises Wrong."""
    if leg.direction == "inbound" or leg.status != "ringing":
        raise Wrong("This telephone does not ring.")
    exchange.end(leg, "busy")


def press(exchange: Exchange, leg: Leg, keys: str) -> None:
    """Press keys one after another; what nobody waits for is lost. Raises Wrong."""
    if not KEYS.fullmatch(keys):
        raise Wrong(f"Keys are 0-9, * and #, not {keys!r}.")
    _connected(leg)
    exchange.hear(leg, "person", "digits", keys)
    for key in keys:
        if leg.frames:
            leg.frames[-1].activity.key(key)


def speak(exchange: Exchange, leg: Leg, text: str, confidence: float = 0.9) -> None:
    """Say something; `confidence` from 0 to 1 is how well it was understood. Raises Wrong."""
    words = " ".join(text.split())
    if not 0 < len(words) <= LONGEST_SPEECH or not 0 <= confidence <= 1:
        raise Wrong(f"Say 1 to {LONGEST_SPEECH} characters, with a confidence from 0 to 1.")
    _connected(leg)
    exchange.hear(leg, "person", "speech", words)
    if leg.frames:
        leg.frames[-1].activity.words(words, confidence)


def hang_up(exchange: Exchange, leg: Leg) -> None:
    """Hang up; nothing happens to a call that is over."""
    if leg.answered_at is not None:
        exchange.end(leg)
    else:
        exchange.end(leg, "no-answer" if leg.direction == "inbound" else "busy")


def _connected(leg: Leg) -> None:
    if leg.status != "in-progress":
        raise Wrong("This telephone is not connected.")
