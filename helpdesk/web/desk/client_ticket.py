"""A new request of a client, written down by a colleague: by phone, at a counter, from an email."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients.fact_actions import open_client
from helpdesk.clients.match import Known
from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.clients.people import person_of
from helpdesk.clients.queries import people_of
from helpdesk.intake.mail_language import detect
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import NUMBER_OFFSET, Channel, Priority, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from helpdesk.web.cached import forget
from helpdesk.web.desk import client_page
from helpdesk.web.desk.directory import open_queues
from helpdesk.web.guard import actor, me, needs, reading, said, viewer
from helpdesk.web.words import words

blueprint = Blueprint("desk_client_ticket", __name__)

CHANNELS = (Channel.PHONE, Channel.WEB, Channel.EMAIL)
FIELDS = ("person", "channel", "queue", "priority", "subject", "text", "note")


@blueprint.get("/desk/clients/<int:client_id>/ticket")
@needs("ticket.answer")
def form(client_id: int) -> str:
    return _page(client_id, {})


@blueprint.post("/desk/clients/<int:client_id>/ticket")
@needs("ticket.answer")
def create(client_id: int) -> BaseResponse | tuple[str, int]:
    """Open the ticket and go to it."""
    try:
        queue_id = _queue_id()
        with ext.write() as session:
            client = open_client(session, client_id)
            person = person_of(session, client_id, _id("person"))
            ticket_id = _open(session, client, person, queue_id)
    except HelpdeskError as error:
        if error.status == 404:
            raise
        return _page(client_id, {error.field or "": said(error)}), error.status
    forget()
    flash(_("The ticket is open."))
    return redirect(f"/desk/t/{ticket_id + NUMBER_OFFSET}")


def _open(session: Session, client: Client, person: Person, queue_id: int) -> int:
    """What the client said becomes the first message; the ticket's id."""
    wanted = request.form
    text, subject = wanted.get("text", "").strip(), wanted.get("subject", "").strip()
    if not subject:
        raise HelpdeskError(_lazy("A subject is needed."), field="subject")
    if not text:
        raise HelpdeskError(_lazy("Write what the client said."), field="text")
    if len(text) > actions.TEXT_LIMIT:
        message = _lazy("The text is too long: at most %(limit)s characters.")
        raise HelpdeskError(message, field="text", limit=actions.TEXT_LIMIT)
    channel = _one(Channel, CHANNELS, "channel")
    language = person.language or client.language
    who = Known(client.id, person.id, _address(person), language, tags=tuple(client.tags))
    ticket_id = open_ticket(
        session,
        queue_id=queue_id,
        who=who,
        subject=subject,
        channel=channel,
        language=detect(f"{subject}\n{text}") or language,
        at=now(),
        priority=_one(Priority, tuple(Priority), "priority"),
        client_tags=client.tags,
        actor=actor(),
    )
    content = Content(text=text, subject=subject)
    add_message(session, ticket_id, content, who=who, channel=channel, at=now(), first=True)
    if wanted.get("note", "").strip():
        ticket = session.get_one(Ticket, ticket_id)
        actions.note(session, ticket, wanted["note"], user_id=me().id, at=now())
    return ticket_id


def _address(person: Person) -> int | None:
    """The address to answer to: the preferred email, else any that works."""
    emails = [point for point in person.contact_points if _works(point)]
    emails.sort(key=lambda point: (not point.preferred, point.id))
    return emails[0].id if emails else None


def _works(point: ContactPoint) -> bool:
    return point.kind == ContactKind.EMAIL and not point.bad


def _queue_id() -> int:
    queue_id = _id("queue")
    if queue_id not in {id_ for id_, _name in open_queues(viewer())}:
        raise HelpdeskError(_lazy("Choose one from the list."), field="queue")
    return queue_id


def _one(kind: Any, allowed: tuple[Any, ...], field: str) -> Any:
    value = request.form.get(field, "")
    if value not in allowed:
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return kind(value)


def _id(field: str) -> int:
    value = request.form.get(field, "")
    if not (value.isascii() and value.isdigit() and len(value) < 18):
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return int(value)


def _page(client_id: int, errors: dict[str, str]) -> str:
    client = client_page.client_here(client_id)
    people = [(person.id, person.name) for person, _points in people_of(reading(), client_id)]
    values = {name: request.form.get(name, "") for name in FIELDS} if errors else {}
    return render_template(
        "desk/client_ticket.html",
        section="clients",
        client=client,
        people=people,
        channels=[(one.value, words().channel[one]) for one in CHANNELS],
        queues=open_queues(viewer()),
        priorities=[(one.value, words().priority[one]) for one in Priority],
        values={"priority": Priority.NORMAL.value} | values,
        errors=errors,
    )
