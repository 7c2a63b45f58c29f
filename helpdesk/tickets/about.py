"""Tickets by what they are about: of a reason with all under it, of a product; how many there are.

They are walked newest first by the index of each id, so that a page costs the same however many
there are.
"""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk.accounts.permissions import Viewer
from helpdesk.ext import Base
from helpdesk.lib.errors import NotFound
from helpdesk.products import Item, Product
from helpdesk.tickets.models import ContactReason, Ticket
from helpdesk.tickets.views import CAP, PAGE, Page, View, rows_of

RECENT = 500  # newest tickets among which recently chosen products are looked for


def about_page(
    session: Session,
    viewer: Viewer,
    view: View,
    reason_ids: Sequence[int] = (),
    *,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page:
    """One page of a view whose `about` says what it holds, newest ticket first.

    `reason_ids`: the reason of the view with those under it. Raises NotFound for a bad cursor.
    """
    before = _read(cursor)
    name, _, value = view.about.partition(":")
    allowed: list[ColumnElement[bool]] = []
    if viewer.queue_ids is not None:
        allowed.append(Ticket.queue_id.in_(viewer.queue_ids))
    if name == "product":
        query = _newest(Ticket.product_id == int(value), before, limit, allowed)
    else:
        query = _of_reasons(reason_ids, before, limit, allowed)
    ids = list(session.scalars(query))
    more = str(ids[limit - 1]) if len(ids) > limit else None
    return Page(rows_of(session, viewer, ids[:limit]), more)


def recent_products(session: Session, *, limit: int = 8) -> list[Product]:
    """Active products of the newest tickets, the last chosen first."""
    last = select(func.max(Ticket.id)).scalar_subquery()
    rows = select(Ticket.id, Ticket.product_id).where(Ticket.id > last - RECENT)
    newest = rows.order_by(Ticket.id.desc()).limit(RECENT).subquery()
    lately = (
        select(newest.c.product_id, func.max(newest.c.id).label("last"))
        .group_by(newest.c.product_id)
        .subquery()
    )
    query = select(Product).join(lately, lately.c.product_id == Product.id)
    query = query.where(Product.active.is_(True)).order_by(lately.c.last.desc())
    return list(session.scalars(query.limit(limit)))


def tickets_by_reason(session: Session, *, cap: int = CAP) -> dict[int, int]:
    """How many tickets have each reason itself, at most cap + 1."""
    return _counts(session, ContactReason, Ticket.reason_id, None, cap)


def tickets_by_product(
    session: Session, product_ids: Sequence[int], *, cap: int = CAP
) -> dict[int, int]:
    """How many tickets are about each of these products, at most cap + 1."""
    return _counts(session, Product, Ticket.product_id, product_ids, cap)


def items_by_product(
    session: Session, product_ids: Sequence[int], *, cap: int = CAP
) -> dict[int, int]:
    """How many items clients own of each of these products, at most cap + 1."""
    return _counts(session, Product, Item.product_id, product_ids, cap)


def _counts(
    session: Session,
    model: type[ContactReason] | type[Product],
    column: InstrumentedAttribute[Any],
    ids: Sequence[int] | None,
    cap: int,
) -> dict[int, int]:
    inner = select(literal(1)).select_from(cast(type[Base], column.class_))
    inner = inner.where(column == model.id).correlate(model).limit(cap + 1)
    number = select(func.count()).select_from(inner.subquery()).scalar_subquery()
    query = select(model.id, number)
    if ids is not None:
        query = query.where(model.id.in_(ids))
    return {row[0]: row[1] for row in session.execute(query)}


def _newest(
    what: ColumnElement[bool], before: int | None, limit: int, allowed: list[ColumnElement[bool]]
) -> Select[int]:
    query = select(Ticket.id).where(what, *allowed)
    if before is not None:
        query = query.where(Ticket.id < before)
    return query.order_by(Ticket.id.desc()).limit(limit + 1)


def _of_reasons(
    ids: Sequence[int], before: int | None, limit: int, allowed: list[ColumnElement[bool]]
) -> Select[int]:
    """The newest of the newest of each reason: no more rows are read than a page has for each."""
    each = [
        select(_newest(Ticket.reason_id == id_, before, limit, allowed).subquery().c.id)
        for id_ in ids
    ]
    found = union_all(*each).subquery()
    query = select(found.c.id).order_by(found.c.id.desc()).limit(limit + 1)
    return cast("Select[int]", query)


def _read(cursor: str | None) -> int | None:
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 18):
        raise NotFound()
    return int(cursor)
