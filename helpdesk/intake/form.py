"""Adapter of web forms: a question, or an answer on the page of a ticket, becomes a Delivery.

The Delivery holds all that was sent, as JSON with the hashes of the files, so that nothing depends
on what follows: if that fails, the worker tries again. A form names an address and proves nothing:
who sends it is not taken for the client, until they show that the mailbox is theirs.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from helpdesk import files
from helpdesk.clients import match
from helpdesk.clients.actions import mark_verified
from helpdesk.clients.match import Known
from helpdesk.clients.models import ContactKind
from helpdesk.ext import add_missing
from helpdesk.intake.mail_language import detect
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.intake.outcome import Outcome
from helpdesk.kb import log as kb_log
from helpdesk.kb.models import Outcome as Ending
from helpdesk.kb.models import Source
from helpdesk.lib.errors import NotFound
from helpdesk.lib.text import shorten, valid_email
from helpdesk.products import Product
from helpdesk.tickets import sla
from helpdesk.tickets.candidates import sharing
from helpdesk.tickets.content import Content, FileRef
from helpdesk.tickets.models import Channel, Message, MessageKind, Queue, Status, Ticket
from helpdesk.tickets.queries import first_queue
from helpdesk.tickets.reasons import Reason, tree
from helpdesk.tickets.received import add_message, open_ticket

log = structlog.get_logger()

UNCONFIRMED = "unconfirmed"
"""Mark of a message whose writer named an address and has not shown that it is theirs."""
SUBJECT = 80  # characters of the text that stand for a subject where there is none


@dataclass(frozen=True)
class Entry:
    """What a form says, checked. `ticket_id`: an answer on the page of that ticket.

    `contact`: an address or a number as typed. `proven`: the mailbox of the client was shown, by
    a link that was sent there or by a code. `visit`: of the reader who searched before.
    """

    text: str
    language: str
    contact: str = ""
    name: str = ""
    subject: str = ""
    reason_id: int | None = None
    product_id: int | None = None
    ticket_id: int | None = None
    proven: bool = False
    visit: str | None = None
    files: tuple[FileRef, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What became of a form. `ticket_id` None: it is kept, and processed later or by a person.

    `fresh`: it was not there before.
    """

    delivery_id: int
    ticket_id: int | None
    state: DeliveryState
    fresh: bool


def known(session: Session, entry: Entry, nonce: str) -> Taken | None:
    """What became of this very form, if it came before."""
    row = session.scalar(select(Delivery).where(Delivery.key == _key(entry, nonce)))
    return Taken(row.id, row.ticket_id, row.state, fresh=False) if row else None


def take(
    session: Session, entry: Entry, nonce: str, *, at: datetime, doubt: str | None = None
) -> Taken:
    """Keep a form as a Delivery and process it at once, in the caller's transaction.

    The same form again, also at the same moment, finds the first. `doubt`: why it is put aside
    for a person to look at. What fails is left to the worker; only a database that is away raises.
    """
    key = _key(entry, nonce)
    add_missing(session, Delivery, [_row(session, key, entry, at, doubt)], unique="key")
    query = select(Delivery).where(Delivery.key == key).with_for_update()
    delivery = session.scalars(query).one()
    if delivery.todo is None:
        fresh = delivery.state == DeliveryState.QUARANTINED and delivery.received_at == at
        return Taken(delivery.id, delivery.ticket_id, delivery.state, fresh)
    try:
        with session.begin_nested():
            _finish(delivery, apply(session, delivery, entry))
            session.flush()
    except OperationalError:
        raise
    except Exception:
        log.exception("form.failed", delivery_id=delivery.id)
        return Taken(delivery.id, None, DeliveryState.NEW, fresh=True)
    return Taken(delivery.id, delivery.ticket_id, delivery.state, fresh=True)


def read(raw: bytes) -> Entry:
    """A form as its Delivery keeps it. Raises ValueError, KeyError or TypeError for anything else.

    What the worker finds here was written by `take`.
    """
    values = json.loads(raw)
    refs = tuple(FileRef(**ref) for ref in values.pop("files"))
    return Entry(**values, files=refs)


def apply(session: Session, delivery: Delivery, entry: Entry) -> Outcome:
    """Open a ticket by a form, or put an answer on its ticket."""
    if entry.ticket_id is None:
        return _asked(session, delivery, entry)
    return _answered(session, delivery, entry)


def is_unconfirmed(session: Session, ticket_id: int) -> bool:
    """Whether a ticket was opened by a form, and nobody has shown since that the address is theirs.

    One statement.
    """
    query = select(Message.parse_errors, Message.channel).where(Message.ticket_id == ticket_id)
    first = session.execute(query.order_by(Message.id).limit(1)).first()
    return first is not None and first[1] == Channel.WEB and UNCONFIRMED in first[0]


def _asked(session: Session, delivery: Delivery, entry: Entry) -> Outcome:
    at = delivery.received_at
    who = _client(session, entry, at)
    reason = _reason(session, entry.reason_id)
    queue = _queue(session, reason)
    product = session.get(Product, entry.product_id) if entry.product_id else None
    receipt = queue.receipts and valid_email(entry.contact) and not who.bad
    ticket_id = open_ticket(
        session,
        queue_id=queue.id,
        who=who,
        subject=entry.subject or shorten(entry.text, SUBJECT),
        channel=Channel.WEB,
        language=detect(entry.text) or entry.language,
        at=at,
        # A promise that depends on who the client is would tell it to whoever names them (T17).
        client_tags=who.tags if entry.proven else (),
        delivery_id=delivery.id,
        receipt=receipt,
        reason_id=reason.id if reason else None,
        product_id=product.id if product and product.active else None,
    )
    _add(session, ticket_id, delivery, entry, who, first=True)
    if entry.visit is not None:
        kb_log.settle_search(
            session, entry.visit, Ending.ASKED, ticket_id=ticket_id, source=Source.FORM
        )
    return Outcome(ticket_id, who.person_id, receipt)


def _answered(session: Session, delivery: Delivery, entry: Entry) -> Outcome:
    """Raises NotFound for a ticket that is gone."""
    ticket = session.get(Ticket, entry.ticket_id, with_for_update=True)
    if ticket is None:
        raise NotFound()
    point_id, tags = ticket.contact_point_id, tuple(ticket.client.tags)
    who = Known(ticket.client_id, ticket.person_id, point_id, ticket.language, tags=tags)
    if entry.proven:
        _confirm(session, ticket, delivery.received_at)
    if ticket.status != Status.CLOSED:
        _add(session, ticket.id, delivery, entry, who)
        return Outcome(ticket.id, who.person_id, receipt=False)
    return _follow_up(session, ticket, delivery, entry, who)


def _follow_up(
    session: Session, closed: Ticket, delivery: Delivery, entry: Entry, who: Known
) -> Outcome:
    """Closed is final: what comes after it is a new ticket that names the old one."""
    receipt = closed.queue.receipts and who.contact_point_id is not None
    ticket_id = open_ticket(
        session,
        queue_id=closed.queue_id,
        who=who,
        subject=closed.subject,
        channel=Channel.WEB,
        language=closed.language,
        at=delivery.received_at,
        client_tags=who.tags if entry.proven else (),
        delivery_id=delivery.id,
        related_to_id=closed.id,
        receipt=receipt,
        kind=closed.kind,
        reason_id=closed.reason_id,
        product_id=closed.product_id,
        item_id=closed.item_id,
    )
    _add(session, ticket_id, delivery, entry, who, first=True)
    return Outcome(ticket_id, who.person_id, receipt)


def _add(
    session: Session,
    ticket_id: int,
    delivery: Delivery,
    entry: Entry,
    who: Known,
    *,
    first: bool = False,
) -> None:
    marks = () if entry.proven else (UNCONFIRMED,)
    content = Content(text=entry.text, subject=entry.subject, files=entry.files, parse_errors=marks)
    add_message(
        session,
        ticket_id,
        content,
        who=who,
        channel=Channel.WEB,
        at=delivery.received_at,
        first=first,
        delivery_id=delivery.id,
    )


def _confirm(session: Session, ticket: Ticket, at: datetime) -> None:
    """Whoever holds this link reads the client's mail: what the form said is theirs after all."""
    point = ticket.contact_point
    if point is not None and point.kind == ContactKind.EMAIL:
        mark_verified(session, point.id, at=at)
    query = select(Message).where(
        Message.ticket_id == ticket.id,
        Message.kind == MessageKind.INBOUND,
        Message.channel == Channel.WEB,
        Message.person_id == ticket.person_id,
    )
    unsure = [one for one in session.scalars(query) if UNCONFIRMED in one.parse_errors]
    for message in unsure:
        message.parse_errors = [mark for mark in message.parse_errors if mark != UNCONFIRMED]
    session.flush()
    if unsure:
        sla.conditions_changed(session, ticket.id, at=at)  # now the client's tags count


def _client(session: Session, entry: Entry, at: datetime) -> Known:
    """Of several people with the address, the one who was in touch last.

    Looked for in any case: who sends a form must not learn from its time whom we know.
    """
    about: dict[str, Any] = {"name": entry.name, "language": entry.language, "at": at}
    if valid_email(entry.contact):
        found = match.find_or_create_alike(session, email=entry.contact, **about)
    else:
        country = str(current_app.config["COUNTRY"])
        found = match.find_or_create_alike(session, number=entry.contact, country=country, **about)
    return sharing(session, replace(found, shared=True))[0]


def _reason(session: Session, reason_id: int | None) -> Reason | None:
    return tree(session).get(reason_id) if reason_id is not None else None


def _queue(session: Session, reason: Reason | None) -> Queue:
    """Where the reason leads, or one above it; else the queue for forms; else the first."""
    if reason is not None:
        known_ = tree(session)
        for id_ in reversed(reason.path):
            queue_id = known_.reasons[id_].queue_id
            queue = session.get(Queue, queue_id) if queue_id else None
            if queue is not None and queue.active:
                return queue
    query = select(Queue).where(Queue.in_form.is_(True), Queue.active.is_(True))
    found = session.scalar(query.order_by(Queue.id).limit(1))
    return found or session.get_one(Queue, first_queue(session))


def _finish(delivery: Delivery, outcome: Outcome) -> None:
    delivery.state, delivery.todo = DeliveryState.DONE, None
    delivery.ticket_id, delivery.person_id = outcome.ticket_id, outcome.person_id
    delivery.receipt_sent = None if outcome.receipt else False


def _row(
    session: Session, key: str, entry: Entry, at: datetime, doubt: str | None
) -> dict[str, object]:
    for ref in entry.files:  # retention finds them by their rows, whatever becomes of the form
        files.adopt(session, ref.sha256, ref.size)
    raw = _raw(entry)
    return {
        "key": key,
        "channel": Channel.WEB,
        "state": DeliveryState.QUARANTINED if doubt else DeliveryState.NEW,
        "todo": None if doubt else 1,
        "reason": doubt,
        "received_at": at,
        "envelope_from": entry.contact or None,
        "recipients": [],
        "message_id": None,
        "is_auto_reply": False,
        "is_bounce": False,
        "attempts": 0,
        "size": len(raw),
        "raw": raw,
    }


def _raw(entry: Entry) -> bytes:
    values = asdict(entry)
    values["files"] = [asdict(ref) for ref in entry.files]
    return json.dumps(values, ensure_ascii=False, sort_keys=True).encode()


def _key(entry: Entry, nonce: str) -> str:
    """A form that was gone back to and changed is another one."""
    said = replace(entry, visit=None)
    place = f"{entry.ticket_id or 'ask'}:{nonce}\0".encode()
    return hashlib.sha256(place + _raw(said)).hexdigest()
