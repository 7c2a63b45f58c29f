"""The table of addresses, who may use them, and the faults that strike requests."""

import hmac
import re
from collections.abc import Callable
from typing import Any

import structlog

from helpdesk.calls.providers.twin import control
from helpdesk.calls.providers.twin.engine.acts import Wrong
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.rest import calls, conferences, things
from helpdesk.calls.providers.twin.rest.wire import Answer, Incoming, Problem, as_json, missing

log = structlog.get_logger()

Handler = Callable[..., Answer]

ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", r"\.json", things.account),
    ("POST", r"/Calls\.json", calls.create),
    ("GET", r"/Calls\.json", calls.index),
    ("GET", r"/Calls/(CA\w+)\.json", calls.fetch),
    ("POST", r"/Calls/(CA\w+)\.json", calls.update),
    ("DELETE", r"/Calls/(CA\w+)\.json", calls.delete),
    ("POST", r"/Calls/(CA\w+)/Recordings\.json", calls.record),
    ("GET", r"/Calls/(CA\w+)/Recordings\.json", things.recordings),
    ("POST", r"/Calls/(CA\w+)/Recordings/([\w.]+)\.json", calls.change_recording),
    ("GET", r"/Conferences\.json", conferences.index),
    ("GET", r"/Conferences/(CF\w+)\.json", conferences.fetch),
    ("POST", r"/Conferences/(CF\w+)\.json", conferences.update),
    ("GET", r"/Conferences/(CF\w+)/Participants\.json", conferences.participants),
    ("POST", r"/Conferences/([\w.-]+)/Participants\.json", conferences.invite),
    ("GET", r"/Conferences/(CF\w+)/Participants/([\w.-]+)\.json", conferences.participant),
    ("POST", r"/Conferences/(CF\w+)/Participants/([\w.-]+)\.json", conferences.change),
    ("DELETE", r"/Conferences/(CF\w+)/Participants/([\w.-]+)\.json", conferences.remove),
    ("GET", r"/Queues\.json", conferences.queues),
    ("POST", r"/Queues\.json", conferences.add_queue),
    ("GET", r"/Queues/(QU\w+)\.json", conferences.queue),
    ("GET", r"/Queues/(QU\w+)/Members\.json", conferences.queue_members),
    ("GET", r"/Recordings\.json", things.recordings),
    ("GET", r"/Recordings/(RE\w+)\.json", things.recording),
    ("DELETE", r"/Recordings/(RE\w+)\.json", things.delete_recording),
    ("GET", r"/Recordings/(RE\w+)(?:\.wav|\.mp3)?", things.media),
    ("GET", r"/Messages\.json", things.message_list),
    ("POST", r"/Messages\.json", things.send),
    ("GET", r"/Messages/([SM]M\w+)\.json", things.message),
    ("POST", r"/Messages/([SM]M\w+)\.json", things.change_message),
    ("DELETE", r"/Messages/([SM]M\w+)\.json", things.delete_message),
    ("GET", r"/Messages/([SM]M\w+)/Media\.json", things.message_media),
    ("GET", r"/IncomingPhoneNumbers\.json", things.numbers),
    ("GET", r"/IncomingPhoneNumbers/(PN\w+)\.json", things.number),
    ("POST", r"/IncomingPhoneNumbers/(PN\w+)\.json", things.change_number),
    ("GET", r"/Applications\.json", things.applications),
    ("GET", r"/Applications/(A[PC]\w+)\.json", things.application),
    ("POST", r"/Applications/(A[PC]\w+)\.json", things.change_application),
]
TABLE = [(method, re.compile(pattern), handler) for method, pattern, handler in ROUTES]
ACCOUNTS = "/2010-04-01/Accounts/"


def handle(twin: Twin, request: Incoming) -> Answer:
    """Answer a request; never raises."""
    try:
        _log_in(twin, request)
        if request.path.startswith("/twin/"):
            return control.handle(twin, request)
        return _struck(twin, request)
    except Problem as problem:
        return problem.answer()
    except Wrong as wrong:
        return as_json({"error": str(wrong)}, 409)
    except (ValueError, TypeError) as error:
        return as_json({"error": str(error)}, 400)
    except Exception:
        log.exception("twin.request_failed", method=request.method)
        return as_json({"error": "The twin failed; its process has written down why."}, 500)


def _log_in(twin: Twin, request: Incoming) -> None:
    account = twin.exchange.account
    given = f"{request.user}:{request.password}".encode()
    if not hmac.compare_digest(given, f"{account.sid}:{account.token}".encode()):
        raise Problem(401, 20003, "Authenticate")


def _struck(twin: Twin, request: Incoming) -> Answer:
    """A request of the product, unless a fault strikes it."""
    subject, faults = f"{request.method} {request.path}", twin.exchange.faults
    with twin.driver.lock:
        if fault := faults.take("rest", subject):
            raise Problem(fault.status, fault.code, "The twin was told to refuse this")
        if faults.take("rest-timeout", subject):
            return Answer(0)
        lost = faults.take("rest-lost", subject)
        answer = _resource(twin, request)
        twin.driver.changed()  # whatever was planned: its thread may sleep
        return Answer(0) if lost else answer


def _resource(twin: Twin, request: Incoming) -> Answer:
    root = f"{ACCOUNTS}{twin.exchange.account.sid}"
    if not request.path.startswith(root):
        raise missing(request.path)
    rest, asked = request.path.removeprefix(root), _get_for_head(request.method)
    for method, pattern, handler in TABLE:
        found: Any = pattern.fullmatch(rest) if method == asked else None
        if found:
            return handler(twin, request, *found.groups())
    raise missing(request.path)


def _get_for_head(method: str) -> str:
    return "GET" if method == "HEAD" else method
