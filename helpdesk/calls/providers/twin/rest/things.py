"""Recordings and their sound, messages, numbers, applications, the account."""

import re

from helpdesk.calls.providers.twin.engine import messages
from helpdesk.calls.providers.twin.engine.things import Hook, Message, Number, Recording
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.rest import lists, shapes, sound
from helpdesk.calls.providers.twin.rest.calls import address
from helpdesk.calls.providers.twin.rest.wire import Answer, Incoming, Problem, as_json, missing

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
LONGEST_TEXT = 1600
URLS = {
    "VoiceUrl": "voice_url",
    "VoiceFallbackUrl": "voice_fallback_url",
    "SmsUrl": "sms_url",
    "SmsFallbackUrl": "sms_fallback_url",
    "StatusCallback": "status_callback",
}


def account(twin: Twin, request: Incoming) -> Answer:
    return as_json(shapes.account(twin.exchange))


def recordings(twin: Twin, request: Incoming, call_sid: str | None = None) -> Answer:
    found = [
        each
        for each in reversed(twin.exchange.recordings.values())
        if call_sid in (None, each.call_sid)
        and lists.same(request, CallSid=each.call_sid, ConferenceSid=each.conference_sid)
        and lists.within(request, "DateCreated", each.started_at)
    ]
    return lists.page(
        request, "recordings", found, lambda each: shapes.recording(twin.exchange, each)
    )


def recording(twin: Twin, request: Incoming, sid: str) -> Answer:
    return as_json(shapes.recording(twin.exchange, _recording(twin, request, sid)))


def delete_recording(twin: Twin, request: Incoming, sid: str) -> Answer:
    del twin.exchange.recordings[_recording(twin, request, sid).sid]
    return Answer(204)


def media(twin: Twin, request: Incoming, sid: str) -> Answer:
    """A recording's sound; not there before it is complete. Always WAV, whatever is asked for."""
    found = _recording(twin, request, sid)
    if found.status != "completed" or twin.exchange.faults.take("media", sid):
        raise missing(request.path)
    body = sound.wav(found.seconds, found.channels, 300 + int(sid[-2:], 16))
    return Answer(200, body, "audio/x-wav")


def message_list(twin: Twin, request: Incoming) -> Answer:
    found = [
        each
        for each in reversed(twin.exchange.messages.values())
        if lists.same(request, To=each.to, From=each.from_)
        and lists.within(request, "DateSent", each.sent_at or each.created_at)
    ]
    return lists.page(request, "messages", found, lambda m: shapes.message(twin.exchange, m))


def send(twin: Twin, request: Incoming) -> Answer:
    """Send an SMS. Raises Problem."""
    to, from_, body = (request.get(name) or "" for name in ("To", "From", "Body"))
    if not to:
        raise Problem(400, 21604, "A 'To' phone number is required")
    if not _NUMBER.fullmatch(to):
        raise Problem(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if not _NUMBER.fullmatch(from_):
        raise Problem(400, 21603, "A 'From' phone number is required")
    if not body:
        raise Problem(400, 21602, "Message body is required")
    if len(body) > LONGEST_TEXT:
        raise Problem(400, 21617, f"The message exceeds the {LONGEST_TEXT} character limit")
    if (to, from_) in twin.exchange.stopped:
        raise Problem(400, 21610, "Attempt to send to unsubscribed recipient")
    hook = Hook.made(address(request.get("StatusCallback")), "POST")
    made = messages.send(twin.exchange, from_, to, body, hook)
    twin.driver.changed()
    return as_json(shapes.message(twin.exchange, made), 201)


def message(twin: Twin, request: Incoming, sid: str) -> Answer:
    return as_json(shapes.message(twin.exchange, _message(twin, request, sid)))


def change_message(twin: Twin, request: Incoming, sid: str) -> Answer:
    """Redact: an empty Body takes the words away."""
    found = _message(twin, request, sid)
    if request.get("Body") == "":
        found.body = ""
    return as_json(shapes.message(twin.exchange, found))


def delete_message(twin: Twin, request: Incoming, sid: str) -> Answer:
    del twin.exchange.messages[_message(twin, request, sid).sid]
    return Answer(204)


def message_media(twin: Twin, request: Incoming, sid: str) -> Answer:
    """The twin keeps no pictures: those that a sender named stay where they are."""
    _message(twin, request, sid)
    return lists.page(request, "media_list", [], dict)


def numbers(twin: Twin, request: Incoming) -> Answer:
    found = [
        each
        for each in twin.exchange.numbers.values()
        if each.phone and lists.same(request, PhoneNumber=each.phone, FriendlyName=each.name)
    ]
    return lists.page(
        request,
        "incoming_phone_numbers",
        found,
        lambda each: shapes.number(twin.exchange, each),
    )


def number(twin: Twin, request: Incoming, sid: str) -> Answer:
    return as_json(shapes.number(twin.exchange, _number(twin, request, sid)))


def change_number(twin: Twin, request: Incoming, sid: str) -> Answer:
    """Other addresses for a number. Raises Problem."""
    found = _number(twin, request, sid)
    _set_urls(found, request)
    found.name = request.get("FriendlyName") or found.name
    found.updated_at = twin.exchange.agenda.now()
    return as_json(shapes.number(twin.exchange, found))


def applications(twin: Twin, request: Incoming) -> Answer:
    one = twin.exchange.number(None)
    return lists.page(
        request, "applications", [one], lambda a: shapes.application(twin.exchange, a, a.sid)
    )


def application(twin: Twin, request: Incoming, sid: str) -> Answer:
    """There is one application, whatever it is called."""
    return as_json(shapes.application(twin.exchange, twin.exchange.number(None), sid))


def change_application(twin: Twin, request: Incoming, sid: str) -> Answer:
    _set_urls(twin.exchange.number(None), request)
    return application(twin, request, sid)


def _set_urls(found: Number, request: Incoming) -> None:
    for field, name in URLS.items():
        value = request.get(field)
        if value is not None:
            found.urls[name] = address(value) or ""


def _recording(twin: Twin, request: Incoming, sid: str) -> Recording:
    found = twin.exchange.recordings.get(sid)
    if found is None:
        raise missing(request.path)
    return found


def _message(twin: Twin, request: Incoming, sid: str) -> Message:
    found = twin.exchange.messages.get(sid)
    if found is None:
        raise missing(request.path)
    return found


def _number(twin: Twin, request: Incoming, sid: str) -> Number:
    found = twin.exchange.numbers.get(sid)
    if found is None or found.phone is None:
        raise missing(request.path)
    return found
