"""Events of a ticket in words, for its thread and for "what changed in between"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import Event
from helpdesk.lib.errors import _lazy
from helpdesk.reports.client.timeline_words import task_title
from helpdesk.surveys import LOW
from helpdesk.web.about import learn_products, product_name, reason_title
from helpdesk.web.desk.directory import queue_names, user_names
from helpdesk.web.words import words

SHOWN = (
    "ticket.status",
    "ticket.priority",
    "ticket.assigned",
    "ticket.queue",
    "ticket.tags",
    "ticket.subject",
    "ticket.kind",
    "ticket.reason",
    "ticket.product",
    "ticket.rated",
    "clock.warned",
    "clock.breached",
    "clock.stepped",
    "message.bounced",
    "receipt.sent",
    "call.offer_closed",
    "call.callback",
    "call.consent",
    "task.planned",
    "task.done",
    "task.failed",
    "recording.played",
)
CHANGES = (
    "ticket.status",
    "ticket.priority",
    "ticket.assigned",
    "ticket.queue",
    "ticket.subject",
    "ticket.kind",
    "ticket.reason",
    "ticket.product",
)
MOST = 300


@dataclass(frozen=True)
class Happening:
    """One line of history: when, what, who, and how it is marked."""

    at: datetime
    text: str
    by: str
    tone: str | None
    shape: str  # a sign of the sprite


def happenings(session: Session, ticket_id: int, since: datetime | None = None) -> list[Happening]:
    """What happened to a ticket, oldest first; the newest MOST of it."""
    query = select(Event).where(Event.ticket_id == ticket_id, Event.kind.in_(SHOWN))
    if since is not None:
        query = query.where(Event.at >= since)
    rows = session.scalars(query.order_by(Event.id.desc()).limit(MOST)).all()
    products = [event.data for event in rows if event.kind == "ticket.product"]
    learn_products(id_ for data in products for id_ in (data["old"], data["new"]) if id_)
    return [_drawn(event) for event in reversed(rows)]


def last_change(session: Session, ticket_id: int, not_by: int) -> str | None:
    """The last thing somebody else changed, in words."""
    query = select(Event).where(Event.ticket_id == ticket_id, Event.kind.in_(CHANGES))
    query = query.where(Event.user_id.is_(None) | (Event.user_id != not_by))
    event = session.scalars(query.order_by(Event.id.desc()).limit(1)).first()
    if event is None:
        return None
    drawn = _drawn(event)
    return f"{drawn.text} ({drawn.by})" if drawn.by else drawn.text


def _drawn(event: Event) -> Happening:
    tone, shape = _marks(event)
    text = _TEXTS[event.kind](event.data)
    by = user_names().get(event.user_id, "") if event.user_id else ""
    return Happening(event.at, text, by, tone, shape)


def _marks(event: Event) -> tuple[str | None, str]:
    if event.kind in ("clock.breached", "clock.stepped"):
        return "bad", "ck-over"
    if event.kind == "message.bounced":
        return "bad", "alert-triangle"
    if event.kind == "ticket.rated" and event.data["score"] <= LOW:
        return "bad", "star"
    if event.kind == "task.failed":
        return "bad", "phone-off"
    if event.kind == "call.offer_closed" and event.data.get("outcome") == "accepted":
        return None, "phone-call"
    if event.kind == "clock.warned":
        return "warn", "clock"
    if event.kind == "ticket.status":
        return None, f"st-{event.data['new']}"
    if event.kind == "ticket.priority":
        return None, f"pr-{event.data['new']}"
    return None, _ICONS.get(event.kind, "history")


_ICONS = {
    "ticket.assigned": "user",
    "ticket.queue": "inbox",
    "ticket.tags": "tag",
    "ticket.kind": "message-question",
    "ticket.reason": "list-tree",
    "ticket.product": "package",
    "ticket.rated": "star",
    "receipt.sent": "mail",
    "call.offer_closed": "phone-off",
    "call.callback": "phone-call",
    "call.consent": "microphone",
    "task.planned": "calendar-time",
    "task.done": "phone-call",
    "recording.played": "player-play",
}


def _change(label: str, names: Callable[[Any], str]) -> Callable[[Mapping[str, Any]], str]:
    def text(data: Mapping[str, Any]) -> str:
        return f"{_(label)}: {names(data.get('old'))} → {names(data.get('new'))}"

    return text


def _user(id_: Any) -> str:
    return user_names().get(id_, "?") if id_ else str(_("nobody"))


def _queue(id_: Any) -> str:
    return queue_names().get(id_, "?")


def _metric(data: Mapping[str, Any]) -> str:
    return words().metric.get(data.get("metric", ""), "")


def _step(data: Mapping[str, Any]) -> str:
    acts = {
        "notify": _("people were told"),
        "priority": _("the priority was raised"),
        "reassign": _("the assignee was changed"),
    }
    act = acts.get(data.get("action", ""), "")
    return str(_("Escalated: %(act)s", act=act))


def _offer(data: Mapping[str, Any]) -> str:
    name = _user(data.get("user_id"))
    acts = {
        "accepted": _("%(name)s took the call", name=name),
        "declined": _("%(name)s declined the call", name=name),
        "unanswered": _("%(name)s did not answer the call", name=name),
        "late": _("%(name)s answered when the caller had gone", name=name),
    }
    return str(
        acts.get(data.get("outcome", ""), _("The call no longer rings for %(name)s", name=name))
    )


def _consent(data: Mapping[str, Any]) -> str:
    given = data.get("given")
    return str(
        _("The caller agreed to be recorded") if given else _("The caller refused to be recorded")
    )


def _planned(kind: str | None) -> str:
    kinds = {
        "callback": _("A callback was planned"),
        "meeting": _("A meeting was planned"),
        "visit": _("A visit was planned"),
    }
    return str(kinds.get(kind or "", _("A task was planned")))


_TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "ticket.status": _change(_lazy("Status"), lambda value: words().status.get(value, "?")),
    "ticket.priority": _change(_lazy("Priority"), lambda value: words().priority.get(value, "?")),
    "ticket.assigned": _change(_lazy("Assignee"), _user),
    "ticket.queue": _change(_lazy("Queue"), _queue),
    "ticket.tags": lambda data: _("Tags changed"),
    "ticket.subject": lambda data: _("Subject changed"),
    "ticket.kind": _change(_lazy("Kind"), lambda value: words().kind.get(value, "–")),
    "ticket.reason": _change(_lazy("Reason"), reason_title),
    "ticket.product": _change(_lazy("Product"), product_name),
    "ticket.rated": lambda data: _("The client rates: %(score)s of 5", score=data["score"]),
    "clock.warned": lambda data: _("%(metric)s: the deadline is near", metric=_metric(data)),
    "clock.breached": lambda data: _("%(metric)s: the deadline is over", metric=_metric(data)),
    "clock.stepped": _step,
    "message.bounced": lambda data: _("The mail came back undelivered"),
    "receipt.sent": lambda data: _("Receipt sent to the client"),
    "call.offer_closed": _offer,
    "call.callback": lambda data: _("The caller was promised a callback"),
    "call.consent": _consent,
    "task.planned": lambda data: _planned(data.get("kind")),
    "task.done": lambda data: task_title("task.done", data, None),
    "task.failed": lambda data: _("The callback was given up: somebody has to call by hand"),
    "recording.played": lambda data: _("The recording was listened to"),
}
