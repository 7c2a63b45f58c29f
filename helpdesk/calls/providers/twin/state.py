"""The twin's state as the simulator's page shows it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from helpdesk.calls.providers.twin.engine.exchange import Exchange
from helpdesk.calls.providers.twin.engine.things import Entry, Leg, Message

SHOWN_FOR = timedelta(minutes=10)
"""So long a call that is over is still shown."""


def state(exchange: Exchange, after: int) -> dict[str, Any]:
    """Calls of the last minutes, and the log's lines with a number above `after`."""
    since = exchange.agenda.now() - SHOWN_FOR
    shown = [leg for leg in exchange.legs.values() if (leg.ended_at or since) >= since]
    return clock(exchange) | {
        "last": exchange.log.last,
        "calls": [call(exchange, leg) for leg in shown],
        "log": [line(entry) for entry in exchange.log.after(after)],
    }


def clock(exchange: Exchange) -> dict[str, Any]:
    agenda = exchange.agenda
    return {
        "now": _time(agenda.now()),
        "mode": "manual" if agenda.manual else "real",
        "ahead": int(agenda.ahead().total_seconds()),
    }


def call(exchange: Exchange, leg: Leg) -> dict[str, Any]:
    queue, position = _place(exchange, leg)
    talk = next((c for c in exchange.conferences.values() if leg.sid in c.participants), None)
    member = talk.participants[leg.sid] if talk else None
    asks = next(_asked(leg), None)
    return {
        "sid": leg.sid,
        "direction": leg.direction,
        "from": leg.from_,
        "to": leg.to,
        "status": leg.status,
        "parent": leg.parent_sid,
        "at": _time(leg.created_at),
        "answered_at": _time(leg.answered_at),
        "ended_at": _time(leg.ended_at),
        "heard": [
            {
                "at": _time(heard.at),
                "who": heard.who,
                "kind": heard.kind,
                "text": heard.text,
                "language": heard.language,
            }
            for heard in leg.heard
        ],
        "asks": asks,
        "queue": queue,
        "position": position,
        "label": member.label if member else None,
        "conference": talk.name if talk else None,
        "held": member.held if member else False,
    }


def line(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": _time(entry.at),
        "url": entry.url,
        "kind": entry.kind,
        "call": entry.call,
        "status": entry.status,
        "ms": entry.ms,
        "params": dict(entry.params),
        "document": entry.document,
        "problem": entry.problem,
    }


def message(text: Message) -> dict[str, Any]:
    return {
        "sid": text.sid,
        "at": _time(text.created_at),
        "direction": text.direction,
        "from": text.from_,
        "to": text.to,
        "body": text.body,
        "status": text.status,
    }


def _asked(leg: Leg) -> Iterator[dict[str, Any]]:
    for frame in reversed(leg.frames):
        if asks := frame.activity.asks():
            yield asks


def _place(exchange: Exchange, leg: Leg) -> tuple[str | None, int | None]:
    for queue in exchange.queues.values():
        for number, (member, _) in enumerate(queue.members, 1):
            if member is leg:
                return queue.name, number
    return None, None


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
