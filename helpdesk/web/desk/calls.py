"""The call log; calls that are written down by hand; calling a number with one click."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, current_app, flash, render_template, request
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.calls import actions, by_hand, queries
from helpdesk.calls.models import Direction
from helpdesk.clients.models import Client
from helpdesk.clients.people import person_of
from helpdesk.clients.queries import people_of
from helpdesk.lib import phone
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.tickets.models import NUMBER_OFFSET, Ticket
from helpdesk.tickets.queries import ticket_for, ticket_id_of
from helpdesk.web.cached import recount
from helpdesk.web.desk.call_done import done
from helpdesk.web.desk.call_view import late_count
from helpdesk.web.desk.call_words import call_words
from helpdesk.web.desk.directory import queue_names, user_names
from helpdesk.web.desk.listing import is_fragment
from helpdesk.web.guard import me, needs, reading, viewer

blueprint = Blueprint("desk_calls", __name__)

MOST_MINUTES = 600


@blueprint.get("/desk/calls")
@needs("ticket.read")
def log() -> str:
    """The log: `?view=` mine, missed or queue; who waits now stands above."""
    at, cursor = now(), request.args.get("before")
    late_count()
    view = request.args.get("view") or "queue"
    page = queries.calls_page(reading(), viewer(), view, at=at, cursor=cursor)
    waiting, first = queries.waiting_count(reading(), viewer())
    known = call_words()
    names = {"queue": _("All"), "mine": _("Mine"), "missed": pgettext("calls", "Missed")}
    return render_template(
        "desk/_calls.html" if is_fragment() else "desk/calls.html",
        section="calls",
        fragment=is_fragment(),
        later_page=cursor is not None,
        view=view,
        views=[(key, names[key]) for key in ("queue", "mine", "missed")],
        rows=page.rows,
        next_url=_next(view, page.cursor),
        waiting=waiting,
        waited=int((at - first).total_seconds()) if first else None,
        ended=known.ended,
        directions=known.direction,
        missed=queries.MISSED,
        users=user_names(),
        queues=queue_names(),
        display=phone.display,
        offset=NUMBER_OFFSET,
    )


@blueprint.get("/desk/calls/rail")
@needs("desk.use")
def rail() -> str:
    """The place of calls in the rail, with its number."""
    late_count()
    page = urlsplit(request.headers.get("HX-Current-URL", "")).path
    section = "calls" if page.startswith("/desk/call") else ""
    return render_template("parts/_calls.html", section=section)


@blueprint.get("/desk/calls/log/new")
@needs("ticket.answer")
def by_hand_form() -> str:
    """The form for a call over another telephone, alone for the popover that asks for it."""
    about = _asked(reading(), request.args)
    client_id = about["client_id"]
    people = [(person.id, person.name) for person, _points in people_of(reading(), client_id)]
    ticket, client = request.args.get("ticket", ""), request.args.get("client", "")
    here = f"/desk/t/{ticket}" if ticket else f"/desk/clients/{client_id}"
    page = "desk/_by_hand.html" if is_fragment() else "desk/by_hand.html"
    return render_template(
        page,
        section="calls",
        ticket=ticket,
        client=client,
        people=[] if ticket else people,
        back=here,
        about=people[0][1] if people else _("Client"),
    )


@blueprint.post("/desk/calls/log")
@needs("ticket.answer")
def write_down() -> BaseResponse:
    """A call over another telephone: about a ticket (`ticket`) or of a client (`client`)."""
    with ext.write() as session:
        by_hand.log(session, user_id=me().id, at=now(), **_asked(session, request.form), **_told())
    recount()
    flash(_("The call is written down."))
    return done()


@blueprint.post("/desk/calls/out")
@needs("ticket.answer")
def call_out() -> BaseResponse:
    """Call a number: first the reader's own phone rings, then the customer's."""
    number = phone.normalize(request.form.get("number", ""), current_app.config["COUNTRY"])
    if number is None:
        raise HelpdeskError(_lazy("Enter a phone number that can be called."), field="number")
    with ext.write() as session:
        given = request.form.get("ticket") or request.form.get("client")
        about = _asked(session, request.form) if given else {}
        actions.call_out(session, me(), number, at=now(), **about)
    return done()


def _asked(session: Session, form: Mapping[str, str]) -> dict[str, Any]:
    """Whom the call is with. Raises NotFound, or HelpdeskError for a person of another client."""
    if form.get("ticket"):
        ticket_id = ticket_id_of(form["ticket"])
        ticket = ticket_for(session, viewer(), ticket_id, "ticket.answer")
        return _of_ticket(ticket)
    client_id = form.get("client", "")
    if not client_id:
        raise HelpdeskError(_lazy("Choose one from the list."), field="client")
    if not (client_id.isascii() and client_id.isdigit() and len(client_id) < 18):
        raise NotFound()
    client = session.get(Client, int(client_id))
    if client is None or client.erased_at is not None:
        raise NotFound()
    found: dict[str, Any] = {"client_id": client.id}
    person_id = form.get("person", "")
    if person_id.isascii() and person_id.isdigit() and len(person_id) < 18:
        found["person_id"] = person_of(session, client.id, int(person_id)).id
    return found


def _of_ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "client_id": ticket.client_id,
        "person_id": ticket.person_id,
        "ticket_id": ticket.id,
        "queue_id": ticket.queue_id,
    }


def _told() -> dict[str, Any]:
    form = request.form
    if form.get("direction") not in set(Direction):
        raise HelpdeskError(_lazy("Choose one from the list."), field="direction")
    minutes = form.get("minutes", "").strip() or "0"
    if not (minutes.isascii() and minutes.isdigit() and int(minutes[:9]) <= MOST_MINUTES):
        message = _lazy("Minutes: a whole number up to %(most)s.")
        raise HelpdeskError(message, field="minutes", most=MOST_MINUTES)
    return {
        "direction": Direction(form["direction"]),
        "minutes": int(minutes),
        "talked": form.get("talked", "1") == "1",
        "notes": form.get("notes", ""),
    }


def _next(view: str, cursor: str | None) -> str | None:
    return f"/desk/calls?{urlencode({'view': view, 'before': cursor})}" if cursor else None
