"""Ranks of calls and legs: a record only goes forward, whatever order its events come in."""

from collections.abc import Mapping

from helpdesk.calls.models import CallState, LegState

RANK: Mapping[CallState, int] = {
    CallState.NEW: 0,
    CallState.LANGUAGE: 1,
    CallState.MENU: 2,
    CallState.ANSWER: 2,
    CallState.IDENTIFY: 2,
    CallState.QUEUED: 3,
    CallState.OFFERED: 3,
    CallState.CONNECTING: 4,
    CallState.TALKING: 5,
    CallState.HELD: 5,
    CallState.VOICEMAIL: 6,
    CallState.CALLBACK: 6,
    CallState.WRAP_UP: 7,
    CallState.ENDED: 8,
}
_WITH_AGENT = frozenset({CallState.CONNECTING, CallState.TALKING, CallState.HELD})
_WAITING = frozenset({CallState.QUEUED, CallState.OFFERED})
_AGAIN = frozenset({CallState.VOICEMAIL, CallState.CALLBACK})

LEG_RANK: Mapping[LegState, int] = {
    LegState.QUEUED: 0,
    LegState.INITIATED: 1,
    LegState.RINGING: 2,
    LegState.IN_PROGRESS: 3,
    LegState.COMPLETED: 4,
    LegState.BUSY: 4,
    LegState.FAILED: 4,
    LegState.NO_ANSWER: 4,
    LegState.CANCELED: 4,
}
OVER = frozenset(state for state, rank in LEG_RANK.items() if rank == 4)
"""States in which nothing more happens to a leg; the first of them stays."""


def may_follow(before: CallState, after: CallState) -> bool:
    """Whether a call may come from one state into the other.

    Forward always; back to the queue from an agent who didn't take or lost the call, and from
    the voicemail or a callback of a caller who would rather wait.
    """
    if RANK[after] >= RANK[before]:
        return True
    return after in _WAITING and before in _WITH_AGENT | _AGAIN
