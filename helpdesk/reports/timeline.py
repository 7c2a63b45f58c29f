"""Everything that happened with one client, newest first, from messages and events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk.accounts.models import User
from helpdesk.clients.models import Person
from helpdesk.events import Event
from helpdesk.lib.text import shorten
from helpdesk.tickets.models import NUMBER_OFFSET, Message, MessageKind, Status, Ticket

TITLE_LIMIT = 120
SHOWN = (
    "client.created",
    "contact_point.bad",
    "contact_point.verified",
    "person.created",
    "ticket.status",
)
_KINDS: Mapping[str, str] = {
    MessageKind.INBOUND: "message",
    MessageKind.OUTBOUND: "message",
    MessageKind.NOTE: "note",
    MessageKind.CALL: "call",
    MessageKind.SYSTEM: "system",
}


class Mark(NamedTuple):
    """The place of an item in the order: give the last one to read on after it."""

    at: datetime
    rank: int  # 0: an event, 1: a message
    id: int


@dataclass(frozen=True)
class TimelineItem:
    """One line of a client's history.

    `kind`: message, note, call, system, or the kind of an event such as "ticket.status".
    `direction`: inbound, outbound or None. `title` is in the reader's language; `by` is a name.
    """

    at: datetime
    kind: str
    channel: str | None
    direction: str | None
    title: str
    by: str | None
    ticket_id: int | None
    call_id: int | None
    mark: Mark


def client_timeline(
    session: Session,
    client_id: int,
    *,
    queue_ids: frozenset[int] | None,
    limit: int,
    before: Mark | None = None,
) -> list[TimelineItem]:
    """At most `limit` items, newest first, after the place `before` in that order.

    `queue_ids`: the queues whose tickets the reader may see, None for all. Two statements.
    """
    items = _messages(session, client_id, queue_ids, limit, before)
    items += _events(session, client_id, queue_ids, limit, before)
    return sorted(items, key=lambda item: item.mark, reverse=True)[:limit]


def _messages(
    session: Session,
    client_id: int,
    queue_ids: frozenset[int] | None,
    limit: int,
    before: Mark | None,
) -> list[TimelineItem]:
    said = func.substr(func.coalesce(Message.visible_text, Message.text), 1, 8 * TITLE_LIMIT)
    query = (
        select(
            Message.id,
            Message.created_at,
            Message.kind,
            Message.channel,
            Message.ticket_id,
            func.coalesce(func.nullif(Message.subject, ""), Ticket.subject).label("subject"),
            said.label("said"),
            func.coalesce(User.name, Person.name).label("author"),
        )
        .join(Ticket, Ticket.id == Message.ticket_id)
        .outerjoin(User, User.id == Message.user_id)
        .outerjoin(Person, Person.id == Message.person_id)
        .where(Ticket.client_id == client_id, *_older(Message.created_at, Message.id, 1, before))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(limit)
    )
    if queue_ids is not None:
        query = query.where(Ticket.queue_id.in_(queue_ids))
    return [_message_item(row) for row in session.execute(query)]


def _message_item(row: Any) -> TimelineItem:
    spoken = row.kind in (MessageKind.INBOUND, MessageKind.OUTBOUND)
    said = shorten(row.said, TITLE_LIMIT)
    subject = shorten(row.subject, TITLE_LIMIT)
    title = (subject or said) if row.kind == MessageKind.INBOUND else (said or subject)
    return TimelineItem(
        at=row.created_at,
        kind=_KINDS[row.kind],
        channel=row.channel.value,
        direction=row.kind.value if spoken else None,
        title=title,
        by=row.author,
        ticket_id=row.ticket_id,
        call_id=None,
        mark=Mark(row.created_at, 1, row.id),
    )


def _events(
    session: Session,
    client_id: int,
    queue_ids: frozenset[int] | None,
    limit: int,
    before: Mark | None,
) -> list[TimelineItem]:
    query = (
        select(
            Event.id,
            Event.at,
            Event.kind,
            Event.data,
            Event.ticket_id,
            func.coalesce(User.name, Person.name).label("author"),
        )
        .outerjoin(User, User.id == Event.user_id)
        .outerjoin(Person, Person.id == Event.person_id)
        .where(
            Event.client_id == client_id,
            Event.kind.in_(SHOWN),
            *_older(Event.at, Event.id, 0, before),
        )
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(limit)
    )
    if queue_ids is not None:
        query = query.outerjoin(Ticket, Ticket.id == Event.ticket_id)
        query = query.where(or_(Event.ticket_id.is_(None), Ticket.queue_id.in_(queue_ids)))
    return [_event_item(row) for row in session.execute(query)]


def _event_item(row: Any) -> TimelineItem:
    return TimelineItem(
        at=row.at,
        kind=row.kind,
        channel=None,
        direction=None,
        title=_event_title(row.kind, row.ticket_id, row.data),
        by=row.author,
        ticket_id=row.ticket_id,
        call_id=None,
        mark=Mark(row.at, 0, row.id),
    )


def _event_title(kind: str, ticket_id: int | None, data: Mapping[str, Any]) -> str:
    if kind == "ticket.status":
        number = str((ticket_id or 0) + NUMBER_OFFSET)
        status = _status_word(Status(data["new"]))
        return str(_("Ticket %(number)s: %(status)s", number=number, status=status))
    titles: dict[str, str] = {
        "client.created": _("The client was added"),
        "contact_point.bad": _("An address was marked as bad: mail came back"),
        "contact_point.verified": _("An address was verified"),
        "person.created": _("A contact person was added"),
    }
    return titles[kind]


def _status_word(status: Status) -> str:
    words: dict[Status, str] = {
        Status.NEW: _("new"),
        Status.OPEN: pgettext("ticket", "open"),
        Status.PENDING: _("waiting for the client"),
        Status.ON_HOLD: _("on hold"),
        Status.RESOLVED: _("resolved"),
        Status.CLOSED: pgettext("ticket", "closed"),
    }
    return words[status]


def _older(
    at: InstrumentedAttribute[datetime],
    id_: InstrumentedAttribute[int],
    rank: int,
    before: Mark | None,
) -> list[ColumnElement[bool]]:
    """The condition that keeps what comes after the mark, for a source of this rank."""
    if before is None:
        return []
    if rank < before.rank:
        return [at <= before.at]
    if rank > before.rank:
        return [at < before.at]
    return [or_(at < before.at, and_(at == before.at, id_ < before.id))]
