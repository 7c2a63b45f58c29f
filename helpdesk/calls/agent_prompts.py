"""What agents hear on the telephone, and what customers hear because of their agent."""

from collections.abc import Mapping

from flask_babel import gettext

from helpdesk import ext
from helpdesk.calls.script import Say
from helpdesk.lib.errors import _lazy

PROMPTS: Mapping[str, str] = {
    "whisper": _lazy("A call for %(queue)s. To take it, press 1. To decline it, press 2."),
    "whisper_nameless": _lazy("A call. To take it, press 1. To decline it, press 2."),
    "whisper_outbound": _lazy("Your call to a client. To begin it, press 1."),
    "gone": _lazy("The caller has left."),
    "gone_callback": _lazy("The caller has left. A callback is planned."),
    "passed": _lazy("This call has gone to somebody else."),
    "unreached": _lazy("The client did not answer."),
    "cannot_dial": _lazy("This number cannot be called."),
    "in_call": _lazy("You are in a call already."),
    "lost": _lazy(
        "We lost the connection to the person you talked to. You are first in the queue."
    ),
    "hold": _lazy("You are on hold. We are with you again soon."),
    "goodbye": _lazy("Goodbye."),
}


def say(key: str, language: str, **values: object) -> Say:
    """The prompt in the voice of the language. KeyError for an unknown key: that is a bug."""
    with ext.in_language(language):
        return Say(str(gettext(PROMPTS[key], **values)), language)
