"""Verbs of staff on tickets: reply, note, assign, status, priority, queue, tags, subject."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.accounts.models import QueueMember, Role, User
from helpdesk.clients.actions import clean_tags
from helpdesk.clients.models import Client
from helpdesk.events import Actor, record
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.lib.tokens import message_id as signed_message_id
from helpdesk.lib.tokens import new_token
from helpdesk.tickets import sla, spells
from helpdesk.tickets.answering import Route, checked_route
from helpdesk.tickets.models import (
    DONE,
    Attachment,
    Channel,
    Draft,
    Message,
    MessageKind,
    Priority,
    Queue,
    Status,
    Ticket,
)
from helpdesk.tickets.received import SUBJECT_LIMIT
from helpdesk.tickets.search import index_message

TEXT_LIMIT = 200_000


def reply(
    session: Session,
    ticket: Ticket,
    text: str,
    *,
    user_id: int,
    at: datetime,
    then: Status | None = None,
) -> Message:
    """Answer the client; the outbox sends it once this is committed.

    `then` is the status afterwards (a new ticket becomes open by itself). The draft of this
    user is used up, its files go with the answer. Raises HelpdeskError for an empty text or a
    ticket without an address to answer to, and for what no SMS can carry.
    """
    route = checked_route(session, ticket, text, user_id=user_id)
    message = _write(
        session,
        ticket,
        MessageKind.OUTBOUND,
        text,
        user_id=user_id,
        at=at,
        route=route,
    )
    ticket.first_response_at = ticket.first_response_at or at
    ticket.waiting_since = None
    session.flush()
    sla.answered(session, ticket.id, at=at)
    record(
        session,
        "message.sent",
        actor=Actor(user_id=user_id),
        at=at,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
        message_id=message.id,
    )
    target = then or (Status.OPEN if ticket.status == Status.NEW else None)
    if target is not None:
        set_status(session, ticket, target, actor=Actor(user_id=user_id), at=at)
    return message


def note(session: Session, ticket: Ticket, text: str, *, user_id: int, at: datetime) -> Message:
    """Write something only colleagues see. Raises HelpdeskError for an empty text."""
    message = _write(session, ticket, MessageKind.NOTE, text, user_id=user_id, at=at)
    session.flush()
    record(
        session,
        "message.noted",
        actor=Actor(user_id=user_id),
        at=at,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
        message_id=message.id,
    )
    return message


def set_status(
    session: Session,
    ticket: Ticket,
    status: Status,
    *,
    actor: Actor,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Change the status; clocks pause, go on or stop with it. Closed is final for the client."""
    old = ticket.status
    if old == status:
        return
    ticket.status = status
    ticket.done_at = at if status in DONE and ticket.done_at is None else ticket.done_at
    if status in DONE:
        ticket.resolved_at = ticket.resolved_at or at
        ticket.waiting_since = None
    else:
        ticket.done_at = ticket.resolved_at = None
    _changed(session, ticket, at)
    spells.status_changed(session, ticket.id, status, at=at, actor_id=actor.user_id)
    sla.status_changed(session, ticket.id, old=old, new=status, at=at)
    _record_change(session, "ticket.status", ticket, actor, at, old.value, status.value, reason)


def set_priority(
    session: Session,
    ticket: Ticket,
    priority: Priority,
    *,
    actor: Actor,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Change the priority; the clocks are recounted by the policy that fits now."""
    old = ticket.priority
    if old == priority:
        return
    ticket.priority = priority
    _changed(session, ticket, at)
    sla.conditions_changed(session, ticket.id, at=at)
    _record_change(session, "ticket.priority", ticket, actor, at, old.value, priority.value, reason)


def assign(
    session: Session,
    ticket: Ticket,
    user: User | None,
    *,
    actor: Actor,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Give the ticket to somebody, or to nobody.

    Raises HelpdeskError for a user who left or may not work in the ticket's queue.
    """
    new = user.id if user else None
    if ticket.assignee_id == new:
        return
    if user is not None and not _works_in(session, user, ticket.queue_id):
        raise HelpdeskError(
            _lazy("%(name)s does not work in this queue."), field="assignee", name=user.name
        )
    old = ticket.assignee_id
    ticket.assignee_id = new
    _changed(session, ticket, at)
    spells.assigned(session, ticket.id, new, at=at, actor_id=actor.user_id)
    _record_change(session, "ticket.assigned", ticket, actor, at, old, new, reason)


def move(session: Session, ticket: Ticket, queue: Queue, *, actor: Actor, at: datetime) -> None:
    """Transfer to another queue; an assignee who does not work there loses the ticket."""
    old = ticket.queue_id
    if old == queue.id:
        return
    ticket.queue_id = queue.id
    _changed(session, ticket, at)
    spells.moved(session, ticket.id, queue.id, at=at, actor_id=actor.user_id)
    sla.conditions_changed(session, ticket.id, at=at)
    _record_change(session, "ticket.queue", ticket, actor, at, old, queue.id, None)
    assignee = session.get(User, ticket.assignee_id) if ticket.assignee_id else None
    if assignee is not None and not _works_in(session, assignee, queue.id):
        assign(session, ticket, None, actor=actor, at=at, reason="queue")


def set_tags(
    session: Session, ticket: Ticket, tags: Sequence[str], *, actor: Actor, at: datetime
) -> None:
    """Replace the tags."""
    new, old = clean_tags(list(tags)), ticket.tags
    if new == old:
        return
    ticket.tags = new
    _changed(session, ticket, at)
    _record_change(session, "ticket.tags", ticket, actor, at, len(old), len(new), None)


def set_subject(
    session: Session, ticket: Ticket, subject: str, *, actor: Actor, at: datetime
) -> None:
    """Change the subject. Raises HelpdeskError for an empty one."""
    new = clean_line(subject, SUBJECT_LIMIT)
    if not new:
        raise HelpdeskError(_lazy("A subject is needed."), field="subject")
    if new == ticket.subject:
        return
    ticket.subject = new
    _changed(session, ticket, at)
    record(
        session,
        "ticket.subject",
        actor=actor,
        at=at,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
    )


def new_link(session: Session, ticket: Ticket) -> None:
    """Make the client's link to this ticket a new one; the old one ends."""
    ticket.link_nonce = new_token(16)
    session.flush()


def client_tags_of(session: Session, client_id: int) -> list[str]:
    """The tags by which policies choose."""
    return session.scalars(select(Client.tags).where(Client.id == client_id)).one()


def _new_message_id(ticket_id: int) -> str:
    config = current_app.config
    return signed_message_id(
        config["SECRET_KEY"].encode(), ticket_id, uuid4().hex, config["MAIL_DOMAIN"]
    )


def _write(
    session: Session,
    ticket: Ticket,
    kind: MessageKind,
    text: str,
    *,
    user_id: int,
    at: datetime,
    route: Route | None = None,
) -> Message:
    if not text.strip():
        raise HelpdeskError(_lazy("There is no text yet."), field="text")
    if len(text) > TEXT_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="text",
            limit=TEXT_LIMIT,
        )
    by_email = route is not None and route.channel == Channel.EMAIL
    message = Message(
        ticket_id=ticket.id,
        kind=kind,
        channel=route.channel if route else ticket.channel,
        user_id=user_id,
        contact_point_id=route.point.id if route and route.point else None,
        subject=ticket.subject,
        text=text.strip(),
        message_id=_new_message_id(ticket.id) if by_email else None,
        in_reply_to=_last_client_message(session, ticket.id) if by_email else None,
        parse_errors=[],
        created_at=at,
    )
    session.add(message)
    ticket.last_message_at = ticket.updated_at = at
    session.flush()
    _use_draft(session, ticket.id, user_id, kind, message.id)
    index_message(session, message.id, "", message.text)
    return message


def _use_draft(
    session: Session, ticket_id: int, user_id: int, kind: MessageKind, message_id: int
) -> None:
    draft = session.scalar(
        select(Draft).where(
            Draft.ticket_id == ticket_id, Draft.user_id == user_id, Draft.kind == kind
        )
    )
    if draft is None:
        return
    session.execute(
        update(Attachment)
        .where(Attachment.draft_id == draft.id)
        .values(draft_id=None, message_id=message_id, ticket_id=ticket_id)
    )
    session.delete(draft)
    session.flush()


def _last_client_message(session: Session, ticket_id: int) -> str | None:
    query = select(Message.message_id).where(
        Message.ticket_id == ticket_id,
        Message.kind == MessageKind.INBOUND,
        Message.message_id.is_not(None),
        Message.is_bounce.is_(False),
        Message.is_auto_reply.is_(False),
    )
    return session.scalar(query.order_by(Message.id.desc()).limit(1))


def _works_in(session: Session, user: User, queue_id: int) -> bool:
    if not user.active:
        return False
    if user.all_queues or user.role != Role.AGENT:
        return True
    return session.get(QueueMember, (user.id, queue_id)) is not None


def _changed(session: Session, ticket: Ticket, at: datetime) -> None:
    ticket.updated_at = at
    ticket.version += 1
    session.flush()


def _record_change(
    session: Session,
    kind: str,
    ticket: Ticket,
    actor: Actor,
    at: datetime,
    old: str | int | None,
    new: str | int | None,
    reason: str | None,
) -> None:
    data: dict[str, Any] = {"old": old, "new": new}
    if reason is not None:
        data["reason"] = reason
    record(
        session,
        kind,
        actor=actor,
        at=at,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
        **data,
    )
