"""Verbs for what comes in: open a ticket, add a client's message.

Intake runs them a hundred times a second, so they write by Core statements: adding and
flushing objects costs four times as much.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from helpdesk import files
from helpdesk.clients.match import Known
from helpdesk.events import Actor, record
from helpdesk.ext import add_row
from helpdesk.lib.errors import NotFound
from helpdesk.lib.text import clean_line
from helpdesk.lib.tokens import new_token
from helpdesk.tickets import sla, spells
from helpdesk.tickets.content import Content, FileRef
from helpdesk.tickets.models import (
    DONE,
    Attachment,
    Channel,
    Message,
    MessageKind,
    Priority,
    Status,
    Ticket,
    TicketKind,
)
from helpdesk.tickets.reasons import kind_of
from helpdesk.tickets.search import index_message

SUBJECT_LIMIT = 300

_WHO = ("client_id", "person_id", "contact_point_id")
_MOMENTS = ("created_at", "updated_at", "last_message_at", "waiting_since")
_TICKET = cast(Table, Ticket.__table__).c
# Made once: building a statement costs more than running it.
_STATE = (
    select(_TICKET.status, _TICKET.client_id, _TICKET.waiting_since)
    .where(_TICKET.id == bindparam("ticket_id"))
    .with_for_update()
)
_CHANGE = update(cast(Table, Ticket.__table__)).where(_TICKET.id == bindparam("ticket_id"))


def open_ticket(
    session: Session,
    *,
    queue_id: int,
    who: Known,
    subject: str,
    channel: Channel,
    language: str | None,
    at: datetime,
    priority: Priority = Priority.NORMAL,
    tags: Sequence[str] = (),
    client_tags: Sequence[str] = (),
    actor: Actor | None = None,
    delivery_id: int | None = None,
    receipt: bool = False,
    related_to_id: int | None = None,
    kind: TicketKind | None = None,
    reason_id: int | None = None,
    product_id: int | None = None,
    item_id: int | None = None,
) -> int:
    """Open a ticket, start its clocks and return its id. `receipt`: the client is to get one.

    A reason gives the ticket its kind where none is said. `classify.classes_of_new` checks these.
    """
    ticket_id = add_row(
        session,
        Ticket,
        subject=clean_line(subject, SUBJECT_LIMIT),
        status=Status.NEW,
        priority=priority,
        channel=channel,
        language=language,
        queue_id=queue_id,
        tags=list(tags),
        kind=kind or (kind_of(session, reason_id) if reason_id is not None else None),
        reason_id=reason_id,
        product_id=product_id,
        item_id=item_id,
        related_to_id=related_to_id,
        link_nonce=new_token(16),
        **{name: getattr(who, name) for name in _WHO},
        **dict.fromkeys(_MOMENTS, at),
    )
    begun: dict[str, Any] = {"queue_id": queue_id, "at": at}
    spells.opened(session, ticket_id, **begun)
    sla.opened(session, ticket_id, priority=priority, client_tags=client_tags, **begun)
    data = {"queue_id": queue_id, "channel": channel.value, "receipt": receipt}
    _say_opened(session, ticket_id, who, actor, at, delivery_id, **data)
    return ticket_id


def _say_opened(
    session: Session,
    ticket_id: int,
    who: Known,
    actor: Actor | None,
    at: datetime,
    delivery_id: int | None,
    **data: Any,
) -> None:
    if delivery_id is not None:
        data["delivery_id"] = delivery_id
    actor = actor or Actor(person_id=who.person_id)
    ids: dict[str, Any] = {"ticket_id": ticket_id, "client_id": who.client_id}
    record(session, "ticket.opened", actor=actor, at=at, **ids, **data)


def add_message(
    session: Session,
    ticket_id: int,
    content: Content,
    *,
    who: Known | None,
    channel: Channel,
    at: datetime,
    first: bool = False,
    delivery_id: int | None = None,
) -> int:
    """Add what a client wrote (or, without `who`, what a machine returned) to a ticket.

    A pending or resolved ticket is open again, except by automatic mail. `first`: the message
    that opened the ticket. Raises NotFound.
    """
    row = session.execute(_STATE, {"ticket_id": ticket_id}).first()
    if row is None:
        raise NotFound()
    message_id = _insert_message(session, ticket_id, content, who, channel, at)
    _attach(session, ticket_id, message_id, content.files)
    index_message(session, message_id, content.subject if first else "", content.text)
    if not first:
        _touch(session, ticket_id, row.status, content, row.waiting_since, at)
    kind = "message.bounced" if content.is_bounce else "message.received"
    data: dict[str, Any] = {"message_id": message_id}
    if delivery_id is not None:
        data["delivery_id"] = delivery_id
    if content.stranger and not content.is_bounce:
        data["stranger"] = True
    record(
        session,
        kind,
        actor=Actor(person_id=who.person_id if who else None),
        at=at,
        ticket_id=ticket_id,
        client_id=row.client_id,
        **data,
    )
    return message_id


def _insert_message(
    session: Session,
    ticket_id: int,
    content: Content,
    who: Known | None,
    channel: Channel,
    at: datetime,
) -> int:
    same = content.visible_text == content.text
    return add_row(
        session,
        Message,
        ticket_id=ticket_id,
        kind=MessageKind.INBOUND,
        channel=channel,
        person_id=who.person_id if who else None,
        contact_point_id=who.contact_point_id if who else None,
        subject=clean_line(content.subject, SUBJECT_LIMIT),
        text=content.text,
        visible_text=None if same else content.visible_text,
        html=content.html,
        message_id=content.message_id,
        in_reply_to=content.in_reply_to,
        is_auto_reply=content.is_auto_reply,
        is_bounce=content.is_bounce,
        stranger=content.stranger,
        parse_errors=list(content.parse_errors),
        created_at=at,
    )


def _attach(session: Session, ticket_id: int, message_id: int, refs: Sequence[FileRef]) -> None:
    for ref in refs:
        add_row(
            session,
            Attachment,
            message_id=message_id,
            ticket_id=ticket_id,
            file_id=files.adopt(session, ref.sha256, ref.size),
            filename=ref.filename,
            content_type=ref.content_type,
            size=ref.size,
            inline=ref.inline,
            content_id=ref.content_id,
        )


def _touch(
    session: Session,
    ticket_id: int,
    status: Status,
    content: Content,
    waiting_since: datetime | None,
    at: datetime,
) -> None:
    """The ticket moves up; a person's message also wakes it and starts the next promise."""
    automatic = content.is_auto_reply or content.is_bounce
    values: dict[str, object] = {"last_message_at": at, "updated_at": at}
    if not automatic:
        values["waiting_since"] = waiting_since or at
    wakes = not automatic and (status == Status.PENDING or status in DONE)
    if wakes:
        values |= {"status": Status.OPEN, "done_at": None, "resolved_at": None}
    session.execute(_CHANGE, {"ticket_id": ticket_id, **values})
    if wakes:
        spells.status_changed(session, ticket_id, Status.OPEN, at=at)
        sla.status_changed(session, ticket_id, old=status, new=Status.OPEN, at=at)
        record(
            session,
            "ticket.status",
            at=at,
            ticket_id=ticket_id,
            old=status.value,
            new=Status.OPEN.value,
            reason="client_wrote",
        )
    if not automatic:
        sla.client_wrote(session, ticket_id, at=at)
