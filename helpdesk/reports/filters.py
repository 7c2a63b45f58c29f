"""Filters of a report: what of an address narrows the tickets it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, ClientKind
from helpdesk.ext import LANGUAGES
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope, of_no_team, of_team, tickets_in
from helpdesk.tickets.models import Channel, Priority, Ticket, TicketKind
from helpdesk.tickets.reasons import tree

NOTHING: Literal[0] = 0
"""As the id in a filter: tickets without assignee, product and so on."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Filters:
    """Each names one value or None; an id of 0 stands for tickets that have none of it."""

    queue: int | None = None
    team: int | None = None
    agent: int | None = None
    client: int | None = None
    organisation: int | None = None
    product: int | None = None
    reason: int | None = None  # with all below it
    only_reason: int | None = None  # without what is below it
    channel: str | None = None
    priority: str | None = None
    language: str | None = None  # "-": not recognised
    kind: str | None = None  # "-": none
    slot: str | None = None  # "mon-09": opened in this hour of this weekday

    def narrowed(self, **values: Any) -> "Filters":
        return replace(self, **values)

    def query(self) -> dict[str, str]:
        """As they stand in an address."""
        return {name: str(value) for name, value in vars(self).items() if value is not None}

    def keeps(self, created_at: datetime, period: Period) -> bool:
        """Whether a ticket opened then fits the slot, which no database can tell."""
        return self.slot is None or slot_of(created_at, period) == self.slot


def slot_of(at: datetime, period: Period) -> str:
    """The weekday and hour of a moment in the period's zone, e.g. "mon-09"."""
    local = period.local(at)
    return f"{WEEKDAYS[local.weekday()]}-{local.hour:02}"


_IDS = ("queue", "team", "agent", "client", "organisation", "product", "reason", "only_reason")
_COLUMNS = {
    "queue": Ticket.queue_id,
    "agent": Ticket.assignee_id,
    "client": Ticket.client_id,
    "product": Ticket.product_id,
    "only_reason": Ticket.reason_id,
}
_WORDS = {
    "channel": (Ticket.channel, tuple(Channel)),
    "priority": (Ticket.priority, tuple(Priority)),
    "language": (Ticket.language, LANGUAGES),
    "kind": (Ticket.kind, tuple(TicketKind)),
}
_SLOTS = frozenset(f"{day}-{hour:02}" for day in WEEKDAYS for hour in range(24))


def read(args: Mapping[str, str]) -> Filters:
    """The filters of an address; empty ones are none. Raises HelpdeskError for a wrong value."""
    found: dict[str, Any] = {}
    for name in (field.name for field in fields(Filters)):
        text = args.get(name, "")
        if text:
            found[name] = _value(name, text)
    return Filters(**found)


def _value(name: str, text: str) -> int | str:
    if name in _IDS and text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    if name in _WORDS and (text in _WORDS[name][1] or text == "-"):
        return text
    if (
        name == "slot"
        and text[:3] in WEEKDAYS
        and text[3:] in {f"-{hour:02}" for hour in range(24)}
    ):
        return text
    raise HelpdeskError(
        _lazy("The filter %(name)s has no value “%(text)s”."), field=name, name=name, text=text[:40]
    )


def conditions(session: Session, filters: Filters, scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions on Ticket, the viewer's rights among them; without the slot (`keeps`).

    Tickets that were merged into another one count nowhere.
    """
    found = [*tickets_in(scope), Ticket.merged_into_id.is_(None)]
    for name, column in _COLUMNS.items():
        value = getattr(filters, name)
        if value is not None:
            found.append(column.is_(None) if value == NOTHING else column == value)
    for name, (word, _known) in _WORDS.items():
        value = getattr(filters, name)
        if value is not None:
            found.append(word.is_(None) if value == "-" else word == value)
    if filters.team is not None:
        found.append(of_team(filters.team) if filters.team else of_no_team())
    if filters.organisation is not None:
        found.append(_of_organisation(filters.organisation))
    if filters.reason is not None:
        found.append(_of_reason(session, filters.reason))
    return found


def _of_organisation(organisation_id: int) -> ColumnElement[bool]:
    """Tickets of the organisation itself and of the people who belong to it; 0: of no one's.

    An organisation inside another one stands for itself.
    """
    if organisation_id == NOTHING:
        private = select(Client.id).where(
            Client.kind == ClientKind.PERSON, Client.organisation_id.is_(None)
        )
        return Ticket.client_id.in_(private)
    people = select(Client.id).where(
        Client.kind == ClientKind.PERSON, Client.organisation_id == organisation_id
    )
    return or_(Ticket.client_id == organisation_id, Ticket.client_id.in_(people))


def _of_reason(session: Session, reason_id: int) -> ColumnElement[bool]:
    if reason_id == NOTHING:
        return Ticket.reason_id.is_(None)
    return Ticket.reason_id.in_(tree(session).under(reason_id) or [reason_id])
