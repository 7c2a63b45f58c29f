"""Requests to the product's webhooks: signed, tried again, struck by faults, written down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode
from uuid import uuid4

from helpdesk.calls.providers.twin.engine.agenda import Agenda
from helpdesk.calls.providers.twin.engine.faults import Fault, Faults
from helpdesk.calls.providers.twin.engine.log import Log
from helpdesk.calls.providers.twin.engine.signing import Overrides, signature, split
from helpdesk.calls.providers.twin.engine.things import Entry, Hook

NO_CONNECTION = 11205
NO_ANSWER = 11200
REORDER_SECONDS = 2.0  # a callback that was held back goes then, if no other one came
LOGGED_BYTES = 4000


@dataclass(frozen=True)
class Reply:
    """What came back. `status` 0: nothing, then `error` is Twilio's number of why."""

    status: int
    body: bytes = b""
    content_type: str = ""
    seconds: float = 0.0
    error: int | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


Done = Callable[[Reply], None]


@dataclass(eq=False)
class Request:
    """One request on its way; a transport sends `method`, `target`, `headers` and `body`."""

    kind: str  # "document", "status", "conference", "recording", "queue", "sms" …
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    overrides: Overrides
    entry: Entry
    done: Done | None
    tries: int = 0
    faults: list[Fault] = field(default_factory=list)


class Requests:
    """Those that wait to be sent; whoever drives the twin sends them and brings the answers."""

    def __init__(
        self, agenda: Agenda, faults: Faults, log: Log, *, token: str, public_url: str
    ) -> None:
        self.agenda, self.faults, self.log = agenda, faults, log
        self.token, self.public_url = token, public_url
        self.waiting: list[Request] = []
        self.flying = 0
        self._held: list[Request] = []

    def ask(
        self,
        hook: Hook,
        params: Mapping[str, str],
        *,
        kind: str,
        call: str | None,
        done: Done | None = None,
    ) -> None:
        """Request an address; `done` hears what came back in the end, after all retries."""
        request = self._made(hook, params, kind, call, done)
        if not f"{request.target}/".startswith((f"{self.public_url}/", f"{self.public_url}?")):
            request.entry.problem = "The twin asks no address but those below HELPDESK_PUBLIC_URL."
            self._over(request, Reply(0, error=NO_CONNECTION))
            return
        self._leave(request)

    def take(self) -> Request | None:
        """The next one to be sent; its answer must be brought to `answered`."""
        if not self.waiting:
            return None
        self.flying += 1
        return self.waiting.pop(0)

    def answered(self, request: Request, reply: Reply) -> None:
        """What a transport got for a request that it took."""
        self.flying -= 1
        self._came(request, reply)

    def _made(
        self, hook: Hook, params: Mapping[str, str], kind: str, call: str | None, done: Done | None
    ) -> Request:
        url, overrides = split(hook.url)
        form = dict(params)
        if hook.method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(form)
        signed = {} if hook.method == "GET" else form
        headers = {
            "X-Twilio-Signature": signature(self.token, url, signed),
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        if hook.method != "GET":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        entry = self.log.add(self.agenda.now(), url, kind, call, params=form)
        body = urlencode(signed).encode()
        return Request(kind, hook.method, url, headers, body, overrides, entry, done)

    def _leave(self, request: Request) -> None:
        """Send it, unless a fault strikes it first."""
        subjects = (request.kind, request.target)
        for kind in ("slow", "lost"):
            if fault := self.faults.take(kind, *subjects):
                request.faults.append(fault)
        if self.faults.take("drop", *subjects):
            request.entry.problem = "lost on the way"
            self._over(request, Reply(0, error=NO_CONNECTION))
        elif fault := self.faults.take("fail", *subjects):
            self._came(request, Reply(fault.status))
        elif fault := self.faults.take("delay", *subjects):
            self.agenda.after(fault.seconds, lambda: self.waiting.append(request))
        elif request.kind != "document" and self.faults.take("reorder", *subjects):
            self._held.append(request)
            self.agenda.after(REORDER_SECONDS, self._let_go)
        else:
            self._send(request, twice=self.faults.take("duplicate", *subjects) is not None)

    def _send(self, request: Request, twice: bool) -> None:
        self.waiting.append(request)
        if twice:
            again = replace(request, entry=self._line(request.entry), done=None, faults=[])
            self.waiting.append(again)
        if request.kind != "document":
            self._let_go()

    def _let_go(self) -> None:
        self.waiting += self._held
        self._held.clear()

    def _came(self, request: Request, reply: Reply) -> None:
        """An answer, as the faults leave it; one that is late is over when its time is."""
        slow = [fault.seconds for fault in request.faults if fault.kind == "slow"]
        lost = any(fault.kind == "lost" for fault in request.faults)
        request.faults.clear()
        seconds = max([reply.seconds, *slow])
        limit = min(request.overrides.total, request.overrides.read)
        heard = Reply(0, error=NO_ANSWER) if lost or seconds > limit else reply
        seconds = min(seconds, limit)
        if seconds > reply.seconds:
            wait = seconds - reply.seconds
            self.agenda.after(wait, lambda: self._settle(request, heard, seconds))
        else:
            self._settle(request, heard, seconds)

    def _settle(self, request: Request, reply: Reply, seconds: float) -> None:
        request.entry.ms = round(seconds * 1000)
        wishes = request.overrides
        if wishes.again(reply.status, reply.error) and request.tries < wishes.retries:
            request.entry.status = reply.status
            request.entry.problem = f"{_said(reply)}, tried again"
            request.tries += 1
            request.entry = self._line(request.entry)
            self._leave(request)
            return
        self._over(request, reply)

    def _line(self, of: Entry) -> Entry:
        """Another line in the log for the same request."""
        return self.log.add(self.agenda.now(), of.url, of.kind, of.call, params=of.params)

    def _over(self, request: Request, reply: Reply) -> None:
        request.entry.status = reply.status
        request.entry.document = reply.body[:LOGGED_BYTES].decode("utf-8", "replace")
        if not reply.ok and not request.entry.problem:
            request.entry.problem = _said(reply)
        if request.done is not None:
            request.done(reply)


def _said(reply: Reply) -> str:
    if reply.status:
        return f"HTTP {reply.status}"
    return "no connection" if reply.error == NO_CONNECTION else "no answer in time"
