"""The receipt: the first automatic answer, with number, link and promise.

It may go to somebody who never wrote, since a From line proves nothing. So an address that
isn't verified gets none of the submitted text, and no address gets many (I2).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.lib.text import email_key, valid_email
from helpdesk.lib.tokens import read_ticket_address
from helpdesk.outbox.addressing import email_of, link_of, secret
from helpdesk.outbox.receipt_facts import DAY_LIMIT, HOUR_LIMIT, Book, Facts, mailbox
from helpdesk.outbox.rendering import greeting, moment, render
from helpdesk.outbox.reply import subject_of
from helpdesk.outbox.suggested import Offer
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.promised import Promised, promised_on

# An unverified address may be a victim's, named by somebody else (I2); a verified one is
# a client's who turns to us more than once, and the limit only stops loops.
UNVERIFIED = (1, 3)  # an hour, a day
VERIFIED = (10, 30)


class Written(NamedTuple):
    """A receipt in the reader's language."""

    subject: str
    text: str
    html: str


def refusal(session: Session, book: Book, facts: Facts) -> str | None:
    """Why this ticket gets no receipt: a short code. None counts one receipt for the address."""
    if facts.ticket_id in book.known:
        return "already_sent"
    if not facts.receipts:
        return "queue"
    if facts.address is None or not valid_email(facts.address):
        ticket = session.get_one(Ticket, facts.ticket_id)
        return "no_address" if email_of(session, ticket) is None else "bad_address"
    if facts.bad:
        return "bad_address"
    if email_key(facts.address) in book.ours or read_ticket_address(secret(), facts.address):
        return "own_address"
    return _over_limit(book, facts, facts.address)


def write(
    book: Book,
    facts: Facts,
    language: str,
    brand: str,
    at: datetime,
    offers: Sequence[Offer] = (),
) -> Written:
    """The receipt's words. Only a verified address reads its own name and subject in them; titles
    of articles are our own words, so anybody may.
    """
    trusted = bool(facts.verified)
    link = link_of(facts.ticket_id, facts.link_nonce)
    with ext.in_language(language):
        number_line = _("Your request %(number)s is registered", number=facts.number)
        subject = subject_of(facts.subject, facts.number) if trusted else number_line
        text, html = render(
            "receipt",
            language,
            brand=brand,
            greeting=greeting(facts.reader if trusted else None, language),
            number=facts.number,
            about=facts.subject if trusted else "",
            promise=_said(book.promised.get(facts.ticket_id), language, at),
            link=link,
            offers=[(one.title, one.address, one.solved_address(link)) for one in offers],
        )
    return Written(subject, text, html)


def promised(session: Session, ticket: Ticket, language: str, at: datetime) -> str:
    """The moment until which the clock promises an answer, "" without a promise ahead."""
    return _said(promised_on(session, [ticket.id]).get(ticket.id), language, at)


def _said(promised: Promised | None, language: str, at: datetime) -> str:
    if promised is None or promised.due <= at:
        return ""
    zone = promised.timezone or str(current_app.config["TIMEZONE"])
    return moment(promised.due, zone, language, today=at)


def _over_limit(book: Book, facts: Facts, address: str) -> str | None:
    """Spellings of one mailbox count together."""
    hour, day = VERIFIED if facts.verified else UNVERIFIED
    limited = mailbox(address)
    if book.tally.taken(DAY_LIMIT, limited) >= day:
        return "day_limit"
    if not book.tally.allow(HOUR_LIMIT, limited, most=hour):
        return "hour_limit"
    book.tally.allow(DAY_LIMIT, limited, most=day)
    return None
