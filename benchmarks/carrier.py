"""A telephone company for measurements: runs the documents, posts signed webhooks, answers REST.

Lighter than the product's offline twin, which checks and speaks everything; this one only makes
the load. A prompt takes no time of its own: who listens presses a key after some seconds.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from benchmarks.links import Answer, Asked, Links, as_json
from helpdesk.calls.providers.twin.engine.signing import signature, split
from helpdesk.lib.clock import now

OURS = "+380440000000"
RECORD_SECONDS = 1.5
AGAIN = 0.5, 1.0, 2.0, 4.0  # seconds to the next try of a report that was not taken
SILENCE = (
    b"RIFF\x24\x1f\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\x1f\0\0"
)
WAV = SILENCE + b"\x80" * 8000  # a second
Next = tuple[str, dict[str, str]]


class HungUp(Exception):
    """This telephone is put down."""


class Left(Exception):
    """Out of the queue, by the document."""


class Over(Exception):
    """The conference has ended."""


class Nudge(Exception):
    """Look again at when this telephone is put down."""


class Redirected(Exception):
    """Asked by REST to go on elsewhere."""


class Party(Protocol):
    """Whose telephone it is; `patience` in seconds of a queue."""

    patience: float

    def key(self, step: str) -> tuple[str, float]: ...


@dataclass(eq=False)
class Leg:
    """One telephone in a call."""

    sid: str
    from_: str
    to: str
    direction: str
    party: Party
    hook: str  # where its states are told
    status: str = "ringing"
    timeout: float = 30.0
    gives_up: float | None = None  # monotonic
    told: int = 0
    created: str = field(default_factory=lambda: format_datetime(now()))
    ended: str | None = None
    inbox: "asyncio.Queue[Exception]" = field(default_factory=asyncio.Queue)

    @property
    def live(self) -> bool:
        return self.status in ("queued", "ringing", "in-progress")


@dataclass(eq=False)
class Conference:
    sid: str
    name: str
    hook: str
    told: int = 0
    members: dict[Leg, Mapping[str, str]] = field(default_factory=dict)


@dataclass
class Sent:
    """One webhook: what it was, how long it took in milliseconds, its status."""

    step: str
    document: bool
    milliseconds: float
    status: int


class Carrier:
    """All calls of one run. `met(agent or number)` is who takes an outbound call."""

    def __init__(self, links: Links, public_url: str, account: tuple[str, str]) -> None:
        self.links, self.public_url = links, public_url
        self.sid, self.token = account
        self.met: Callable[[str], Party] = lambda to: _nobody(to)
        self.ring: Callable[[Leg, str], None] = lambda leg, url: None
        self.talking: Callable[[Sequence[Leg]], None] = lambda legs: None
        self.legs: dict[str, Leg] = {}
        self.conferences: dict[str, Conference] = {}
        self.sent: list[Sent] = []
        self.wrong: list[str] = []  # refusals, differing repeats
        self.tasks: set[asyncio.Task[object]] = set()
        self.rest = 0
        self._ids = count(1)

    def name(self, kind: str) -> str:
        return f"{kind}{next(self._ids):032x}"

    def begin(self, party: Party, number: str) -> Leg:
        """Somebody calls us."""
        leg = Leg(
            self.name("CA"), number, OURS, "inbound", party, f"{self.public_url}/twilio/status"
        )
        self.legs[leg.sid] = leg
        self.spawn(self.live(leg, f"{self.public_url}/twilio/voice"))
        return leg

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def live(self, leg: Leg, url: str) -> None:
        """From the answer to the end."""
        following: Next | None = (url, {})
        if leg.direction != "inbound":
            leg.status = "in-progress"
            self.tell(leg)
        try:
            while following is not None:
                following = await self.document(leg, *following)
                leg.status = "in-progress"
        except HungUp:
            pass
        self.end(leg, "completed")

    def end(self, leg: Leg, status: str) -> None:
        if leg.live:
            leg.status, leg.ended = status, format_datetime(now())
            self.tell(leg)

    async def document(self, leg: Leg, url: str, params: Mapping[str, str]) -> Next | None:
        """Ask for a document and do what it says; what is to be asked next, None at its end."""
        try:
            answer = await self.ask(leg, url, params)
            for verb in ElementTree.fromstring(answer.body):
                await self.rest_of(leg, 0)
                following = await self.do(leg, verb, url)
                if following is not None:
                    return following
        except Redirected as away:
            return str(away), {}
        except ElementTree.ParseError:
            self.wrong.append(f"{url}: no document")
        return None

    async def do(self, leg: Leg, verb: Element, url: str) -> Next | None:
        name = verb.tag
        if name in ("Hangup", "Reject"):
            raise HungUp
        if name == "Leave":
            raise Left
        if name == "Redirect":
            return verb.text or "", {}
        if name == "Gather":
            key, seconds = leg.party.key(_step(verb.get("action", "")))
            await self.rest_of(leg, seconds)
            return verb.get("action", ""), {"Digits": key}
        if name == "Enqueue":
            return await self.enqueue(leg, verb)
        if name == "Dial":
            return await self.confer(leg, verb, verb[0])
        if name == "Record":
            return await self.record(leg, verb)
        return None

    async def rest_of(self, leg: Leg, seconds: float) -> None:
        """Let time go by, unless this telephone is put down or sent elsewhere."""
        until = time.monotonic() + seconds
        while True:
            end = until if leg.gives_up is None else min(until, leg.gives_up)
            left = end - time.monotonic()
            try:
                waits = asyncio.wait_for(leg.inbox.get(), left) if left > 0 else None
                news = await waits if waits is not None else leg.inbox.get_nowait()
            except (TimeoutError, asyncio.QueueEmpty):
                if end < until:
                    raise HungUp from None
                return
            if not isinstance(news, Nudge):
                raise news

    async def enqueue(self, leg: Leg, verb: Element) -> Next | None:
        joined, action = time.monotonic(), verb.get("action", "")
        leg.gives_up = joined + leg.party.patience

        def result(word: str) -> dict[str, str]:
            waited = int(time.monotonic() - joined)
            return {"QueueResult": word, "QueueTime": str(waited), "QueueSid": "QU" + "0" * 32}

        following: Next = (verb.get("waitUrl", ""), {})
        try:
            while True:
                more = result("")
                del more["QueueResult"]
                found = await self.document_in_queue(leg, following[0], {**more, **following[1]})
                following = found or (verb.get("waitUrl", ""), {})
        except Left:
            leg.gives_up = None
            return action, result("leave")
        except HungUp:
            self.spawn(self.report(leg, action, result("hangup")))
            raise
        except Redirected:
            leg.gives_up = None
            self.spawn(self.report(leg, action, result("redirected")))
            raise

    async def document_in_queue(self, leg: Leg, url: str, params: Mapping[str, str]) -> Next | None:
        answer = await self.ask(leg, url, params)
        for verb in ElementTree.fromstring(answer.body):
            following = await self.do(leg, verb, url)
            if following is not None:
                return following
        await self.rest_of(leg, 1.0)
        return None

    async def confer(self, leg: Leg, dial: Element, noun: Element) -> Next | None:
        room = self.conferences.get(noun.text or "")
        if room is None:
            hook = noun.get("statusCallback", "")
            room = Conference(self.name("CF"), noun.text or "", hook)
            self.conferences[room.name] = room
        room.members[leg] = dict(noun.attrib)
        self.tell_room(room, "participant-join", leg, noun.attrib)
        if len(room.members) == 2:
            self.tell_room(room, "conference-start", None, {})
            self.talking(list(room.members))
        try:
            await self.rest_of(leg, 3600)
        except Over:
            pass
        finally:
            leg.gives_up = None
            self.leave(room, leg)
        return dial.get("action", ""), {"DialCallStatus": "answered"}

    def leave(self, room: Conference, leg: Leg) -> None:
        attributes = room.members.pop(leg, None)
        if attributes is None:
            return
        self.tell_room(room, "participant-leave", leg, attributes)
        if attributes.get("endConferenceOnExit") == "true":
            for other in list(room.members):
                other.inbox.put_nowait(Over())
        if not room.members and self.conferences.pop(room.name, None) is not None:
            self.tell_room(room, "conference-end", None, {})

    async def record(self, leg: Leg, verb: Element) -> Next:
        await self.rest_of(leg, RECORD_SECONDS)
        sid = self.name("RE")
        url = f"https://api.twilio.com/2010-04-01/Accounts/{self.sid}/Recordings/{sid}"
        form = {"RecordingSid": sid, "RecordingUrl": url, "RecordingDuration": "1"}
        callback = verb.get("recordingStatusCallback", "")
        self.spawn(self.report(leg, callback, form | {"RecordingStatus": "completed"}))
        return verb.get("action", ""), form

    def tell(self, leg: Leg) -> None:
        """The state of a leg; of a call that came in only its end is told."""
        if leg.direction == "inbound" and leg.live:
            return
        leg.told += 1
        more = {"SequenceNumber": str(leg.told), "Timestamp": format_datetime(now())}
        more |= {} if leg.live else {"CallDuration": "1"}
        self.spawn(self.report(leg, leg.hook, more))

    def tell_room(
        self, room: Conference, event: str, leg: Leg | None, attributes: Mapping[str, str]
    ) -> None:
        room.told += 1
        form = {
            "ConferenceSid": room.sid,
            "FriendlyName": room.name,
            "StatusCallbackEvent": event,
            "SequenceNumber": str(room.told),
            "Timestamp": format_datetime(now()),
        }
        if leg is not None:
            form |= {"CallSid": leg.sid, "ParticipantLabel": attributes["participantLabel"]}
        self.spawn(self.post(room.hook, form, document=False))

    async def report(self, leg: Leg, url: str, more: Mapping[str, str]) -> None:
        await self.post(url, self._about(leg) | dict(more), document="QueueResult" in more)

    async def ask(self, leg: Leg, url: str, params: Mapping[str, str]) -> Answer:
        return await self.post(url, self._about(leg) | dict(params), document=True)

    async def post(self, url: str, form: dict[str, str], *, document: bool) -> Answer:
        """A signed webhook, timed; one in fifty documents is asked for twice."""
        url, _ = split(url)
        target = url.removeprefix(self.public_url)
        form = {"AccountSid": self.sid, "ApiVersion": "2010-04-01"} | form
        header = f"X-Twilio-Signature: {signature(self.token, url, form)}\r\n"
        body = urlencode(form)
        began = time.perf_counter()
        answer = await self.links.send("POST", target, body, header)
        took = (time.perf_counter() - began) * 1000
        self.sent.append(Sent(_step(url), document, took, answer.status))
        for pause in () if document else AGAIN:
            if answer.status == 204:
                break
            await asyncio.sleep(pause)
            answer = await self.links.send("POST", target, body, header)
        if answer.status not in (200, 204):
            self.wrong.append(f"{target}: {answer.status}")
        if document and len(self.sent) % 50 == 0:
            again = await self.links.send("POST", target, body, header)
            if again.body != answer.body:
                self.wrong.append(f"{target}: another answer to the same request")
        return answer

    async def handle(self, asked: Asked) -> Answer:
        """The REST interface, as far as the product asks it."""
        self.rest += 1
        parts = asked.path.removesuffix(".json").split("/")
        kind, sid = parts[4], parts[5] if len(parts) > 5 else None
        if kind == "Recordings" and sid and asked.method == "GET":
            return Answer(200, WAV, "audio/x-wav")
        if kind != "Calls" or (sid is None and asked.method == "GET"):
            return as_json({kind.lower(): [], "page": 0, "next_page_uri": None})
        if sid is None:
            return as_json(self._shape(self._placed(asked.form)), 201)
        leg = self.legs.get(sid)
        if leg is None:
            return as_json({"code": 20404, "message": "not found", "status": 404}, 404)
        if asked.method == "POST":
            if not leg.live:
                return as_json({"code": 21220, "message": "over", "status": 400}, 400)
            url = asked.form.get("Url")
            leg.inbox.put_nowait(Redirected(url) if url else HungUp())
        return as_json(self._shape(leg))

    def _placed(self, form: Mapping[str, str]) -> Leg:
        to = form["To"]
        leg = Leg(
            self.name("CA"),
            form["From"],
            to,
            "outbound-api",
            self.met(to),
            form.get("StatusCallback", ""),
            status="queued",
            timeout=float(form.get("Timeout", "30")),
        )
        self.legs[leg.sid] = leg
        self.ring(leg, form["Url"])
        return leg

    def _shape(self, leg: Leg) -> dict[str, object]:
        return {
            "sid": leg.sid,
            "from": leg.from_,
            "to": leg.to,
            "status": leg.status,
            "direction": leg.direction,
            "date_created": leg.created,
            "start_time": leg.created,
            "end_time": leg.ended,
            "duration": None if leg.live else "1",
        }

    def _about(self, leg: Leg) -> dict[str, str]:
        return {
            "CallSid": leg.sid,
            "CallStatus": leg.status,
            "From": leg.from_,
            "To": leg.to,
            "Direction": leg.direction,
        }


def _nobody(to: str) -> Party:
    raise RuntimeError(f"nobody has the telephone {to}")


def _step(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]
