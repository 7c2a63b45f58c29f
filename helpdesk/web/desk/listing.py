"""The list pane: rows of a view or of a search, drawn ready for the template."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from flask import current_app, request
from flask_babel import gettext as _
from flask_babel import pgettext

from helpdesk.accounts.permissions import Viewer
from helpdesk.lib.clock import now
from helpdesk.lib.text import clean_line
from helpdesk.tickets.about import about_page
from helpdesk.tickets.models import NUMBER_OFFSET, Status, TicketKind
from helpdesk.tickets.search import MAX_HITS, find_ticket_ids
from helpdesk.tickets.views import (
    CAP,
    PAGE,
    Page,
    TicketRow,
    View,
    counts,
    list_page,
    read_view,
    rows_of,
)
from helpdesk.web.about import about_title, asked_view, reasons_of
from helpdesk.web.cached import COUNT_SECONDS, keep
from helpdesk.web.desk.directory import open_queues
from helpdesk.web.formats import ClockFace, moment, promise
from helpdesk.web.guard import reading, viewer
from helpdesk.web.words import words

QUERY_LIMIT = 200
STATUS_TONES = {"new": "acc", "resolved": "good"}
PRIORITY_TONES = {"urgent": "bad", "high": "warn"}
CHANNEL_ICONS = {
    "email": "mail",
    "phone": "phone",
    "web": "world",
    "sms": "message-2",
    "api": "api",
}


@dataclass(frozen=True)
class DrawnRow:
    """A row with every word and sign chosen; the template only puts them in place."""

    id: int
    href: str
    current: bool
    unread: bool
    status: str
    status_word: str
    status_tone: str | None
    priority: str | None  # only what stands out
    priority_word: str
    priority_tone: str | None
    channel_icon: str
    channel_word: str
    who: str
    subject: str
    tag: str | None
    complaint: str | None  # the word, if it is one
    clock: ClockFace


def list_context(ticket_id: int | None = None) -> dict[str, Any]:
    """What `desk/_list.html` needs, by the address's view, q and before."""
    query = clean_line(request.args.get("q", ""), QUERY_LIMIT)
    view = read_view(asked_view())
    who = viewer()
    cursor = request.args.get("before")
    found = _search(who, query) if query else _page(who, view, cursor)
    numbers = _counts(who)
    suffix = "?" + urlencode({"q": query} if query else {"view": view.key}, safe=":")
    return {
        "section": "queue",
        "view": view,
        "q": query,
        "title": _("Found") if query else title(who, view),
        "total": _total(found.rows, found.cursor)
        if query or view.about
        else capped(numbers.get(view.key)),
        "rows": draw(found.rows, suffix, ticket_id),
        "suffix": suffix,
        "next_url": f"/desk{suffix}&before={quote(found.cursor)}" if found.cursor else None,
        "later_page": bool(cursor),
        "tabs": _tabs(numbers),
        "menu": _menu(who, numbers),
    }


def draw(rows: list[TicketRow], suffix: str, current: int | None = None) -> list[DrawnRow]:
    """Rows ready for the template; `suffix` keeps the list in the links."""
    at, known = now(), words()
    return [
        DrawnRow(
            id=row.id,
            href=f"/desk/t/{row.id + NUMBER_OFFSET}{suffix}",
            current=row.id == current,
            unread=row.waiting_since is not None,
            status=row.status,
            status_word=known.status[row.status],
            status_tone=STATUS_TONES.get(row.status),
            priority=row.priority if row.priority in PRIORITY_TONES else None,
            priority_word=known.priority[row.priority],
            priority_tone=PRIORITY_TONES.get(row.priority),
            channel_icon=CHANNEL_ICONS[row.channel],
            channel_word=known.channel[row.channel],
            who=row.person,
            subject=row.subject or _("(no subject)"),
            tag=row.tags[0] if row.tags else None,
            complaint=known.kind[row.kind] if row.kind == TicketKind.COMPLAINT else None,
            clock=face(row, at),
        )
        for row in rows
    ]


def face(row: TicketRow, at: datetime) -> ClockFace:
    """The promise of a row; without one, when it was last written to."""
    if row.next_due_at is not None and row.done_at is None:
        return promise(row.next_due_at, at, row.sla)
    if row.status == Status.PENDING:
        return ClockFace(words().paused, "paused")
    return ClockFace(moment(row.last_message_at), "")


def title(who: Viewer, view: View) -> str:
    """The name of a view."""
    if view.about:
        return about_title(view)
    if view.name == "queue":
        return dict(open_queues(who)).get(view.queue_id or 0) or str(_("Queue"))
    names: dict[str, str] = {
        "mine": _("My tickets"),
        "unassigned": _("Unassigned"),
        "risk": _("At risk"),
        "breached": _("Overdue"),
        "all": _("All open"),
        "done": pgettext("list", "Done"),
    }
    return names[view.name]


def capped(number: int | None) -> str:
    """A count for people: nothing if unknown, "999+" beyond the cap."""
    if number is None:
        return ""
    return f"{CAP}+" if number > CAP else str(number)


def _page(who: Viewer, view: View, cursor: str | None) -> Page:
    if view.name not in ("reason", "product"):
        return list_page(reading(), who, view, cursor=cursor)
    return about_page(reading(), who, view, reasons_of(view), cursor=cursor)


def _total(rows: list[TicketRow], cursor: str | None) -> str:
    return f"{len(rows)}+" if cursor or len(rows) == PAGE else str(len(rows))


def _search(who: Viewer, query: str) -> Page:
    country = current_app.config["COUNTRY"]
    # What others' queues hold must not crowd out what the viewer may see.
    most = PAGE if who.queue_ids is None else MAX_HITS
    ids = find_ticket_ids(reading(), query, country=country, limit=most)
    return Page(rows_of(reading(), who, ids)[:PAGE], None)


def _counts(who: Viewer) -> dict[str, int]:
    """Counts of every view but "done", a second old at most."""
    names = ("mine", "unassigned", "risk", "breached", "all")
    views = [View(name) for name in names] + [View("queue", id_) for id_, _name in open_queues(who)]
    key = ("counts", who.user_id, who.queue_ids)
    return keep(key, COUNT_SECONDS, lambda: counts(reading(), who, views))


def _tabs(numbers: dict[str, int]) -> list[dict[str, Any]]:
    """The four views one click away; the last two are signs with a number."""
    return [
        {"key": "mine", "text": _("Mine"), "count": capped(numbers.get("mine"))},
        {
            "key": "unassigned",
            "text": pgettext("tab", "Unassigned"),
            "count": capped(numbers.get("unassigned")),
        },
        {
            "key": "risk",
            "label": _("At risk"),
            "icon": "ring",
            "tone": "warn",
            "count": capped(numbers.get("risk")),
        },
        {
            "key": "breached",
            "label": _("Overdue"),
            "icon": "over",
            "tone": "bad",
            "count": capped(numbers.get("breached")),
        },
    ]


def _menu(who: Viewer, numbers: dict[str, int]) -> list[list[tuple[str, str, str]]]:
    """All views as (key, name, count) in groups."""

    def line(view: View) -> tuple[str, str, str]:
        return view.key, title(who, view), capped(numbers.get(view.key))

    own = [line(View(name)) for name in ("mine", "unassigned", "risk", "breached")]
    queues = [line(View("queue", id_)) for id_, _name in open_queues(who)]
    return [own, queues, [line(View("all")), line(View("done"))]]


def is_fragment() -> bool:
    """Whether htmx asks for a part of the page."""
    return "HX-Request" in request.headers
