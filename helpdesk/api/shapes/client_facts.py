"""What is known of a client besides contacts: purchases, invoices, debts, items, notes."""

from typing import Annotated, Literal

from pydantic import MISSING, Field

from helpdesk.api.shapes.base import (
    DATE,
    NO_NUL,
    VISIBLE,
    In,
    Line,
    Listed,
    Moment,
    Named,
    Out,
    Ref,
    Title,
    Whole,
)
from helpdesk.lib.money import MAX_AMOUNT

Day = Annotated[str, Field(pattern=DATE, description="A day, e.g. 2026-11-23.")]
Amount = Annotated[
    int,
    Field(ge=0, le=MAX_AMOUNT, description="In minor units of the currency, e.g. kopecks."),
    Whole,
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, e.g. UAH.")]
OutsideId = Annotated[str, Field(min_length=1, max_length=80, pattern=VISIBLE)]
Serial = Annotated[str, Field(max_length=60, pattern=NO_NUL)]
PurchaseWord = Literal["ordered", "shipped", "delivered", "returned", "cancelled"]


class PurchaseOut(Out):
    id: int
    external_id: str
    bought_on: str
    status: PurchaseWord
    title: str
    product: Named | None
    quantity: int
    amount: int
    currency: str
    paid_by: str
    updated_at: Moment


class PurchaseList(Listed):
    items: list[PurchaseOut]


class PurchaseIn(In):
    external_id: OutsideId
    bought_on: Day
    title: Title
    amount: Amount
    currency: Currency
    status: PurchaseWord | MISSING = MISSING
    product: Ref | None | MISSING = Field(default=MISSING, description="Its id, SKU or name.")
    quantity: Annotated[int, Field(ge=1, le=1_000_000), Whole] | MISSING = MISSING
    paid_by: Line | MISSING = MISSING


class InvoiceOut(Out):
    id: int
    external_id: str
    issued_on: str
    due_on: str | None
    amount: int
    paid: int
    paid_on: str | None
    currency: str
    cancelled: bool
    updated_at: Moment


class InvoiceList(Listed):
    items: list[InvoiceOut]


class InvoiceIn(In):
    external_id: OutsideId
    issued_on: Day
    amount: Amount
    currency: Currency
    due_on: Day | None | MISSING = MISSING
    paid: Amount | MISSING = MISSING
    paid_on: Day | None | MISSING = MISSING
    cancelled: bool | MISSING = MISSING


class DebtOut(Out):
    """What is unpaid in one currency, in minor units, by days late."""

    currency: str
    not_due: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    days_over_90: int
    total: int
    days_late: int = Field(description="Of the oldest unpaid invoice; 0 where nothing is late.")


class DebtList(Out):
    items: list[DebtOut]


class ItemOut(Out):
    id: int
    product: Named
    serial: str
    batch: str
    bought_on: str | None
    warranty_until: str | None
    note: str
    external_id: str | None
    created_at: Moment


class ItemList(Listed):
    items: list[ItemOut]


class ItemIn(In):
    product: Ref
    serial: Serial | MISSING = MISSING
    batch: Serial | MISSING = MISSING
    bought_on: Day | None | MISSING = MISSING
    warranty_until: Day | None | MISSING = MISSING
    note: Line | MISSING = MISSING
    external_id: OutsideId | MISSING = Field(
        default=MISSING, description="With one, a second POST changes the item."
    )


class NoteOut(Out):
    id: int
    text: str
    by: str
    created_at: Moment


class NoteList(Listed):
    items: list[NoteOut]


class NoteIn(In):
    text: Annotated[str, Field(min_length=1, max_length=20_000, pattern=VISIBLE)]
