"""The page of one ticket: header with chips, thread, composer, the client beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import BindParameter, Select, and_, bindparam, exists, select
from sqlalchemy.orm import joinedload

from helpdesk import ext
from helpdesk.accounts.permissions import can
from helpdesk.calls.models import Call
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.notices import Notice, count_unread, mark_read
from helpdesk.surveys import Rating
from helpdesk.tickets.answering import route_of
from helpdesk.tickets.explain import ExplainedClock, explain
from helpdesk.tickets.models import (
    DONE,
    NUMBER_OFFSET,
    Clock,
    ClockState,
    Draft,
    MessageKind,
    PolicyStep,
    Status,
    StepAction,
    Ticket,
)
from helpdesk.tickets.queries import ticket_id_of
from helpdesk.web.about import keep_product, reason_name
from helpdesk.web.cached import COUNT_SECONDS, put, recount
from helpdesk.web.desk.card import card_context
from helpdesk.web.desk.chips import shown
from helpdesk.web.desk.directory import open_queues, user_names, workers_of
from helpdesk.web.desk.listing import CHANNEL_ICONS, list_context
from helpdesk.web.desk.thread import thread_of
from helpdesk.web.formats import ClockFace, promise
from helpdesk.web.guard import me, needs, reading, viewer
from helpdesk.web.words import words

blueprint = Blueprint("desk_ticket", __name__)

STATUSES = (Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.RESOLVED, Status.CLOSED)


@dataclass(frozen=True)
class Opened:
    """A ticket as its reader opens it: with their drafts, and whether a notice is about it."""

    ticket: Ticket
    drafts: Mapping[MessageKind, Draft]
    told: bool
    unread: int  # notices of the reader
    rating: Rating | None
    calls: bool  # stand on it


@blueprint.get("/desk/t/<number>")
@needs("ticket.read")
def ticket(number: str) -> Response:
    """The whole page, or for a click in the list only what stands beside it."""
    opened = _open(number)
    found = opened.ticket
    _read_notices(opened)
    context = _talk(opened) | _composer(found) | card_context(found)
    if request.headers.get("HX-Target") == "open":
        suffix = request.query_string.decode("utf-8", "replace")
        context |= {"suffix": f"?{suffix}" if suffix else ""}
        return make_response(render_template("desk/_open.html", partial=True, **context))
    context |= list_context(found.id)
    return make_response(render_template("desk/ticket.html", partial=False, **context))


@blueprint.get("/desk/t/<number>/talk")
@needs("ticket.read")
def talk(number: str) -> str:
    """Header and thread, for a page that shows them already."""
    return render_template("desk/_talk.html", **_talk(_open(number)))


@blueprint.get("/desk/t/<number>/side")
@needs("ticket.read")
def side(number: str) -> str:
    """The client's card, for a page that shows it already."""
    return render_template("desk/_side.html", **card_context(open_ticket(number)))


@blueprint.get("/desk/t/<number>/clocks")
@needs("ticket.read")
def clocks(number: str) -> str:
    """Why these deadlines: the spans that counted and those that didn't."""
    found = open_ticket(number)
    at = now()
    explained = sorted(explain(reading(), found.id, at), key=_urgency)
    drawn = [(one, whole_minutes(one.spans), next_step(one.step)) for one in explained]
    context = {"clocks": drawn, "at": at}
    if "HX-Request" in request.headers:
        return render_template("desk/_clocks.html", **context)
    return render_template("desk/clocks.html", section="queue", ticket=found, **context)


def _read_notices(opened: Opened) -> None:
    """Who opens a ticket knows what its notices say."""
    put(("notices", me().id), COUNT_SECONDS, opened.unread)
    if not opened.told or request.method != "GET":
        return
    with ext.write() as session:
        mark_read(session, me().id, at=now(), ticket_id=opened.ticket.id)
    recount()


def open_ticket(number: str) -> Ticket:
    """The ticket with all that its page names, in one statement. Raises NotFound."""
    found = reading().scalar(_TICKET, {"ticket_id": ticket_id_of(number)})
    if found is None or not can(viewer(), "ticket.read", found):
        raise NotFound()
    return found


def _open(number: str) -> Opened:
    """As `open_ticket`, in one statement as well. Raises NotFound."""
    values = {"ticket_id": ticket_id_of(number), "user_id": me().id}
    rows = reading().execute(_OPENED, values).all()
    if not rows or not can(viewer(), "ticket.read", rows[0][0]):
        raise NotFound()
    ticket, _draft, told, unread, rating, calls = rows[0]
    drafts = {row[1].kind: row[1] for row in rows if row[1]}
    return Opened(ticket, drafts, told, unread, rating, calls)


def _ticket() -> Select[Ticket]:
    return (
        select(Ticket)
        .where(Ticket.id == bindparam("ticket_id"))
        .options(
            joinedload(Ticket.queue),
            joinedload(Ticket.client),
            joinedload(Ticket.person),
            joinedload(Ticket.contact_point),
            joinedload(Ticket.assignee),
            joinedload(Ticket.reason),
            joinedload(Ticket.product),
        )
    )


def _opened() -> Select[Any]:
    reader: BindParameter[int] = bindparam("user_id")
    told = exists().where(
        Notice.user_id == reader, Notice.read_at.is_(None), Notice.ticket_id == Ticket.id
    )
    own = and_(Draft.ticket_id == Ticket.id, Draft.user_id == reader)
    query: Select[Any] = _ticket().outerjoin(Draft, own)
    query = query.outerjoin(Rating, Rating.ticket_id == Ticket.id)
    spoken = exists().where(Call.ticket_id == Ticket.id)
    return query.add_columns(Draft, told, count_unread(reader).scalar_subquery(), Rating, spoken)


# Made once: each ticket is opened by them, and building a statement costs more than running it.
_TICKET = _ticket()
_OPENED = _opened()


def whole_minutes(spans: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], int]]:
    """Each span with its counted seconds in whole minutes that sum as the seconds do."""
    total, drawn = 0, []
    for span in spans:
        before, total = total, total + (span["seconds"] if span["counted"] else 0)
        drawn.append((span, (total + 30) // 60 * 60 - (before + 30) // 60 * 60))
    return drawn


def _urgency(one: ExplainedClock) -> tuple[bool, bool, datetime]:
    """What runs comes first, by its deadline."""
    return one.stopped_at is not None, one.due_at is None, one.due_at or one.started_at


def next_step(step: PolicyStep | None) -> str:
    """What the escalation does next, in words; "" for nothing."""
    if step is None:
        return ""
    if step.action == StepAction.PRIORITY and step.priority:
        name = words().priority[step.priority]
        return str(_("Then the priority becomes: %(priority)s", priority=name))
    roles = {**words().role, "assignee": _("the assignee")}
    who = user_names().get(step.user_id or 0) or roles.get(
        step.role or "", pgettext("told", "nobody")
    )
    if step.action == StepAction.REASSIGN:
        return str(_("Then the ticket goes to: %(who)s", who=who))
    return str(_("Then is told: %(who)s", who=who))


def _talk(opened: Opened) -> dict[str, Any]:
    found, drafts = opened.ticket, opened.drafts
    ids = {kind: draft.id for kind, draft in drafts.items()}
    keep_product(found.product)
    everything = "all" in request.args
    thread = thread_of(reading(), found, ids, everything=everything, calls=opened.calls)
    suffix = request.query_string.decode("utf-8", "replace")
    return {
        "ticket": found,
        "was": shown(found),
        "thread": thread,
        "drafts": drafts,
        "faces": _faces(found),
        "statuses": STATUSES,
        "workers": workers_of(found.queue_id),
        "queues": open_queues(viewer()),
        "channel_icon": CHANNEL_ICONS[found.channel],
        "reason": reason_name(found.reason),
        "rating": opened.rating,
        "suffix": f"?{suffix}" if suffix else "",
        "own": me(),
        "related": found.related_to_id and found.related_to_id + NUMBER_OFFSET,
    }


def _composer(found: Ticket) -> dict[str, Any]:
    route = route_of(reading(), found)
    point = route.point
    good = point is not None and not point.bad and point.removed_at is None
    reachable = good and route.stopped is None
    return {
        "reachable": reachable,
        "route": route,
        "kind": MessageKind.OUTBOUND if reachable else MessageKind.NOTE,
        "languages": words().language,
    }


def _faces(found: Ticket) -> list[tuple[str, ClockFace]]:
    """The promises as chips: the next deadline, or how they ended."""
    names = words()
    if found.next_due_at is not None and found.next_metric and found.status not in DONE:
        face = promise(found.next_due_at, now(), found.sla)
        return [(names.metric[found.next_metric], face)]
    if found.status == Status.PENDING:
        return [(_("Deadline"), ClockFace(names.paused, "paused"))]
    query = select(Clock.metric, Clock.state).where(
        Clock.ticket_id == found.id,
        Clock.policy_id.is_not(None),
        Clock.state.in_((ClockState.MET, ClockState.BREACHED)),
    )
    ends = dict(reading().execute(query.order_by(Clock.id)).all())
    late = [metric for metric, state in ends.items() if state == ClockState.BREACHED]
    if late:
        return [(names.metric[metric], ClockFace(names.late, "over", "bad")) for metric in late]
    return [(_("Deadlines"), ClockFace(_("on time"), "met", "good"))] if ends else []
