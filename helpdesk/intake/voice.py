"""Adapter of the telephone: the carrier's webhooks under /twilio/, checked, taken and answered.

A forgery gets 403 and leaves nothing but a number. Whatever else happens to us, a telephone that
asks for a document gets one within the budget; a report may get an error, so that it comes again.
"""

import threading
import time
from dataclasses import dataclass, field, replace

import structlog
from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.exc import DBAPIError, OperationalError

from helpdesk import ext
from helpdesk.calls import carriers, flow, safe
from helpdesk.calls.flow import DOCUMENTS, Answer
from helpdesk.calls.providers.port import Heard
from helpdesk.intake.patience import Patience
from helpdesk.lib.clock import now
from helpdesk.lib.latency import Latency
from helpdesk.lib.tally import Tally

KINDS = ("voice", "step", "queue", "leg", "conference", "recording", "fallback")
STATUSES = ("2xx", "4xx", "5xx")
LOG_SECONDS = 10.0  # forgeries are logged at most so often
METHODS = ("GET", "POST")

log = structlog.get_logger()
blueprint = Blueprint("twilio", __name__, url_prefix="/twilio")


@dataclass
class Webhooks:
    """What came, since the start, over all processes; they share it, so make it before forking."""

    latency: Latency = field(default_factory=Latency)
    counts: Tally = field(
        default_factory=lambda: Tally(
            ["repeat", "forged", *(f"{kind} {status}" for kind in KINDS for status in STATUSES)]
        )
    )
    patience: Patience = field(default_factory=Patience)
    lock: threading.Lock = field(default_factory=threading.Lock)
    logged: float = 0.0
    unlogged: int = 0

    def set_slot(self, slot: int) -> None:
        """Which process this is."""
        self.latency.slot = self.counts.slot = slot

    def add(self, kind: str, status: int, seconds: float) -> None:
        """Count one that was answered."""
        self.latency.add(status, seconds)
        name = f"{status // 100}xx"
        self.counts.add(f"{kind} {name if name in STATUSES else '5xx'}")

    def forged(self) -> None:
        """Count a forgery. A flood of them must not fill the disk with log lines."""
        self.counts.add("forged")
        with self.lock:
            self.unlogged += 1
            if time.monotonic() - self.logged < LOG_SECONDS and self.logged:
                return
            count, self.unlogged, self.logged = self.unlogged, 0, time.monotonic()
        log.warning("webhook.forged", count=count, address=request.remote_addr)


def register(app: Flask) -> None:
    """Publish the webhooks on `app`."""
    app.extensions["helpdesk_webhooks"] = Webhooks()
    ext.csrf.exempt(blueprint)
    app.register_blueprint(blueprint)


def webhooks() -> Webhooks:
    """The counts of this installation."""
    found: Webhooks = current_app.extensions["helpdesk_webhooks"]
    return found


@blueprint.route("/<path:step>", methods=METHODS)
def hear(step: str) -> Response:
    """Any step and any report; `calls.flow` knows what each means."""
    began = time.perf_counter()
    if not carriers.authentic(request):
        webhooks().forged()
        return _response(Answer(403, "The signature is not valid.\n"), document=False)
    heard = carriers.heard(request)
    answer = _take(heard)
    if answer.repeat:
        webhooks().counts.add("repeat")
    webhooks().add(heard.kind, answer.status, time.perf_counter() - began)
    return _response(answer, document=heard.kind in DOCUMENTS)


@blueprint.errorhandler(Exception)
def sorry(error: Exception) -> Response:
    """What failed on the way here, e.g. because the database is away."""
    log.error("webhook.failed", kind="request", exc_info=error)
    step = (request.view_args or {}).get("step", "voice")
    heard = carriers.heard(request)
    return _response(_safe(replace(heard, step=step)), document=heard.kind in DOCUMENTS)


def _take(heard: Heard) -> Answer:
    """Never raises. What fails is kept for the reconciler, if the database can."""
    patience = webhooks().patience
    deadline = time.monotonic() + patience.seconds()
    try:
        answer = _receive(heard, deadline)
        patience.set(away=False)
        return answer
    except OperationalError as error:
        patience.set(away=True)
        log.error("webhook.database", kind=heard.kind, error=type(error.orig).__name__)
        return _safe(heard)
    except Exception as error:
        log.exception("webhook.failed", kind=heard.kind, step=heard.step)
        answer = _safe(heard)
        _keep(heard, answer, type(error).__name__, deadline)
        return answer


def _receive(heard: Heard, deadline: float) -> Answer:
    """Of two transactions in each other's way one is undone; it has time to try again."""
    while True:
        left = deadline - time.monotonic()
        try:
            with ext.write(max(left, 0.1)) as session:
                return flow.receive(session, heard, now())
        except DBAPIError as error:
            if not ext.may_succeed_again(error) or time.monotonic() >= deadline:
                raise


def _keep(heard: Heard, answer: Answer, error: str, deadline: float) -> None:
    try:
        with ext.write(max(deadline - time.monotonic(), 0.1)) as session:
            flow.failed(session, heard, now(), answer, error)
    except DBAPIError as trouble:
        log.error("webhook.not_kept", kind=heard.kind, error=type(trouble.orig).__name__)


def _safe(heard: Heard) -> Answer:
    if heard.kind not in DOCUMENTS:
        return Answer(503)
    return Answer(200, safe.document(heard.step or "voice"))


def _response(answer: Answer, *, document: bool) -> Response:
    response = Response(answer.body, answer.status)
    response.headers["Cache-Control"] = "no-store"
    response.mimetype = "text/xml" if document else "text/plain"
    return response
