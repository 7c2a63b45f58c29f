"""The exchange: everything it knows, and what happens to legs: made, answered, over."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar
from urllib.parse import urldefrag

from helpdesk.calls.providers.twin.account import Account
from helpdesk.calls.providers.twin.engine import params
from helpdesk.calls.providers.twin.engine.agenda import Agenda
from helpdesk.calls.providers.twin.engine.documents import Check
from helpdesk.calls.providers.twin.engine.faults import Faults
from helpdesk.calls.providers.twin.engine.log import Log
from helpdesk.calls.providers.twin.engine.requests import Done, Requests
from helpdesk.calls.providers.twin.engine.things import (
    Conference,
    Frame,
    Heard,
    Hook,
    Leg,
    Message,
    Number,
    Queue,
    Recording,
    new_sid,
)

KEPT = 1000
"""So many of each kind are remembered once they are over."""

HEARD = 500

EVENTS = {"queued": "initiated", "ringing": "ringing", "in-progress": "answered"}


class _Thing(Protocol):
    sid: str


T = TypeVar("T", bound=_Thing)


class Exchange:
    """The twin's state. One thread at a time works on it; `engine.driver` sees to that."""

    def __init__(self, account: Account, public_url: str, agenda: Agenda, check: Check) -> None:
        self.account, self.public_url = account, public_url
        self.agenda, self.check = agenda, check
        self.faults, self.log = Faults(), Log()
        self.requests = Requests(
            agenda, self.faults, self.log, token=account.token, public_url=public_url
        )
        self.legs: dict[str, Leg] = {}
        self.queues: dict[str, Queue] = {}
        self.conferences: dict[str, Conference] = {}
        self.recordings: dict[str, Recording] = {}
        self.messages: dict[str, Message] = {}
        self.numbers: dict[str, Number] = {}
        self.stopped: set[tuple[str, str]] = set()  # (theirs, ours): they wrote STOP

    def add_leg(self, leg: Leg) -> Leg:
        keep(self.legs, leg, lambda each: not each.live)
        return leg

    def later(self, leg: Leg, seconds: float, act: Callable[[], None]) -> None:
        """Plan something for a leg; it is void as soon as anything else happens to the leg."""
        turn = leg.turn

        def unless_void() -> None:
            if leg.turn == turn and leg.live:
                act()

        self.agenda.after(seconds, unless_void)

    def hear(self, leg: Leg, who: str, kind: str, text: str, language: str | None = None) -> None:
        """Something sounds in the leg's telephone; of a long wait the latest is remembered."""
        leg.heard.append(Heard(self.agenda.now(), who, kind, text, language))
        del leg.heard[:-HEARD]

    def ring(self, leg: Leg) -> None:
        """Make a leg's telephone ring, until it is answered or the time is over."""
        self.progress(leg, "queued")
        self.later(leg, 0, lambda: self._ring(leg))

    def _ring(self, leg: Leg) -> None:
        self.progress(leg, "ringing")
        self.later(leg, leg.timeout, lambda: self.end(leg, "no-answer"))

    def answer(self, leg: Leg) -> None:
        """The call counts from now on."""
        if leg.status not in ("queued", "ringing"):
            return
        leg.turn += 1
        leg.answered_at = self.agenda.now()
        self.progress(leg, "in-progress")
        if leg.on_answer is not None:
            leg.on_answer()

    def end(self, leg: Leg, status: str = "completed") -> None:
        """The leg is over; what it was busy with is told, so that it tidies up."""
        if not leg.live:
            return
        frames, leg.frames = leg.frames, []
        leg.turn += 1
        leg.ended_at = self.agenda.now()
        self.progress(leg, status)
        for frame in reversed(frames):
            frame.activity.stop("hangup")
        for tidy in leg.on_end:
            tidy()

    def progress(self, leg: Leg, status: str) -> None:
        """Another status of a leg, and its callback."""
        leg.status, leg.updated_at = status, self.agenda.now()
        hook, event = leg.status_hook, EVENTS.get(status, "completed")
        if hook is None or event not in hook.events:
            return
        extra = params.progress(leg, leg.sequence, self.agenda.now())
        if event == "initiated":
            extra["CallStatus"] = "initiated"
        leg.sequence += 1
        self.tell(hook, params.call(self.account.sid, leg) | extra, kind="status", call=leg.sid)

    def tell(
        self,
        hook: Hook,
        form: Mapping[str, str],
        *,
        kind: str,
        call: str | None,
        done: Done | None = None,
    ) -> None:
        """Ask or tell an address of the product something."""
        ahead = int(self.agenda.ahead().total_seconds())
        if kind == "document" and ahead > 0:
            form = {**form, "TwinAhead": str(ahead)}
        self.requests.ask(hook, form, kind=kind, call=call, done=done)

    def number(self, phone: str | None) -> Number:
        """A number (None: the application of browsers' calls), made when it is first named."""
        for number in self.numbers.values():
            if number.phone == phone:
                return number
        urls = {
            "voice_url": f"{self.public_url}/twilio/{'voice' if phone else 'outgoing'}",
            "voice_fallback_url": f"{self.public_url}/twilio/fallback",
            "status_callback": f"{self.public_url}/twilio/status",
            "sms_url": f"{self.public_url}/twilio/sms" if phone else "",
        }
        sid, name = new_sid("PN" if phone else "AP"), phone or "Browser phones"
        self.numbers[sid] = Number(sid, phone, name, self.agenda.now(), urls)
        return self.numbers[sid]


def keep(things: dict[str, T], thing: T, over: Callable[[T], bool]) -> None:
    """Remember a thing, and forget the oldest that are over if there are too many."""
    things[thing.sid] = thing
    if len(things) > 2 * KEPT:
        old = [sid for sid, each in things.items() if over(each)]
        for sid in old[:KEPT]:
            del things[sid]


def begin(leg: Leg, hook: Hook) -> Frame:
    """Let a leg begin anew with one document."""
    leg.turn += 1
    frame = Frame("call", hook, url=urldefrag(hook.url).url)
    leg.frames = [frame]
    return frame
