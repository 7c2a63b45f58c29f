"""Any telephone exchange that posts what happened: call started, answered, ended.

It has no documents and takes no orders; it only tells. What it says is checked here and becomes
Heard of `Provider.PBX`, one for the customer's leg and one for the agent's.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk.calls.models import Direction, LegState, Provider
from helpdesk.calls.providers.port import Heard
from helpdesk.lib import phone
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line

EVENTS = ("started", "answered", "ended")
OLDEST = timedelta(days=7)  # an exchange may have been cut off from us for some days
AHEAD = timedelta(minutes=5)  # its clock may be a little fast

_ID = re.compile(r"[!-~]{1,60}")
_DIRECTIONS = {
    "": Direction.INBOUND,
    "inbound": Direction.INBOUND,
    "in": Direction.INBOUND,
    "outbound": Direction.OUTBOUND,
    "out": Direction.OUTBOUND,
}


@dataclass(frozen=True)
class Told:
    """One event, checked. Numbers are E.164 or None; `agent` is an email address or a number as
    the exchange writes it, "" for none; `at` is UTC."""

    event: str
    call_id: str
    from_number: str | None
    to_number: str | None
    agent: str
    direction: Direction
    at: datetime
    payload: Mapping[str, str] = field(default_factory=dict)


def read(values: Mapping[str, Any], at: datetime, country: str) -> Told:
    """What was posted, as JSON or form. `at` is now, for an event without a time; `country` says
    how national numbers are read. Unknown fields are kept and ignored. Raises HelpdeskError with
    the field that is wrong.
    """
    event = _text(values, "event").lower()
    if event not in EVENTS:
        known = ", ".join(EVENTS)
        raise HelpdeskError(_lazy("One of these is needed: %(known)s."), field="event", known=known)
    call_id = _text(values, "call_id")
    if not _ID.fullmatch(call_id):
        message = _lazy("1 to 60 letters, digits and signs without spaces are needed.")
        raise HelpdeskError(message, field="call_id")
    direction = _DIRECTIONS.get(_text(values, "direction").lower())
    if direction is None:
        raise HelpdeskError(_lazy("“inbound” or “outbound” fits here."), field="direction")
    return Told(
        event,
        call_id,
        phone.normalize(_text(values, "from"), country),
        phone.normalize(_text(values, "to"), country),
        _text(values, "agent"),
        direction,
        _moment(_text(values, "at"), at),
        {
            name[:40]: text
            for name in list(values)[:30]
            if (text := _text(values, name, strict=False))
        },
    )


def customer(told: Told, state: LegState) -> Heard:
    """The customer's leg, which names the call."""
    return Heard(
        Provider.PBX,
        "leg",
        _key(told.call_id, told.event, state.value),
        provider_id=told.call_id,
        from_number=told.from_number,
        to_number=told.to_number,
        direction=told.direction,
        state=state,
        at=told.at,
        payload=told.payload,
    )


def agent(told: Told, user_id: int, offer_id: int, state: LegState) -> Heard:
    """The leg of one of ours, found by the offer that stands for its ringing."""
    name = agents_leg(told.call_id, user_id)
    return Heard(
        Provider.PBX,
        "leg",
        _key(name, told.event, state.value),
        provider_id=name,
        parent_id=told.call_id,
        query={"offer": str(offer_id)},
        direction=told.direction,
        label=f"agent-{user_id}",
        state=state,
        at=told.at,
    )


def agents_leg(call_id: str, user_id: int) -> str:
    """Each agent's leg has a name of its own: a call may ring at several, one after the other."""
    return f"{call_id}/agent-{user_id}"


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(("pbx", *parts)).encode()).hexdigest()


def _text(values: Mapping[str, Any], name: str, *, strict: bool = True) -> str:
    value = values.get(name)
    if value is None or isinstance(value, str | int) and not isinstance(value, bool):
        return clean_line(str(value if value is not None else ""), 200)
    if strict:
        raise HelpdeskError(_lazy("Text is needed here."), field=name)
    return ""


def _moment(written: str, at: datetime) -> datetime:
    """ISO 8601, without a zone in UTC, or seconds since 1970; a fast clock is set right."""
    if not written:
        return at
    try:
        if re.fullmatch(r"[0-9]{9,11}", written):
            found = datetime.fromtimestamp(int(written), UTC)
        else:
            found = datetime.fromisoformat(written)
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        if at - OLDEST <= found <= at + AHEAD:
            return min(found, at)
    except (ValueError, OverflowError):
        pass
    message = _lazy("A time of the last days is needed, for example 2026-11-23T10:00:00Z.")
    raise HelpdeskError(message, field="at")
