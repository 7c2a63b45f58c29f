"""SMS in the outbox: an agent's answer, a new ticket's receipt, a promise, the word on a wish.

Rows of kind SMS: `to_address` and `from_address` are numbers in E.164; `sms_sending` sends them.
"""

from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.accounts import limits
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.events import record
from helpdesk.ext import LANGUAGES
from helpdesk.lib import phone
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.outbox import rows
from helpdesk.outbox.addressing import language_of, ticket_with_people
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.outbox.receipt import UNVERIFIED, VERIFIED
from helpdesk.outbox.receipt_facts import DAY, DAY_LIMIT, HOUR, HOUR_LIMIT, receipt_key
from helpdesk.outbox.rendering import moment
from helpdesk.planner.models import Task
from helpdesk.tickets.models import Message, Ticket
from helpdesk.tickets.promised import promised_on
from helpdesk.tickets.queries import our_numbers

REMEMBERED = timedelta(days=30)  # so long an answer to our SMS goes to that SMS's ticket
WISHES_A_DAY = 4
PROMISES_A_DAY = 3  # whoever has a number called may not fill its owner's telephone
WISH = "sms-wish:"  # the one SMS that may go to a number that wants none

STOPPED = _lazy("The client wrote STOP: no SMS may go to this number.")
NO_NUMBER = _lazy("There is no number to send this SMS to.")
NO_SENDER = _lazy("No queue has a telephone number that an SMS could be sent from.")


def add_reply(session: Session, key: str, ticket: Ticket, message: Message, at: datetime) -> int:
    """Put an agent's answer into the outbox as SMS; the row's id."""
    point = message.contact_point or ticket.contact_point
    is_number = point is not None and point.kind == ContactKind.PHONE
    return _add(
        session,
        key,
        at,
        ticket_id=ticket.id,
        message_id=message.id,
        person_id=ticket.person_id,
        to_address=point.key if point is not None and is_number else "",
        from_name=message.user.name if message.user else settings.get(session, "brand_name"),
        from_address=number_of(session, ticket.queue_id),
        language=language_of(session, ticket),
        text=message.text,
    )


def enqueue_receipt(
    session: Session, ticket_id: int, *, at: datetime, delivery_id: int | None = None
) -> int | None:
    """Put the receipt of a ticket that an SMS opened into the outbox; the row's id, or None.

    Says in an Event what became of it, as receipts by email do, and counts by the same limits:
    a number may belong to somebody who never wrote (I2).
    """
    ticket = ticket_with_people(session, ticket_id)
    about: dict[str, Any] = {} if delivery_id is None else {"delivery_id": delivery_id}
    about |= {"at": at, "ticket_id": ticket.id, "client_id": ticket.client_id}
    point = ticket.contact_point
    reason = _refusal(session, ticket, point, at)
    if reason is not None or point is None:
        record(session, "receipt.refused", reason=reason, **about)
        return None
    language = language_of(session, ticket)
    outgoing_id = _add(
        session,
        receipt_key(ticket.id),
        at,
        ticket_id=ticket.id,
        person_id=ticket.person_id,
        to_address=point.key,
        from_name=str(settings.get(session, "brand_name")),
        from_address=number_of(session, ticket.queue_id),
        automatic=True,
        language=language,
        text=_receipt(session, ticket, language, at),
    )
    record(session, "receipt.sent", outgoing_id=outgoing_id, **about)
    return outgoing_id


def enqueue_confirmation(
    session: Session,
    point_id: int,
    stopped: bool,
    *,
    delivery_id: int,
    from_number: str,
    at: datetime,
) -> int | None:
    """Say once that a wish was understood; None where a number plays with it."""
    point = session.get_one(ContactPoint, point_id)
    if not limits.allow(session, "sms-wish", point.key, most=WISHES_A_DAY, seconds=DAY, at=at):
        return None
    brand = str(settings.get(session, "brand_name"))
    stored = (point.person.language, point.person.client.language)
    known = [language for language in stored if language in LANGUAGES]
    language = known[0] if known else str(settings.get(session, "primary_language"))
    with ext.in_language(language):
        text = _("%(brand)s: you get SMS from us again. To stop them, write STOP.", brand=brand)
        if stopped:
            text = _(
                "%(brand)s: you get no more SMS from us. To get them again, write START.",
                brand=brand,
            )
    return _add(
        session,
        f"{WISH}{delivery_id}",
        at,
        person_id=point.person_id,
        to_address=point.key,
        from_name=brand,
        from_address=from_number,
        automatic=True,
        language=language,
        text=str(text),
    )


def enqueue_callback(
    session: Session,
    key: str,
    task: Task,
    language: str,
    promise: str,
    *,
    sender: str,
    at: datetime,
) -> int | None:
    """Repeat a promise to call back to the number that is to be called; the row's id.

    None for a landline, a number that wants no SMS or has had enough of them, and without a number
    of ours (`sender`) to send from.
    """
    number = task.number or ""
    if not sender or not phone.may_get_sms(number) or _wants_none(session, number):
        return None
    most = PROMISES_A_DAY
    if not limits.allow(session, "sms-callback", number, most=most, seconds=DAY, at=at):
        return None
    brand = str(settings.get(session, "brand_name"))
    return _add(
        session,
        key,
        at,
        ticket_id=task.ticket_id,
        person_id=task.person_id,
        to_address=number,
        from_name=brand,
        from_address=sender,
        automatic=True,
        language=language,
        text=f"{brand}: {promise}",
    )


def readdress(session: Session, outgoing: Outgoing) -> None:
    """Before it is sent again: to the number known now. Raises HelpdeskError without a good one."""
    message = session.get(Message, outgoing.message_id) if outgoing.message_id else None
    ticket = session.get_one(Ticket, outgoing.ticket_id)
    point = (message.contact_point if message else None) or ticket.contact_point
    if point is None or point.kind != ContactKind.PHONE or point.removed_at is not None:
        raise HelpdeskError(NO_NUMBER)
    if point.sms_stopped_at is not None:
        raise HelpdeskError(STOPPED)
    outgoing.to_address, outgoing.person_id = point.key, point.person_id
    outgoing.from_address = number_of(session, ticket.queue_id)
    outgoing.carrier_id = None


def number_of(session: Session, queue_id: int) -> str:
    """The number a queue sends SMS from: its first one, else our first one; "" without any."""
    numbers = our_numbers(session)
    mine = [number for number, owner in numbers.items() if owner == queue_id]
    return next(iter(mine or numbers), "")


def last_ticket(session: Session, person_id: int, at: datetime) -> int | None:
    """The ticket of the newest SMS that one of us wrote to this person lately."""
    query = select(Outgoing.ticket_id).where(
        Outgoing.person_id == person_id,
        Outgoing.kind == OutgoingKind.SMS,
        Outgoing.message_id.is_not(None),
        Outgoing.created_at > at - REMEMBERED,
    )
    return session.scalar(query.order_by(Outgoing.id.desc()).limit(1))


def point_of(session: Session, outgoing: Outgoing) -> ContactPoint | None:
    """The contact point that an SMS goes to."""
    query = select(ContactPoint).where(
        ContactPoint.kind == ContactKind.PHONE, ContactPoint.key == outgoing.to_address
    )
    mine = ContactPoint.person_id == outgoing.person_id
    return session.scalar(query.order_by(mine.desc(), ContactPoint.id).limit(1))


def _wants_none(session: Session, number: str) -> bool:
    query = select(ContactPoint.id).where(
        ContactPoint.kind == ContactKind.PHONE,
        ContactPoint.key == number,
        ContactPoint.sms_stopped_at.is_not(None),
    )
    return session.scalar(query.limit(1)) is not None


def _refusal(
    session: Session, ticket: Ticket, point: ContactPoint | None, at: datetime
) -> str | None:
    if rows.known(session, receipt_key(ticket.id)) is not None:
        return "already_sent"
    if not ticket.queue.receipts:
        return "queue"
    if point is None or point.kind != ContactKind.PHONE:
        return "no_address"
    if point.bad:
        return "bad_address"
    if point.sms_stopped_at is not None:
        return "stopped"
    if not number_of(session, ticket.queue_id):
        return "no_number"
    return _over_limit(session, point, at)


def _over_limit(session: Session, point: ContactPoint, at: datetime) -> str | None:
    hour, day = VERIFIED if point.verified else UNVERIFIED
    if limits.taken(session, DAY_LIMIT, point.key, seconds=DAY, at=at) >= day:
        return "day_limit"
    if not limits.allow(session, HOUR_LIMIT, point.key, most=hour, seconds=HOUR, at=at):
        return "hour_limit"
    limits.allow(session, DAY_LIMIT, point.key, most=day, seconds=DAY, at=at)
    return None


def _receipt(session: Session, ticket: Ticket, language: str, at: datetime) -> str:
    """Number and promise, as few letters as possible: each part costs. Nothing personal."""
    brand = str(settings.get(session, "brand_name"))
    promised = promised_on(session, [ticket.id]).get(ticket.id)
    with ext.in_language(language):
        text = _(
            "%(brand)s: your request %(number)s is registered.", brand=brand, number=ticket.number
        )
        if promised is None or promised.due <= at:
            return str(text)
        zone = promised.timezone or str(current_app.config["TIMEZONE"])
        due = moment(promised.due, zone, language, today=at, zoned=False)
        return f"{text} {_('Answer by %(moment)s.', moment=due)}"


def _add(session: Session, key: str, at: datetime, **values: Any) -> int:
    without = {"envelope_from": "", "rfc_message_id": "", "subject": ""}
    return rows.add(session, key, OutgoingKind.SMS, at, **without, **values)
