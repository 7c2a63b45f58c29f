"""What the simulator's page shows: telephones, the chosen one, what it hears, the log."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import select

from helpdesk.accounts.models import User
from helpdesk.calls.models import Call, CallLeg, LegRole
from helpdesk.calls.providers.twin.remote import Remote
from helpdesk.web.desk.call_words import call_words
from helpdesk.web.formats import stopwatch, zone
from helpdesk.web.guard import reading
from helpdesk.web.simulator import choices, hears, hours, inside, line, mishaps
from helpdesk.web.simulator.hears import Telephone
from helpdesk.web.simulator.hears import number as number_of

Act = Callable[[Remote], object]
WITHHELD, OTHER = choices.WITHHELD, choices.OTHER
LIVE = ("queued", "ringing", "in-progress")
TABS, BUBBLES, TEXTS = 6, 60, 20


def digest(state: line.State) -> str:
    """The same for as long as nothing has changed that is worth drawing."""
    told = {name: state[name] for name in ("calls", "log", "mode")}
    told["clock"] = state["now" if state["mode"] == "manual" else "ahead"]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def shown_time(state: line.State) -> datetime:
    """The time that the simulated people live in, UTC."""
    at = datetime.fromisoformat(state["now"])
    return at if state["mode"] == "manual" else at + timedelta(seconds=state["ahead"])


def shown(state: line.State | None, sid: str) -> dict[str, Any]:
    """All that the templates need; `state` None: the twin is away."""
    if state is None:
        return {"state": None, "digest": "", "phones": [], "chosen": None, **choices.shown()}
    known = _legs([one["sid"] for one in state["calls"]])
    phones = [_telephone(one, known.get(one["sid"])) for one in reversed(state["calls"])]
    chosen = next((one for one in phones if one.sid == sid and one.role != "agent"), None)
    return {
        "state": state,
        "digest": digest(state),
        "phones": phones,
        "tabs": _tabs(phones, chosen),
        "agents": [one for one in phones if one.role == "agent" and one.live],
        "chosen": chosen,
        **_clock(state),
        **_chosen(chosen, state),
        **choices.shown(),
        "mishaps": mishaps.switches(line.ask(lambda twin: twin.faults())),
        "log": [_line(one) for one in reversed(state["log"][-line.LINES :])],
        "texts": _texts(chosen),
    }


def _legs(sids: Sequence[str]) -> dict[str, CallLeg]:
    query = select(CallLeg).where(CallLeg.provider_id.in_(sids))
    return {leg.provider_id or "": leg for leg in reading().scalars(query)}


def _telephone(raw: Mapping[str, Any], leg: CallLeg | None) -> Telephone:
    outbound = raw["direction"] != "inbound"
    number = raw["to"] if outbound else raw["from"]
    browser = number.startswith("client:")
    agent = browser or (leg is not None and leg.role == LegRole.AGENT)
    role = "agent" if agent else "customer" if outbound else "caller"
    word, tone = _state(raw)
    return Telephone(
        sid=raw["sid"],
        role=role,
        name=_name(leg, number) if agent else choices.person_of(number) or "",
        number=_("browser") if browser else number_of(number),
        word=word,
        tone=tone,
        live=raw["status"] in LIVE,
        rings=outbound and raw["status"] == "ringing",
        at_desk=browser,
        asks=raw["asks"],
        raw=raw,
        leg=leg,
    )


def _name(leg: CallLeg | None, number: str) -> str:
    """An agent's; a leg that has just begun is told by its address, "client:agent-7"."""
    told = number.removeprefix("client:agent-")
    user_id = leg.user_id if leg else int(told) if told.isdecimal() and len(told) < 10 else None
    user = reading().get(User, user_id) if user_id else None
    return user.name if user else ""


def _state(raw: Mapping[str, Any]) -> tuple[str, str | None]:
    """The state of a telephone in a word, and its tone."""
    status, asks = raw["status"], raw["asks"] or {}
    if status in ("queued", "ringing"):
        return pgettext("telephone", "rings"), "acc"
    if status != "in-progress":
        return _endings().get(status, _endings()["completed"]), None
    if raw["held"]:
        return pgettext("call", "on hold"), "warn"
    if raw["conference"]:
        return pgettext("call", "talking"), "good"
    if raw["queue"]:
        return pgettext("call", "waiting"), "good"
    if asks.get("message"):
        return pgettext("call", "leaves a message"), "good"
    return pgettext("telephone", "connected"), "good"


def _endings() -> dict[str, str]:
    return {
        "completed": pgettext("call", "ended"),
        "busy": pgettext("call", "busy"),
        "no-answer": pgettext("call", "nobody answered"),
        "failed": pgettext("call", "did not come through"),
        "canceled": pgettext("telephone", "was called off"),
    }


def _tabs(phones: Sequence[Telephone], chosen: Telephone | None) -> list[Telephone]:
    """Callers and those we ring; the newest first, living ones and the chosen one in any case."""
    own = [one for one in phones if one.role != "agent"]
    kept = [one for n, one in enumerate(own) if n < TABS or one.live or one is chosen]
    return kept[: 3 * TABS]


def _clock(state: line.State) -> dict[str, Any]:
    at = shown_time(state)
    return {
        "stands": state["mode"] == "manual",
        "ahead": state["ahead"] > 1 and state["mode"] == "real",
        "clock": f"{at.astimezone(zone()):%H:%M:%S}",
        "clock_at": int(at.timestamp()),
        "clock_open": hours.first_hours().is_open(at),
        "local": at.astimezone(zone()),
        "offset": int(at.astimezone(zone()).utcoffset().total_seconds()),  # type: ignore[union-attr]
    }


def _chosen(chosen: Telephone | None, state: line.State) -> dict[str, Any]:
    if chosen is None:
        return {"heard": [], "steps": [], "entries": [], "rules": [], "call": None}
    call = inside.call_of(chosen.leg)
    began = datetime.fromisoformat(chosen.raw["answered_at"] or chosen.raw["at"])
    ended = chosen.raw["ended_at"] or state["now"]
    seconds = int((datetime.fromisoformat(ended) - began) / timedelta(seconds=1))
    return {
        "call": call,
        "call_word": _call_word(call),
        "seconds": max(0, seconds),
        "timer": stopwatch(seconds),
        "heard": [hears.bubble(one) for one in chosen.raw["heard"][-BUBBLES:]],
        "heard_from": max(0, len(chosen.raw["heard"]) - BUBBLES),
        "speaks": hears.language(chosen),
        "awaited": hears.awaited(chosen, call),
        "steps": hears.steps(chosen, call),
        "entries": inside.entries(call),
        "rules": inside.rules(call, shown_time(state)),
    }


def _call_word(call: Call | None) -> str | None:
    if call is None:
        return None
    known = call_words()
    return known.ended[call.end_reason] if call.end_reason else known.state[call.state]


def _line(entry: Mapping[str, Any]) -> dict[str, Any]:
    parts = urlsplit(entry["url"])
    status = entry["status"]
    good = status is not None and 200 <= status < 300 and not entry["problem"]
    return {
        "id": entry["id"],
        "at": datetime.fromisoformat(entry["at"]).astimezone(zone()),
        "path": parts.path + (f"?{parts.query}" if parts.query else ""),
        "kind": entry["kind"],
        "status": status,
        "tone": "good" if good else None if status is None and not entry["problem"] else "bad",
        "ms": entry["ms"],
        "problem": entry["problem"],
    }


def _texts(chosen: Telephone | None) -> list[Mapping[str, Any]]:
    """SMS from and to the chosen telephone, else all; the newest first."""
    found = line.ask(lambda twin: twin.messages())
    number = None
    if chosen is not None:
        number = chosen.raw["to" if chosen.role == "customer" else "from"]
    mine = [one for one in found if number in (None, one["from"], one["to"])]
    states = {
        "delivered": _("delivered"),
        "undelivered": _("not delivered"),
        "failed": _("not delivered"),
    }
    return [
        {
            "incoming": one["direction"] == "inbound",
            "number": number_of(one["from"] if one["direction"] == "inbound" else one["to"]),
            "body": one["body"],
            "state": states.get(one["status"], ""),
            "at": datetime.fromisoformat(one["at"]),
        }
        for one in reversed(mine[-TEXTS:])
    ]
