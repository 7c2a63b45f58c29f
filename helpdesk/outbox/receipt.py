"""The receipt: the first automatic answer, with number, link and promise.

It may go to somebody who never wrote, since a From line proves nothing. So an address that
isn't verified gets none of the submitted text, and no address gets many (I2).
"""

from datetime import datetime
from typing import NamedTuple

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.clients.models import ContactPoint
from helpdesk.lib.text import email_key, valid_email
from helpdesk.lib.tokens import read_ticket_address
from helpdesk.outbox.addressing import email_of, secret, ticket_link
from helpdesk.outbox.rendering import greeting, moment, render
from helpdesk.outbox.reply import subject_of
from helpdesk.tickets import sla
from helpdesk.tickets.models import Calendar, Clock, Mailbox, Policy, Ticket

HOUR, DAY = 3_600, 86_400
# An unverified address may be a victim's, named by somebody else (I2); a verified one is
# a client's who turns to us more than once, and the limit only stops loops.
UNVERIFIED = (1, 3)  # an hour, a day
VERIFIED = (10, 30)


class Written(NamedTuple):
    """A receipt in the reader's language."""

    subject: str
    text: str
    html: str


def refusal(
    session: Session, ticket: Ticket, point: ContactPoint | None, at: datetime
) -> str | None:
    """Why this ticket gets no receipt: a short code. None counts one receipt for the address."""
    if not ticket.queue.receipts:
        return "queue"
    if point is None or not valid_email(point.value):
        return "no_address" if email_of(session, ticket) is None else "bad_address"
    if point.bad:
        return "bad_address"
    if _is_ours(session, point.value):
        return "own_address"
    return _over_limit(session, point, at)


def write(
    session: Session, ticket: Ticket, point: ContactPoint, language: str, brand: str, at: datetime
) -> Written:
    """The receipt's words. Only a verified address reads its own name and subject in them."""
    trusted = point.verified
    with ext.in_language(language):
        number_line = _("Your request %(number)s is registered", number=ticket.number)
        subject = subject_of(ticket.subject, ticket.number) if trusted else number_line
        text, html = render(
            "receipt",
            language,
            brand=brand,
            greeting=greeting(point.person if trusted else None, language),
            number=ticket.number,
            about=ticket.subject if trusted else "",
            promise=promised(session, ticket, language, at),
            link=ticket_link(ticket),
        )
    return Written(subject, text, html)


def promised(session: Session, ticket: Ticket, language: str, at: datetime) -> str:
    """The moment until which the clock promises an answer, "" without a promise ahead."""
    due = sla.promise(session, ticket.id)
    if due is None or due <= at:
        return ""
    return moment(due, _zone(session, ticket.id, due), language, today=at)


def _zone(session: Session, ticket_id: int, due: datetime) -> str:
    """The zone of the calendar that counts this promise, else the company's."""
    query = (
        select(Calendar.timezone)
        .join(Policy, Policy.calendar_id == Calendar.id)
        .join(Clock, Clock.policy_id == Policy.id)
        .where(Clock.ticket_id == ticket_id, Clock.due_at == due)
    )
    found = session.scalar(query.order_by(Clock.id).limit(1))
    return found or str(current_app.config["TIMEZONE"])


def _is_ours(session: Session, address: str) -> bool:
    if read_ticket_address(secret(), address) is not None:
        return True
    return (
        session.scalar(select(Mailbox.id).where(Mailbox.address == email_key(address))) is not None
    )


def _over_limit(session: Session, point: ContactPoint, at: datetime) -> str | None:
    """Spellings of one mailbox count together."""
    hour, day = VERIFIED if point.verified else UNVERIFIED
    mailbox = _mailbox(point.value)
    if limits.taken(session, "receipt-day", mailbox, seconds=DAY, at=at) >= day:
        return "day_limit"
    if not limits.allow(session, "receipt-hour", mailbox, most=hour, seconds=HOUR, at=at):
        return "hour_limit"
    limits.allow(session, "receipt-day", mailbox, most=day, seconds=DAY, at=at)
    return None


def _mailbox(address: str) -> str:
    """An address without "+tag" and dots in its local part: large providers ignore them."""
    local, _at, domain = email_key(address).rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}@{domain}"
