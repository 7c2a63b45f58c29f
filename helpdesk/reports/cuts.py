"""Cuts: by what a report divides its tickets, and what each part is called."""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import Team, User
from helpdesk.clients.models import Client, ClientKind
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.products import Product
from helpdesk.reports.filters import NOTHING, slot_of
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Teams
from helpdesk.tickets.models import Queue, Ticket
from helpdesk.tickets.reasons import tree


class Facts(NamedTuple):
    """What of a ticket decides its part in every cut, in the order of `COLUMNS`."""

    queue_id: int
    assignee_id: int | None
    client_id: int
    product_id: int | None
    reason_id: int | None
    channel: str
    priority: str
    language: str | None
    kind: str | None
    created_at: datetime


COLUMNS = (
    Ticket.queue_id,
    Ticket.assignee_id,
    Ticket.client_id,
    Ticket.product_id,
    Ticket.reason_id,
    Ticket.channel,
    Ticket.priority,
    Ticket.language,
    Ticket.kind,
    Ticket.created_at,
)


@dataclass(frozen=True)
class Known:
    """What besides the ticket decides its part."""

    period: Period
    teams: Teams
    organisations: Mapping[int, int]  # client → the organisation it belongs to or is


Part = Callable[[Facts, Known], Hashable]


@dataclass(frozen=True)
class Cut:
    """`part` gives the value of a ticket, as it stands in the filter `key` of an address (0 or "-":
    it has none); for days and weeks the first day instead, which is a period and no filter."""

    key: str
    label: str  # msgid
    part: Part
    ordered: bool = False  # by its own order, not by size


def _week(row: Facts, known: Known) -> date:
    day = known.period.local(row.created_at).date()
    return day - timedelta(days=day.weekday())


CUTS: Mapping[str, Cut] = {
    cut.key: cut
    for cut in (
        Cut("queue", _lazy("Queue"), lambda row, known: row.queue_id),
        Cut("agent", _lazy("Agent"), lambda row, known: row.assignee_id or NOTHING),
        Cut(
            "team",
            _lazy("Team"),
            lambda row, known: known.teams.of(row.assignee_id, row.queue_id) or NOTHING,
        ),
        Cut("client", _lazy("Client"), lambda row, known: row.client_id),
        Cut(
            "organisation",
            _lazy("Organisation"),
            lambda row, known: known.organisations.get(row.client_id, NOTHING),
        ),
        Cut("product", _lazy("Product"), lambda row, known: row.product_id or NOTHING),
        Cut("reason", _lazy("Contact reason"), lambda row, known: row.reason_id or NOTHING),
        Cut("channel", _lazy("Channel"), lambda row, known: row.channel),
        Cut("priority", _lazy("Priority"), lambda row, known: row.priority, ordered=True),
        Cut("language", _lazy("Language"), lambda row, known: row.language or "-"),
        Cut("kind", _lazy("Kind"), lambda row, known: row.kind or "-"),
        Cut(
            "day",
            _lazy("Day"),
            lambda row, known: known.period.local(row.created_at).date(),
            ordered=True,
        ),
        Cut("week", _lazy("Week"), _week, ordered=True),
        Cut(
            "slot",
            _lazy("Hour and weekday"),
            lambda row, known: slot_of(row.created_at, known.period),
            ordered=True,
        ),
    )
}


def cut_named(name: str) -> Cut:
    """Raises HelpdeskError for one that isn't there."""
    if name not in CUTS:
        raise HelpdeskError(_lazy("A report is not divided by “%(name)s”."), field="by", name=name)
    return CUTS[name]


def organisations(session: Session) -> dict[int, int]:
    """Client → organisation, of those that are or belong to one. One statement.

    An organisation inside another one stands for itself.
    """
    own = Client.kind == ClientKind.ORGANISATION
    stands_for = case((own, Client.id), else_=Client.organisation_id)
    query = select(Client.id, stands_for).where(or_(own, Client.organisation_id.is_not(None)))
    rows = session.execute(query).all()
    return {row[0]: row[1] for row in rows}


def narrowing(cut: str, part: Any, period: Period) -> dict[str, str]:
    """What in an address narrows a report or a list to this part of a cut, and to nothing else."""
    if cut == "day":
        return period.within(part, part).query()
    if cut == "week":
        return period.within(part, part + timedelta(days=6)).query()
    return {"only_reason" if cut == "reason" else cut: str(part)}


_NAMED: Mapping[str, Any] = {
    "queue": Queue,
    "agent": User,
    "team": Team,
    "client": Client,
    "organisation": Client,
    "product": Product,
}


def names(session: Session, cut: str, ids: Collection[Any], language: str) -> dict[Any, str]:
    """What the parts of a cut are called, for those that are rows; words of enums, languages and
    days are the page's. At most one statement. Of a merged or erased client: what it is called now.
    """
    if cut == "reason":
        known = tree(session)
        return {id_: known.title(id_, language) for id_ in ids if id_}
    if cut not in _NAMED or not ids:
        return {}
    model = _NAMED[cut]
    rows = session.execute(select(model.id, model.name).where(model.id.in_([*ids])))
    return {row.id: row.name for row in rows}
