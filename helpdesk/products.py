"""Products, and the items of them that clients own."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.ext import Base, SortKey, partial_index


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
