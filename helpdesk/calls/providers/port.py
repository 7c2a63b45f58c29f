"""The port: what the product asks of a carrier, and what a carrier tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from helpdesk.calls.models import Direction, LegState, Provider
from helpdesk.calls.script import Script


class CarrierError(Exception):
    """The carrier refused or did not answer. `again`: later it may work (429, 5xx, time-out).

    `unknown`: no answer came, so it may have been done: look before asking again. `code` is the
    carrier's own number of the error, for the record.
    """

    def __init__(
        self, message: str, *, again: bool, unknown: bool = False, code: int | None = None
    ) -> None:
        super().__init__(message)
        self.again, self.unknown, self.code = again, unknown, code


@dataclass(frozen=True)
class Heard:
    """One thing that a carrier told us, in the product's words.

    `kind` is "voice" (a call begins), "step" (a document is asked for), "leg" (state of a leg),
    "conference", "recording", "queue" (a caller left the queue) or "fallback".
    """

    provider: Provider
    kind: str
    key: str  # the same for a repeat, another for anything else
    provider_id: str | None = None  # the leg it is about
    parent_id: str | None = None  # the leg that caused it
    step: str = ""  # of "step", e.g. "menu"
    query: Mapping[str, str] = field(default_factory=dict)  # what our address carried
    from_number: str | None = None  # E.164; None: withheld or not a number
    to_number: str | None = None
    direction: Direction = Direction.INBOUND
    digits: str | None = None  # None: not asked for; "": nothing was pressed
    speech: str | None = None
    confidence: float | None = None  # 0 to 1
    state: LegState | None = None
    event: str | None = None  # of a conference: "join", "leave", "hold", "unhold", "end"
    label: str | None = None  # the participant of a conference: "customer" or "agent-7"
    conference_id: str | None = None
    conference: str | None = None  # its name: "c-…"
    queue_result: str | None = None
    recording_id: str | None = None
    recording_state: str | None = None  # "completed" or "absent"
    seconds: int | None = None
    error: str | None = None
    sequence: int | None = None
    at: datetime | None = None  # UTC, by the carrier's clock
    payload: Mapping[str, str] = field(default_factory=dict)  # all of it, for the record


@dataclass(frozen=True)
class Placed:
    """A leg as the carrier knows it. `state` is None for one it doesn't know."""

    provider_id: str
    state: LegState | None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    from_number: str | None = None
    to_number: str | None = None
    direction: Direction = Direction.INBOUND


@dataclass(frozen=True)
class Kept:
    """A recording as the carrier knows it."""

    provider_id: str
    call_id: str  # the leg's provider id
    seconds: int | None
    created_at: datetime | None
    absent: bool = False


@dataclass(frozen=True)
class Texted:
    """An SMS that the carrier got for us."""

    provider_id: str
    from_number: str
    to_number: str
    body: str
    created_at: datetime | None
    media: Sequence[str] = ()


class Carrier(Protocol):
    """A telephone company. All methods raise CarrierError; hanging up what is gone is no error.

    Addresses are made of steps: "agent?offer=7" → PUBLIC_URL/twilio/agent?offer=7.
    """

    provider: Provider

    def document(self, script: Script) -> str:
        """The script as the carrier reads it. Raises ValueError for what it would refuse."""
        ...

    def place_call(self, to: str, *, from_number: str, step: str, timeout: int, status: str) -> str:
        """Ring `to` (E.164, or "client:agent-7"); returns the leg's provider id."""
        ...

    def find_call(self, to: str, *, since: datetime, status: str) -> str | None:
        """The leg that `place_call` made, where no answer came."""
        ...

    def redirect(self, provider_id: str, step: str) -> None:
        """Let the leg go on with this step."""
        ...

    def hang_up(self, provider_id: str) -> None: ...

    def hold(self, conference_id: str, provider_id: str, held: bool) -> None: ...

    def fetch_call(self, provider_id: str) -> Placed: ...

    def calls_since(self, at: datetime) -> Sequence[Placed]: ...

    def recordings_since(self, at: datetime) -> Sequence[Kept]: ...

    def fetch_recording(self, recording_id: str) -> tuple[bytes, str]:
        """Its bytes and content type."""
        ...

    def delete_recording(self, recording_id: str) -> None: ...

    def start_recording(self, provider_id: str, status: str) -> str:
        """Record the leg in two channels; returns the recording's id."""
        ...

    def send_sms(self, to: str, text: str, *, from_number: str, status: str) -> str:
        """Send it; returns the message's id."""
        ...

    def sms_since(self, at: datetime) -> Sequence[Texted]: ...

    def fetch_media(self, url: str) -> tuple[bytes, str]:
        """A picture of an MMS: bytes and content type. Refuses addresses that are not its own."""
        ...

    def browser_token(self, identity: str) -> dict[str, Any]:
        """What the softphone needs to register: {"kind": "twilio", "token": …} or the twin's."""
        ...

    def health(self) -> Mapping[str, str]:
        """Checks for the health page: what → "ok" or what is wrong, in plain words."""
        ...
