"""The control interface: what the simulator's page and a softphone ask of the twin, as JSON."""

import json
import re
from typing import Any

from helpdesk.calls.providers.twin import state
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.rest.wire import Answer, Incoming, Problem, as_json, missing

LONGEST_ADVANCE = 8 * 24 * 3600.0
_ACT = re.compile(r"/twin/calls/(CA[0-9a-f]{32})/(digits|speech|hangup|answer|decline)")


def handle(twin: Twin, request: Incoming) -> Answer:
    """Raises Problem, Wrong, ValueError."""
    if found := _ACT.fullmatch(request.path):
        return _act(twin, request, found[1], found[2])
    handler = HANDLERS.get((request.method, request.path))
    if handler is None:
        raise missing(request.path)
    return as_json(handler(twin, request))


def _act(twin: Twin, request: Incoming, sid: str, what: str) -> Answer:
    body = _json(request)
    if request.method != "POST" or sid not in twin.exchange.legs:
        raise missing(request.path)
    twin.act(
        sid,
        what,
        keys=str(body.get("digits", "")),
        text=str(body.get("text", "")),
        confidence=float(body.get("confidence", 0.9)),
    )
    return as_json({"sid": sid})


def _call(twin: Twin, request: Incoming) -> dict[str, Any]:
    body = _json(request)
    extra = {str(name): str(value) for name, value in dict(body.get("params") or {}).items()}
    leg = twin.call(str(body.get("from", "")), str(body.get("to", "")), extra)
    return {"sid": leg.sid}


def _state(twin: Twin, request: Incoming) -> dict[str, Any]:
    after = request.asked("after") or "0"
    with twin.driver.lock:
        return state.state(twin.exchange, int(after) if after.isdecimal() else 0)


def _clock(twin: Twin, request: Incoming) -> dict[str, Any]:
    body = _json(request)
    mode, seconds = body.get("mode"), float(body.get("advance") or 0)
    if mode not in (None, "real", "manual") or not 0 <= seconds <= LONGEST_ADVANCE:
        raise Problem(400, 20001, "mode is real or manual, advance is 0 to 691200 seconds")
    with twin.driver.lock:
        if mode is not None:
            twin.driver.set_manual(mode == "manual")
        twin.driver.skip(seconds)
    return state.clock(twin.exchange)


def _faults(twin: Twin, request: Incoming) -> dict[str, Any]:
    """{"kind": …, "match": …, "times": …}, or {"clear": true}."""
    body = _json(request)
    with twin.driver.lock:
        faults = twin.exchange.faults
        if body.pop("clear", False):
            faults.clear()
        if body:
            faults.add(str(body.pop("kind", "")), str(body.pop("match", "")), **body)
        return {"faults": [vars(fault) for fault in faults]}


def _write(twin: Twin, request: Incoming) -> dict[str, Any]:
    body = _json(request)
    from_, to, words = (str(body.get(name, "")) for name in ("from", "to", "body"))
    text = twin.write(from_, to, words)
    return {"sid": text.sid}


def _messages(twin: Twin, request: Incoming) -> dict[str, Any]:
    with twin.driver.lock:
        return {"messages": [state.message(each) for each in twin.exchange.messages.values()]}


def _json(request: Incoming) -> dict[str, Any]:
    found = json.loads(request.body or b"{}")
    if not isinstance(found, dict):
        raise Problem(400, 20001, "Send a JSON object")
    return found


HANDLERS = {
    ("POST", "/twin/calls"): _call,
    ("GET", "/twin/state"): _state,
    ("POST", "/twin/clock"): _clock,
    ("POST", "/twin/faults"): _faults,
    ("POST", "/twin/sms"): _write,
    ("GET", "/twin/sms"): _messages,
}
