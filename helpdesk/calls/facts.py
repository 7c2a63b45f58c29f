"""What is known of a call, merged so that neither order nor repetition of the news matters.

Facts are JSON: a name → a moment (ISO 8601, UTC, always with microseconds, so that text compares
as time does), a number, a list or a map. Each name has one rule by which two values become one;
all of them are commutative, associative and idempotent.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from helpdesk.calls.models import EndReason, LegRole, LegState, Provider
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.states import LEG_RANK, OVER

Facts = dict[str, Any]
Rule = Callable[[Any, Any], Any]

OUTGOING = "outgoing"
"""The step of a browser phone that dials by itself: the agent's leg begins the call."""
NAMED, ABSENT, STORED = "named", "absent", "completed"
SOUNDS = ("", NAMED, ABSENT, STORED)
"""What is known of a recording, the surer the later."""


def merge(known: Mapping[str, Any], news: Mapping[str, Any]) -> Facts:
    """Both together. Raises KeyError for a name that is no fact."""
    return _merged(known, news, FACTS)


def of(heard: Heard, role: LegRole, at: datetime) -> Facts:
    """What `heard` says about its leg and call; `at` is when it came, for news without a time."""
    moment = text_of(heard.at or at)
    facts: Facts = {"started_at": moment}
    if heard.kind == "voice" or heard.step == OUTGOING or heard.provider == Provider.PBX:
        facts["begun"] = 1
    if heard.conference_id is not None:
        facts["conference_id"] = heard.conference_id
    if heard.recording_id is not None:
        facts["recordings"] = _recording(heard)
    if heard.provider_id is not None:
        facts["legs"] = {heard.provider_id: _leg(heard, role, moment)}
    return facts


def told(at: datetime, said: Mapping[str, Any]) -> Facts:
    """What a verb says, as facts. Raises KeyError for a name that is no fact."""
    facts = {name: _plain(value) for name, value in said.items()}
    if "queue_id" in facts:
        facts["queue"] = [text_of(at), facts.pop("queue_id")]
    if "released_id" in facts:
        facts["released"] = {str(facts.pop("released_id")): text_of(at)}
    unknown = facts.keys() - FACTS.keys()
    if unknown:
        raise KeyError(f"no facts: {sorted(unknown)}")
    return facts


def text_of(moment: datetime) -> str:
    """A moment as facts hold it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _recording(heard: Heard) -> dict[str, str]:
    """Only the recording's own report says for sure whether there is sound."""
    state = heard.recording_state or (
        "" if heard.kind == "recording" or heard.seconds == 0 else NAMED
    )
    return {str(heard.recording_id): state if state in SOUNDS else ""}


def _leg(heard: Heard, role: LegRole, moment: str) -> Facts:
    leg: Facts = {"role": role.value, "started_at": moment}
    if role == LegRole.AGENT:
        leg |= _whose(heard)
    state = _state(heard)
    if state in OVER:
        leg["over"] = [moment, _place(heard), state.value]
    elif state is not None:
        leg["state"] = state.value
        if state == LegState.IN_PROGRESS:
            leg["answered_at"] = moment
    return leg


def _whose(heard: Heard) -> Facts:
    user, offer = (heard.label or "").removeprefix("agent-"), heard.query.get("offer", "")
    found = {"user_id": user, "offer_id": offer}
    return {name: int(text) for name, text in found.items() if is_id(text)}


def is_id(text: str) -> bool:
    """Whether this is the number of a row."""
    return text.isascii() and text.isdecimal() and 0 < len(text) < 18


def _state(heard: Heard) -> LegState | None:
    if heard.kind == "queue" and heard.queue_result == "hangup":
        return LegState.COMPLETED
    if heard.kind == "conference" and heard.event == "join":
        return LegState.IN_PROGRESS
    if heard.provider == Provider.PBX or heard.kind in (
        "voice",
        "step",
        "queue",
        "fallback",
        "leg",
    ):
        return heard.state
    return None


def _place(heard: Heard) -> int:
    """The carrier's number of the event; without one it comes last."""
    return heard.sequence if heard.sequence is not None else 1_000_000


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return text_of(value)
    if isinstance(value, EndReason):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return value


def _merged(known: Mapping[str, Any], news: Mapping[str, Any], rules: Mapping[str, Rule]) -> Facts:
    merged = dict(known)
    for name, value in news.items():
        rule = rules[name]
        merged[name] = rule(known[name], value) if name in known else value
    return merged


def _each(rule: Rule) -> Rule:
    """For maps: what both have is made one by `rule`."""

    def merged(known: Mapping[str, Any], news: Mapping[str, Any]) -> Facts:
        both = {name: rule(known[name], news[name]) for name in known.keys() & news.keys()}
        return {**known, **news, **both}

    return merged


def _further(one: str, other: str) -> str:
    """The leg's state of the higher rank."""
    return max(one, other, key=lambda text: (LEG_RANK[LegState(text)], text))


def _surer(one: str, other: str) -> str:
    return max(one, other, key=SOUNDS.index)


_LEG: Mapping[str, Rule] = {
    "role": min,
    "user_id": min,
    "offer_id": min,
    "state": _further,
    "started_at": min,
    "answered_at": min,
    "over": min,  # [moment, the carrier's number, state]: the first end stays
}


def _one_leg(known: Mapping[str, Any], news: Mapping[str, Any]) -> Facts:
    return _merged(known, news, _LEG)


FACTS: Mapping[str, Rule] = {
    "outbound": max,
    "shared": max,  # the number belongs to several people
    "begun": max,  # its beginning was seen, not only what came after
    "documents": max,  # how many were answered
    "legs": _each(_one_leg),
    "recordings": _each(_surer),
    "conference_id": min,
    "queue": max,  # [moment, id]: the latest
    "released": _each(min),  # offer → moment: over without a talk, or its agent was lost
    "holds": _each(min),  # "1" begins, "2" ends, "3" begins…
    "end_reason": min,
    **dict.fromkeys(("offer_id", "accepted_id", "agent_in_id", "customer_in_id"), max),
    **dict.fromkeys(("left_at", "queued_again_at"), max),
    **dict.fromkeys(
        (
            "started_at",
            "language_at",
            "menu_at",
            "answer_at",
            "identify_at",
            "queued_at",
            "place_at",
            "offered_at",
            "answered_at",
            "contained_at",
            "callback_at",
            "voicemail_at",
            "refused_at",
            "withdrawn_at",
            "ended_at",
            "wrapped_at",
        ),
        min,
    ),
}
"""Every fact and how two values of it become one."""
