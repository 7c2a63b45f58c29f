"""Erases a person or a client: personal values go everywhere, the skeleton stays for the numbers.

The verbs run in the caller's transaction. Once it is committed, `after_erasure` takes the files
and the remains of deleted rows off the disk; if that is missed, `retain` makes up for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk import files
from helpdesk.calls.models import Call
from helpdesk.clients.models import Client, ClientKind, ContactPoint, Person
from helpdesk.clients.search import reindex_client
from helpdesk.events import Actor, record
from helpdesk.ext import Base, fulltext
from helpdesk.files import StoredFile
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.errors import NotFound
from helpdesk.notices import Notice
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.planner.models import Task
from helpdesk.privacy.answers import blank_answers
from helpdesk.privacy.calls import forget_calls
from helpdesk.privacy.inventory import BLANKED
from helpdesk.privacy.record import forget_record
from helpdesk.privacy.reports import forget_reports
from helpdesk.privacy.scope import Scope, chunks, family, people_of, scope_of
from helpdesk.tickets.actions import new_link, set_status
from helpdesk.tickets.models import Attachment, Draft, Message, Status, Ticket
from helpdesk.tickets.search import FTS, index_message

REASON = "erased"
RAW_ATTACHED = "message/rfc822"  # what could not be read, attached as it came
Ids = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]


@dataclass(frozen=True)
class Erased:
    """What was erased; `files` are hashes that nobody may need any more."""

    people: int
    tickets: int
    messages: int
    files: tuple[str, ...]


def erase_client(session: Session, client_id: int, *, actor: Actor, at: datetime) -> Erased:
    """Erase a client with all people, tickets and what they wrote elsewhere.

    Call `after_erasure` with the answer once this is committed. Erasing twice is harmless.
    Raises NotFound.
    """
    client = session.get(Client, client_id)
    if client is None:
        raise NotFound()
    scope = scope_of(session, people_of(session, client_id), client_id)
    answer = _erase(session, scope, actor, at)
    ids = family(session, client_id)
    _blank(session, Client, Client.id, ids, erased_at=at, version=Client.version + 1)
    fulltext.unindex(session, "client_fts", ids)
    record(session, "client.erased", actor=actor, at=at, client_id=client_id)
    session.expire_all()
    return answer


def erase_person(session: Session, person_id: int, *, actor: Actor, at: datetime) -> Erased:
    """Erase one person with their tickets and what they wrote elsewhere.

    A private client is erased with its last person. Otherwise as `erase_client`.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound()
    client = session.get_one(Client, person.client_id)
    others = select(Person.id).where(
        Person.client_id == client.id, Person.id != person_id, Person.erased_at.is_(None)
    )
    if client.kind == ClientKind.PERSON and session.scalar(others.limit(1)) is None:
        return erase_client(session, client.id, actor=actor, at=at)
    scope = scope_of(session, [person_id], None)
    answer = _erase(session, scope, actor, at)
    session.expire_all()
    reindex_client(session, client.id)
    fields = ["erased_person"]
    record(session, "client.changed", actor=actor, at=at, client_id=client.id, fields=fields)
    return answer


def _erase(session: Session, scope: Scope, actor: Actor, at: datetime) -> Erased:
    _close(session, scope, actor, at)
    loose = _attachments(session, scope)
    loose += _deliveries(session, scope, at)
    loose += forget_record(session, scope)
    loose += forget_calls(session, scope, at)
    loose += forget_reports(session, scope, at)
    _outgoing(session, scope)
    _quotes(session, scope)
    _blank(session, Message, Message.id, scope.message_ids, contact_point_id=None)
    fulltext.unindex(session, FTS, scope.message_ids)
    for part in chunks(scope.ticket_ids):
        session.execute(delete(Notice).where(Notice.ticket_id.in_(part)))
    _blank(session, Ticket, Ticket.id, scope.ticket_ids, contact_point_id=None, updated_at=at)
    _people(session, scope, at)
    blank_answers(session, scope)
    return Erased(
        len(scope.person_ids), len(scope.ticket_ids), len(scope.message_ids), tuple(set(loose))
    )


def _blank(session: Session, model: type[Base], key: Ids, ids: Sequence[int], **more: Any) -> None:
    """Put the inventory's empty values into the rows with these ids."""
    values = {**BLANKED[model.__tablename__], **more}
    for part in chunks(ids):
        session.execute(
            update(model).where(key.in_(part)).values(values),
            execution_options={"synchronize_session": False},
        )


def _close(session: Session, scope: Scope, actor: Actor, at: datetime) -> None:
    """Nobody can be answered any more: the tickets end, their clocks stop, their links end."""
    for part in chunks(scope.ticket_ids):
        for ticket in session.scalars(select(Ticket).where(Ticket.id.in_(part))):
            set_status(session, ticket, Status.CLOSED, actor=actor, at=at, reason=REASON)
            new_link(session, ticket)
            record(
                session,
                "ticket.erased",
                actor=actor,
                at=at,
                ticket_id=ticket.id,
                client_id=ticket.client_id,
            )


def _attachments(session: Session, scope: Scope) -> list[str]:
    """Delete the files' rows and the drafts; the hashes of the contents."""
    drafts = [
        id_
        for part in chunks(scope.ticket_ids)
        for id_ in session.scalars(select(Draft.id).where(Draft.ticket_id.in_(part)))
    ]
    loose: list[str] = []
    for column, ids in (
        (Attachment.message_id, scope.message_ids),
        (Attachment.ticket_id, scope.ticket_ids),
        (Attachment.draft_id, drafts),
    ):
        for part in chunks(ids):
            loose += _detach(session, column.in_(part))
    for part in chunks(scope.quoting_ids):
        raw = Attachment.message_id.in_(part), Attachment.content_type == RAW_ATTACHED
        loose += _detach(session, *raw)
    for part in chunks(drafts):
        session.execute(delete(Draft).where(Draft.id.in_(part)))
    return loose


def _detach(session: Session, *where: Any) -> list[str]:
    named = select(StoredFile.sha256).join(Attachment, Attachment.file_id == StoredFile.id)
    loose = list(session.scalars(named.where(*where)))
    session.execute(delete(Attachment).where(*where))
    return loose


def _deliveries(session: Session, scope: Scope, at: datetime) -> list[str]:
    """Drop what came in raw; an email not processed yet is not processed any more."""
    loose: list[str] = []
    every = [*scope.delivery_ids, *scope.quoting_delivery_ids]
    for part in chunks(every):
        loose += drop_archived(session, part)
    _blank(session, Delivery, Delivery.id, scope.delivery_ids)
    for part in chunks(scope.delivery_ids):
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(part), Delivery.state != DeliveryState.DONE)
            .values(state=DeliveryState.IGNORED, todo=None, reason=REASON)
        )
    for part in chunks(scope.quoting_delivery_ids):
        raw = {"raw": None, "raw_sha256": None}
        session.execute(update(Delivery).where(Delivery.id.in_(part)).values(raw))
    return loose


def drop_archived(session: Session, delivery_ids: Sequence[int]) -> list[str]:
    """The archived files of these Deliveries, each given a row so that no crash loses sight of it.

    The caller takes the files out of the Deliveries in the same transaction.
    """
    rows = select(Delivery.raw_sha256, Delivery.size).where(
        Delivery.id.in_(delivery_ids), Delivery.raw_sha256.is_not(None)
    )
    found = {sha256: size for sha256, size in session.execute(rows) if sha256}
    for sha256, size in found.items():
        files.adopt(session, sha256, size)
    return list(found)


def _outgoing(session: Session, scope: Scope) -> None:
    """Blank what we sent them; what still waits is given up."""
    for column, ids in (
        (Outgoing.person_id, scope.person_ids),
        (Outgoing.ticket_id, scope.ticket_ids),
        (Outgoing.message_id, scope.message_ids),
    ):
        for part in chunks(ids):
            session.execute(
                update(Outgoing)
                .where(column.in_(part), Outgoing.due_at.is_not(None))
                .values(state=OutgoingState.FAILED, due_at=None)
            )
        _blank(session, Outgoing, column, ids)


def _quotes(session: Session, scope: Scope) -> None:
    """On others' tickets: cut what may quote them out of later messages and emails."""
    for part in chunks(scope.quoting_ids):
        quoting = select(Message).where(Message.id.in_(part))
        cut = quoting.where(or_(Message.visible_text.is_not(None), Message.html.is_not(None)))
        for message in session.scalars(cut):
            message.text = message.text if message.visible_text is None else message.visible_text
            message.visible_text = message.html = None
            fulltext.unindex(session, FTS, [message.id])
            index_message(session, message.id, "", message.text)
        answers = select(Outgoing).where(Outgoing.message_id.in_(part))
        for outgoing in session.scalars(answers):
            outgoing.text = outgoing.message.text if outgoing.message else ""
            outgoing.html = None
    session.flush()


def _people(session: Session, scope: Scope, at: datetime) -> None:
    points = select(ContactPoint.id).where(ContactPoint.person_id.in_(scope.person_ids))
    ids = list(session.scalars(points))
    for part in chunks(ids):
        for model in (Ticket, Message, Call, Task):
            session.execute(
                update(model).where(model.contact_point_id.in_(part)).values(contact_point_id=None),
                execution_options={"synchronize_session": False},
            )
        session.execute(delete(ContactPoint).where(ContactPoint.id.in_(part)))
    _blank(session, Person, Person.id, scope.person_ids, erased_at=at)
