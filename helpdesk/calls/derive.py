"""From the facts of a call to its columns: pure, so that the same facts give the same row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from helpdesk.calls.facts import NAMED, STORED
from helpdesk.calls.models import CallState, EndReason, LegRole, LegState

_PLACES = {
    "menu_at": CallState.MENU,
    "answer_at": CallState.ANSWER,
    "identify_at": CallState.IDENTIFY,
}
_OUTBOUND = {
    LegState.BUSY: EndReason.BUSY,
    LegState.NO_ANSWER: EndReason.NO_ANSWER,
    LegState.CANCELED: EndReason.NO_ANSWER,
}


@dataclass(frozen=True)
class Columns:
    """The columns of `Call` that are read from its facts."""

    state: CallState
    end_reason: EndReason | None
    waiting: int | None
    place_at: datetime | None
    queue_id: int | None
    started_at: datetime
    queued_at: datetime | None
    offered_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    wrapped_at: datetime | None
    over_at: datetime | None
    hold_seconds: int


@dataclass(frozen=True)
class Leg:
    """A leg as its facts describe it; `CallLeg` has the same columns."""

    role: LegRole
    user_id: int | None
    state: LegState
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


def derive(facts: Mapping[str, Any]) -> Columns:
    """The columns of a call. Facts without `started_at` raise KeyError."""
    story = _Story(facts)
    state = story.state
    return Columns(
        state=state,
        end_reason=story.end_reason if story.ended_at else None,
        waiting=1 if state in (CallState.QUEUED, CallState.OFFERED) and story.in_queue else None,
        place_at=_moment(story.place),
        queue_id=facts["queue"][1] if "queue" in facts else None,
        started_at=datetime.fromisoformat(facts["started_at"]),
        queued_at=_moment(facts.get("queued_at")),
        offered_at=_moment(facts.get("offered_at")),
        answered_at=_moment(facts.get("answered_at")),
        ended_at=_moment(story.ended_at),
        wrapped_at=_moment(facts.get("wrapped_at")),
        over_at=_moment(story.over_at),
        hold_seconds=story.hold_seconds,
    )


def leg_of(facts: Mapping[str, Any]) -> Leg:
    """A leg's columns by its part of the facts."""
    over = facts.get("over")
    return Leg(
        role=LegRole(facts["role"]),
        user_id=facts.get("user_id"),
        state=LegState(over[2] if over else facts.get("state", LegState.QUEUED)),
        started_at=datetime.fromisoformat(facts["started_at"]),
        answered_at=_moment(facts.get("answered_at")),
        ended_at=_moment(over[0]) if over else None,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class _Story:
    """The facts of a call, as questions about it. Moments are text here."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        legs = list(facts.get("legs", {}).values())
        self.customers = [leg for leg in legs if leg["role"] == LegRole.CUSTOMER]
        self.agents = [leg for leg in legs if leg["role"] == LegRole.AGENT]
        self.offer: int = facts.get("offer_id", 0)

    @cached_property
    def ended_at(self) -> str | None:
        """When the customer was gone, or the call was given up."""
        over = [leg["over"][0] for leg in self.customers if "over" in leg]
        done = over if len(over) == len(self.customers) else []
        given_up = [] if self.talked_ever else self._all("withdrawn_at")
        found = [*self._all("ended_at"), *given_up, *([max(done)] if done else [])]
        return min(found) if found else None

    @property
    def over_at(self) -> str | None:
        """When the carrier had nothing more to say."""
        ends = [leg["over"][0] for leg in (*self.customers, *self.agents) if "over" in leg]
        open_ = len(ends) < len(self.customers) + len(self.agents)
        return None if self.ended_at is None or open_ else max([self.ended_at, *ends])

    @property
    def talked_ever(self) -> bool:
        return "answered_at" in self.facts

    @cached_property
    def talked(self) -> bool:
        """With the agent of the last offer; not if that agent was lost."""
        both = min(self.facts.get("agent_in_id", 0), self.facts.get("customer_in_id", 0))
        return self.talked_ever and both >= self.offer and not self.released

    @property
    def released(self) -> bool:
        """Whether the last offer was over before the call was."""
        at = [at for id_, at in self.facts.get("released", {}).items() if int(id_) >= self.offer]
        return bool(at) and (self.ended_at is None or min(at) < self.ended_at)

    @property
    def agent_gone(self) -> bool:
        mine = [leg for leg in self.agents if leg.get("offer_id", self.offer) >= self.offer]
        return bool(mine) and all("over" in leg for leg in mine)

    @property
    def in_queue(self) -> bool:
        joined = max([*self._all("queued_at"), *self._all("queued_again_at")], default="")
        return bool(joined) and joined > self.facts.get("left_at", "")

    @property
    def place(self) -> str | None:
        """Only of a call that was queued: when it was, or the earlier place it was promised."""
        queued = self._all("queued_at")
        return min([*queued, *self._all("place_at")]) if queued else None

    @property
    def state(self) -> CallState:
        if self.ended_at is not None:
            open_ = self.talked and "wrapped_at" not in self.facts
            return CallState.WRAP_UP if open_ else CallState.ENDED
        if self.talked:
            return self._talking()
        return self._instead() or self._with_agent() or self._before()

    def _talking(self) -> CallState:
        if self.agent_gone:
            return CallState.WRAP_UP
        held = len(self.facts.get("holds", {})) % 2
        return CallState.HELD if held else CallState.TALKING

    def _instead(self) -> CallState | None:
        """What the caller chose in place of waiting."""
        since = self.facts.get("queued_again_at", "")
        found = {
            "callback_at": CallState.CALLBACK,
            "voicemail_at": CallState.VOICEMAIL,
        }
        reached = [(self.facts[name], state) for name, state in found.items() if name in self.facts]
        later = [pair for pair in reached if pair[0] > since]
        return max(later)[1] if later else None

    def _with_agent(self) -> CallState | None:
        if not self.offer or self.released:
            return None
        accepted = self.facts.get("accepted_id", 0) >= self.offer
        return CallState.CONNECTING if accepted else CallState.OFFERED

    def _before(self) -> CallState:
        if "queued_at" in self.facts:
            return CallState.QUEUED
        places = [(self.facts[name], name) for name in _PLACES if name in self.facts]
        if places:
            return _PLACES[max(places)[1]]
        return CallState.LANGUAGE if "language_at" in self.facts else CallState.NEW

    @property
    def end_reason(self) -> EndReason:
        if "end_reason" in self.facts:
            return EndReason(self.facts["end_reason"])
        if self.talked:
            return EndReason.TALKED
        if "refused_at" in self.facts:
            return EndReason.REFUSED
        return self._left_word() or (self._unreached() if self._outbound else self._given_up())

    def _left_word(self) -> EndReason | None:
        """A message or a promise stands for the talk, unless the caller came back to wait."""
        instead = self._instead()
        if instead == CallState.CALLBACK:
            return EndReason.CALLBACK
        sounds = set(self.facts.get("recordings", {}).values())
        if sounds & {NAMED, STORED} and not self.talked_ever:
            return EndReason.VOICEMAIL
        return EndReason.NO_MESSAGE if instead == CallState.VOICEMAIL else None

    @property
    def _outbound(self) -> bool:
        return bool(self.facts.get("outbound"))

    def _unreached(self) -> EndReason:
        """Of an outbound call without a talk."""
        last = [LegState(leg["over"][2]) for leg in self.customers if "over" in leg]
        return _OUTBOUND.get(last[-1], EndReason.FAILED) if last else EndReason.FAILED

    def _given_up(self) -> EndReason:
        if "queued_at" in self.facts:
            ringing = self.offer and not self.released
            return EndReason.ABANDONED_RING if ringing else EndReason.ABANDONED_QUEUE
        if "contained_at" in self.facts:
            return EndReason.CONTAINED
        failed = [leg for leg in self.customers if leg.get("over", ["", 0, ""])[2] == "failed"]
        return EndReason.FAILED if failed else EndReason.ABANDONED_MENU

    @property
    def hold_seconds(self) -> int:
        holds: Mapping[str, str] = self.facts.get("holds", {})
        total = 0.0
        for number, begin in holds.items():
            end = holds.get(str(int(number) + 1), self.ended_at)
            if int(number) % 2 and end is not None:
                total += max(_seconds(begin, end), 0.0)
        return round(total)

    def _all(self, name: str) -> list[str]:
        return [self.facts[name]] if name in self.facts else []


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
