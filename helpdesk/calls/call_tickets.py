"""The ticket of a call: the caller's open one in that queue, or a new one."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call, Direction
from helpdesk.clients import match
from helpdesk.clients.match import Known
from helpdesk.clients.models import Client, ContactKind, ContactPoint
from helpdesk.events import SYSTEM
from helpdesk.ext import LANGUAGES, in_language, lock
from helpdesk.tickets import actions
from helpdesk.tickets.models import Channel, Status, Ticket
from helpdesk.tickets.queries import first_queue
from helpdesk.tickets.received import open_ticket

OPEN_FOR = timedelta(hours=72)
"""A ticket without a sign of life for longer is another matter than this call."""
CLIENT_CALLED = "client_called"


def number_of(call: Call) -> str | None:
    """The customer's number; None where it is withheld."""
    return call.from_number if call.direction == Direction.INBOUND else call.to_number


def ensure(session: Session, call: Call, at: datetime) -> Ticket:
    """The call's ticket, found or opened. Whoever calls for the first time becomes a client."""
    if call.ticket_id is not None:
        return session.get_one(Ticket, call.ticket_id)
    number = number_of(call)
    if number is not None:
        lock(session, f"call_ticket:{number}")  # two calls at once from one number: one ticket
    known = _known(session, call)
    found = _attached(session, call, known, at) if known is not None else None
    if found is not None:
        return found
    caller = known or _new(session, call, at)
    ticket_id = open_ticket(
        session,
        queue_id=call.queue_id or first_queue(session) or 0,
        who=caller,
        subject=subject(call),
        channel=Channel.PHONE,
        language=call.language,
        at=at,
        client_tags=caller.tags,
    )
    return _joined(session, call, session.get_one(Ticket, ticket_id))


def attach(session: Session, call: Call, at: datetime) -> Ticket | None:
    """Put the call on the caller's open ticket in its queue (of a call without one: in any)."""
    caller = _known(session, call)
    return _attached(session, call, caller, at) if caller is not None else None


def _attached(session: Session, call: Call, caller: Known, at: datetime) -> Ticket | None:
    query = select(Ticket).where(
        Ticket.done_at.is_(None),
        Ticket.last_message_at >= at - OPEN_FOR,
    )
    if call.queue_id is not None:
        query = query.where(Ticket.queue_id == call.queue_id)
    query = query.order_by(Ticket.last_message_at.desc(), Ticket.id.desc()).limit(1)
    ticket = session.scalar(_theirs(query, caller, number_of(call)))
    if ticket is None:
        return None
    ticket.last_message_at = ticket.updated_at = max(at, ticket.last_message_at)
    wake(session, ticket, at)
    return _joined(session, call, ticket)


def wake(session: Session, ticket: Ticket, at: datetime) -> None:
    """The client turned to us: nobody waits for them any more."""
    if ticket.status == Status.PENDING:
        actions.set_status(session, ticket, Status.OPEN, actor=SYSTEM, at=at, reason=CLIENT_CALLED)


def subject(call: Call) -> str:
    """What the ticket of a call is called, in the caller's language. It names no number."""
    language = call.language if call.language in LANGUAGES else "en"
    zone = ZoneInfo(str(current_app.config["TIMEZONE"]))
    local = call.started_at.astimezone(zone).replace(tzinfo=None)
    moment = format_datetime(local, "d MMM HH:mm", locale=language)
    with in_language(language):
        return str(_("Phone call, %(moment)s", moment=moment))


def _known(session: Session, call: Call) -> Known | None:
    """Who calls: by what the call says already, else by the number."""
    if call.client_id is not None and call.person_id is not None:
        tags = tuple(session.get_one(Client, call.client_id).tags)
        return Known(call.client_id, call.person_id, call.contact_point_id, None, tags=tags)
    number = number_of(call)
    return match.by_phone(session, number, _country()) if number is not None else None


def _new(session: Session, call: Call, at: datetime) -> Known:
    number = number_of(call)
    if number is None or match.contact_key(None, number, _country()) is None:
        return match.nobody(session, at=at)
    return match.find_or_create(
        session, number=number, country=_country(), language=call.language, at=at
    )


def _country() -> str:
    return str(current_app.config["COUNTRY"])


def _theirs(query: Select[Ticket], caller: Known, number: str | None) -> Select[Ticket]:
    """Where others have this number too, only what came from that number goes on."""
    if not caller.shared:
        return query.where(Ticket.person_id == caller.person_id)
    same = (ContactPoint.kind == ContactKind.PHONE) & (ContactPoint.key == number)
    return query.join(ContactPoint, ContactPoint.id == Ticket.contact_point_id).where(same)


def _joined(session: Session, call: Call, ticket: Ticket) -> Ticket:
    call.ticket_id = ticket.id
    if call.person_id is None:
        call.client_id, call.person_id = ticket.client_id, ticket.person_id
        call.contact_point_id = call.contact_point_id or ticket.contact_point_id
    session.flush()
    return ticket
