"""What the phone says at each place, as pure functions: the same lines are heard and previewed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from helpdesk.calls import prompts
from helpdesk.calls.hours import Hours
from helpdesk.calls.menus import DIGITS
from helpdesk.calls.models import PhoneMenu
from helpdesk.calls.script import Say
from helpdesk.kb.checks import MAX_VOICE


def greeting(greetings: Mapping[str, str], language: str, brand: str) -> Say:
    """The menu's own greeting, else the usual one."""
    own = greetings.get(language)
    return Say(own, language) if own else prompts.say("hello", language, brand=brand)


def incident(text: str, language: str) -> list[Say]:
    """What everybody must know now: the headline."""
    headline = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return [Say(headline[:MAX_VOICE], language)] if headline else []


def closed(hours: Hours, language: str, at: datetime) -> Say:
    """That we are closed, and until when."""
    opens = hours.next_open(at)
    if opens is None:
        return prompts.say("closed_long", language)
    return prompts.say("closed", language, when=prompts.when(opens, hours.zone, language, at))


def menu(
    choices: Sequence[Mapping[str, Any]], labels: Mapping[str, str], language: str, *, is_open: bool
) -> list[Say]:
    """The choices, then what 0 and * do, then the other languages, each in its own voice."""
    found = [
        prompts.say("choice", language, label=labels[choice["digit"]], digit=choice["digit"])
        for choice in choices
    ]
    found.append(prompts.say("person" if is_open else "person_closed", language))
    found.append(prompts.say("repeat", language))
    digit = language_key(choices)
    return found + [
        prompts.offer_language(lang, digit) for lang in prompts.LANGUAGES if lang != language
    ]


def language_key(choices: Sequence[Mapping[str, Any]]) -> str:
    """The key that leads to the languages: 9, or the next one down that no choice has."""
    taken = {choice["digit"] for choice in choices}
    return next(digit for digit in reversed(DIGITS) if digit not in taken)


def consent(wording: Mapping[str, str], language: str) -> list[Say]:
    """The menu's own wording, else the usual one, and how to refuse."""
    own = wording.get(language)
    asked = Say(own, language) if own else prompts.say("consent", language)
    return [asked, prompts.say("consent_refuse", language)]


def place(position: int, language: str) -> Say:
    if position <= 1:
        return prompts.say("next_in_line", language)
    return prompts.say("position", language, position=position)


def while_waiting(menu: PhoneMenu, language: str) -> list[Say]:
    """What may be done instead of waiting on."""
    found = [prompts.say("keep_place", language)] if menu.callbacks else []
    return found + ([prompts.say("leave_message", language)] if menu.voicemail else [])


def later(language: str) -> list[Say]:
    return [prompts.say("call_back", language), prompts.say("leave_message", language)]
