"""What the page of one client shows: numbers, profile, people, cards, timeline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from babel.numbers import format_decimal
from flask import abort, g, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from helpdesk.clients.completeness import completeness
from helpdesk.clients.models import Client, ClientKind
from helpdesk.clients.queries import people_of
from helpdesk.fields import Field, FieldKind, fields_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.reports.client.cards import cards_of
from helpdesk.reports.client.numbers import numbers_of
from helpdesk.reports.client.timeline import ALL, ONLY, TimelineItem, timeline_page
from helpdesk.reports.client.timeline_item import mark_text, read_mark
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.tickets.views import tickets_of_client
from helpdesk.web.cached import SETTINGS_SECONDS, keep
from helpdesk.web.desk.client_undo import Undo, undo_offered
from helpdesk.web.desk.directory import user_names
from helpdesk.web.desk.listing import CHANNEL_ICONS, draw
from helpdesk.web.formats import day, zone
from helpdesk.web.guard import may, reading, viewer
from helpdesk.web.words import words

LINES = 25
TICKETS = 8
MEMBERS = 12
ICONS = {
    "article": ("book-2", None),
    "call": ("phone", None),
    "contact_point.sms": ("message-2", None),
    "task.done": ("phone-call", "good"),
    "task.failed": ("phone-off", "bad"),
    "task.planned": ("calendar-time", None),
    "client.merged": ("git-merge", None),
    "client.note": ("note", "note"),
    "client.unmerged": ("arrows-split", None),
    "document": ("file-text", None),
    "invoice": ("receipt", None),
    "note": ("lock", "note"),
    "purchase": ("shopping-cart", None),
    "promise.made": ("heart-handshake", "warn"),
    "promise.settled": ("heart-handshake", None),
    "ticket.rated": ("star", "good"),
    "ticket.status": ("progress-check", None),
    "ticket.opened": ("ticket", None),
}

_ABOVE = aliased(Client)
# Made once: building a statement costs more than running it.
_FOUND = (
    select(Client, _ABOVE.id, _ABOVE.name)
    .outerjoin(_ABOVE, _ABOVE.id == Client.organisation_id)
    .where(Client.id == bindparam("client_id"))
)


@dataclass(frozen=True)
class Line:
    """One line of the timeline, ready for the template."""

    item: TimelineItem
    icon: str
    tone: str | None
    href: str | None
    number: int | None  # of the ticket
    sound: str | None = None  # the address of a recording


class Value(NamedTuple):
    """A profile field with what is shown of it: None where it is empty, "" where it is hidden."""

    field: Field
    label: str
    text: str | None
    hidden: bool


def client_for(session: Session, client_id: int) -> Client:
    """The client. Raises NotFound."""
    found = session.get(Client, client_id)
    if found is None:
        raise NotFound()
    return found


def client_here(client_id: int) -> Client:
    """The client whose form is asked for; one that was merged leads to the one that stayed, where
    nothing is typed in vain. Raises NotFound."""
    found = client_for(reading(), client_id)
    if found.merged_into_id is not None and request.method == "GET":
        abort(redirect(f"/desk/clients/{found.merged_into_id}"))
    return found


def page(client_id: int, errors: Mapping[str, str] | None = None) -> str:
    """The page; with `errors` what was typed is shown again. Raises NotFound."""
    found, organisation = _found(reading(), client_id)
    people = people_of(reading(), found.id)
    fields = profile_fields(found)
    points = [point for _person, mine in people for point in mine]
    rows = tickets_of_client(reading(), viewer(), found.id, limit=TICKETS)
    cards = cards_of(reading(), found.id, today())
    context = {
        "section": "clients",
        "client": found,
        "organisation": organisation,
        "owner": user_names().get(found.owner_id or 0),
        "members": _members(reading(), found),
        "people": people,
        "profile": [value_of(field, found) for field in fields],
        "complete": completeness(found, fields, points),
        "numbers": numbers_of(reading(), found.id, queue_ids=viewer().queue_ids, at=now()),
        "cards": cards.rows,
        "debts": cards.debts,
        "bought": cards.bought,
        "names": user_names(),
        "rows": draw(rows, ""),
        "today": today(),
        "at": now(),
        "languages": words().language,
        "typed": request.form if errors else {},
        "errors": errors or {},
        "undo": _undo(found.id),
    }
    return render_template("desk/client.html", **context, **_timeline(found.id))


def profile_fields(*clients: Client) -> list[Field]:
    """The active fields, a few seconds old at most; with clients those that suit any of them."""
    found = keep("fields", SETTINGS_SECONDS, lambda: fields_of(reading()))
    kinds = {client.kind for client in clients}
    return [one for one in found if not kinds or any(map(one.suits, kinds))]


def value_of(field: Field, client: Client) -> Value:
    """What the reader may see of a field of this client."""
    hidden = field.sensitive and not may("client.sensitive")
    if field.key not in client.profile:
        return Value(field, field.label(g.language), None, hidden)
    text = "" if hidden else shown_value(field, client.profile[field.key])
    return Value(field, field.label(g.language), text, hidden)


def shown_value(field: Field, value: Any) -> str:
    """A stored value for people to read."""
    if field.kind == FieldKind.YES_NO:
        return str(_("yes") if value else _("no"))
    if field.kind == FieldKind.DATE:
        return short_day(date.fromisoformat(value))
    if field.kind == FieldKind.NUMBER:
        return str(format_decimal(value, locale=g.language))
    return str(value)


def today() -> date:
    """The reader's day."""
    return now().astimezone(zone()).date()


def short_day(at: date) -> str:
    """A day in figures as readers write it: 31.12.1980, in English 31 Dec 1980."""
    return f"{at.day} {at:%b %Y}" if g.language == "en" else f"{at:%d.%m.%Y}"


def _found(session: Session, client_id: int) -> tuple[Client, tuple[int, str] | None]:
    row = session.execute(_FOUND, {"client_id": client_id}).first()
    if row is None:
        raise NotFound()
    if row[0].merged_into_id is not None:
        abort(redirect(f"/desk/clients/{row[0].merged_into_id}"))
    return row[0], (row[1], row[2]) if row[1] else None


def _members(session: Session, client: Client) -> Sequence[Client]:
    """Clients that belong to this organisation."""
    if client.kind != ClientKind.ORGANISATION:
        return []
    query = select(Client).where(
        Client.organisation_id == client.id, Client.merged_into_id.is_(None)
    )
    return session.scalars(query.order_by(Client.id).limit(MEMBERS)).all()


def _undo(client_id: int) -> Undo | None:
    return undo_offered(reading(), client_id, request.args.get("undo", ""))


def _timeline(client_id: int) -> dict[str, Any]:
    part = request.args.get("show", "")
    chosen = ONLY.get(part, ALL)
    before = read_mark(request.args.get("before", ""))
    found = timeline_page(
        reading(),
        client_id,
        chosen,
        queue_ids=viewer().queue_ids,
        limit=LINES,
        before=before,
    )
    address = f"/desk/clients/{client_id}?" + (f"show={part}&" if part in ONLY else "")
    return {
        "part": part if part in ONLY else "",
        "parts": _parts(),
        "days": list(_by_day([_line(client_id, item) for item in found.items])),
        "older": f"{address}before={mark_text(found.older)}#timeline" if found.older else None,
        "later_page": before is not None,
    }


def _parts() -> list[tuple[str, str]]:
    return [
        ("", _("All")),
        ("emails", _("Emails")),
        ("calls", _("Calls")),
        ("sms", _("SMS")),
        ("forms", _("Forms")),
        ("notes", _("Notes")),
        ("money", _("Money")),
        ("articles", _("Articles")),
    ]


def _line(client_id: int, item: TimelineItem) -> Line:
    icon, tone = ICONS.get(item.kind, ("pencil", None))
    if item.kind == "message":
        inbound = item.direction == "inbound"
        icon = CHANNEL_ICONS.get(item.channel or "", "mail") if inbound else "send"
        tone = "acc" if inbound else "good"
    if item.kind == "call":
        return _call(item)
    href, number = None, None
    if item.ticket_id is not None:
        number = item.ticket_id + NUMBER_OFFSET
        href = f"/desk/t/{number}" + (f"#m{item.thing_id}" if item.thing_id else "")
    elif item.kind == "client.merged" and item.thing_id:
        href = f"/desk/clients/{client_id}?undo=merge-{item.thing_id}"
    elif item.kind == "document":
        href = f"/desk/clients/{client_id}/documents/{item.thing_id}"
    return Line(item, icon, tone, href, number)


def _call(item: TimelineItem) -> Line:
    icon = "phone-incoming" if item.direction == "inbound" else "phone-outgoing"
    number = item.ticket_id + NUMBER_OFFSET if item.ticket_id is not None else None
    href = f"/desk/t/{number}#call{item.call_id}" if number is not None else None
    sound = f"/desk/recordings/{item.thing_id}" if item.thing_id is not None else None
    return Line(item, icon, None, href, number, sound)


def _by_day(lines: list[Line]) -> Iterator[tuple[str, list[Line]]]:
    """The lines of each day under its name, which is made once."""
    here = zone()
    for _date, group in groupby(lines, key=lambda line: line.item.at.astimezone(here).date()):
        found = list(group)
        yield day(found[0].item.at), found
