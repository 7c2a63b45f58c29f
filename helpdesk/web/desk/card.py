"""The client's card beside a ticket, and choosing the right one of several people."""

from datetime import datetime
from typing import Any, NamedTuple

from flask import Blueprint, flash, g, redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.calls.models import Direction
from helpdesk.clients.models import Person
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.reports.client.card import CONTACTS, Card, Talk, card_of
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queries import ticket_for, ticket_id_of
from helpdesk.tickets.reasons import name_of
from helpdesk.tickets.requester import change_requester
from helpdesk.tickets.views import tickets_of_client
from helpdesk.web.cached import recount
from helpdesk.web.desk.call_words import call_words
from helpdesk.web.desk.client_page import today
from helpdesk.web.desk.listing import CHANNEL_ICONS, draw
from helpdesk.web.guard import actor, needs, reading, viewer
from helpdesk.web.words import words

blueprint = Blueprint("desk_card", __name__)

OTHERS = 6  # tickets of the client shown beside
LOOKED = 20  # tickets that are counted


class ContactLine(NamedTuple):
    """One of the last contacts as it is drawn."""

    at: datetime
    icon: str
    label: str
    text: str
    href: str


def card_context(ticket: Ticket) -> dict[str, Any]:
    """What `desk/_side.html` needs: two statements."""
    card = card_of(reading(), ticket, queue_ids=viewer().queue_ids, today=today())
    rows = tickets_of_client(reading(), viewer(), ticket.client_id, limit=LOOKED)
    others = sorted(
        (row for row in rows if row.id != ticket.id), key=lambda row: row.done_at is not None
    )
    open_rows = [row for row in rows if row.done_at is None]
    return {
        "ticket": ticket,
        "client": ticket.client,
        "card": card,
        "late": [debt for debt in card.debts if debt.late],
        "gaps": _gaps(ticket, card),
        "others": draw(others[:OTHERS], ""),
        "open_count": len(open_rows),
        "count": len(rows),
        "count_shown": f"{len(rows)}+" if len(rows) == LOOKED else str(len(rows)),
        "today": today(),
        "at": now(),
        "languages": words().language,
        "lines": contact_lines(card),
    }


def contact_lines(card: Card) -> list[ContactLine]:
    """The last messages and calls, the newest first."""
    lines = [
        ContactLine(
            one.at,
            CHANNEL_ICONS.get(one.channel, "mail") if one.kind == "message.received" else "send",
            _("from the client") if one.kind == "message.received" else _("from us"),
            one.text or _("(no text)"),
            f"/desk/t/{one.number}",
        )
        for one in card.contacts
    ]
    lines += [_talk_line(one) for one in card.talks]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:CONTACTS]


def _talk_line(talk: Talk) -> ContactLine:
    known = call_words()
    if talk.seconds is not None:
        text = _("Call %(length)s", length=f"{talk.seconds // 60}:{talk.seconds % 60:02}")
    else:
        text = _("Call: %(what)s", what=known.ended.get(talk.end_reason or "", _("ended")))
    if talk.reason:
        text = f"{text}, {name_of(talk.reason, '', g.language).lower()}"
    icon = "phone-incoming" if talk.direction == Direction.INBOUND else "phone-outgoing"
    href = f"/desk/t/{talk.number}" if talk.number else f"/desk/call/{talk.id}"
    return ContactLine(talk.at, icon, known.direction[talk.direction], text, href)


@blueprint.post("/desk/t/<number>/requester")
@needs("ticket.change")
def choose(number: str) -> BaseResponse:
    """This ticket is that person's: one who has the address or number it came from."""
    ticket_id = ticket_id_of(number)
    wanted = request.form.get("person", "")
    person_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 18 else 0
    with ext.write() as session:
        ticket = ticket_for(session, viewer(), ticket_id, "ticket.change", change=True)
        person = _candidate(session, ticket, person_id)
        change_requester(session, ticket, person, actor=actor(), at=now())
        name = person.name
    recount()
    flash(_("This ticket is now from: %(name)s", name=name))
    return redirect(f"/desk/t/{number}")


def _candidate(session: Session, ticket: Ticket, person_id: int) -> Person:
    """Only a candidate of the card may be chosen. Raises HelpdeskError."""
    card = card_of(session, ticket, queue_ids=viewer().queue_ids, today=today())
    if person_id not in {one.person_id for one in card.candidates}:
        raise HelpdeskError(_lazy("Choose one from the list."), field="person")
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound()
    return person


def _gaps(ticket: Ticket, card: Card) -> list[str]:
    """What is missing of the client, in the reader's words."""
    missing = [
        str(labels.get(g.language) or key).lower()
        for key, labels in card.wanted
        if key not in ticket.client.profile
    ]
    if not (ticket.person.language or ticket.client.language):
        missing.append(_("language"))
    if all(point.bad for point in card.points):
        missing.append(_("a working address"))
    return missing
