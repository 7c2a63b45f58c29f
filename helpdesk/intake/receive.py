"""What becomes of a Delivery: who is this, which ticket, then a verb.

`process_new` is the entry point of the worker. Emails are read and their files stored before
the write transaction begins, so that the lock is held for the writing alone.
"""

import errno
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, cast

import structlog
from flask import current_app
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, undefer

from helpdesk import ext, files
from helpdesk.clients import match
from helpdesk.clients.actions import mark_bad, mark_verified
from helpdesk.clients.match import Known
from helpdesk.clients.models import ContactPoint
from helpdesk.events import record
from helpdesk.intake import flood, form, sandbox, sms, sms_ticket, thread
from helpdesk.intake.archive import raw_of
from helpdesk.intake.inbound import Inbound
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.intake.outcome import Outcome
from helpdesk.intake.own import OwnAddresses
from helpdesk.lib.clock import now
from helpdesk.lib.text import email_key, valid_email
from helpdesk.tickets.candidates import sharing
from helpdesk.tickets.content import Content, FileRef
from helpdesk.tickets.models import Channel, Mailbox, Queue, Ticket
from helpdesk.tickets.queries import first_queue
from helpdesk.tickets.received import add_message, open_ticket
from helpdesk.tickets.search import ticket_of_message_id

log = structlog.get_logger()

MAX_ATTEMPTS = 5
BATCH_BYTES = 32 << 20  # of raw email in memory at once; more only for a single larger one
READING_SECONDS = 1.0  # then what was read is put on tickets first
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What is wrong with the machine, not with the email: it comes again and isn't given up."""

_DELIVERY = cast(Table, Delivery.__table__).c
_MAILBOX, _QUEUE = cast(Table, Mailbox.__table__).c, cast(Table, Queue.__table__).c
# Made once: building a statement costs more than running it.
_CHANGE = update(cast(Table, Delivery.__table__)).where(_DELIVERY.id == bindparam("delivery_id"))
_ROUTES = (
    select(_MAILBOX.address, _QUEUE.id, _QUEUE.receipts)
    .join_from(
        cast(Table, Mailbox.__table__),
        cast(Table, Queue.__table__),
        _QUEUE.id == _MAILBOX.queue_id,
    )
    .where(_MAILBOX.address.in_(bindparam("keys", expanding=True)), _QUEUE.active.is_(True))
)


@dataclass(frozen=True)
class Understood:
    """A Delivery that was read: what it says, its files on the disk. `entry`: of a web form."""

    delivery: Delivery
    inbound: Inbound
    refs: tuple[FileRef, ...]
    entry: form.Entry | None = None
    text: sms.Text | None = None


class Route(NamedTuple):
    """The queue an email goes to, and whether it sends receipts."""

    queue_id: int
    receipts: bool


def process_new(limit: int = 200) -> int:
    """Process the oldest new Deliveries and return how many were looked at.

    One that fails is tried again, at last kept as failed with its reason, and never stops
    those behind it. Raises OSError, after the others, while there is no room for one's files.
    """
    with ext.session() as session:
        waiting = _waiting(session, limit)
        own = OwnAddresses.load(session)
    understood, looked_at, trouble = _understand_all(waiting, own)
    if understood:
        _apply_all(understood)
    if trouble is not None:
        raise trouble
    return looked_at


def _waiting(session: Session, limit: int) -> Sequence[Delivery]:
    """The oldest new Deliveries with their bytes: as many as fit in memory, at least one."""
    todo = select(Delivery.id, Delivery.size).where(Delivery.todo.is_not(None))
    rows = session.execute(todo.order_by(Delivery.id).limit(limit)).all()
    sizes = accumulate(size for _, size in rows)
    ids = [
        id_ for (id_, size), total in zip(rows, sizes, strict=True) if total - size < BATCH_BYTES
    ]
    query = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id)
    return session.scalars(query.options(undefer(Delivery.raw))).all()


def _understand_all(
    waiting: Sequence[Delivery], own: OwnAddresses
) -> tuple[list[Understood], int, OSError | None]:
    """What was read, how many were looked at, and the machine's trouble if it has one.

    Some emails take seconds: what was read until then doesn't wait for the whole batch.
    """
    understood: list[Understood] = []
    trouble: OSError | None = None
    began = time.monotonic()
    for count, delivery in enumerate(waiting, 1):
        try:
            item = _understand(delivery, own)
        except OSError as error:  # no room for this one; a smaller one may fit
            item, trouble = None, error
        if item is not None:
            understood.append(item)
        if time.monotonic() - began > READING_SECONDS:
            return understood, count, trouble
    return understood, len(waiting), trouble


def _understand(delivery: Delivery, own: OwnAddresses) -> Understood | None:
    """The Delivery, read; None if it can't be. Raises OSError where the machine is at its end."""
    try:
        raw = raw_of(delivery)
        if delivery.channel == Channel.WEB:
            return Understood(delivery, Inbound(Channel.WEB), (), form.read(raw))
        if delivery.channel == Channel.SMS:
            return Understood(delivery, Inbound(Channel.SMS), (), text=sms.read(raw))
        inbound = sandbox.understand(
            raw,
            envelope_from=delivery.envelope_from,
            own_addresses=own,
            authserv_id=current_app.config["AUTHSERV_ID"],
        )
        return Understood(delivery, inbound, _store_files(inbound, raw))
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        log.exception("delivery.unreadable", delivery_id=delivery.id)
        with ext.write() as session:
            _failed(session, delivery.id, delivery.attempts, error)
        return None


def _store_files(inbound: Inbound, raw: bytes) -> tuple[FileRef, ...]:
    refs = [
        FileRef(
            sha256=files.put(file.data),
            size=len(file.data),
            filename=file.filename,
            content_type=file.content_type,
            inline=file.inline,
            content_id=file.content_id,
        )
        for file in inbound.files
    ]
    if inbound.parse_errors:
        refs.append(FileRef(files.put(raw), len(raw), "message.eml", "message/rfc822"))
    return tuple(refs)


def _apply_all(items: Sequence[Understood]) -> None:
    """All together; where one fails, all again and each by itself, which costs more."""
    try:
        with ext.write() as session:
            mine = _claimed(session, items)
            _done(session, [(item, apply(session, item)) for item in mine])
    except OperationalError:
        raise  # the database is away or busy: the whole batch comes again
    except Exception:
        with ext.write() as session:
            for item in _claimed(session, items):
                _apply_one(session, item)


def _claimed(session: Session, items: Sequence[Understood]) -> list[Understood]:
    free = _claim(session, [item.delivery.id for item in items])
    return [item for item in items if item.delivery.id in free]


def _claim(session: Session, ids: Sequence[int]) -> set[int]:
    """Which of these nobody else has processed or is processing."""
    query = select(Delivery.id).where(Delivery.id.in_(ids), Delivery.todo.is_not(None))
    return set(session.scalars(query.with_for_update(**ext.skip_locked(session))))


def _apply_one(session: Session, item: Understood) -> None:
    try:
        with session.begin_nested():
            _done(session, [(item, apply(session, item))])
    except OperationalError:
        raise  # the database is away or busy: the whole batch comes again
    except Exception as error:
        log.exception("delivery.failed", delivery_id=item.delivery.id)
        _failed(session, item.delivery.id, item.delivery.attempts, error)


def _done(session: Session, outcomes: Sequence[tuple[Understood, Outcome]]) -> None:
    if outcomes:
        session.execute(_CHANGE, [_done_values(item, outcome) for item, outcome in outcomes])


def _done_values(item: Understood, outcome: Outcome) -> dict[str, Any]:
    return {
        "delivery_id": item.delivery.id,
        "state": DeliveryState.DONE,
        "todo": None,
        "ticket_id": outcome.ticket_id,
        "person_id": outcome.person_id,
        "message_id": item.inbound.message_id or item.delivery.message_id,
        "is_auto_reply": item.inbound.is_auto_reply,
        "is_bounce": item.inbound.is_bounce,
        "receipt_sent": None if outcome.receipt else False,
    }


def _failed(session: Session, delivery_id: int, attempts: int, error: Exception) -> None:
    attempts += 1
    values: dict[str, object] = {"attempts": attempts}
    if attempts >= MAX_ATTEMPTS:
        reason = f"{type(error).__name__}: {error}"[:300]
        values |= {"state": DeliveryState.FAILED, "todo": None, "reason": reason}
        record(session, "delivery.failed", delivery_id=delivery_id, reason=type(error).__name__)
    session.execute(update(Delivery).where(Delivery.id == delivery_id).values(values))


def apply(session: Session, item: Understood) -> Outcome:
    """Put what came in on its ticket, opening one where it belongs to none."""
    inbound, delivery = item.inbound, item.delivery
    if item.entry is not None:
        return form.apply(session, delivery, item.entry)
    if item.text is not None:
        return sms_ticket.apply(session, delivery, item.text)
    if inbound.is_bounce:
        outcome = _returned(session, item)
        if outcome is not None:
            return outcome
    who, found = _place(session, inbound, delivery)
    if found.ticket_id is None:
        return _opened(session, item, who, found.related_id)
    _joins(session, item, who, found)
    return Outcome(found.ticket_id, who.person_id, receipt=False)


def _place(session: Session, inbound: Inbound, delivery: Delivery) -> tuple[Known, thread.Thread]:
    """Who wrote and where it goes. Of several people with the address it is the one whose ticket
    the email answers, else the one who was in touch last; the agent may choose another.
    """
    people = sharing(session, _sender(session, inbound, delivery))
    places = []
    for who in people:
        found = thread.find(session, inbound, delivery.recipients, who.person_id)
        if found.ticket_id is not None and not found.stranger:
            return who, found
        places.append(found)
    return people[0], places[0]


def _sender(session: Session, inbound: Inbound, delivery: Delivery) -> Known:
    """Who wrote: From, never Reply-To (I32); the envelope only where there is no From."""
    address = inbound.sender.email if inbound.sender else delivery.envelope_from or ""
    if not valid_email(address):
        return match.nobody(session, at=delivery.received_at)
    return match.find_or_create(
        session,
        email=address,
        name=inbound.sender.name if inbound.sender else "",
        language=inbound.language,
        at=delivery.received_at,
    )


def _opened(session: Session, item: Understood, who: Known, related_id: int | None) -> Outcome:
    inbound, delivery = item.inbound, item.delivery
    queue = _queue(session, delivery.recipients)
    digest = flood.digest(session, who.person_id, queue.queue_id, delivery.received_at)
    if digest is not None:
        _message(session, item, digest, who)
        return Outcome(digest, who.person_id, receipt=False)
    receipt = (
        queue.receipts
        and not inbound.no_receipt
        and not inbound.is_bounce
        and not inbound.is_auto_reply
        and inbound.auth != "fail"  # whoever is named did not write
        and who.contact_point_id is not None
        and not who.bad
    )
    ticket_id = open_ticket(
        session,
        queue_id=queue.queue_id,
        who=who,
        subject=inbound.subject,
        channel=Channel.EMAIL,
        language=inbound.language,
        at=delivery.received_at,
        client_tags=who.tags,
        delivery_id=delivery.id,
        receipt=receipt,
        related_to_id=related_id,
    )
    _message(session, item, ticket_id, who, first=True)
    return Outcome(ticket_id, who.person_id, receipt)


def _joins(session: Session, item: Understood, who: Known, found: thread.Thread) -> None:
    assert found.ticket_id is not None
    _message(session, item, found.ticket_id, who, stranger=found.stranger)
    proves = found.by_token and not found.stranger and item.inbound.auth != "fail"
    if proves and who.contact_point_id is not None:
        mark_verified(session, who.contact_point_id, at=item.delivery.received_at)


def _message(
    session: Session,
    item: Understood,
    ticket_id: int,
    who: Known | None,
    *,
    first: bool = False,
    stranger: bool = False,
) -> int:
    inbound = item.inbound
    content = Content(
        text=inbound.text,
        subject=inbound.subject,
        visible_text=inbound.visible_text,
        html=inbound.html,
        message_id=inbound.message_id,
        in_reply_to=inbound.in_reply_to,
        is_auto_reply=inbound.is_auto_reply,
        is_bounce=inbound.is_bounce,
        stranger=stranger,
        parse_errors=inbound.parse_errors,
        files=item.refs,
    )
    return add_message(
        session,
        ticket_id,
        content,
        who=who,
        channel=Channel.EMAIL,
        at=item.delivery.received_at,
        first=first,
        delivery_id=item.delivery.id,
    )


def _returned(session: Session, item: Understood) -> Outcome | None:
    """Put a bounce on the ticket whose email came back. None if it can't be tied to one."""
    bounce = item.inbound.bounce
    signed = thread.signed_ticket(item.inbound, item.delivery.recipients)
    ticket_id = signed or _ticket_of_email(session, bounce.original_message_id if bounce else None)
    if ticket_id is None or session.get(Ticket, ticket_id) is None:
        return None
    _message(session, item, ticket_id, None)
    if signed is not None and bounce is not None and bounce.action == "failed":
        _mark_returned(session, ticket_id, item)
    return Outcome(ticket_id, None, receipt=False)


def _ticket_of_email(session: Session, message_id: str | None) -> int | None:
    return ticket_of_message_id(session, message_id) if message_id else None


def _mark_returned(session: Session, ticket_id: int, item: Understood) -> None:
    """After a permanent failure, or the third temporary one, the address is bad."""
    bounce = item.inbound.bounce
    point_id = session.scalar(select(Ticket.contact_point_id).where(Ticket.id == ticket_id))
    point = session.get(ContactPoint, point_id) if point_id else None
    if point is None or bounce is None:
        return
    if (bounce.status or "5").startswith("4"):
        point.soft_bounces += 1
    if point.soft_bounces >= 3 or not (bounce.status or "5").startswith("4"):
        mark_bad(session, point, at=now())


def _queue(session: Session, recipients: Sequence[str]) -> Route:
    """The queue of the first address that leads to one; postmaster and the rest to the oldest."""
    keys = [email_key(address) for address in recipients]
    rows = session.execute(_ROUTES, {"keys": keys})
    by_address = {address: Route(*route) for address, *route in rows}
    found = [by_address[key] for key in keys if key in by_address]
    if found:
        return found[0]
    oldest = session.get_one(Queue, first_queue(session))
    return Route(oldest.id, oldest.receipts)
