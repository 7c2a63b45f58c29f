"""What an exchange knows: legs and their documents, queues, conferences, recordings, messages."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

LIVE = ("queued", "ringing", "in-progress")


def new_sid(prefix: str) -> str:
    """Two letters and 32 hexadecimal digits, as Twilio names its things."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True)
class Hook:
    """An address that is asked or told; `events` are those it wants to hear of."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})

    @classmethod
    def made(cls, url: str | None, method: str | None, events: Iterable[str] = ()) -> Hook | None:
        """None without an address."""
        if not url:
            return None
        return cls(url, (method or "POST").upper(), frozenset(events) or frozenset({"completed"}))


class Activity:
    """What a leg is busy with until something ends it, e.g. asking for keys or waiting."""

    def key(self, key: str) -> None:
        """A key was pressed."""

    def words(self, text: str, confidence: float) -> None:
        """The person said something."""

    def stop(self, why: str) -> None:
        """The leg is over ("hangup") or was sent elsewhere ("redirected"): tidy up."""

    def failed(self) -> bool:
        """What is heard meanwhile could not be run; whether this took care of it."""
        return False

    def leave(self) -> bool:
        """The document heard meanwhile says to leave; whether there was anything to leave."""
        return False

    def waiting_params(self) -> dict[str, str]:
        """What a request for the document heard meanwhile carries besides."""
        return {}

    def asks(self) -> dict[str, Any] | None:
        """Which keys or speech it waits for; None: for nothing."""
        return None


class Member(Activity):
    """A leg in a conference: what may be done to it there."""

    def hold(self, held: bool, source: Hook | None) -> None:
        """Part it from the others; it hears what `source` says, or music."""

    def mute(self, muted: bool) -> None:
        """It hears the others, they don't hear it."""

    def kick(self, why: str) -> None:
        """Out of the conference; the leg goes on after its Dial."""

    def lift(self) -> None:
        """The conference has started."""


@dataclass(eq=False)
class Frame:
    """A document in progress. On top of the call's own one lie those heard while waiting."""

    kind: str  # "call", "wait" (in a queue), "music" (before a conference) or "hold"
    source: Hook
    allowed: frozenset[str] | None = None  # verbs; None: all
    verbs: list[Element] = field(default_factory=list)
    index: int = 0
    url: str = ""  # of the present document; relative addresses start here
    activity: Activity = field(default_factory=Activity)
    loaded_at: datetime | None = None


@dataclass
class Heard:
    """Something that sounded in the leg's telephone, or that its person did."""

    at: datetime
    who: str  # "voice", "person" or "carrier"
    kind: str  # "say", "play", "music", "beep", "digits", "speech", "error" …
    text: str
    language: str | None = None


@dataclass(eq=False)
class Leg:
    """One telephone: Twilio's Call resource."""

    sid: str
    direction: str  # "inbound", "outbound-api" or "outbound-dial"
    from_: str
    to: str
    created_at: datetime
    document: Hook
    fallback: Hook | None = None
    status_hook: Hook | None = None
    parent_sid: str | None = None
    status: str = "queued"
    timeout: int = 60  # seconds it rings
    inline: str | None = None  # a document given with the request
    extra: Mapping[str, str] = field(default_factory=dict)  # parameters of a browser's call
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    frames: list[Frame] = field(default_factory=list)
    turn: int = 0  # grows with every turn of events; what was planned for an older one is void
    sequence: int = 0
    heard: list[Heard] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    on_answer: Callable[[], None] | None = None
    on_document_end: Callable[[], bool] | None = None  # whether it took the leg over
    on_end: list[Callable[[], None]] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def frame(self) -> Frame | None:
        return self.frames[-1] if self.frames else None


@dataclass(eq=False)
class Queue:
    """Legs that wait, in their order."""

    sid: str
    name: str
    created_at: datetime
    max_size: int = 100
    members: list[tuple[Leg, datetime]] = field(default_factory=list)


@dataclass(eq=False)
class Participant:
    """A leg in a conference."""

    leg: Leg
    label: str
    created_at: datetime
    start: bool = True
    end: bool = False
    muted: bool = False
    held: bool = False
    coaching: bool = False
    coached: str | None = None


@dataclass(eq=False)
class Conference:
    """Legs that hear each other."""

    sid: str
    name: str
    created_at: datetime
    hook: Hook | None = None
    status: str = "init"
    participants: dict[str, Participant] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)  # by the leg's sid
    recording: Recording | None = None
    sequence: int = 0
    updated_at: datetime | None = None
    reason: str | None = None
    ended_by: str | None = None


@dataclass(eq=False)
class Recording:
    """Sound that was kept; `seconds` counts what was recorded, without pauses."""

    sid: str
    call_sid: str
    source: str
    started_at: datetime
    hook: Hook | None = None
    channels: int = 1
    conference_sid: str | None = None
    status: str = "in-progress"
    seconds: float = 0.0
    resumed_at: datetime | None = None  # None: paused or over
    updated_at: datetime | None = None
    error: int | None = None
    words: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Message:
    """An SMS."""

    sid: str
    direction: str  # "inbound", "outbound-api" or "outbound-reply"
    from_: str
    to: str
    body: str
    created_at: datetime
    status: str
    hook: Hook | None = None
    media: tuple[str, ...] = ()
    error: int | None = None
    sent_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(eq=False)
class Number:
    """A number of the account, or (with `phone` None) an application for browsers' calls."""

    sid: str
    phone: str | None
    name: str
    created_at: datetime
    urls: dict[str, str]
    updated_at: datetime | None = None


@dataclass
class Entry:
    """A line of the log: a request of ours and its answer, or something the twin refused."""

    id: int
    at: datetime
    url: str
    kind: str
    call: str | None
    status: int | None = None  # None: not answered yet
    ms: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    document: str = ""
    problem: str = ""
