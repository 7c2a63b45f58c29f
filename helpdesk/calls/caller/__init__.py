"""The caller's side of a call: greeting, menu, answers, state of a request, queue, callback."""

from collections.abc import Mapping

from helpdesk.calls.caller import answers, begin, later, main, person, status, turn

__all__ = ["STEPS", "answers", "begin", "later", "main", "person", "status"]

STEPS: Mapping[str, turn.Step] = turn.STEPS
"""Every step by its name, the address below /twilio/."""
