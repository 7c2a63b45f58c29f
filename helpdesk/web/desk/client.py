"""Clients: finding them, one client's page, changing what is known."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts.permissions import Viewer
from helpdesk.clients import actions
from helpdesk.clients.models import Client, ContactKind, Person
from helpdesk.clients.search import find_clients
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line, shorten
from helpdesk.tickets.models import NUMBER_OFFSET, Channel, Message, MessageKind, Ticket
from helpdesk.tickets.views import tickets_of_client
from helpdesk.web.desk.history import user_names
from helpdesk.web.desk.listing import CHANNEL_ICONS, QUERY_LIMIT, draw
from helpdesk.web.desk.ticket import people_of
from helpdesk.web.formats import day
from helpdesk.web.guard import actor, needs, reading, said, viewer
from helpdesk.web.words import words

blueprint = Blueprint("desk_client", __name__)

PAGE = 50
CONTACTS = 40
EXCERPT = 160
ABOUT_LIMIT = 5000


class Contact(NamedTuple):
    """One line of the timeline."""

    at: datetime
    number: int
    title: str
    by: str
    kind: MessageKind
    icon: str
    tone: str | None
    id: int


@blueprint.get("/desk/clients")
@needs("client.read")
def clients() -> str:
    """Clients by name, or those that fit `?q=`; `?after=` is the last name of the page before."""
    query = clean_line(request.args.get("q", ""), QUERY_LIMIT)
    if query:
        found = find_clients(reading(), query, country=current_app.config["COUNTRY"], limit=PAGE)
        following = None
    else:
        found, following = _by_name(reading(), request.args.get("after", ""))
    return render_template(
        "desk/clients.html", section="clients", q=query, clients=found, following=following
    )


@blueprint.get("/desk/clients/<int:client_id>")
@needs("client.read")
def client(client_id: int) -> str:
    return _page(_client(reading(), client_id), {})


@blueprint.post("/desk/clients/<int:client_id>")
@needs("client.change")
def change(client_id: int) -> BaseResponse | tuple[str, int]:
    """Change name, language, tags and notes; a conflict shows the page with what was typed."""
    form = request.form
    version = form.get("version", "")
    try:
        if len(form.get("about", "")) > ABOUT_LIMIT:
            raise HelpdeskError(
                _lazy("The text is too long: at most %(limit)s characters."),
                field="about",
                limit=ABOUT_LIMIT,
            )
        with ext.write() as session:
            actions.change_client(
                session,
                _client(session, client_id),
                actor=actor(),
                at=now(),
                version=int(version) if version.isdecimal() and len(version) < 18 else 0,
                name=form.get("name", ""),
                language=form.get("language") or None,
                tags=form.get("tags", "").split(","),
                about=form.get("about", "").strip(),
            )
    except HelpdeskError as error:
        if error.status not in (400, 409):
            raise
        return _page(_client(reading(), client_id), {error.field or "": said(error)}), error.status
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}")


@blueprint.post("/desk/clients/<int:client_id>/points")
@needs("client.change")
def add_point(client_id: int) -> BaseResponse | tuple[str, int]:
    """Add an address or number to one of the client's people."""
    form = request.form
    kind = ContactKind.EMAIL if "@" in form.get("value", "") else ContactKind.PHONE
    try:
        with ext.write() as session:
            person = _person(session, client_id, form.get("person", ""))
            actions.add_contact_point(
                session,
                person,
                kind=kind,
                value=form.get("value", ""),
                country=current_app.config["COUNTRY"],
                at=now(),
            )
    except HelpdeskError as error:
        if error.status != 400:
            raise
        return _page(_client(reading(), client_id), {"value": said(error)}), 400
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}")


def _page(found: Client, errors: dict[str, str]) -> str:
    people = people_of(reading(), found.id)
    rows = tickets_of_client(reading(), viewer(), found.id, limit=PAGE)
    typed = request.form if errors and "name" in request.form else None
    values: dict[str, Any] = {
        "name": found.name,
        "language": found.language or "",
        "tags": ", ".join(found.tags),
        "about": found.about,
    }
    return render_template(
        "desk/client.html",
        section="clients",
        client=found,
        people=people,
        person_options=[(person.id, person.name) for person, _points in people],
        rows=draw(rows, ""),
        open_count=sum(row.done_at is None for row in rows),
        count=len(rows),
        count_shown=f"{len(rows)}+" if len(rows) == PAGE else str(len(rows)),
        days=list(_by_day(_contacts(reading(), viewer(), found.id))),
        values=values | (typed.to_dict() if typed else {}),
        languages=[("", _("not known")), *words().language.items()],
        errors=errors,
    )


def _client(session: Session, client_id: int) -> Client:
    found = session.get(Client, client_id)
    if found is None:
        raise NotFound()
    return found


def _person(session: Session, client_id: int, person_id: str) -> Person:
    wanted = int(person_id) if person_id.isdecimal() and len(person_id) < 18 else 0
    found = session.get(Person, wanted)
    if found is None or found.client_id != client_id:
        raise NotFound()
    return found


def _by_name(session: Session, after: str) -> tuple[list[Client], str | None]:
    query = select(Client).where(Client.erased_at.is_(None))
    key, _sign, id_ = after.rpartition("~")
    if key and id_.isdecimal() and len(id_) < 18:
        place = (Client.sort_key > key) | ((Client.sort_key == key) & (Client.id > int(id_)))
        query = query.where(place)
    rows = session.scalars(query.order_by(Client.sort_key, Client.id).limit(PAGE + 1)).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return list(rows[:PAGE]), f"{last.sort_key}~{last.id}" if last else None


def _contacts(session: Session, who: Viewer, client_id: int) -> list[Contact]:
    """The newest messages on all tickets of a client that the viewer may see."""
    query = (
        select(
            Message.created_at,
            Ticket.id,
            Message.kind,
            Message.channel,
            Message.visible_text,
            Message.text,
            Message.user_id,
            Person.name,
            Message.id,
        )
        .join(Ticket, Ticket.id == Message.ticket_id)
        .outerjoin(Person, Person.id == Message.person_id)
        .where(Ticket.client_id == client_id)
    )
    if who.queue_ids is not None:
        query = query.where(Ticket.queue_id.in_(who.queue_ids))
    rows = session.execute(query.order_by(Message.id.desc()).limit(CONTACTS))
    return [_contact(*row) for row in rows]


def _contact(
    at: datetime,
    ticket_id: int,
    kind: MessageKind,
    channel: Channel,
    visible: str | None,
    text: str,
    user_id: int | None,
    person: str | None,
    message_id: int,
) -> Contact:
    tones = {MessageKind.INBOUND: "acc", MessageKind.NOTE: "note", MessageKind.OUTBOUND: "good"}
    icons = {MessageKind.NOTE: "lock", MessageKind.OUTBOUND: "send"}
    return Contact(
        at=at,
        number=ticket_id + NUMBER_OFFSET,
        title=shorten(visible or text, EXCERPT) or _("(no text)"),
        by=user_names().get(user_id, "?") if user_id else person or _("System"),
        kind=kind,
        icon=icons.get(kind, CHANNEL_ICONS[channel]),
        tone=tones.get(kind),
        id=message_id,
    )


def _by_day(contacts: list[Contact]) -> Iterator[tuple[str, list[Contact]]]:
    group: list[Contact] = []
    name = ""
    for contact in contacts:
        if day(contact.at) != name:
            if group:
                yield name, group
            name, group = day(contact.at), []
        group.append(contact)
    if group:
        yield name, group
