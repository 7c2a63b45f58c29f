"""Purchases and invoices as the billing system tells them, and what a client owes, by age."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import Date, Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from helpdesk.clients.facts import Invoice, Purchase, PurchaseStatus
from helpdesk.clients.models import Client
from helpdesk.events import Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.money import MAX_AMOUNT, valid_currency
from helpdesk.lib.text import clean_line
from helpdesk.products import Product

ID_LIMIT = 80
TITLE_LIMIT = 300
PAID_BY_LIMIT = 60
NOT_BOUGHT = (PurchaseStatus.RETURNED, PurchaseStatus.CANCELLED)
STEPS = (30, 60, 90)  # days late at which a debt becomes older

Fact = TypeVar("Fact", Purchase, Invoice)


@dataclass(frozen=True)
class Debt:
    """What is unpaid in one currency, in minor units: not due yet, then by days late."""

    currency: str
    not_due: int
    to_30: int  # 1 to 30 days late
    to_60: int
    to_90: int
    older: int
    oldest_due: date | None  # of what is late

    @property
    def late(self) -> int:
        return self.to_30 + self.to_60 + self.to_90 + self.older

    @property
    def total(self) -> int:
        return self.not_due + self.late

    def days_late(self, today: date) -> int:
        """Days since the oldest unpaid invoice was due; 0 where nothing is late."""
        return (today - self.oldest_due).days if self.oldest_due else 0


def put_purchase(
    session: Session, client: Client, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> tuple[Purchase, bool]:
    """Add a purchase, or change the one with this external_id; whether it was added.

    `values`: external_id, bought_on, title, amount, currency and, if given, status, product_id,
    quantity, paid_by. Raises HelpdeskError, or Conflict where the number is another client's.
    """
    given = _common(values) | {"title": clean_line(str(values["title"]), TITLE_LIMIT)}
    if not given["title"]:
        raise HelpdeskError(_lazy("Write what was bought."), field="title")
    product_id = given.get("product_id")
    if product_id is not None and session.get(Product, product_id) is None:
        raise HelpdeskError(_lazy("There is no such product."), field="product")
    if given.get("quantity", 1) < 1:
        raise HelpdeskError(_lazy("At least one piece is needed."), field="quantity")
    if "status" in given:
        given["status"] = PurchaseStatus(given["status"])
    if "paid_by" in given:
        given["paid_by"] = clean_line(given["paid_by"], PAID_BY_LIMIT)
    new = Purchase(client_id=client.id, status=PurchaseStatus.DELIVERED, paid_by="", quantity=1)
    return _put(session, Purchase, client, given, new, actor, at)


def put_invoice(
    session: Session, client: Client, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> tuple[Invoice, bool]:
    """Add an invoice, or change the one with this external_id; whether it was added.

    `values`: external_id, issued_on, amount, currency and, if given, due_on, paid, paid_on,
    cancelled. Raises HelpdeskError, or Conflict where the number is another client's.
    """
    given = _common(values)
    if not 0 <= given.get("paid", 0) <= MAX_AMOUNT:
        raise HelpdeskError(_lazy("This amount does not fit."), field="paid")
    due_on = given.get("due_on")
    if due_on is not None and due_on < given["issued_on"]:
        message = _lazy("An invoice is not due before it is issued.")
        raise HelpdeskError(message, field="due_on")
    new = Invoice(client_id=client.id, paid=0, cancelled=False)
    return _put(session, Invoice, client, given, new, actor, at)


def debts(session: Session, client_id: int, today: date) -> list[Debt]:
    """What a client owes, a line for each currency, the largest part late first."""
    values = {"client_id": client_id} | debt_days(today)
    return debts_from(session.execute(DEBTS, values))


def debt_days(today: date) -> dict[str, date]:
    """Values of the parameters of `DEBTS` besides the client's."""
    return {f"debt_{days}": today - timedelta(days=days) for days in (0, *STEPS)}


def debts_from(rows: Iterable[Any]) -> list[Debt]:
    """Debts from rows of `DEBTS`, the largest part late first."""
    sums: dict[str, dict[int, int]] = {}
    oldest: dict[str, date] = {}
    for currency, step, unpaid, due_on in rows:
        sums.setdefault(currency, {})[int(step)] = int(unpaid)
        if step:
            oldest[currency] = min(due_on, oldest.get(currency, due_on))
    found = [_debt(name, parts, oldest.get(name)) for name, parts in sums.items()]
    return sorted(found, key=lambda debt: (-debt.late, debt.currency))


def _debt(currency: str, parts: Mapping[int, int], oldest_due: date | None) -> Debt:
    not_due, to_30, to_60, to_90, older = (parts.get(step, 0) for step in range(len(STEPS) + 2))
    return Debt(currency, not_due, to_30, to_60, to_90, older, oldest_due)


def _debts() -> Select[Any]:
    edges = [bindparam(f"debt_{days}", type_=Date()) for days in (0, *STEPS)]
    steps = [(Invoice.due_on >= edge, number) for number, edge in enumerate(edges)]
    step = case((Invoice.due_on.is_(None), 0), *steps, else_=len(steps))
    query = (
        select(
            Invoice.currency,
            step.label("step"),
            func.sum(Invoice.amount - Invoice.paid).label("unpaid"),
            func.min(Invoice.due_on).label("due_on"),
        )
        .where(
            Invoice.client_id == bindparam("client_id"),
            Invoice.cancelled.is_(False),
            Invoice.amount > Invoice.paid,
        )
        .group_by(Invoice.currency, "step")
    )
    return cast(Select[Any], query)


# Columns: currency, how late (0: not due, then as in STEPS), what is unpaid, the oldest due day.
DEBTS = _debts()


def _common(values: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(values)
    given["external_id"] = clean_line(str(values["external_id"]), ID_LIMIT)
    if not given["external_id"]:
        raise HelpdeskError(_lazy("A number is needed."), field="external_id")
    if not valid_currency(given["currency"]):
        message = _lazy("There is no currency %(currency)s.")
        raise HelpdeskError(message, field="currency", currency=given["currency"][:10])
    if not 0 <= given["amount"] <= MAX_AMOUNT:
        raise HelpdeskError(_lazy("This amount does not fit."), field="amount")
    return given


def _put(
    session: Session,
    model: type[Fact],
    client: Client,
    given: Mapping[str, Any],
    new: Fact,
    actor: Actor,
    at: datetime,
) -> tuple[Fact, bool]:
    query = select(model).where(model.external_id == given["external_id"]).with_for_update()
    found = session.scalar(query)
    if found is not None and found.client_id != client.id:
        message = _lazy("The number %(number)s belongs to another client.")
        raise Conflict(message, field="external_id", number=given["external_id"])
    row = new if found is None else found
    changed = {name: value for name, value in given.items() if getattr(row, name) != value}
    if not changed:
        return row, False
    for name, value in changed.items():
        setattr(row, name, value)
    row.updated_at = at
    session.add(row)
    session.flush()
    kind = model.__tablename__
    record(session, "client.facts", actor=actor, at=at, client_id=client.id, kind=kind, count=1)
    return row, found is None
