"""Calls: placed, looked at, redirected, hung up, recorded."""

import re
from urllib.parse import urlsplit

from helpdesk.calls.providers.twin.engine import recording
from helpdesk.calls.providers.twin.engine.things import Hook, Leg, Recording
from helpdesk.calls.providers.twin.engine.twin import Twin, outbound
from helpdesk.calls.providers.twin.rest import lists, shapes
from helpdesk.calls.providers.twin.rest.wire import Answer, Incoming, Problem, as_json, missing

_TO = re.compile(r"\+[1-9][0-9]{6,14}|client:[A-Za-z0-9_.-]{1,120}|sips?:[^\s]+@[^\s]+")
_FROM = re.compile(r"\+[1-9][0-9]{6,14}|client:[A-Za-z0-9_.-]{1,120}")
RING_SECONDS = 60


def create(twin: Twin, request: Incoming) -> Answer:
    """Ring a telephone. Raises Problem."""
    leg = placed(twin, request)
    return as_json(shapes.call(twin.exchange, twin.dial_out(leg)), 201)


def placed(twin: Twin, request: Incoming, inline: str | None = None) -> Leg:
    """The leg that a request describes, not rung yet. Raises Problem."""
    to, from_ = request.get("To") or "", request.get("From") or ""
    if not to:
        raise Problem(400, 21201, "No 'To' number is specified")
    if not from_:
        raise Problem(400, 21213, "A 'From' phone number is required")
    if not _TO.fullmatch(to):
        raise Problem(400, 21211, f"The phone number you are attempting to call, {to}, is invalid")
    if not _FROM.fullmatch(from_):
        raise Problem(400, 21212, f"The 'From' number {from_} is not a valid phone number")
    url, inline = request.get("Url"), inline or request.get("Twiml")
    if not url and not inline:
        raise Problem(400, 21205, "Url parameter is required")
    address(url)
    document = Hook.made(url, request.get("Method")) or Hook("")
    leg = outbound(twin, from_, to, document, inline=inline, timeout=_timeout(request))
    leg.fallback = Hook.made(address(request.get("FallbackUrl")), request.get("FallbackMethod"))
    leg.status_hook = Hook.made(
        address(request.get("StatusCallback")),
        request.get("StatusCallbackMethod"),
        request.all("StatusCallbackEvent"),
    )
    return leg


def address(url: str | None) -> str | None:
    """An address that can be asked. Raises Problem."""
    parts = urlsplit(url or "")
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise Problem(400, 21205, f"Url is not a valid URL: {url}")
    return url


def _timeout(request: Incoming) -> int:
    text = request.get("Timeout") or str(RING_SECONDS)
    if not text.isdecimal() or not 0 < int(text) <= 600:
        raise Problem(400, 21214, f"Timeout is 1 to 600 seconds, not {text}")
    return int(text)


def index(twin: Twin, request: Incoming) -> Answer:
    found = [
        leg
        for leg in reversed(twin.exchange.legs.values())
        if lists.same(
            request, To=leg.to, From=leg.from_, Status=leg.status, ParentCallSid=leg.parent_sid
        )
        and lists.within(request, "StartTime", leg.created_at)
        and lists.within(request, "EndTime", leg.ended_at)
    ]
    return lists.page(request, "calls", found, lambda leg: shapes.call(twin.exchange, leg))


def fetch(twin: Twin, request: Incoming, sid: str) -> Answer:
    return as_json(shapes.call(twin.exchange, known(twin, request, sid)))


def update(twin: Twin, request: Incoming, sid: str) -> Answer:
    """Redirect a call, or end it. Raises Problem."""
    leg = known(twin, request, sid)
    status = request.get("Status")
    url, inline = address(request.get("Url")), request.get("Twiml")
    if status not in (None, "canceled", "completed"):
        raise Problem(400, 20001, f"Status is canceled or completed, not {status}")
    if not leg.live:
        raise Problem(400, 21220, "Call is not in-progress. Cannot redirect.")
    if status == "canceled" and leg.status == "in-progress":
        raise Problem(400, 21220, "Call is in-progress. It cannot be canceled.")
    if status:
        twin.exchange.end(leg, "completed" if leg.answered_at else "canceled")
    elif url or inline:
        _redirect(twin, leg, request, url, inline)
    twin.driver.changed()
    return as_json(shapes.call(twin.exchange, leg))


def _redirect(twin: Twin, leg: Leg, request: Incoming, url: str | None, inline: str | None) -> None:
    if leg.status != "in-progress":
        raise Problem(400, 21220, "Call is not in-progress. Cannot redirect.")
    if request.get("FallbackUrl"):
        leg.fallback = Hook.made(address(request.get("FallbackUrl")), request.get("FallbackMethod"))
    hook = Hook.made(url, request.get("Method")) or Hook("")
    twin.runner.send_to(leg, hook, inline=inline)


def delete(twin: Twin, request: Incoming, sid: str) -> Answer:
    leg = known(twin, request, sid)
    if leg.live:
        raise Problem(409, 20009, "Cannot delete a call that is in progress")
    del twin.exchange.legs[sid]
    return Answer(204)


def record(twin: Twin, request: Incoming, sid: str) -> Answer:
    """Start to record a leg. Raises Problem."""
    leg = known(twin, request, sid)
    if leg.status != "in-progress":
        raise Problem(400, 21220, "Requested resource is not eligible for recording")
    hook = Hook.made(
        address(request.get("RecordingStatusCallback")),
        request.get("RecordingStatusCallbackMethod"),
        " ".join(request.all("RecordingStatusCallbackEvent")).split(),
    )
    channels = 2 if request.get("RecordingChannels") == "dual" else 1
    made = recording.of_leg(twin.exchange, leg, "StartCallRecordingAPI", hook, channels)
    return as_json(shapes.recording(twin.exchange, made), 201)


def change_recording(twin: Twin, request: Incoming, sid: str, name: str) -> Answer:
    """Pause, resume or stop a recording; `Twilio.CURRENT` is the one that runs. Raises Problem."""
    found = _running(twin, request, sid, name)
    status = request.get("Status")
    if status == "paused":
        recording.pause(twin.exchange, found)
    elif status == "in-progress":
        recording.resume(twin.exchange, found)
    elif status == "stopped":
        recording.finish(twin.exchange, found)
    else:
        raise Problem(400, 20001, "Status is paused, in-progress or stopped")
    return as_json(shapes.recording(twin.exchange, found))


def known(twin: Twin, request: Incoming, sid: str) -> Leg:
    """Raises Problem where there is no such call."""
    leg = twin.exchange.legs.get(sid)
    if leg is None:
        raise missing(request.path)
    return leg


def _running(twin: Twin, request: Incoming, sid: str, name: str) -> Recording:
    for found in reversed(twin.exchange.recordings.values()):
        here = found.call_sid == sid and found.status in ("in-progress", "paused")
        if here and name in ("Twilio.CURRENT", found.sid):
            return found
    raise missing(request.path)
