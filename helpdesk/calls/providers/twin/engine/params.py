"""What requests to webhooks carry, by their full names."""

from datetime import datetime
from email.utils import format_datetime

from helpdesk.calls.providers.twin.engine.things import Leg, Message

API_VERSION = "2010-04-01"
PLACES = ("City", "State", "Zip", "Country")
COUNTRIES = {"+380": "UA", "+7": "RU", "+1": "US", "+44": "GB", "+48": "PL", "+49": "DE"}
SIP_CODES = {"busy": "486", "no-answer": "487", "canceled": "487", "failed": "404"}


def call(account_sid: str, leg: Leg) -> dict[str, str]:
    """What every request about a leg carries."""
    form = {
        "AccountSid": account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": leg.sid,
        "CallStatus": leg.status,
        "Direction": leg.direction,
        "From": leg.from_,
        "To": leg.to,
        "Caller": leg.from_,
        "Called": leg.to,
    }
    for side, number in (("From", leg.from_), ("To", leg.to)):
        form |= _place(side, number)
        form |= _place("Caller" if side == "From" else "Called", number)
    if leg.direction == "inbound":
        form["CallToken"] = leg.token
    if leg.parent_sid:
        form["ParentCallSid"] = leg.parent_sid
    return form | dict(leg.extra)


def progress(leg: Leg, number: int, at: datetime) -> dict[str, str]:
    """What a status callback carries besides; `number` counts a leg's callbacks."""
    form = {
        "Timestamp": rfc2822(at),
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(number),
    }
    if leg.ended_at is None:
        return form
    seconds = duration(leg)
    return form | {
        "CallDuration": str(seconds),
        "Duration": str(-(-seconds // 60)),
        "SipResponseCode": SIP_CODES.get(leg.status, "200"),
    }


def message(account_sid: str, text: Message) -> dict[str, str]:
    """What a message that came in carries."""
    form = {
        "AccountSid": account_sid,
        "ApiVersion": API_VERSION,
        "MessageSid": text.sid,
        "SmsSid": text.sid,
        "SmsMessageSid": text.sid,
        "SmsStatus": text.status,
        "From": text.from_,
        "To": text.to,
        "Body": text.body,
        "NumMedia": str(len(text.media)),
        "NumSegments": str(segments(text.body)),
    }
    for number, url in enumerate(text.media):
        form |= {f"MediaUrl{number}": url, f"MediaContentType{number}": "image/jpeg"}
    return form | _place("From", text.from_) | _place("To", text.to)


def message_status(account_sid: str, text: Message) -> dict[str, str]:
    form = {
        "AccountSid": account_sid,
        "ApiVersion": API_VERSION,
        "MessageSid": text.sid,
        "SmsSid": text.sid,
        "MessageStatus": text.status,
        "SmsStatus": text.status,
        "From": text.from_,
        "To": text.to,
    }
    return form | ({"ErrorCode": str(text.error)} if text.error else {})


def duration(leg: Leg) -> int:
    """Seconds from the answer to the end; 0 for a call that nobody answered."""
    if leg.answered_at is None or leg.ended_at is None:
        return 0
    return int((leg.ended_at - leg.answered_at).total_seconds())


def segments(body: str) -> int:
    """How many SMS a text takes (GSM 03.38: 160 or 153 letters; others: 70 or 67)."""
    plain = body.isascii()
    single, each = (160, 153) if plain else (70, 67)
    return 1 if len(body) <= single else -(-len(body) // each)


def rfc2822(at: datetime) -> str:
    return format_datetime(at)


def _place(side: str, number: str) -> dict[str, str]:
    """Where a number is from: all but the country stay empty outside of North America."""
    found = (COUNTRIES[code] for code in COUNTRIES if number.startswith(code))
    return {f"{side}{part}": "" for part in PLACES[:3]} | {f"{side}Country": next(found, "")}
