"""Tickets: find, open, read, change, and why a deadline is what it is."""

from collections.abc import Sequence
from typing import Any

from flask import request
from pydantic import MISSING
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from helpdesk.api.operation import Call, Reply, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import (
    bare_message_id,
    check_match,
    etag,
    given,
    product_of,
    queue_of,
    reason_of,
    user_of,
)
from helpdesk.api.shapes.base import MAX_ID, Query
from helpdesk.api.shapes.tickets import (
    ExplainedList,
    ExplainedOut,
    SpanOut,
    TicketChange,
    TicketIn,
    TicketList,
    TicketOut,
    TicketQuery,
)
from helpdesk.api.ticket_shape import shape_tickets
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.match import Known, find_or_create
from helpdesk.clients.models import Person
from helpdesk.intake.mail_language import detect
from helpdesk.lib import phone
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.tickets import actions
from helpdesk.tickets.candidates import sharing
from helpdesk.tickets.classify import Classes, classes_of_new, classify
from helpdesk.tickets.content import Content
from helpdesk.tickets.explain import ExplainedClock, explain
from helpdesk.tickets.models import (
    DONE,
    NUMBER_OFFSET,
    Channel,
    Message,
    Priority,
    Status,
    Ticket,
    TicketKind,
)
from helpdesk.tickets.queries import first_queue, ticket_for
from helpdesk.tickets.reasons import tree
from helpdesk.tickets.received import add_message, open_ticket
from helpdesk.tickets.search import MAX_HITS, find_ticket_ids


@operation(
    "GET",
    "/tickets",
    permission="ticket.read",
    query=TicketQuery,
    answer=TicketList,
    tag="tickets",
    refusals=(404,),
)
def list_tickets(call: Call[TicketQuery, None]) -> TicketList:
    """List tickets, newest first."""
    query = call.query
    rows = (
        _with_parts(select(Ticket))
        .where(*_filters(call), Ticket.id < id_of(query.cursor, MAX_ID))
        .order_by(Ticket.id.desc())
        .limit(query.limit + 1)
    )
    page, last = cut(call.session.scalars(rows).all(), query.limit)
    return TicketList(
        items=shape_tickets(call.session, page, call.at),
        next_cursor=id_cursor(last.id if last else None),
    )


@operation(
    "POST",
    "/tickets",
    permission="ticket.answer",
    body=TicketIn,
    answer=TicketOut,
    tag="tickets",
    status=201,
)
def create_ticket(call: Call[Query, TicketIn]) -> Reply:
    """Open a ticket for a requester.

    The client with this address or number is found or made, and gets a receipt by email.
    """
    body, session = call.body, call.session
    queue_id = _queue_for(call)
    who = _requester(call)
    ticket_id = open_ticket(
        session,
        queue_id=queue_id,
        who=who,
        subject=body.subject,
        channel=Channel.API,
        language=detect(f"{body.subject}\n{body.text}"),
        at=call.at,
        priority=Priority(given(body.priority, Priority.NORMAL)),
        client_tags=actions.client_tags_of(session, who.client_id),
        actor=call.actor,
        receipt=body.requester.email is not MISSING and not who.bad,
        **classes_of_new(session, who.client_id, **_classes(session, body)),
    )
    content = Content(text=body.text, subject=body.subject)
    add_message(session, ticket_id, content, who=who, channel=Channel.API, at=call.at, first=True)
    ticket = session.scalars(_with_parts(select(Ticket).where(Ticket.id == ticket_id))).one()
    headers = {"Location": f"{request.path}/{ticket.id}", **etag(ticket.version)}
    return Reply(shape_tickets(session, [ticket], call.at)[0], headers)


@operation(
    "GET", "/tickets/<int:ticket_id>", permission="ticket.read", answer=TicketOut, tag="tickets"
)
def read_ticket(call: Call[Query, None], ticket_id: int) -> Reply:
    """Read a ticket."""
    ticket = ticket_for(call.session, call.viewer, ticket_id, "ticket.read")
    return _reply(call, ticket)


@operation(
    "PATCH",
    "/tickets/<int:ticket_id>",
    permission="ticket.change",
    body=TicketChange,
    answer=TicketOut,
    tag="tickets",
    refusals=(412,),
)
def change_ticket(call: Call[Query, TicketChange], ticket_id: int) -> Reply:
    """Change a ticket.

    Send If-Match with the ETag that you have read to change only that version.
    """
    body, session = call.body, call.session
    ticket = ticket_for(session, call.viewer, ticket_id, "ticket.change", change=True)
    check_match(request.headers.get("If-Match"), ticket.version)
    by: dict[str, Any] = {"actor": call.actor, "at": call.at}
    if body.queue is not MISSING:
        actions.move(session, ticket, queue_of(session, call.viewer, body.queue), **by)
    if body.assignee is not MISSING:
        named = body.assignee
        user = None if named is None else user_of(session, named, "assignee")
        actions.assign(session, ticket, user, **by)
    if body.priority is not MISSING:
        actions.set_priority(session, ticket, Priority(body.priority), **by)
    if body.subject is not MISSING:
        actions.set_subject(session, ticket, body.subject, **by)
    if body.tags is not MISSING:
        actions.set_tags(session, ticket, body.tags, **by)
    if classes := _classes(session, body):
        classify(session, ticket, **by, **classes)
    if body.status is not MISSING:
        actions.set_status(session, ticket, Status(body.status), **by)
    session.expire(ticket)
    return _reply(call, ticket)


@operation(
    "GET",
    "/tickets/<int:ticket_id>/clocks/explain",
    permission="ticket.read",
    answer=ExplainedList,
    tag="tickets",
)
def explain_clocks(call: Call[Query, None], ticket_id: int) -> ExplainedList:
    """Explain the deadlines of a ticket: what counted and what didn't.

    Up to `due_at` the counted seconds sum to `target_seconds` exactly.
    """
    ticket = ticket_for(call.session, call.viewer, ticket_id, "ticket.read")
    found = explain(call.session, ticket.id, call.at)
    return ExplainedList(items=[_explained(clock) for clock in found], next_cursor=None)


def _with_parts(query: Select[Ticket]) -> Select[Ticket]:
    """Everything a ticket shows that is one row beside it, in the same statement."""
    return query.options(
        joinedload(Ticket.queue, innerjoin=True),
        joinedload(Ticket.client, innerjoin=True),
        joinedload(Ticket.person, innerjoin=True),
        joinedload(Ticket.assignee),
        joinedload(Ticket.reason),
        joinedload(Ticket.product),
    )


def _filters(call: Call[TicketQuery, None]) -> list[Any]:
    query, session, viewer = call.query, call.session, call.viewer
    found: list[Any] = []
    if viewer.queue_ids is not None:
        found.append(Ticket.queue_id.in_(viewer.queue_ids))
    if query.message_id is not MISSING:
        same = Message.message_id == bare_message_id(query.message_id)
        found.append(Ticket.id.in_(select(Message.ticket_id).where(same)))
    if query.number is not MISSING:
        found.append(Ticket.id == int(query.number) - NUMBER_OFFSET)
    if query.q is not MISSING and query.q.strip():
        ids = find_ticket_ids(session, query.q, country=call.country, limit=MAX_HITS)
        found.append(Ticket.id.in_(ids))
    if query.status is not MISSING:
        found += _status_is(Status(query.status))
    if query.queue is not MISSING:
        queue = queue_of(session, viewer, query.queue, unknown=404)
        found.append(Ticket.queue_id == queue.id)
    if query.client is not MISSING:
        found.append(Ticket.client_id == query.client)
    return found + _about(call)


def _about(call: Call[TicketQuery, None]) -> list[Any]:
    """By equality where it can be: then the list walks the index from its newest."""
    query, session = call.query, call.session
    found: list[Any] = []
    if query.reason is not MISSING:
        reason = reason_of(session, query.reason, unknown=404)
        ids = tree(session).under(reason.id)
        same = Ticket.reason_id == reason.id
        found.append(same if len(ids) == 1 else Ticket.reason_id.in_(ids))
    if query.product is not MISSING:
        product = product_of(session, query.product, unknown=404)
        found.append(Ticket.product_id == product.id)
    if query.kind is not MISSING:
        found.append(Ticket.kind == TicketKind(query.kind))
    return found


def _classes(session: Session, body: TicketIn | TicketChange) -> Classes:
    """What the body says the ticket is about; what it leaves out is left out."""
    classes = Classes()
    if body.kind is not MISSING:
        classes["kind"] = None if body.kind is None else TicketKind(body.kind)
    if body.reason is not MISSING:
        classes["reason"] = None if body.reason is None else reason_of(session, body.reason)
    if body.product is not MISSING:
        classes["product"] = None if body.product is None else product_of(session, body.product)
    return classes


def _status_is(status: Status) -> Sequence[Any]:
    # Being active is said as well, so that the partial index fits.
    active = [] if status in DONE else [Ticket.done_at.is_(None)]
    return [Ticket.status == status, *active]


def _queue_for(call: Call[Query, TicketIn]) -> int:
    if call.body.queue is not MISSING:
        return queue_of(call.session, call.viewer, call.body.queue).id
    mine = call.viewer.queue_ids
    queue_id = first_queue(call.session) if mine is None else min(mine, default=None)
    if queue_id is None:
        raise NotFound(_lazy("There is no queue for this ticket."), field="queue")
    return queue_id


def _requester(call: Call[Query, TicketIn]) -> Known:
    asked = call.body.requester
    email, number = given(asked.email), given(asked.phone)
    if number is not None and phone.normalize(number, call.country) is None:
        raise HelpdeskError(
            _lazy("This is not a phone number: %(number)s"),
            field="requester.phone",
            number=number,
        )
    who = find_or_create(
        call.session,
        at=call.at,
        email=email,
        number=number,
        country=call.country,
        name=given(asked.name, ""),
        actor=call.actor,
    )
    if who.created and email is not None and number is not None:
        person = call.session.get_one(Person, who.person_id)
        add_contact_point(
            call.session, person, kind="phone", value=number, country=call.country, at=call.at
        )
    return sharing(call.session, who)[0]


def _reply(call: Call[Any, Any], ticket: Ticket) -> Reply:
    shape = shape_tickets(call.session, [ticket], call.at)[0]
    return Reply(shape, etag(ticket.version))


def _explained(clock: ExplainedClock) -> ExplainedOut:
    return ExplainedOut(
        metric=clock.metric.value,
        target_seconds=clock.target_seconds,
        spans=[SpanOut.model_validate(span) for span in clock.spans],
        due_at=clock.due_at,
    )
