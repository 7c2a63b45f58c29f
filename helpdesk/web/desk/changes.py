"""Changes of a ticket from its chips: status, priority, assignee, queue, kind, reason, tags…"""

import json
from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.clients.checks import checked_tags
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.products import Item, Product
from helpdesk.tickets import actions
from helpdesk.tickets.classify import classify
from helpdesk.tickets.models import ContactReason, Priority, Queue, Status, Ticket, TicketKind
from helpdesk.tickets.queries import ticket_for, ticket_id_of
from helpdesk.web.cached import recount
from helpdesk.web.desk.chips import shown
from helpdesk.web.desk.history import last_change
from helpdesk.web.guard import actor, me, needs, reading, said, viewer

blueprint = Blueprint("desk_changes", __name__)

Change = Callable[[Session, Ticket], None]
T = TypeVar("T")
M = TypeVar("M", ContactReason, Product, Item)


@blueprint.post("/desk/t/<number>/status")
@needs("ticket.change")
def status(number: str) -> BaseResponse:
    wanted = _one_of(Status, request.form.get("status"), "status")

    def change(session: Session, ticket: Ticket) -> None:
        actions.set_status(session, ticket, wanted, actor=actor(), at=now())

    return _change(number, "status", change)


@blueprint.post("/desk/t/<number>/priority")
@needs("ticket.change")
def priority(number: str) -> BaseResponse:
    wanted = _one_of(Priority, request.form.get("priority"), "priority")

    def change(session: Session, ticket: Ticket) -> None:
        actions.set_priority(session, ticket, wanted, actor=actor(), at=now())

    return _change(number, "priority", change)


@blueprint.post("/desk/t/<number>/assignee")
@needs("ticket.change")
def assignee(number: str) -> BaseResponse:
    def change(session: Session, ticket: Ticket) -> None:
        user = None
        if request.form.get("assignee"):
            user = session.get(User, _id("assignee"))
            if user is None:
                raise HelpdeskError(_lazy("Choose one from the list."), field="assignee")
        actions.assign(session, ticket, user, actor=actor(), at=now())

    return _change(number, "assignee", change)


@blueprint.post("/desk/t/<number>/queue")
@needs("ticket.change")
def queue(number: str) -> BaseResponse:
    def change(session: Session, ticket: Ticket) -> None:
        found = session.get(Queue, _id("queue"))
        open_ = viewer().queue_ids
        if found is None or not found.active or (open_ is not None and found.id not in open_):
            raise HelpdeskError(_lazy("Choose one from the list."), field="queue")
        actions.move(session, ticket, found, actor=actor(), at=now())

    return _change(number, "queue", change)


@blueprint.post("/desk/t/<number>/tags")
@needs("ticket.change")
def tags(number: str) -> BaseResponse:
    def change(session: Session, ticket: Ticket) -> None:
        wanted = checked_tags(request.form.get("tags", "")[:2000].split(","))
        actions.set_tags(session, ticket, wanted, actor=actor(), at=now())

    return _change(number, "tags", change)


@blueprint.post("/desk/t/<number>/subject")
@needs("ticket.change")
def subject(number: str) -> BaseResponse:
    wanted = request.form.get("subject", "")

    def change(session: Session, ticket: Ticket) -> None:
        actions.set_subject(session, ticket, wanted, actor=actor(), at=now())

    return _change(number, "subject", change)


@blueprint.post("/desk/t/<number>/kind")
@needs("ticket.change")
def kind(number: str) -> BaseResponse:
    def change(session: Session, ticket: Ticket) -> None:
        value = request.form.get("kind")
        wanted = _one_of(TicketKind, value, "kind") if value else None
        classify(session, ticket, kind=wanted, actor=actor(), at=now())

    return _change(number, "kind", change)


@blueprint.post("/desk/t/<number>/reason")
@needs("ticket.change")
def reason(number: str) -> BaseResponse:
    def change(session: Session, ticket: Ticket) -> None:
        wanted = _chosen(session, ContactReason, "reason")
        classify(session, ticket, reason=wanted, actor=actor(), at=now())

    return _change(number, "reason", change)


@blueprint.post("/desk/t/<number>/product")
@needs("ticket.change")
def product(number: str) -> BaseResponse:
    """A product, or an item that the client owns, or neither."""

    def change(session: Session, ticket: Ticket) -> None:
        if request.form.get("item"):
            item = _chosen(session, Item, "item")
            classify(session, ticket, item=item, actor=actor(), at=now())
            return
        wanted = _chosen(session, Product, "product")
        classify(session, ticket, product=wanted, item=None, actor=actor(), at=now())

    return _change(number, "product", change)


def _chosen(session: Session, model: type[M], field: str) -> M | None:
    """What the form names by its id, None for nothing."""
    if not request.form.get(field):
        return None
    found = session.get(model, _id(field))
    if found is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return found


def _change(number: str, name: str, change: Change) -> BaseResponse:
    """Change what the chip `name` shows, if it is still as the form had it.

    A script gets a signal, others a page. What else happened to the ticket is no hindrance.
    """
    ticket_id = ticket_id_of(number)
    who = viewer()
    try:
        with ext.write() as session:
            ticket = ticket_for(session, who, ticket_id, "ticket.change", change=True)
            before = shown(ticket)[name]
            change(session, ticket)
            after = shown(ticket)[name]
            if request.form.get("was") != before != after:
                raise Conflict(
                    _lazy("Somebody changed this ticket in the meantime. Look and save again.")
                )
            client_id = ticket.client_id
    except Conflict as error:
        return _conflict(error, number, ticket_id, name)
    except HelpdeskError as error:
        if error.status != 400 or is_script():
            raise
        flash(said(error), "error")
        return redirect(back_to(number))
    recount()
    return changed(number, ticket_id, client_id, was=after)


def changed(number: str, ticket_id: int, client_id: int, *, was: str | None = None) -> BaseResponse:
    """The answer after a change: a signal for scripts, the ticket's page for others.

    `was` is what the form now starts from: its next change must not wait for the page.
    """
    if not is_script():
        return redirect(back_to(number))
    signal = {"tickets": [ticket_id], "clients": [client_id], "lists": True, "was": was}
    if "HX-Request" not in request.headers:
        return Response(json.dumps(signal), mimetype="application/json")
    response = Response(status=204)
    response.headers["HX-Trigger"] = json.dumps({"changed": signal})
    return response


def is_script() -> bool:
    best = request.accept_mimetypes.best_match(("text/html", "application/json"))
    return "HX-Request" in request.headers or best == "application/json"


def back_to(number: str) -> str:
    """The ticket's page with the list it was opened from."""
    query = request.query_string.decode("ascii", "replace")
    return f"/desk/t/{number}?{query}" if query else f"/desk/t/{number}"


def _conflict(error: Conflict, number: str, ticket_id: int, name: str) -> BaseResponse:
    last = last_change(reading(), ticket_id, me().id)
    text = said(error) + (" " + _("Last change: %(what)s.", what=last) if last else "")
    if not is_script():
        flash(text, "error")
        return redirect(back_to(number))
    signal = {"tickets": [ticket_id]}
    was = shown(reading().get_one(Ticket, ticket_id))[name]  # who read this may save over it
    answer = json.dumps({"error": text, "was": was})
    response = Response(answer, status=409, mimetype="application/json")
    response.headers["HX-Trigger"] = json.dumps({"changed": signal})
    return response


def _one_of(kind: Callable[[str], T], value: str | None, field: str) -> T:
    try:
        return kind(value or "")
    except ValueError:
        raise HelpdeskError(_lazy("Choose one from the list."), field=field) from None


def _id(field: str) -> int:
    value = request.form.get(field, "")
    if not (value.isascii() and value.isdigit() and len(value) < 18):
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return int(value)
