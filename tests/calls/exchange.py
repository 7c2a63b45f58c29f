"""A twin whose webhooks are answered by the test: documents by path, and what was asked."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

from helpdesk.calls.providers.twilio import checker
from helpdesk.calls.providers.twin.account import Account
from helpdesk.calls.providers.twin.engine import things
from helpdesk.calls.providers.twin.engine.requests import Reply, Request
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.rest.routes import handle
from helpdesk.calls.providers.twin.rest.wire import Answer
from helpdesk.calls.providers.twin.server import incoming

PUBLIC = "https://desk.example.com"
ACCOUNT = Account("AC" + "a1" * 16, "t" * 32)
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CALLER, OURS = "+380671234567", "+380443334455"

Document = str | Reply | Callable[[dict[str, str]], str | Reply]


SHORT = re.compile(
    r"""(\b(?:action|url|\w+Url|\w*[cC]allback)=["']|<(?:Redirect|Play)[^>]*>)([\w/])"""
)


def xml(verbs: str) -> Reply:
    """A document of these verbs; addresses in it may be short: what follows "/twilio/"."""
    whole = SHORT.sub(rf"\1{PUBLIC}/twilio/\2", verbs)
    return Reply(200, f"<Response>{whole}</Response>".encode(), "text/xml; charset=utf-8")


def basic(user: str = ACCOUNT.sid, password: str = ACCOUNT.token) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def said(leg: things.Leg) -> list[str]:
    """What the leg's person heard from the product."""
    return [heard.text for heard in leg.heard if heard.kind in ("say", "play")]


def errors(leg: things.Leg) -> list[str]:
    return [heard.text for heard in leg.heard if heard.kind == "error"]


@dataclass(frozen=True)
class Asked:
    """A webhook as it arrived."""

    path: str
    query: dict[str, list[str]]
    params: dict[str, str]
    headers: dict[str, str]
    url: str
    at: datetime


@dataclass
class Desk:
    """The twin and what stands in for the product. `pages` are documents by path, without
    "/twilio/"; an address without one gets 204.
    """

    pages: dict[str, Document]
    asked: list[Asked] = field(default_factory=list)
    twin: Twin = field(init=False)

    def __post_init__(self) -> None:
        self.twin = Twin(ACCOUNT, PUBLIC, self._answer, checker.check, manual_at=START)

    def _answer(self, request: Request) -> Reply:
        parts = urlsplit(request.target)
        path = parts.path.removeprefix("/twilio/")
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        at = self.twin.exchange.agenda.now()
        query = parse_qs(parts.query, keep_blank_values=True)
        self.asked.append(Asked(path, query, form, request.headers, request.target, at))
        page = self.pages.get(path, Reply(204))
        found = page(form) if callable(page) else page
        return xml(found) if isinstance(found, str) else found

    def call(self, from_: str = CALLER, to: str = OURS) -> things.Leg:
        leg = self.twin.call(from_, to)
        self.twin.driver.settle()
        return leg

    def act(self, leg: things.Leg, what: str, **how: object) -> None:
        self.twin.act(leg.sid, what, **how)  # type: ignore[arg-type]
        self.twin.driver.settle()

    def advance(self, seconds: float) -> None:
        until = self.twin.exchange.agenda.now() + timedelta(seconds=seconds)
        self.twin.driver.run_until(until)

    def rest(self, method: str, path: str, form: str = "", **login: str) -> Answer:
        """A REST request below the account, form-encoded as the library sends it."""
        root = f"/2010-04-01/Accounts/{ACCOUNT.sid}"
        answer = handle(self.twin, incoming(method, root + path, form.encode(), basic(**login)))
        self.twin.driver.settle()
        return answer

    def of(self, path: str) -> list[dict[str, str]]:
        """The parameters of all requests to a path, in order."""
        return [asked.params for asked in self.asked if asked.path == path]

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]
