"""Tables of what is known of a client besides contacts: purchases, invoices, notes, documents."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.clients.models import Client
from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.files import StoredFile
from helpdesk.products import Product


class PurchaseStatus(StrEnum):
    ORDERED = "ordered"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Purchase(Base):
    """An order or purchase, as the billing system tells it. Amounts are in minor units."""

    __tablename__ = "purchase"
    __table_args__ = (Index("ix_purchase_client", "client_id", "bought_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    external_id: Mapped[str] = mapped_column(String(80), unique=True)  # the order's number
    bought_on: Mapped[date] = mapped_column(Date)
    status: Mapped[PurchaseStatus] = mapped_column(EnumText(PurchaseStatus))
    title: Mapped[str]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    quantity: Mapped[int] = mapped_column(default=1)
    amount: Mapped[int]  # of the whole line, e.g. kopecks
    currency: Mapped[str] = mapped_column(String(3))  # ISO 4217
    paid_by: Mapped[str] = mapped_column(default="")  # e.g. card
    updated_at: Mapped[datetime]

    product: Mapped[Product | None] = relationship()


class Invoice(Base):
    """What a client is to pay. The debt is `amount - paid` once `due_on` is past."""

    __tablename__ = "invoice"
    __table_args__ = (Index("ix_invoice_client", "client_id", "issued_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    external_id: Mapped[str] = mapped_column(String(80), unique=True)  # the invoice's number
    issued_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    amount: Mapped[int]  # minor units
    paid: Mapped[int] = mapped_column(default=0)  # minor units
    paid_on: Mapped[date | None] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))  # ISO 4217
    cancelled: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]


class ClientNote(Base):
    """What a colleague wrote down about a client, outside any ticket."""

    __tablename__ = "client_note"
    __table_args__ = (Index("ix_client_note_client", "client_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str]
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]  # undo puts it back


class Document(Base):
    """A file of a client: a contract, a statement, a photo."""

    __tablename__ = "document"
    __table_args__ = (
        Index("ix_document_client", "client_id", "created_at"),
        Index("ix_document_file", "file_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    filename: Mapped[str]
    content_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    file: Mapped[StoredFile] = relationship()


class Promise(Base):
    """Something a colleague promised a client, with its moment."""

    __tablename__ = "promise"
    __table_args__ = (
        Index("ix_promise_client", "client_id", "created_at"),
        partial_index("ix_promise_open", "due_at", where="settled_at IS NULL"),
        partial_index("ix_promise_running", "client_id", "due_at", where="settled_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))  # who promised
    text: Mapped[str]
    due_at: Mapped[datetime]
    kept: Mapped[bool | None]  # NULL: not settled yet
    settled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    client: Mapped[Client] = relationship()
