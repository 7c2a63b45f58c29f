"""The part of a timeline that the Event log tells, messages of all channels with it.

The log of one client is walked by its index; what was said is joined to the few rows of a page.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, cast

from flask_babel import gettext as _
from sqlalchemy import Integer, Select, Subquery, bindparam, func, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.clients.facts import Promise
from helpdesk.clients.models import Person
from helpdesk.events import Event
from helpdesk.lib.text import shorten
from helpdesk.planner.models import Task
from helpdesk.reports.client.timeline_item import Found, Mark, TimelineItem, older, place
from helpdesk.reports.client.timeline_words import event_title, sms_title, task_title
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Message, MessageKind, Ticket

TITLE_LIMIT = 120
RANK = 0
_SAID: Mapping[str, str] = {
    MessageKind.INBOUND: "message",
    MessageKind.OUTBOUND: "message",
    MessageKind.NOTE: "note",
    MessageKind.CALL: "call",
    MessageKind.SYSTEM: "system",
}
EVENT_KINDS = (
    "message.received",
    "message.sent",
    "message.noted",
    "message.bounced",
    "ticket.opened",  # by hand: what the client sends opens a ticket as a message
    "ticket.status",
    "ticket.rated",
    "ticket.requester",
    "promise.made",
    "promise.settled",
    "client.created",
    "client.changed",
    "client.merged",
    "client.unmerged",
    "person.created",
    "person.changed",
    "person.removed",
    "contact_point.added",
    "contact_point.changed",
    "contact_point.removed",
    "contact_point.bad",
    "contact_point.verified",
    "contact_point.sms",
    "task.planned",
    "task.done",
    "task.failed",
    "item.created",
    "item.changed",
)


def events(
    session: Session,
    client_id: int,
    kinds: tuple[str, ...],
    queue_ids: frozenset[int] | None,
    limit: int,
    before: Mark | None,
) -> tuple[list[Found], Mark | None]:
    """At most `limit` entries and, if there may be more, the mark of the last. One statement."""
    values = place(before, (RANK,), ()) | {"client_id": client_id, "most": limit}
    if queue_ids is not None:
        values["queue_ids"] = sorted(queue_ids)
    rows = session.execute(_statement(kinds, queue_ids is not None), values).all()
    found = [_found(row) for row in rows]
    return found, (found[-1].mark if len(found) == limit else None)


def _found(row: Any) -> Found:
    mark = Mark(row.at, RANK, row.id)
    if row.message_id:
        return Found(mark, row.channel.value, partial(_message, row, mark))
    channel = "sms" if row.kind == "contact_point.sms" else None
    return Found(mark, channel, partial(_event, row, mark))


@lru_cache(maxsize=64)
def _statement(kinds: tuple[str, ...], restricted: bool) -> Select[Any]:
    """Made once for each part of the timeline: building it costs more than running it."""
    walked = _walk(kinds, restricted)
    e = walked.c
    said = func.substr(func.coalesce(Message.visible_text, Message.text), 1, 8 * TITLE_LIMIT)
    message = Message.id == e.data["message_id"].as_integer()
    promise = Promise.id == e.data["promise_id"].as_integer()
    rated = (Rating.ticket_id == e.ticket_id) & (e.kind == "ticket.rated")
    query = (
        select(
            e.id,
            e.at,
            e.kind,
            e.data,
            e.ticket_id,
            Message.id.label("message_id"),
            Message.kind.label("message_kind"),
            Message.channel,
            func.coalesce(func.nullif(Message.subject, ""), Ticket.subject).label("subject"),
            said.label("said"),
            func.coalesce(User.name, Person.name).label("author"),
            func.coalesce(Promise.text, Rating.comment).label("text"),
            Task.due_at.label("due_at"),
            Task.first_tried_at.label("tried_at"),
        )
        .select_from(walked)
        .outerjoin(Message, message)
        .outerjoin(Ticket, Ticket.id == e.ticket_id)
        .outerjoin(User, User.id == e.user_id)
        .outerjoin(Person, Person.id == e.person_id)
        .outerjoin(Promise, promise)
        .outerjoin(Rating, rated)
        .outerjoin(Task, Task.id == e.data["task_id"].as_integer())
        .order_by(e.at.desc(), e.id.desc())
    )
    return cast(Select[Any], query)


def _walk(kinds: tuple[str, ...], restricted: bool) -> Subquery:
    """The newest events of a client, as many as are wanted, by their index."""
    query = (
        select(
            Event.id,
            Event.at,
            Event.kind,
            Event.data,
            Event.ticket_id,
            Event.user_id,
            Event.person_id,
        )
        .where(
            Event.client_id == bindparam("client_id"),
            Event.kind.in_(kinds),
            or_(Event.kind != "ticket.opened", Event.user_id.is_not(None)),
            older(Event.at, Event.id, RANK),
        )
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(bindparam("most", type_=Integer()))
    )
    if restricted:
        open_ = Ticket.queue_id.in_(bindparam("queue_ids", expanding=True))
        query = query.outerjoin(Ticket, Ticket.id == Event.ticket_id)
        query = query.where(or_(Event.ticket_id.is_(None), open_))
    return query.subquery()


def _message(row: Any, mark: Mark) -> TimelineItem:
    spoken = row.message_kind in (MessageKind.INBOUND, MessageKind.OUTBOUND)
    said = shorten(row.said or "", TITLE_LIMIT)
    subject = shorten(row.subject or "", TITLE_LIMIT)
    is_letter = row.message_kind == MessageKind.INBOUND
    title = (subject or said) if is_letter else (said or subject)
    return TimelineItem(
        at=row.at,
        kind=_SAID[row.message_kind],
        channel=row.channel.value,
        direction=row.message_kind.value if spoken else None,
        title=title,
        by=row.author,
        ticket_id=row.ticket_id,
        call_id=None,
        mark=mark,
        more=said if is_letter and said != title else "",
        thing_id=row.message_id,
    )


def _event(row: Any, mark: Mark) -> TimelineItem:
    if row.kind == "contact_point.sms" or row.kind.startswith("task."):
        return _about_phone(row, mark)
    is_rating = row.kind == "ticket.rated"
    text = shorten(row.text or "", TITLE_LIMIT)
    return TimelineItem(
        at=row.at,
        kind=row.kind,
        channel=None,
        direction=None,
        title=event_title(row.kind, row.ticket_id, row.data, text),
        by=row.author,
        ticket_id=row.ticket_id,
        call_id=None,
        mark=mark,
        more=str(_("“%(text)s”", text=text)) if is_rating and text else "",
        thing_id=row.data.get("merge_id"),
    )


def _about_phone(row: Any, mark: Mark) -> TimelineItem:
    """A planned contact, or a wish about SMS."""
    is_wish = row.kind == "contact_point.sms"
    return TimelineItem(
        at=row.at,
        kind=row.kind,
        channel="sms" if is_wish else None,
        direction="inbound" if is_wish else None,
        title=sms_title(row.data) if is_wish else task_title(row.kind, row.data, row),
        by=row.author,
        ticket_id=row.ticket_id,
        call_id=None,
        mark=mark,
    )
