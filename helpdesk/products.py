"""Products, and the items of them that clients own: tables, verbs and reads."""

import re
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, ForeignKey, Index, String, and_, func, or_, select
from sqlalchemy import tuple_ as row_of
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import Base, SortKey, lock, partial_index
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, fold

NAME_LIMIT = 120  # as much as a sort key holds
GROUP_LIMIT = 80
SKU_LIMIT = 60
WORDS = 6  # of a search that are looked at
CHANGEABLE = frozenset({"name", "group", "sku", "active"})
_RUN = re.compile(r"[0-9]+|[^\W\d_]+")


class Product(Base):
    """A thing or service that is sold: what tickets, articles and items speak of."""

    __tablename__ = "product"
    __table_args__ = (Index("ix_product_sort", "sort_key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(SortKey)
    group: Mapped[str] = mapped_column(default="")  # e.g. washing machines
    sku: Mapped[str | None] = mapped_column(String(60), unique=True)  # the billing system's id
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Item(Base):
    """One thing that a client owns: this very machine, with its number and warranty."""

    __tablename__ = "item"
    __table_args__ = (
        Index("ix_item_client", "client_id"),
        partial_index("ix_item_serial", "serial_key", where="serial_key IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    serial: Mapped[str] = mapped_column(default="")
    serial_key: Mapped[str | None] = mapped_column(String(60))  # upper case, letters and digits
    batch: Mapped[str] = mapped_column(default="")
    bought_on: Mapped[date | None] = mapped_column(Date)
    warranty_until: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime]

    product: Mapped[Product] = relationship()


def create_product(
    session: Session,
    *,
    name: str,
    at: datetime,
    group: str = "",
    sku: str | None = None,
    actor: Actor = SYSTEM,
) -> Product:
    """Add a product. Raises HelpdeskError for a bad name, Conflict for a taken name or sku."""
    lock(session, "products")
    given = _checked(session, {"name": name, "group": group, "sku": sku}, None)
    product = Product(**given, active=True, created_at=at)
    session.add(product)
    session.flush()
    record(session, "product.created", actor=actor, at=at, product_id=product.id)
    return product


def change_product(
    session: Session, product: Product, *, at: datetime, actor: Actor = SYSTEM, **changes: Any
) -> None:
    """Change name, group, sku or active.

    Raises HelpdeskError for a bad name, Conflict for a taken name or sku, and TypeError for a
    field that is not a product's: that is a bug.
    """
    if changes.keys() - CHANGEABLE:
        raise TypeError(f"a product has no {sorted(changes.keys() - CHANGEABLE)}")
    lock(session, "products")
    given = _checked(session, changes, product.id)
    changed = {name: value for name, value in given.items() if getattr(product, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(product, name, value)
    session.flush()
    fields = sorted(changed.keys() - {"sort_key"})
    record(session, "product.changed", actor=actor, at=at, product_id=product.id, fields=fields)


def find_products(
    session: Session,
    text: str = "",
    *,
    active: bool = True,
    after: Product | None = None,
    limit: int = 20,
) -> list[Product]:
    """Products that have every word of `text` in the name, or an sku that begins with it.

    By name; `after`: what follows this one. `active` False: also those that are switched off.
    """
    query = select(Product).order_by(Product.sort_key, Product.id).limit(limit)
    if active:
        query = query.where(Product.active.is_(True))
    if after is not None:
        query = query.where(row_of(Product.sort_key, Product.id) > (after.sort_key, after.id))
    if text.strip():
        query = query.where(_holds(clean_line(text, NAME_LIMIT)))
    return list(session.scalars(query))


def product_named(session: Session, ref: str | int) -> Product:
    """A product by id (a number), else by sku, name or id. Raises HelpdeskError."""
    text = str(ref)
    found = None
    if isinstance(ref, str):
        named = or_(Product.sku == text, Product.name == text)
        exact = session.scalars(select(Product).where(named).order_by(Product.id).limit(2)).all()
        found = next((one for one in exact if one.sku == text), exact[0] if exact else None)
    if found is None and text.isascii() and text.isdigit() and len(text) < 18:
        found = session.get(Product, int(text))
    if found is None:
        message = _lazy("There is no product %(ref)s.")
        raise HelpdeskError(message, field="product", ref=text[:NAME_LIMIT])
    return found


def _holds(text: str) -> ColumnElement[bool]:
    """Letters are looked for in the sort key: neither database knows the case of Cyrillic alike."""
    runs = list(dict.fromkeys(_RUN.findall(text)))[:WORDS]
    parts: list[ColumnElement[bool]] = [
        Product.name.contains(run) if run.isdigit() else Product.sort_key.contains(_weights(run))
        for run in runs
    ]
    by_sku = func.lower(Product.sku).startswith(text.lower(), autoescape=True)
    return or_(and_(*parts), by_sku) if parts else by_sku


def _weights(letters: str) -> str:
    """The part of a sort key that stands for these letters, in either case and without accents."""
    key = sort_key(letters.lower())
    if not key.endswith("00"):
        key = sort_key(fold(letters))
    return key.removesuffix("00")


def _checked(session: Session, given: dict[str, Any], product_id: int | None) -> dict[str, Any]:
    values = dict(given)
    if "name" in values:
        values["name"] = clean_line(values["name"] or "", NAME_LIMIT)
        values["sort_key"] = sort_key(values["name"])
        if not values["name"]:
            raise HelpdeskError(_lazy("A product needs a name."), field="name")
        if _other(session, Product.sort_key == values["sort_key"], product_id):
            message = _lazy("There is a product %(name)s already.")
            raise Conflict(message, field="name", name=values["name"])
    if "group" in values:
        values["group"] = clean_line(values["group"] or "", GROUP_LIMIT)
    if "sku" in values:
        values["sku"] = clean_line(values["sku"] or "", SKU_LIMIT) or None
        if values["sku"] and _other(session, Product.sku == values["sku"], product_id):
            message = _lazy("The number %(number)s belongs to another product.")
            raise Conflict(message, field="sku", number=values["sku"])
    return values


def _other(session: Session, same: ColumnElement[bool], product_id: int | None) -> bool:
    query = select(Product.id).where(same)
    if product_id is not None:
        query = query.where(Product.id != product_id)
    return session.scalar(query.limit(1)) is not None
