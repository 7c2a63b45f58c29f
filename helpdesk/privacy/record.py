"""What the client record holds besides people and tickets: its rows, erased and exported."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk.accounts.models import PortalCode, PortalSession
from helpdesk.clients.facts import ClientNote, Document, Invoice, Promise, Purchase
from helpdesk.clients.models import ContactPoint, DuplicatePair, Merge, MergeChange
from helpdesk.ext import Base
from helpdesk.files import StoredFile
from helpdesk.kb import learning
from helpdesk.kb.models import Example, Reading, Search
from helpdesk.privacy.scope import Scope, chunks, family
from helpdesk.products import Item
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Ticket

# What goes with the client, and the columns that say whose it is.
OF_CLIENT: Sequence[tuple[type[Base], InstrumentedAttribute[int]]] = (
    (Item, Item.client_id),
    (Purchase, Purchase.client_id),
    (Invoice, Invoice.client_id),
    (ClientNote, ClientNote.client_id),
    (Document, Document.client_id),
    (Promise, Promise.client_id),
    (DuplicatePair, DuplicatePair.first_id),
    (DuplicatePair, DuplicatePair.second_id),
)
Column = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]


def forget_record(session: Session, scope: Scope) -> list[str]:
    """Delete these people's rows and, if it goes too, their client's; hashes of loose files."""
    loose = _of_client(session, scope.client_id) if scope.client_id is not None else []
    points = select(ContactPoint.id).where(ContactPoint.person_id.in_(scope.person_ids))
    _delete(session, PortalCode.contact_point_id, list(session.scalars(points)))
    _delete(session, PortalSession.person_id, scope.person_ids)
    _delete(session, Reading.person_id, scope.person_ids)
    for column in (Reading.ticket_id, Search.ticket_id, Promise.ticket_id):
        _delete(session, column, scope.ticket_ids)
    _forget_examples(session, scope.ticket_ids)
    for column in (Rating.person_id, Rating.ticket_id):
        ids = scope.person_ids if column is Rating.person_id else scope.ticket_ids
        for part in chunks(ids):
            session.execute(update(Rating).where(column.in_(part)).values(comment=""))
    return loose


def rows_of(session: Session, scope: Scope) -> dict[str, list[Base]]:
    """The same rows, to be handed to the person they are about: name of the list -> rows."""
    client_id = scope.client_id or 0
    found: dict[str, list[Base]] = {}
    for model, column in OF_CLIENT[:6]:
        query = select(model).where(column == client_id).order_by(model.__table__.c.id)
        found[f"{model.__tablename__}s"] = list(session.scalars(query))
    people, tickets = list(scope.person_ids), list(scope.ticket_ids)
    found["ratings"] = _matching(session, Rating, (Rating.ticket_id, tickets))
    found["articles_read"] = _matching(
        session, Reading, (Reading.person_id, people), (Reading.ticket_id, tickets)
    )
    found["searches"] = _matching(session, Search, (Search.ticket_id, tickets))
    return found


def _of_client(session: Session, client_id: int) -> list[str]:
    of_document = select(StoredFile.sha256).join(Document, Document.file_id == StoredFile.id)
    loose = list(session.scalars(of_document.where(Document.client_id == client_id)))
    mine = select(Item.id).where(Item.client_id == client_id)
    session.execute(update(Ticket).where(Ticket.item_id.in_(mine)).values(item_id=None))
    for model, column in OF_CLIENT:
        session.execute(delete(model).where(column == client_id))
    ids = family(session, client_id)
    merges = select(Merge.id).where(or_(Merge.kept_id.in_(ids), Merge.gone_id.in_(ids)))
    session.execute(delete(MergeChange).where(MergeChange.merge_id.in_(merges)))
    return loose


def _forget_examples(session: Session, ticket_ids: Sequence[int]) -> None:
    """Search forgets their words too."""
    for part in chunks(ticket_ids):
        for id_ in session.scalars(select(Example.id).where(Example.ticket_id.in_(part))).all():
            learning.unlearn(session, id_)


def _delete(session: Session, column: Column, ids: Sequence[int]) -> None:
    for part in chunks(ids):
        session.execute(delete(column.class_).where(column.in_(part)))


def _matching(
    session: Session, model: type[Any], *places: tuple[Column, Sequence[int]]
) -> list[Base]:
    found: dict[int, Base] = {}
    for column, ids in places:
        for part in chunks(ids):
            rows = session.scalars(select(model).where(column.in_(part)))
            found |= {row.id: row for row in rows}
    return [found[id_] for id_ in sorted(found)]
