"""Everything about one client in one document: the right of access (GDPR art. 15)."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call, CallEvent, Recording, VoiceAnswer
from helpdesk.clients.facts import ClientNote, Document, Invoice, Promise, Purchase
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.events import Event
from helpdesk.ext import Base
from helpdesk.files import StoredFile
from helpdesk.intake.models import Delivery
from helpdesk.kb.models import Reading, Search
from helpdesk.lib.errors import NotFound
from helpdesk.outbox.models import Outgoing
from helpdesk.planner.models import Task
from helpdesk.privacy.calls import calls_of
from helpdesk.privacy.record import rows_of
from helpdesk.privacy.reports import reports_of
from helpdesk.privacy.scope import chunks, people_of, scope_of
from helpdesk.products import Item
from helpdesk.reports.models import Exclusion, Statement
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Attachment, Draft, Message, Ticket

SHAPES: Mapping[type[Base], str] = {
    Client: "id kind relation name language timezone external_id tags potential about profile"
    " created_at updated_at erased_at",
    Person: "id name role language timezone external_id vocative created_at erased_at",
    ContactPoint: "kind value verified preferred bad sms_stopped_at created_at",
    Ticket: "id number person_id subject status priority channel language tags created_at"
    " first_response_at resolved_at",
    Message: "id ticket_id kind channel person_id subject text html message_id is_auto_reply"
    " is_bounce created_at",
    Draft: "ticket_id kind text updated_at",
    Delivery: "id channel state received_at envelope_from recipients message_id size",
    Outgoing: "id ticket_id kind state to_address subject text created_at sent_at",
    Event: "id at kind person_id ticket_id data",
    Item: "id product_id serial batch bought_on warranty_until note external_id created_at",
    Purchase: "external_id bought_on status title quantity amount currency paid_by",
    Invoice: "external_id issued_on due_on amount paid paid_on currency cancelled",
    ClientNote: "text created_at deleted_at",
    Document: "filename content_type size created_at deleted_at",
    Promise: "ticket_id text due_at kept settled_at created_at",
    Rating: "ticket_id score comment at",
    Reading: "article_id lang source at",
    Search: "query lang source at",
    Call: "id direction from_number to_number person_id ticket_id language state end_reason"
    " started_at queued_at answered_at ended_at consent_asked_at consent_given notes",
    Recording: "id call_id kind state seconds content_type created_at stored_at",
    CallEvent: "call_id kind received_at payload",
    VoiceAnswer: "call_id article_id language at helped",
    Exclusion: "clock_id reason made_at decided_at approved",
    Statement: "id month data closed_at",
    Task: "id kind state person_id number ticket_id title due_at done_at result outcome",
}


def export_client(session: Session, client_id: int) -> dict[str, Any]:
    """What the house knows of a client, as JSON: times ISO 8601 in UTC, files by name and hash.

    With what colleagues wrote about them, notes and drafts included, without the names of the
    colleagues. Raises NotFound.
    """
    client = session.get(Client, client_id)
    if client is None:
        raise NotFound()
    scope = scope_of(session, people_of(session, client_id), client_id)
    messages = _rows(session, select(Message), Message.id, scope.message_ids)
    listed = _files(session, scope.message_ids)
    for message in messages:
        message["files"] = listed.get(message["id"], [])
    return {
        "client": _shape(client),
        "people": _people(session, scope.person_ids),
        "tickets": _rows(session, select(Ticket), Ticket.id, scope.ticket_ids),
        "messages": messages,
        "drafts": _rows(session, select(Draft), Draft.ticket_id, scope.ticket_ids),
        "deliveries": _rows(session, select(Delivery), Delivery.id, scope.delivery_ids),
        "emails_sent": _sent(session, scope.person_ids, scope.ticket_ids),
        **_shapes(rows_of(session, scope)),
        **_shapes(calls_of(session, scope)),
        **_shapes(reports_of(session, scope)),
        "events": [
            _shape(event)
            for event in session.scalars(
                select(Event).where(Event.client_id == client_id).order_by(Event.id)
            )
        ],
    }


def _people(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    people = []
    for person in session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)):
        points = select(ContactPoint).where(ContactPoint.person_id == person.id)
        found = session.scalars(points.order_by(ContactPoint.id))
        people.append(_shape(person) | {"contact_points": [_shape(point) for point in found]})
    return people


def _rows(
    session: Session, query: Select[Any], key: Any, ids: Sequence[int]
) -> list[dict[str, Any]]:
    return [
        _shape(row)
        for part in chunks(ids)
        for row in session.scalars(query.where(key.in_(part)).order_by(key))
    ]


def _sent(
    session: Session, person_ids: Sequence[int], ticket_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Emails to them; those to colleagues about their tickets are the house's own."""
    found: dict[int, Outgoing] = {}
    for part in chunks(ticket_ids) or [()]:
        query = select(Outgoing).where(
            or_(Outgoing.person_id.in_(person_ids), Outgoing.ticket_id.in_(part)),
            Outgoing.user_id.is_(None),
        )
        found |= {row.id: row for row in session.scalars(query)}
    return [_shape(found[id_]) for id_ in sorted(found)]


def _files(session: Session, message_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    listed: dict[int, list[dict[str, Any]]] = {}
    query = select(Attachment, StoredFile.sha256).join(
        StoredFile, StoredFile.id == Attachment.file_id
    )
    for part in chunks(message_ids):
        for row, sha256 in session.execute(query.where(Attachment.message_id.in_(part))):
            file = {
                "filename": row.filename,
                "content_type": row.content_type,
                "size": row.size,
                "sha256": sha256,
            }
            listed.setdefault(row.message_id or 0, []).append(file)
    return listed


def _shapes(found: Mapping[str, Sequence[Base]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [_shape(row) for row in rows] for name, rows in found.items()}


def _shape(row: Base) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in SHAPES[type(row)].split()}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
