"""Words and signs of the telephone: availability, states of a call, results, planned contacts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask import g
from flask_babel import gettext as _
from flask_babel import pgettext

from helpdesk.ext import in_language

# State of availability → sign and tone. The word stands beside it or is its label.
SIGNS: Mapping[str, tuple[str, str | None]] = {
    "available": ("headset", "good"),
    "in_call": ("phone-call", "good"),
    "wrap_up": ("clipboard-check", "warn"),
    "break": ("coffee", "warn"),
    "email_only": ("mail", None),
    "off": ("phone-off", None),
    "paused": ("player-pause", "bad"),
}
CHOICES = ("available", "break", "email_only", "off")
TASK_SIGNS: Mapping[str, str] = {
    "callback": "phone-outgoing",
    "meeting": "users",
    "visit": "truck-delivery",
    "task": "check",
}


@dataclass(frozen=True)
class CallWords:
    """Labels by value, in one language."""

    presence: Mapping[str, str]
    state: Mapping[str, str]
    ended: Mapping[str, str]
    disposition: Mapping[str, str]
    step: Mapping[str, str]
    task: Mapping[str, str]
    task_state: Mapping[str, str]
    result: Mapping[str, str]
    direction: Mapping[str, str]


def call_words() -> CallWords:
    """The words of this request's language."""
    return _words(g.get("language") or "en")


def forget() -> None:
    """Read the catalogues again, e.g. in tests that change them."""
    _words.cache_clear()


@lru_cache(maxsize=8)
def _words(language: str) -> CallWords:
    with in_language(language):
        return CallWords(
            presence=_presence(),
            state=_states(),
            ended=_ended(),
            disposition=_dispositions(),
            step=_steps(),
            task=_tasks(),
            task_state=_task_states(),
            result=_results(),
            direction={"inbound": _("Incoming call"), "outbound": _("Outgoing call")},
        )


def _presence() -> dict[str, str]:
    return {
        "available": pgettext("presence", "Available"),
        "in_call": pgettext("presence", "In a call"),
        "wrap_up": pgettext("presence", "Wrap-up"),
        "break": pgettext("presence", "Break"),
        "email_only": pgettext("presence", "Email only"),
        "off": pgettext("presence", "Off shift"),
        "paused": pgettext("presence", "Paused"),
    }


def _states() -> dict[str, str]:
    menu = pgettext("call", "in the menu")
    return {
        "new": menu,
        "language": menu,
        "menu": menu,
        "answer": menu,
        "identify": menu,
        "queued": pgettext("call", "waiting"),
        "offered": pgettext("call", "ringing"),
        "connecting": pgettext("call", "connecting"),
        "talking": pgettext("call", "talking"),
        "held": pgettext("call", "on hold"),
        "voicemail": pgettext("call", "leaves a message"),
        "callback": pgettext("call", "will be called back"),
        "wrap_up": pgettext("call", "wrap-up"),
        "ended": pgettext("call", "ended"),
    }


def _ended() -> dict[str, str]:
    return {
        "talked": pgettext("call", "talked"),
        "contained": pgettext("call", "answered by the menu"),
        "abandoned_menu": pgettext("call", "hung up in the menu"),
        "abandoned_queue": pgettext("call", "hung up while waiting"),
        "abandoned_ring": pgettext("call", "hung up while it rang"),
        "callback": pgettext("call", "callback promised"),
        "voicemail": pgettext("call", "left a message"),
        "no_message": pgettext("call", "left no message"),
        "no_answer": pgettext("call", "nobody answered"),
        "busy": pgettext("call", "busy"),
        "refused": pgettext("call", "blocked"),
        "failed": pgettext("call", "did not come through"),
    }


def _dispositions() -> dict[str, str]:
    return {
        "solved": pgettext("call result", "Solved"),
        "promised": pgettext("call result", "Promised"),
        "passed_on": pgettext("call result", "Passed on"),
        "refused": pgettext("call result", "Refused"),
        "wrong_number": pgettext("call result", "Wrong number"),
    }


def _steps() -> dict[str, str]:
    return {
        "none": pgettext("next step", "None"),
        "callback": pgettext("next step", "Call back"),
        "email": pgettext("next step", "Write an email"),
        "visit": pgettext("next step", "Visit"),
    }


def _tasks() -> dict[str, str]:
    return {
        "callback": _("Callback"),
        "meeting": _("Meeting"),
        "visit": _("Visit"),
        "task": pgettext("planner", "Task"),
    }


def _task_states() -> dict[str, str]:
    return {
        "planned": pgettext("planner", "planned"),
        "trying": pgettext("planner", "being called"),
        "done": pgettext("planner", "done"),
        "failed": pgettext("planner", "given up"),
        "cancelled": pgettext("planner", "cancelled"),
    }


def _results() -> dict[str, str]:
    return {
        "talked": _("talked"),
        "no_answer": _("nobody answered"),
        "busy": _("busy"),
        "wrong_number": _("wrong number"),
        "called_again": _("called us before"),
        "not_needed": _("no longer needed"),
    }
