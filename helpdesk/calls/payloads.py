"""What is kept of a carrier's words: without what stands elsewhere or is nobody's business."""

import re
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from helpdesk.calls.models import Direction, LegState, Provider
from helpdesk.calls.providers.port import Heard

_ELSEWHERE = re.compile(
    r"(From|To|Caller|Called|ForwardedFrom|AccountSid|ApiVersion|CallToken|.*Url)([A-Z].*)?"
)
_CARD = re.compile(r"\d(?:[ -]?\d){11,18}")  # ISO/IEC 7812: a card's number
HIDDEN = "…"
_HEARD = "heard"


def kept(heard: Heard) -> dict[str, Any]:
    """The parameters as they came, without numbers, addresses, secrets and what looks like a card.

    More than one key pressed may be a code or a number of theirs: only single keys are kept.
    """
    told = {name: text for name, text in heard.payload.items() if not _ELSEWHERE.fullmatch(name)}
    if len(told.get("Digits", "")) > 1:
        told["Digits"] = HIDDEN
    return {name: _CARD.sub(HIDDEN, text) for name, text in told.items()}


def whole(heard: Heard) -> dict[str, Any]:
    """All of it, so that `read` gives it back."""
    values = {name: _plain(value) for name, value in asdict(heard).items()}
    return {_HEARD: values}


def read(payload: dict[str, Any]) -> Heard:
    """What `whole` made. Raises KeyError for anything else."""
    values = dict(payload[_HEARD])
    known = {field.name for field in fields(Heard)}
    values["provider"] = Provider(values["provider"])
    values["direction"] = Direction(values["direction"])
    values["state"] = LegState(values["state"]) if values["state"] else None
    values["at"] = datetime.fromisoformat(values["at"]) if values["at"] else None
    return Heard(**{name: value for name, value in values.items() if name in known})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, dict) else value
