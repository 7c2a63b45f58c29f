"""Every sentence a caller hears, by key, in the language of the call; times and waits in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import gettext, ngettext, pgettext
from flask_babel import gettext as _

from helpdesk import ext
from helpdesk.calls.script import Say
from helpdesk.lib import phone
from helpdesk.lib.errors import _lazy

MINUTE, HOUR = 60, 3_600

LANGUAGES = ("uk", "ru", "en")
"""The order in which languages are offered, behind the primary one."""

OWN_LANGUAGE: Mapping[str, str] = {
    "en": "For English, press %(digit)s.",
    "ru": "Для русского языка нажмите %(digit)s.",
    "uk": "Для української натисніть %(digit)s.",
}
"""Offers of a language are heard in that language, whatever the call speaks: no translation."""

PROMPTS: Mapping[str, str] = {
    "hello": _lazy("Hello. This is %(brand)s."),
    "closed": _lazy("We are closed now and open %(when)s."),
    "closed_long": _lazy("We are closed now."),
    # The menu
    "choice": _lazy("%(label)s: press %(digit)s."),
    "label_answer": _lazy("An answer to a frequent question"),
    "label_speech": _lazy("Ask a question in your own words"),
    "label_status": _lazy("The state of your request"),
    "label_queue": _lazy("Another department"),
    "label_voicemail": _lazy("Leave a message"),
    "person": _lazy("To talk to a person, press 0."),
    "person_closed": _lazy("To be called back or to leave a message, press 0."),
    "repeat": _lazy("To hear this again, press the star key."),
    "wrong_key": _lazy("There is nothing under this key."),
    "silence": _lazy("We heard nothing."),
    # Answers of the knowledge base
    "speech": _lazy("Say in a few words what you want to know."),
    "did_you_mean": _lazy("Did you mean: %(title)s? If so, press 1. To say it again, press 2."),
    "not_found": _lazy("We found no answer to that."),
    "try_again": _lazy("To say it in other words, press 1."),
    "helped": _lazy("Did this help? Press 1 for yes, 2 for another answer, 0 for a person."),
    "more": _lazy("Good to know. For the menu, press 1. Otherwise you may hang up."),
    "goodbye": _lazy("Thank you for calling. Goodbye."),
    # The state of a request
    "status_none": _lazy("There is no open request from this number."),
    "status_by": _lazy("Your request is in work. We answer %(by)s."),
    "status_soon": _lazy("Your request is in work. We answer as soon as we can."),
    "status_pending": _lazy("We have answered your request and wait for your word."),
    "status_on_hold": _lazy("Your request waits for somebody whose help we need."),
    "status_answered": _lazy("We have answered your request."),
    "status_withheld": _lazy("Your number is withheld, so we cannot find your request."),
    "status_more": _lazy("To hear more, press 1: we send a code to your email address."),
    "to_menu": _lazy("For the menu, press the star key."),
    "code_sent": _lazy(
        "If we know your email address, a code of six digits is on its way to it. "
        "Type the code when you have it."
    ),
    "code_wait": _lazy("We wait for the code. It has six digits."),
    "code_wrong": _lazy("This code does not fit."),
    "code_many": _lazy("That was tried too often for now."),
    "verified": _lazy("Thank you."),
    "verified_name": _lazy("Thank you, %(name)s."),
    "requests_none": _lazy("You have no open request."),
    "request": _lazy("Request number %(number)s: %(kind)s."),
    "kind": _lazy("a request"),
    "kind_question": _lazy("a question"),
    "kind_request": _lazy("a request for something"),
    "kind_complaint": _lazy("a complaint"),
    "kind_suggestion": _lazy("a suggestion"),
    "kind_thanks": _lazy("words of thanks"),
    "owner": _lazy("%(name)s looks after it."),
    "next_request": _lazy("For the next request, press 1."),
    # A person
    "consent": _lazy("This call is recorded, so that we can look up what was said."),
    "consent_refuse": _lazy("If you do not want that, press 9."),
    "not_recorded": _lazy("It is not recorded."),
    "to_person": _lazy("We connect you with a person."),
    "connecting": _lazy("We are connecting you."),
    "position": _lazy("You are number %(position)s in the queue."),
    "next_in_line": _lazy("You are next."),
    "wait_minute": _lazy("The wait is about a minute."),
    "wait_hour": _lazy("The wait is more than an hour."),
    "nobody": _lazy("Nobody is on the line just now."),
    "busy": _lazy("All our agents are talking just now."),
    "until": _lazy("We answer calls until %(time)s."),
    "keep_place": _lazy("To be called back without losing your place, press 1."),
    "leave_message": _lazy("To leave a message, press 2."),
    # Later
    "too_long": _lazy("Nobody has become free yet, and we do not want to keep you any longer."),
    "call_back": _lazy("To be called back, press 1."),
    "callback_confirm": _lazy(
        "We call you back at %(number)s. If that is right, press 1. For another number, press 2."
    ),
    "callback_type": _lazy("Type the number where we can reach you, then the hash key."),
    "callback_wrong": _lazy("We cannot call this number."),
    "callback_by": _lazy("We call you back %(by)s."),
    "voicemail": _lazy("Speak after the tone. End with the hash key."),
    "voicemail_kept": _lazy("Thank you, we have your message."),
    "voicemail_empty": _lazy("We heard no message."),
    "sorry": _lazy("Something went wrong on our side."),
}
"""A sentence each, short enough to be heard out (`kb.checks.VOICE_SECONDS`)."""


def text(key: str, language: str, **values: object) -> str:
    """The words of a prompt in a language. KeyError for an unknown key: that is a bug."""
    with ext.in_language(language):
        return str(gettext(PROMPTS[key], **values))


def say(key: str, language: str, **values: object) -> Say:
    """The prompt in the voice of the language."""
    return Say(text(key, language, **values), language)


def offer_language(language: str, digit: str) -> Say:
    """How to go on in this language, said in it."""
    return Say(OWN_LANGUAGE[language] % {"digit": digit}, language)


def by(due: datetime, zone: str, language: str, at: datetime) -> str:
    """A deadline as it is heard: "today by 18:00", "by Tuesday, 24 November, 14:30".

    Both moments are UTC; `zone` is that of the calendar that promises.
    """
    local, today = due.astimezone(ZoneInfo(zone)), at.astimezone(ZoneInfo(zone)).date()
    with ext.in_language(language):
        if local.date() == today:
            return str(_("today by %(time)s", time=_time(local)))
        if local.date() == today + timedelta(days=1):
            return str(_("tomorrow by %(time)s", time=_time(local)))
        day = {"weekday": _by_day()[local.weekday()], "date": _date(local, language, today.year)}
        return str(_("by %(weekday)s, %(date)s, %(time)s", time=_time(local), **day))


def when(moment: datetime, zone: str, language: str, at: datetime) -> str:
    """A moment as it is heard: "tomorrow at 9:00", "on Monday, 30 November, at 9:00"."""
    local, today = moment.astimezone(ZoneInfo(zone)), at.astimezone(ZoneInfo(zone)).date()
    with ext.in_language(language):
        if local.date() == today:
            return str(_("today at %(time)s", time=_time(local)))
        if local.date() == today + timedelta(days=1):
            return str(_("tomorrow at %(time)s", time=_time(local)))
        day = {"weekday": _on_day()[local.weekday()], "date": _date(local, language, today.year)}
        return str(_("%(weekday)s, %(date)s, at %(time)s", time=_time(local), **day))


def clock_time(moment: datetime, zone: str) -> str:
    """ "18:00" in the zone."""
    return _time(moment.astimezone(ZoneInfo(zone)))


def wait(seconds: int, language: str) -> Say:
    """A wait as a band, since nobody knows it better: "about 3 to 5 minutes"."""
    if seconds < MINUTE:
        return say("wait_minute", language)
    low, high = seconds * 4 // 5 // MINUTE, -(-seconds * 5 // 4 // MINUTE)
    if low >= HOUR // MINUTE:
        return say("wait_hour", language)
    with ext.in_language(language):
        sentence = ngettext(
            "The wait is about %(low)s to %(num)s minute.",
            "The wait is about %(low)s to %(num)s minutes.",
            max(high, low + 1, 2),
            low=max(low, 1),
        )
    return Say(str(sentence), language)


def told(before: int | None, seconds: int) -> int:
    """The wait to tell after `before` was told: it doesn't rise unless by more than half."""
    if before is not None and before < seconds <= before * 3 // 2:
        return before
    return seconds


def more_requests(count: int, language: str) -> Say:
    """How many further requests are open."""
    with ext.in_language(language):
        sentence = ngettext(
            "%(num)s more request is open.", "%(num)s more requests are open.", count
        )
    return Say(str(sentence), language)


def digits(number: str) -> str:
    """A number digit by digit, so that it can be written down: "1 0 4 8 2"."""
    return " ".join(number)


def telephone(e164: str) -> str:
    """A phone number in the groups in which people say it."""
    return phone.display(e164)


def _time(local: datetime) -> str:
    return f"{local.hour}:{local.minute:02}"


def _date(local: datetime, language: str, year: int) -> str:
    pattern = "d MMMM" if local.year == year else "d MMMM y"
    return str(format_date(local.date(), pattern, locale=language))


def _by_day() -> tuple[str, ...]:
    return (
        pgettext("by this day", "Monday"),
        pgettext("by this day", "Tuesday"),
        pgettext("by this day", "Wednesday"),
        pgettext("by this day", "Thursday"),
        pgettext("by this day", "Friday"),
        pgettext("by this day", "Saturday"),
        pgettext("by this day", "Sunday"),
    )


def _on_day() -> tuple[str, ...]:
    return (
        pgettext("on this day", "on Monday"),
        pgettext("on this day", "on Tuesday"),
        pgettext("on this day", "on Wednesday"),
        pgettext("on this day", "on Thursday"),
        pgettext("on this day", "on Friday"),
        pgettext("on this day", "on Saturday"),
        pgettext("on this day", "on Sunday"),
    )
