"""What Twilio's webhooks say, as Heard and Texted; nothing that arrives can make it raise.

Unknown parameters are kept and ignored, for Twilio adds some without notice; wrong ones count as
missing. A number that is none ("client:…", withheld) is no number.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from helpdesk.calls.models import Direction, LegState, Provider
from helpdesk.calls.providers.port import Heard, Texted
from helpdesk.lib.text import clean

ROOT = "/twilio/"
LONGEST = 8_000  # characters of one parameter that are kept
_MOST = 200  # parameters that are kept

WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464"})
"""What Twilio writes where there is no number: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN,
UNAVAILABLE, spelled on the keys of a telephone."""

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
_SIP = re.compile(r"sips?:(\+?[0-9]{7,15})@.*", re.I | re.S)
_KINDS = {
    "voice": "voice",
    "status": "leg",
    "conference": "conference",
    "recording": "recording",
    "queue": "queue",
    "fallback": "fallback",
}
_LEGS = {
    "queued": LegState.QUEUED,
    "initiated": LegState.INITIATED,
    "ringing": LegState.RINGING,
    "in-progress": LegState.IN_PROGRESS,
    "answered": LegState.IN_PROGRESS,
    "completed": LegState.COMPLETED,
    "busy": LegState.BUSY,
    "failed": LegState.FAILED,
    "no-answer": LegState.NO_ANSWER,
    "canceled": LegState.CANCELED,
}
_CONFERENCE = {
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-hold": "hold",
    "participant-unhold": "unhold",
    "conference-start": "start",
    "conference-end": "end",
}
# What makes one request another, beside its address; of documents the state of the call is no
# part, because it may change between a request and its repeat.
_KEYS = {
    "leg": ("CallSid", "CallStatus"),
    "conference": ("ConferenceSid", "StatusCallbackEvent", "CallSid"),
    "recording": ("RecordingSid", "RecordingStatus"),
}
_DOCUMENT_KEYS = (
    "CallSid",
    "Digits",
    "SpeechResult",
    "QueueResult",
    "QueueTime",
    "QueuePosition",
    "DialCallSid",
    "DialCallStatus",
    "RecordingSid",
    "ErrorCode",
)


@dataclass(frozen=True)
class TextStatus:
    """What became of an SMS: `state` is the carrier's word, e.g. "delivered", "undelivered"."""

    provider_id: str
    state: str
    error: str | None = None


def heard(provider: Provider, path: str, query_string: str, params: Mapping[str, str]) -> Heard:
    """One voice webhook. `path` is ours, "/twilio/menu"; `query_string` is raw; `params` is the
    form. Of a GET the parameters stand in the query, beside those of our address.
    """
    query = _query(query_string)
    told = _clean({name: text for name, text in query.items() if name[:1].isupper()} | dict(params))
    ours = _clean({name: text for name, text in query.items() if not name[:1].isupper()})
    step = path.removeprefix(ROOT).strip("/")
    kind = "queue" if told.get("QueueResult") else _KINDS.get(step, "step")
    return Heard(
        provider=provider,
        kind=kind,
        key=_key(kind, f"{path}?{query_string}", told),
        provider_id=_word(told, "CallSid"),
        parent_id=_word(told, "ParentCallSid"),
        step="left" if step == "queue" else step if kind in ("step", "queue") else "",
        query=ours,
        from_number=number(told.get("From")),
        to_number=number(told.get("To")),
        direction=_direction(told),
        digits=told.get("Digits"),
        speech=told.get("SpeechResult") or told.get("UnstableSpeechResult"),
        confidence=_share(told.get("Confidence")),
        state=state(told.get("CallStatus")),
        event=_CONFERENCE.get(told.get("StatusCallbackEvent", "")),
        label=_label(told),
        conference_id=_word(told, "ConferenceSid"),
        conference=_word(told, "FriendlyName"),
        queue_result=_word(told, "QueueResult"),
        recording_id=_word(told, "RecordingSid"),
        recording_state=_word(told, "RecordingStatus"),
        seconds=_seconds(kind, told),
        error=_word(told, "ErrorCode"),
        sequence=_count(told.get("SequenceNumber")),
        at=moment(told.get("Timestamp")),
        payload=told,
    )


def text(params: Mapping[str, str]) -> Texted:
    """An SMS that came. A short code or a name instead of a number is kept as it is written."""
    told = _clean(params)
    count = min(_count(told.get("NumMedia")) or 0, 20)
    media = [told[name] for n in range(count) if (name := f"MediaUrl{n}") in told]
    sender, receiver = told.get("From", ""), told.get("To", "")
    return Texted(
        provider_id=told.get("MessageSid") or told.get("SmsSid", ""),
        from_number=number(sender) or sender.strip(),
        to_number=number(receiver) or receiver.strip(),
        body=told.get("Body", ""),
        created_at=None,
        media=media,
    )


def text_status(params: Mapping[str, str]) -> TextStatus:
    """The state of an SMS that we sent; an SMS that came has no MessageStatus, but SmsStatus."""
    told = _clean(params)
    found = told.get("MessageSid") or told.get("SmsSid", "")
    return TextStatus(found, told.get("MessageStatus", ""), _word(told, "ErrorCode"))


def number(given: str | None) -> str | None:
    """E.164, or None for a withheld number, a browser phone and whatever else is no number.

    A "+" that was not escaped in a form has become a space.
    """
    value = given or ""
    if value[:1] == " " and value[1:].isascii() and value[1:].isdecimal():
        value = "+" + value[1:]
    value = value.strip()
    if found := _SIP.fullmatch(value):
        value = found[1]
    return value if _NUMBER.fullmatch(value) and value not in WITHHELD else None


def state(given: str | None) -> LegState | None:
    """A leg's state by Twilio's CallStatus."""
    return _LEGS.get((given or "").lower())


def moment(given: str | None) -> datetime | None:
    """A time in UTC, as RFC 5322 ("Mon, 23 Nov 2026 10:00:00 +0000") or ISO 8601 writes it."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(given or "")
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _query(query_string: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query_string, keep_blank_values=True, max_num_fields=_MOST))
    except ValueError:
        return {}


def _clean(params: Mapping[str, str]) -> dict[str, str]:
    """Fit for both databases, and not without end."""
    pairs = list(params.items())[:_MOST]
    return {clean(name)[:100]: clean(value)[:LONGEST] for name, value in pairs}


def _key(kind: str, address: str, told: Mapping[str, str]) -> str:
    """Stable over repeats of one request, different for any two requests."""
    parts = [address, *(told.get(name, "") for name in _KEYS.get(kind, _DOCUMENT_KEYS))]
    if kind in _KEYS:
        parts.append(told.get("SequenceNumber") or told.get("Timestamp", ""))
    joined = "\0".join(parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def _direction(told: Mapping[str, str]) -> Direction:
    outbound = told.get("Direction", "").lower().startswith("outbound")
    return Direction.OUTBOUND if outbound else Direction.INBOUND


def _label(told: Mapping[str, str]) -> str | None:
    """The participant of a conference; else the browser phone that calls or is called."""
    if "ParticipantLabel" in told:
        return _word(told, "ParticipantLabel")
    for name in ("From", "To"):
        scheme, _, identity = told.get(name, "").partition(":")
        if scheme == "client" and identity:
            return identity[:80]
    return None


def _seconds(kind: str, told: Mapping[str, str]) -> int | None:
    names = {
        "leg": "CallDuration",
        "recording": "RecordingDuration",
        "queue": "QueueTime",
        "step": "RecordingDuration" if "RecordingDuration" in told else "QueueTime",
    }
    return _count(told.get(names.get(kind, "")))


def _word(told: Mapping[str, str], name: str) -> str | None:
    return told.get(name, "").strip()[:80] or None


def _count(given: str | None) -> int | None:
    value = (given or "").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None


def _share(given: str | None) -> float | None:
    """0 to 1, or nothing."""
    if not re.fullmatch(r"[01]|0?\.[0-9]{1,20}|1\.0{1,20}", given or ""):
        return None
    return float(given or "")
