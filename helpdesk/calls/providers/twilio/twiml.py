"""A Script as TwiML, Twilio's language of documents."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from twilio.twiml.voice_response import Dial as DialNoun
from twilio.twiml.voice_response import VoiceResponse

from helpdesk.calls.providers.twilio.addresses import Addresses
from helpdesk.calls.providers.twilio.checker import LARGEST, LONGEST_SAY
from helpdesk.calls.script import (
    Conference,
    Dial,
    Enqueue,
    Gather,
    Hangup,
    Leave,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    Script,
)
from helpdesk.lib.text import clean

VOICES: Mapping[str, str] = {
    "uk": "Google.uk-UA-Standard-A",
    "ru": "Polly.Tatyana",
    "en": "Polly.Joanna",
}
"""Who reads each language, unless HELPDESK_TWILIO_VOICES names another."""
LOCALES: Mapping[str, str] = {"uk": "uk-UA", "ru": "ru-RU", "en": "en-US"}

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_MOST_HINTS = 5_000  # characters, all together
_LONGEST_HINT = 100  # characters
_KEPT = "completed absent"
_JOINS = "start end join leave hold"
_RINGS = "initiated ringing answered completed"


class _Writer:
    """Puts the verbs of a script into a document, one method a verb."""

    def __init__(self, addresses: Addresses, voices: Mapping[str, str]) -> None:
        self.addresses = addresses
        self.voices = {**VOICES, **voices}
        self.verbs: Mapping[type, Callable[[Any, Any], None]] = {
            Say: self.say,
            Play: self.play,
            Pause: self.pause,
            Gather: self.gather,
            Enqueue: self.enqueue,
            Leave: lambda parent, verb: parent.leave(),
            Record: self.record,
            Conference: self.conference,
            Dial: self.dial,
            Redirect: self.redirect,
            Reject: lambda parent, verb: parent.reject(),
            Hangup: lambda parent, verb: parent.hangup(),
        }

    def put(self, parent: Any, verbs: Sequence[Any]) -> None:
        for verb in verbs:
            self.verbs[type(verb)](parent, verb)

    def say(self, parent: Any, verb: Say) -> None:
        words = " ".join(clean(verb.text).split())
        if not 0 < len(words) <= LONGEST_SAY:
            raise ValueError(f"1 to {LONGEST_SAY} characters can be said, not {len(words)}")
        locale = _locale(verb.language)
        parent.say(words, language=locale, voice=self.voices[verb.language])

    def play(self, parent: Any, verb: Play) -> None:
        parent.play(self.addresses.sound(verb.url))

    def pause(self, parent: Any, verb: Pause) -> None:
        parent.pause(length=_within(verb.seconds, 1, 3600, "a pause"))

    def gather(self, parent: Any, verb: Gather) -> None:
        """Also asked when nothing is pressed; of one key # is a key too, of more it ends them."""
        heard: dict[str, Any] = {"input": "dtmf"}
        if verb.speech is not None:
            heard = {
                "input": "dtmf speech",
                "language": _locale(verb.speech),
                "hints": _hints(verb.hints),
                "speech_timeout": "auto",
            }
        digits = _within(verb.digits, 0, 32, "the digits to gather")
        noun = parent.gather(
            action=self.addresses.step(verb.then),
            method="POST",
            action_on_empty_result=True,
            timeout=_within(verb.timeout, 1, 60, "a time-out"),
            num_digits=digits or None,
            finish_on_key="" if digits == 1 else "#",
            **heard,
        )
        if bad := [one for one in verb.say if not isinstance(one, Say | Play | Pause)]:
            raise ValueError(f"{type(bad[0]).__name__} cannot stand in a Gather")
        self.put(noun, verb.say)

    def enqueue(self, parent: Any, verb: Enqueue) -> None:
        parent.enqueue(
            _name(verb.name),
            action=self.addresses.step(verb.then),
            method="POST",
            wait_url=self.addresses.step(verb.wait),
            wait_url_method="POST",
        )

    def record(self, parent: Any, verb: Record) -> None:
        parent.record(
            action=self.addresses.step(verb.then),
            method="POST",
            max_length=_within(verb.longest, 1, 14_400, "a message"),
            timeout=_within(verb.silence, 1, 3600, "the silence that ends a message"),
            play_beep=True,
            recording_status_callback=self.addresses.report("recording"),
            recording_status_callback_event=_KEPT,
            recording_status_callback_method="POST",
        )

    def conference(self, parent: Any, verb: Conference) -> None:
        recorded: dict[str, Any] = {}
        if verb.record:
            recorded = {
                "record": "record-from-start",
                "recording_status_callback": self.addresses.report("recording"),
                "recording_status_callback_event": _KEPT,
                "recording_status_callback_method": "POST",
            }
        self._dial(parent, verb.then).conference(
            _name(verb.name),
            participant_label=_name(verb.label),
            beep="false",
            start_conference_on_enter=True,
            end_conference_on_exit=verb.ends,
            status_callback=self.addresses.report("conference"),
            status_callback_event=_JOINS,
            status_callback_method="POST",
            **recorded,
        )

    def dial(self, parent: Any, verb: Dial) -> None:
        for number in (verb.number, verb.caller_id):
            if not _NUMBER.fullmatch(number):
                raise ValueError("a number to ring or to show is not in E.164")
        dial = self._dial(parent, verb.then, caller_id=verb.caller_id, answer_on_bridge=True)
        dial.number(
            verb.number,
            status_callback=self.addresses.report("status"),
            status_callback_event=_RINGS,
            status_callback_method="POST",
        )

    def redirect(self, parent: Any, verb: Redirect) -> None:
        parent.redirect(self.addresses.step(verb.then), method="POST")

    def _dial(self, parent: Any, then: str, **more: Any) -> DialNoun:
        return parent.dial(action=self.addresses.step(then), method="POST", **more)


def document(script: Script, addresses: Addresses, voices: Mapping[str, str]) -> str:
    """The script as TwiML. Raises ValueError for what Twilio would refuse or cut."""
    if len(script.verbs) > 1 and any(isinstance(verb, Reject) for verb in script.verbs):
        raise ValueError("a refused call hears nothing else")
    response = VoiceResponse()
    _Writer(addresses, voices).put(response, script.verbs)
    xml = str(response)
    if len(xml.encode()) > LARGEST:
        raise ValueError(f"a document has at most {LARGEST} bytes")
    return xml


def _within(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise ValueError(f"{what}: {low} to {high}, not {value}")
    return value


def _name(given: str) -> str:
    """Names of queues, conferences and participants hold ids, nothing about people."""
    if not _NAME.fullmatch(given):
        raise ValueError(f"no name of a queue, conference or participant: {given[:80]!r}")
    return given


def _locale(language: str) -> str:
    if language not in LOCALES:
        raise ValueError(f"no voice speaks {language[:20]!r}")
    return LOCALES[language]


def _hints(hints: Sequence[str]) -> str | None:
    """Words that the caller may say; a comma parts them. What is too much is left out."""
    words = [" ".join(clean(hint).replace(",", " ").split()) for hint in hints]
    fitting = [word for word in words if 0 < len(word) <= _LONGEST_HINT]
    ends = accumulate(len(word) + 1 for word in fitting)
    return ",".join(w for w, end in zip(fitting, ends, strict=True) if end <= _MOST_HINTS) or None
