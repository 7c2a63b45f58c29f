"""How Twilio writes its resources as JSON."""

from datetime import datetime
from typing import Any

from helpdesk.calls.providers.twin.engine import params
from helpdesk.calls.providers.twin.engine.exchange import Exchange
from helpdesk.calls.providers.twin.engine.things import (
    Conference,
    Leg,
    Message,
    Number,
    Participant,
    Queue,
    Recording,
)

Shape = dict[str, Any]
VERSION = params.API_VERSION


def root(exchange: Exchange) -> str:
    return f"/{VERSION}/Accounts/{exchange.account.sid}"


def account(exchange: Exchange) -> Shape:
    sid = exchange.account.sid
    return {
        "sid": sid,
        "friendly_name": "Offline twin",
        "status": "active",
        "type": "Full",
        "owner_account_sid": sid,
        "auth_token": "",
        "date_created": None,
        "date_updated": None,
        "uri": f"{root(exchange)}.json",
        "subresource_uris": {},
    }


def call(exchange: Exchange, leg: Leg) -> Shape:
    uri = f"{root(exchange)}/Calls/{leg.sid}"
    ours = leg.to if leg.direction == "inbound" else leg.from_
    number = next((each for each in exchange.numbers.values() if each.phone == ours), None)
    return _dated(exchange, leg.created_at, leg.updated_at) | {
        "sid": leg.sid,
        "parent_call_sid": leg.parent_sid,
        "to": leg.to,
        "to_formatted": leg.to,
        "from": leg.from_,
        "from_formatted": leg.from_,
        "phone_number_sid": number.sid if number else None,
        "status": leg.status,
        "start_time": None if leg.status == "queued" else _date(leg.created_at),
        "end_time": _date(leg.ended_at),
        "duration": str(params.duration(leg)) if leg.ended_at else None,
        "price": None,
        "price_unit": "USD",
        "direction": leg.direction,
        "answered_by": None,
        "api_version": VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
    }


def conference(exchange: Exchange, found: Conference) -> Shape:
    uri = f"{root(exchange)}/Conferences/{found.sid}"
    reason = {"reason_conference_ended": found.reason} if found.reason else {}
    return _dated(exchange, found.created_at, found.updated_at) | {
        "sid": found.sid,
        "friendly_name": found.name,
        "api_version": VERSION,
        "region": "us1",
        "status": found.status,
        "call_sid_ending_conference": found.ended_by,
        "uri": f"{uri}.json",
        "subresource_uris": {"participants": f"{uri}/Participants.json"},
        **reason,
    }


def participant(exchange: Exchange, conference_sid: str, found: Participant) -> Shape:
    path = f"{root(exchange)}/Conferences/{conference_sid}/Participants/{found.leg.sid}"
    return _dated(exchange, found.created_at, None) | {
        "call_sid": found.leg.sid,
        "label": found.label or None,
        "call_sid_to_coach": found.coached,
        "coaching": found.coaching,
        "conference_sid": conference_sid,
        "end_conference_on_exit": found.end,
        "muted": found.muted,
        "hold": found.held,
        "start_conference_on_enter": found.start,
        "status": "connected" if found.leg.answered_at else "queued",
        "queue_time": None,
        "uri": f"{path}.json",
    }


def queue(exchange: Exchange, found: Queue) -> Shape:
    now = exchange.agenda.now()
    waits = [int((now - joined).total_seconds()) for _, joined in found.members]
    return _dated(exchange, found.created_at, None) | {
        "sid": found.sid,
        "friendly_name": found.name,
        "current_size": len(waits),
        "average_wait_time": sum(waits) // len(waits) if waits else 0,
        "max_size": found.max_size,
        "uri": f"{root(exchange)}/Queues/{found.sid}.json",
    }


def queue_member(exchange: Exchange, found: Queue, position: int) -> Shape:
    leg, joined = found.members[position - 1]
    return {
        "call_sid": leg.sid,
        "date_enqueued": _date(joined),
        "position": position,
        "wait_time": int((exchange.agenda.now() - joined).total_seconds()),
        "queue_sid": found.sid,
        "uri": f"{root(exchange)}/Queues/{found.sid}/Members/{leg.sid}.json",
    }


def recording(exchange: Exchange, found: Recording) -> Shape:
    uri = f"{root(exchange)}/Recordings/{found.sid}"
    done = found.status == "completed"
    return _dated(exchange, found.started_at, found.updated_at) | {
        "sid": found.sid,
        "api_version": VERSION,
        "call_sid": found.call_sid,
        "conference_sid": found.conference_sid,
        "start_time": _date(found.started_at),
        "duration": str(int(found.seconds)) if done else "-1",
        "price": None,
        "price_unit": "USD",
        "status": found.status,
        "channels": found.channels,
        "source": found.source,
        "error_code": found.error,
        "encryption_details": None,
        "track": "both",
        "uri": f"{uri}.json",
        "subresource_uris": {},
        "media_url": f"https://api.twilio.com{uri}",
    }


def message(exchange: Exchange, found: Message) -> Shape:
    uri = f"{root(exchange)}/Messages/{found.sid}"
    return _dated(exchange, found.created_at, found.updated_at) | {
        "sid": found.sid,
        "body": found.body,
        "num_segments": str(params.segments(found.body)),
        "direction": found.direction,
        "from": found.from_,
        "to": found.to,
        "price": None,
        "price_unit": "USD",
        "error_code": found.error,
        "error_message": "Not delivered" if found.error else None,
        "num_media": str(len(found.media)),
        "status": found.status,
        "messaging_service_sid": None,
        "date_sent": _date(found.created_at if found.direction == "inbound" else found.sent_at),
        "api_version": VERSION,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def number(exchange: Exchange, found: Number) -> Shape:
    """An IncomingPhoneNumber."""
    return _dated(exchange, found.created_at, found.updated_at) | {
        "sid": found.sid,
        "friendly_name": found.name,
        "phone_number": found.phone,
        "api_version": VERSION,
        "address_requirements": "none",
        "address_sid": None,
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "emergency_status": "Inactive",
        "emergency_address_status": "unregistered",
        "emergency_address_sid": None,
        "identity_sid": None,
        "bundle_sid": None,
        "origin": "twilio",
        "status": "in-use",
        "trunk_sid": None,
        "voice_receive_mode": "voice",
        "voice_caller_id_lookup": False,
        "voice_application_sid": None,
        "sms_application_sid": None,
        "uri": f"{root(exchange)}/IncomingPhoneNumbers/{found.sid}.json",
        **_urls(found),
    }


def application(exchange: Exchange, found: Number, sid: str) -> Shape:
    return _dated(exchange, found.created_at, found.updated_at) | {
        "sid": sid,
        "friendly_name": found.name,
        "api_version": VERSION,
        "message_status_callback": None,
        "sms_status_callback": None,
        "voice_caller_id_lookup": False,
        "public_application_connect_enabled": False,
        "uri": f"{root(exchange)}/Applications/{sid}.json",
        **_urls(found),
    }


def _urls(found: Number) -> Shape:
    names = ("voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url", "status_callback")
    methods = ("voice_method", "voice_fallback_method", "sms_method", "sms_fallback_method")
    shape: Shape = {name: found.urls.get(name, "") for name in names}
    return shape | dict.fromkeys((*methods, "status_callback_method"), "POST")


def _dated(exchange: Exchange, created: datetime, updated: datetime | None) -> Shape:
    return {
        "account_sid": exchange.account.sid,
        "date_created": _date(created),
        "date_updated": _date(updated or created),
    }


def _date(at: datetime | None) -> str | None:
    return params.rfc2822(at) if at else None
