"""Telephones for tests: the twin in the test's process, on the test's clock, at the test's app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

import requests
import time_machine
from flask import Flask
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from helpdesk import ext, jobs
from helpdesk.accounts import presence
from helpdesk.accounts.models import User
from helpdesk.calls.providers.twilio import checker
from helpdesk.calls.providers.twin import state
from helpdesk.calls.providers.twin.account import account
from helpdesk.calls.providers.twin.engine import things
from helpdesk.calls.providers.twin.engine.faults import Faults
from helpdesk.calls.providers.twin.engine.requests import Reply, Request
from helpdesk.calls.providers.twin.engine.things import Entry
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.rest.routes import handle
from helpdesk.calls.providers.twin.server import incoming
from helpdesk.lib.clock import now

OURS = "+380443334455"
TWIN_URL = "http://twin.test"
UNASKED = {"duplicates", "import", "recount"}
MOST_ROUNDS = 100


class InProcess:
    """Webhooks by the app's test client; each in a context of its own, as in the server."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def __call__(self, request: Request) -> Reply:
        public = self.app.config["PUBLIC_URL"]
        with self.app.app_context():
            answer = self.app.test_client().open(
                request.target.removeprefix(public),
                method=request.method,
                base_url=public,
                data=request.body,
                headers=request.headers,
            )
            kind = answer.headers.get("Content-Type", "")
            return Reply(answer.status_code, answer.get_data(), kind)


class TwinAdapter(BaseAdapter):
    """REST requests of the product straight to the twin, without a socket."""

    def __init__(self, twin: Twin) -> None:
        super().__init__()
        self.twin = twin

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        body = request.body or b""
        answer = handle(
            self.twin,
            incoming(
                request.method or "GET",
                request.path_url,
                body.encode() if isinstance(body, str) else body,
                request.headers.get("Authorization", ""),
                request.headers.get("Content-Type", ""),
            ),
        )
        if not answer.status:
            raise requests.exceptions.ReadTimeout("The twin was told not to answer.")
        shown = b"" if request.method == "HEAD" else answer.body
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
        how: Any = {"preload_content": False, "request_method": request.method}
        raw = HTTPResponse(BytesIO(shown), headers, answer.status, **how)
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(eq=False)
class Leg:
    """One telephone as the person who holds it knows it."""

    phone: "Phone"
    leg: things.Leg

    def __repr__(self) -> str:
        return f"<{self.leg.from_} to {self.leg.to}, {self.status}>"

    @property
    def sid(self) -> str:
        return self.leg.sid

    @property
    def status(self) -> str:
        return self.leg.status

    @property
    def over(self) -> bool:
        return not self.leg.live

    @property
    def heard(self) -> list[str]:
        """What was said or played to them so far."""
        return [h.text for h in self.leg.heard if h.kind in ("say", "play")]

    @property
    def languages(self) -> list[str]:
        """The languages of what was said, in order, without repeats beside each other."""
        said = [h.language for h in self.leg.heard if h.kind == "say" and h.language]
        return [word for n, word in enumerate(said) if not n or said[n - 1] != word]

    @property
    def failed(self) -> list[str]:
        """Announcements of the carrier that something is wrong."""
        return [h.text for h in self.leg.heard if h.kind == "error"]

    @property
    def asks(self) -> dict[str, Any] | None:
        """Which keys or speech their telephone waits for at this moment."""
        return self._state["asks"]

    @property
    def queue(self) -> str | None:
        return self._state["queue"]

    @property
    def position(self) -> int | None:
        return self._state["position"]

    @property
    def conference(self) -> str | None:
        return self._state["conference"]

    @property
    def held(self) -> bool:
        return bool(self._state["held"])

    @property
    def talks_with(self) -> list[str]:
        """The others in its conference, by their label."""
        for conference in self.phone.twin.exchange.conferences.values():
            if self.sid in conference.participants and conference.status == "in-progress":
                members = conference.participants.items()
                return [member.label for sid, member in members if sid != self.sid]
        return []

    @property
    def steps(self) -> list[str]:
        """The steps that were asked for this leg, in order."""
        root = f"{self.phone.twin.exchange.public_url}/twilio/"
        asked = [e for e in self.phone.log if e.call == self.sid and e.kind == "document"]
        return [e.url.removeprefix(root).partition("?")[0] for e in asked]

    def press(self, keys: str) -> "Leg":
        return self._act("digits", keys=keys)

    def speak(self, text: str, confidence: float = 0.9) -> "Leg":
        return self._act("speech", text=text, confidence=confidence)

    def answer(self) -> "Leg":
        return self._act("answer")

    def decline(self) -> "Leg":
        return self._act("decline")

    def hang_up(self) -> "Leg":
        return self._act("hangup")

    def listen(self, longest: float = 120) -> "Leg":
        """Wait until the telephone asks for something, the caller waits, or the call is over."""
        until = now() + timedelta(seconds=longest)
        while now() < until and not (self.over or self.asks or self.queue or self.conference):
            self.phone.advance(1)
        return self

    @property
    def _state(self) -> dict[str, Any]:
        return state.call(self.phone.twin.exchange, self.leg)

    def _act(self, what: str, **how: Any) -> "Leg":
        self.phone.twin.act(self.sid, what, **how)
        self.phone.settle()
        return self


@dataclass
class AgentPhone:
    """What rings at an agent: their browser, or a number of their own."""

    phone: "Phone"
    address: str

    @property
    def ringing(self) -> Leg | None:
        return next((leg for leg in self.legs if leg.status == "ringing"), None)

    @property
    def legs(self) -> list[Leg]:
        """All legs that ever rang there, the latest first."""
        found = self.phone.twin.exchange.legs.values()
        return [Leg(self.phone, leg) for leg in reversed(found) if leg.to == self.address]

    def on_duty(self, user: User) -> "AgentPhone":
        """Available from now on, with a browser that keeps giving signs of life."""
        with ext.write() as session:
            presence.set_state(session, user.id, "available", at=now())
        self.phone.awake.add(user.id)
        self.phone.settle()
        return self

    def answer(self) -> Leg:
        return self._ring().answer()

    def decline(self) -> Leg:
        return self._ring().decline()

    def call(self, to: str, **params: str) -> Leg:
        """Call out from the browser."""
        return self.phone.call(self.address, to, **params)

    def _ring(self) -> Leg:
        leg = self.ringing
        assert leg is not None, f"nothing rings at {self.address}"
        return leg


class Agents(Mapping[Any, AgentPhone]):
    """`phone.agents[alice]`, `[alice.id]` or `["+380501112233"]`."""

    def __init__(self, phone: "Phone") -> None:
        self.phone = phone

    def __getitem__(self, who: User | int | str) -> AgentPhone:
        if isinstance(who, str):
            return AgentPhone(self.phone, who)
        return AgentPhone(self.phone, f"client:agent-{who if isinstance(who, int) else who.id}")

    def __iter__(self) -> Any:
        return iter([])

    def __len__(self) -> int:
        return 0


@dataclass
class Phone:
    """The telephone network of a test: `call`, then act on the leg; time moves by `advance`."""

    app: Flask
    clock: time_machine.Traveller
    twin: Twin
    agents: Agents = field(init=False)
    awake: set[int] = field(default_factory=set)  # users whose browser is open

    def __post_init__(self) -> None:
        self.agents = Agents(self)

    @property
    def faults(self) -> Faults:
        return self.twin.exchange.faults

    @property
    def log(self) -> list[Entry]:
        return list(self.twin.exchange.log)

    @property
    def problems(self) -> list[str]:
        """What went wrong so far, in the log's words."""
        return [f"{entry.url} {entry.problem}" for entry in self.log if entry.problem]

    @property
    def messages(self) -> list[things.Message]:
        return list(self.twin.exchange.messages.values())

    def call(self, from_: str = "+380671234567", to: str = OURS, **params: str) -> Leg:
        leg = Leg(self, self.twin.call(from_, to, params))
        self.settle()
        return leg

    def write(self, body: str, from_: str = "+380671234567", to: str = OURS) -> things.Message:
        """Somebody writes an SMS to us."""
        text = self.twin.write(from_, to, body)
        self.settle()
        return text

    def advance(self, seconds: float, every: float | None = None) -> None:
        """Let time pass: whatever is due happens at its moment, the product's jobs run after it
        and at least `every` so many seconds (1, or a 40th of a longer time).
        """
        every = every or max(1.0, seconds / 40)
        end = now() + timedelta(seconds=seconds)
        self.settle()
        while now() < end:
            planned = self.twin.exchange.agenda.next_at() or end
            self.clock.move_to(min(planned, now() + timedelta(seconds=every), end))
            self.settle()

    def settle(self) -> None:
        """Let everything happen that is due now, at the carrier and in the product."""
        for _ in range(MOST_ROUNDS):
            self.twin.driver.run_until(now())
            if not self.work() and self._quiet():
                return
        raise AssertionError("Telephone and product keep each other busy for ever.")

    def work(self) -> int:
        """The product's quick jobs, once; returns how much they did."""
        with self.app.app_context():
            self._sign()
            return sum(job.step() for job in jobs.QUICK if job.name not in UNASKED)

    def job(self, name: str) -> int:
        """One of the product's jobs by its name, e.g. a slow one, until it has nothing to do."""
        found = next(job for job in (*jobs.QUICK, *jobs.SLOW) if job.name == name)
        with self.app.app_context():
            done = found.step()
        self.settle()
        return done

    def _sign(self) -> None:
        if self.awake:
            with ext.write() as session:
                for user_id in sorted(self.awake):
                    presence.seen(session, user_id, now())

    def _quiet(self) -> bool:
        exchange = self.twin.exchange
        due = exchange.agenda.next_at()
        return not exchange.requests.waiting and (due is None or due > now())


def make_phone(app: Flask, clock: time_machine.Traveller) -> Phone:
    """A telephone network for this app; its carrier is asked through it from now on."""
    twin = Twin(
        account(app.config["SECRET_KEY"]),
        app.config["PUBLIC_URL"],
        InProcess(app),
        checker.check,
        manual_at=now(),
    )
    app.config["TWIN_URL"] = TWIN_URL
    session = requests.Session()
    session.mount(TWIN_URL, TwinAdapter(twin))
    app.extensions["carrier_session"] = session
    return Phone(app, clock, twin)
