"""Verbs of the outbox: put an email in, once for each cause, and send one again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.accounts.models import User
from helpdesk.events import Actor, record
from helpdesk.kb import deflection
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.outbox import receipt, receipt_facts, reply, rows, sms, suggested
from helpdesk.outbox.addressing import (
    email_of,
    language_of,
    sender_at,
    sender_of,
    signed_id,
    spoken,
    ticket_with_people,
)
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.outbox.receipt_facts import Book, Facts, receipt_key
from helpdesk.outbox.suggested import Offer
from helpdesk.tickets.models import Channel, Message, MessageKind, Ticket

NO_ADDRESS = _lazy("The client has no address to answer to.")


def enqueue_reply(session: Session, message_id: int, *, at: datetime) -> int:
    """Put an agent's answer into the outbox and return the row's id; once for each message.

    Without an address to write to the row is there, failed, with the reason. ValueError for
    a message that isn't an answer: a note never leaves the house.
    """
    key = f"reply:{message_id}"
    known = rows.known(session, key)
    if known is not None:
        return known
    message = session.get_one(Message, message_id)
    if message.kind != MessageKind.OUTBOUND:
        raise ValueError("only an answer to the client is sent")
    ticket = ticket_with_people(session, message.ticket_id)
    if message.channel == Channel.SMS:
        return sms.add_reply(session, key, ticket, message, at)
    return _add_reply(session, key, ticket, message, at)


def enqueue_receipt(
    session: Session, ticket_id: int, *, at: datetime, delivery_id: int | None = None
) -> int | None:
    """Put the receipt of a ticket into the outbox, at most one ever; the row's id, or None.

    Says in an Event what became of it: receipt.sent, or receipt.refused with a reason.
    """
    return enqueue_receipts(session, {ticket_id: delivery_id}, at=at)[ticket_id]


def enqueue_receipts(
    session: Session, asked: Mapping[int, int | None], *, at: datetime
) -> dict[int, int | None]:
    """The same for many tickets, each with the Delivery that opened it or None.

    What they need is read once for all of them.
    """
    book = receipt_facts.read(session, asked, at)
    wanting = [facts.ticket_id for facts in book.facts.values() if facts.articles]
    offers = suggested.of(session, wanting) if wanting else {}
    sent = {
        ticket_id: _add_receipt(
            session, book, book.facts[ticket_id], offers.get(ticket_id, ()), delivery_id, at
        )
        for ticket_id, delivery_id in asked.items()
    }
    book.tally.save()
    return sent


def _add_receipt(
    session: Session,
    book: Book,
    facts: Facts,
    offers: Sequence[Offer],
    delivery_id: int | None,
    at: datetime,
) -> int | None:
    reason = receipt.refusal(session, book, facts)
    about: dict[str, Any] = {} if delivery_id is None else {"delivery_id": delivery_id}
    about |= {"at": at, "ticket_id": facts.ticket_id, "client_id": facts.client_id}
    if reason is not None:
        record(session, "receipt.refused", reason=reason, **about)
        return None
    stored = (facts.person_language, facts.client_language)
    language = spoken(stored, facts.language, book.setting)
    brand = str(book.setting("brand_name"))
    written = receipt.write(book, facts, language, brand, at, offers)
    sender = sender_at(book.address_of_queue(facts.queue_id), facts.ticket_id)
    outgoing_id = rows.add(
        session,
        receipt_key(facts.ticket_id),
        OutgoingKind.RECEIPT,
        at,
        ticket_id=facts.ticket_id,
        person_id=facts.reader_id,
        to_address=facts.address,
        from_name=brand,
        from_address=sender.address,
        reply_to=sender.signed,
        envelope_from="",
        rfc_message_id=signed_id(facts.ticket_id, "receipt"),
        in_reply_to=facts.first_message_id,
        references=facts.first_message_id,
        automatic=True,
        language=language,
        **written._asdict(),
    )
    if offers:
        about["articles"] = [one.article_id for one in offers]
        deflection.offered(
            session, ticket_id=facts.ticket_id, lang=language, found=len(offers), at=at
        )
    record(session, "receipt.sent", outgoing_id=outgoing_id, **about)
    return outgoing_id


def enqueue_notice(
    session: Session,
    user: User,
    *,
    event_id: int,
    ticket_id: int,
    subject: str,
    text: str,
    html: str,
    at: datetime,
) -> int:
    """Put an email to a colleague into the outbox; once for each event and user.

    It comes from an address that nobody reads, so that an answer to it can't become a client's.
    """
    key = f"notice:{event_id}:{user.id}"
    known = rows.known(session, key)
    if known is not None:
        return known
    return rows.add_unanswerable(
        session,
        key,
        OutgoingKind.NOTICE,
        at,
        mark=f"notice.{event_id}.{user.id}",
        ticket_id=ticket_id,
        user_id=user.id,
        to_address=user.email,
        from_name=settings.get(session, "brand_name"),
        language=user.language,
        subject=subject,
        text=text,
        html=html,
    )


def resend(session: Session, outgoing: Outgoing, *, actor: Actor, at: datetime) -> None:
    """Try an email again from the beginning, under its Message-ID, to the address known now.

    Raises Conflict while it is being sent, HelpdeskError if there is still no good address.
    """
    session.refresh(outgoing, with_for_update=True)
    if outgoing.state == OutgoingState.SENDING:
        raise Conflict(_lazy("This email is being sent right now."))
    if outgoing.kind == OutgoingKind.SMS and outgoing.ticket_id is not None:
        sms.readdress(session, outgoing)
    elif outgoing.kind != OutgoingKind.NOTICE and outgoing.ticket_id is not None:
        _readdress(session, outgoing)
    outgoing.state = OutgoingState.QUEUED
    outgoing.due_at = at
    outgoing.attempts = 0
    outgoing.last_error = None
    session.flush()
    ticket = session.get(Ticket, outgoing.ticket_id) if outgoing.ticket_id else None
    message = _message_of(outgoing)
    record(
        session,
        "message.resent",
        actor=actor,
        at=at,
        ticket_id=outgoing.ticket_id,
        client_id=ticket.client_id if ticket else None,
        outgoing_id=outgoing.id,
        **message,
    )


def _add_reply(session: Session, key: str, ticket: Ticket, message: Message, at: datetime) -> int:
    point = email_of(session, ticket, message)
    language = language_of(session, ticket)
    sender = sender_of(session, ticket)
    thread = reply.thread_of(session, ticket, message)
    with ext.in_language(language):
        subject = reply.subject_of(thread.subject, ticket.number)
    text, html = reply.body_of(session, ticket, message, language, title=subject, at=at)
    outgoing_id = rows.add(
        session,
        key,
        OutgoingKind.REPLY,
        at,
        ticket_id=ticket.id,
        message_id=message.id,
        person_id=ticket.person_id,
        to_address=point.value if point else "",
        from_name=message.user.name if message.user else settings.get(session, "brand_name"),
        from_address=sender.address,
        reply_to=sender.signed,
        envelope_from=sender.signed,
        rfc_message_id=message.message_id or signed_id(ticket.id, f"m{message.id}"),
        in_reply_to=thread.in_reply_to,
        references=thread.references,
        language=language,
        subject=subject,
        text=text,
        html=html,
    )
    if point is None:
        mark_failed(session, session.get_one(Outgoing, outgoing_id), NO_ADDRESS, at=at)
    return outgoing_id


def mark_failed(session: Session, outgoing: Outgoing, words: str, *, at: datetime) -> None:
    """Give an email up: nothing more is tried, the ticket shows why."""
    outgoing.state = OutgoingState.FAILED
    outgoing.due_at = None
    outgoing.last_error = words
    session.flush()
    if outgoing.kind == OutgoingKind.NOTICE or outgoing.ticket_id is None:
        return
    ticket = session.get_one(Ticket, outgoing.ticket_id)
    message = _message_of(outgoing)
    record(
        session,
        "message.failed",
        at=at,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
        outgoing_id=outgoing.id,
        **message,
    )


def _readdress(session: Session, outgoing: Outgoing) -> None:
    ticket = session.get_one(Ticket, outgoing.ticket_id)
    message = session.get(Message, outgoing.message_id) if outgoing.message_id else None
    point = email_of(session, ticket, message)
    if point is None:
        raise HelpdeskError(NO_ADDRESS)
    outgoing.to_address = point.value
    outgoing.person_id = point.person_id


def _message_of(outgoing: Outgoing) -> dict[str, Any]:
    return {} if outgoing.message_id is None else {"message_id": outgoing.message_id}
