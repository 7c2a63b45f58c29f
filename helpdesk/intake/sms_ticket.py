"""What becomes of an SMS: a wish about SMS, a message on a ticket, or a new ticket.

A number is not an identity: it finds the client, and gets back what concerns this ticket only.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients import match
from helpdesk.clients.contact_points import wish_sms
from helpdesk.clients.match import Known
from helpdesk.intake import thread
from helpdesk.intake.mail_language import detect
from helpdesk.intake.models import Delivery
from helpdesk.intake.outcome import Outcome
from helpdesk.intake.sms import Text
from helpdesk.lib import phone
from helpdesk.lib.text import shorten
from helpdesk.outbox import sms as outbox
from helpdesk.tickets.candidates import sharing
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Queue, Status, Ticket
from helpdesk.tickets.queries import first_queue, queue_of_number
from helpdesk.tickets.received import add_message, open_ticket

OPEN_HOURS = timedelta(hours=72)  # so long a talk or an SMS goes on by the next SMS
SUBJECT = 80
MISSING = "media_missing"
"""Mark of a message without a picture that the sender added to it."""

STOP = frozenset(
    ("stop", "stopall", "unsubscribe", "optout")
    + ("стоп", "остановить", "отписаться", "отписка", "отпишите")
    + ("зупинити", "відписатися", "відписатись", "відписка", "відпишіть")
)
START = frozenset(
    ("start", "unstop", "subscribe")
    + ("старт", "подписаться", "подписка")
    + ("підписатися", "підписатись", "підписка")
)
_NO_LETTER = re.compile(r"[\W_]+")


def wish_of(text: Text) -> bool | None:
    """Whether the sender wants no more SMS (True), or wants them again (False); else None.

    Only a bare word counts: "please stop the delivery" is a request.
    """
    if text.wish in ("STOP", "START"):
        return text.wish == "STOP"
    word = _NO_LETTER.sub("", text.body[:80]).casefold()
    if word in STOP:
        return True
    return False if word in START else None


def apply(session: Session, delivery: Delivery, text: Text) -> Outcome:
    """Follow a wish, or put what was written on its ticket, opening one where it has none."""
    at = delivery.received_at
    people = _people(session, text, at)
    wish = wish_of(text)
    if wish is not None and people[0].contact_point_id is not None:
        _follow_wish(session, people[0].contact_point_id, delivery, text, wish)
        return Outcome(None, people[0].person_id, receipt=False)
    related_id = None
    for who in people:
        ticket_id, related = _place(session, who, at)
        if ticket_id is not None:
            _add(session, ticket_id, delivery, text, who)
            return Outcome(ticket_id, who.person_id, receipt=False)
        related_id = related_id or related
    return _opened(session, delivery, text, people[0], related_id)


def _people(session: Session, text: Text, at: datetime) -> Sequence[Known]:
    """Who has this number; a sender that is a word or a short code is nobody we could answer."""
    country = str(current_app.config["COUNTRY"])
    number = phone.normalize(text.from_number, country) if text.from_number else None
    if number is None:
        return [match.nobody(session, at=at)]
    language = detect(text.body)
    return sharing(session, match.find_or_create(session, number=number, language=language, at=at))


def _follow_wish(
    session: Session, point_id: int, delivery: Delivery, text: Text, stopped: bool
) -> None:
    """Confirmed once, unless the carrier has answered by itself or nothing changed."""
    at = delivery.received_at
    if wish_sms(session, point_id, stopped, at=at) and not text.wish:
        outbox.enqueue_confirmation(
            session,
            point_id,
            stopped,
            delivery_id=delivery.id,
            from_number=text.to_number,
            at=at,
        )


def _place(session: Session, who: Known, at: datetime) -> tuple[int | None, int | None]:
    """The ticket that goes on, or else a closed one that the new ticket is related to."""
    if who.contact_point_id is None:  # all unknown senders share this person
        return None, None
    asked = outbox.last_ticket(session, who.person_id, at)
    if asked is not None:
        survivor = thread.survivor(session, asked)
        if survivor is not None and survivor.status != Status.CLOSED:
            return survivor.id, None
        if survivor is not None:
            return _open(session, who, at), survivor.id
    return _open(session, who, at), None


def _open(session: Session, who: Known, at: datetime) -> int | None:
    query = select(Ticket.id).where(
        Ticket.person_id == who.person_id,
        Ticket.channel.in_((Channel.SMS, Channel.PHONE)),
        Ticket.done_at.is_(None),
        Ticket.last_message_at > at - OPEN_HOURS,
    )
    return session.scalar(query.order_by(Ticket.last_message_at.desc(), Ticket.id.desc()).limit(1))


def _opened(
    session: Session, delivery: Delivery, text: Text, who: Known, related_id: int | None
) -> Outcome:
    queue_id = queue_of_number(session, text.to_number) or first_queue(session)
    queue = session.get_one(Queue, queue_id)
    receipt = queue.receipts and who.contact_point_id is not None and not who.bad
    sender = "" if who.contact_point_id is not None else f"{shorten(text.from_number, 20)}: "
    ticket_id = open_ticket(
        session,
        queue_id=queue.id,
        who=who,
        subject=f"{sender}{shorten(text.body, SUBJECT)}",
        channel=Channel.SMS,
        language=detect(text.body) or who.language,
        at=delivery.received_at,
        client_tags=who.tags,
        delivery_id=delivery.id,
        receipt=receipt,
        related_to_id=related_id,
    )
    _add(session, ticket_id, delivery, text, who, first=True)
    return Outcome(ticket_id, who.person_id, receipt)


def _add(
    session: Session,
    ticket_id: int,
    delivery: Delivery,
    text: Text,
    who: Known,
    *,
    first: bool = False,
) -> None:
    content = Content(
        text=text.body, files=text.files, parse_errors=(MISSING,) if text.missing else ()
    )
    add_message(
        session,
        ticket_id,
        content,
        who=who,
        channel=Channel.SMS,
        at=delivery.received_at,
        first=first,
        delivery_id=delivery.id,
    )
