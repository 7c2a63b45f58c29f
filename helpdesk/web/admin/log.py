"""The Event log: who did what and when, as far back as the base goes."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, render_template, request
from sqlalchemy import ColumnElement, select

from helpdesk.clients.models import Person
from helpdesk.events import KINDS, Event
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports import period
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.tickets.queries import ticket_id_of
from helpdesk.web.admin.forms import chosen_id, cursor, wrong
from helpdesk.web.desk.directory import user_names
from helpdesk.web.event_words import GROUPS, event_words, group_of, group_words
from helpdesk.web.guard import needs, reading

blueprint = Blueprint("admin_log", __name__)

PAGE = 100
USUAL = "7d"
SILENT = frozenset({"access", "settings"})  # groups whose events concern no ticket


@blueprint.get("/admin/log")
@needs("log.read")
def listing() -> str | tuple[str, int]:
    """The newest first: of some days, a person, a ticket, a group of kinds."""
    try:
        conditions = _conditions(request.args)
    except HelpdeskError as error:
        return _page([], None, wrong(error)), 400
    before = cursor()
    query = (
        select(Event, Person.name)
        .outerjoin(Person, Person.id == Event.person_id)
        .where(*conditions)
        .order_by(Event.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(Event.id < before)
    rows = reading().execute(query).all()
    more = rows[PAGE - 1][0].id if len(rows) > PAGE else None
    return _page([_line(event, person) for event, person in rows[:PAGE]], more, {})


def _conditions(args: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """Raises HelpdeskError for a wrong day, person, ticket or group."""
    days = period.read(_days(args), zone=_zone(), at=now())
    found: list[ColumnElement[bool]] = [Event.at >= days.start, Event.at < days.end]
    user_id = chosen_id(args.get("user", ""), "user")
    if user_id is not None:
        found.append(Event.user_id == user_id)
    if number := args.get("ticket", "").strip().lstrip("№# "):
        found.append(Event.ticket_id == ticket_id_of(number))
    if group := args.get("group", ""):
        if group not in GROUPS:
            raise HelpdeskError(_lazy("Choose one from the list."), field="group")
        found.append(Event.kind.in_([kind for kind in KINDS if group_of(kind) == group]))
        if group in SILENT:
            found.append(Event.ticket_id.is_(None))
    return found


def _days(args: Mapping[str, str]) -> dict[str, str]:
    """Of an old ticket all of it, else a week, unless days are named."""
    named = {name: args[name] for name in ("from", "to") if args.get(name)}
    return named or {"period": USUAL}


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["TIMEZONE"])


def _line(event: Event, person: str | None) -> dict[str, Any]:
    names = user_names()
    by = names.get(event.user_id, "?") if event.user_id is not None else person
    return {
        "id": event.id,
        "at": event.at,
        "text": event_words()[event.kind] if event.kind in KINDS else event.kind,
        "kind": event.kind,
        "by": by,
        "ticket": event.ticket_id + NUMBER_OFFSET if event.ticket_id else None,
        "client": event.client_id,
        "data": ", ".join(f"{key}: {_value(value)}" for key, value in event.data.items()),
    }


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)


def _page(lines: Sequence[Mapping[str, Any]], more: int | None, errors: dict[str, str]) -> str:
    try:
        days = period.read(_days(request.args), zone=_zone(), at=now())
    except HelpdeskError:
        days = period.read({"period": USUAL}, zone=_zone(), at=now())
    return render_template(
        "admin/log.html",
        lines=lines,
        more=more,
        errors=errors,
        groups=group_words(),
        people=sorted(user_names().items(), key=lambda pair: pair[1]),
        shown=days.query() | request.args.to_dict(),
    )
