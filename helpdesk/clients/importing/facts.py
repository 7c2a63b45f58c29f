"""Rows of purchases, invoices and items: checked, then put by the verbs that the API uses too."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from helpdesk.clients.billing import put_invoice, put_purchase
from helpdesk.clients.facts import Invoice, Purchase, PurchaseStatus
from helpdesk.clients.import_models import ImportKind
from helpdesk.clients.importing.headers import Row
from helpdesk.clients.importing.rows import (
    SHOWN,
    Known,
    Problem,
    check_broken,
    own_id,
    problem,
    surplus,
    word_of,
    yes_or_no,
)
from helpdesk.clients.importing.world import CHANGED, CREATED, SAME
from helpdesk.clients.items import change_item, put_item, serial_key
from helpdesk.clients.match import by_email, by_phone
from helpdesk.clients.models import Client
from helpdesk.events import Actor
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.money import parse_amount
from helpdesk.lib.text import clean_line
from helpdesk.products import Item, product_named

_YEAR = "(?P<year>(?:19|2[01])[0-9]{2})"  # as the API takes them
_DAY_FIRST = re.compile(rf"(?P<day>[0-9]{{1,2}})[./](?P<month>[0-9]{{1,2}})[./]{_YEAR}(?: .*)?")
_YEAR_FIRST = re.compile(rf"{_YEAR}-?(?P<month>[0-9]{{2}})-?(?P<day>[0-9]{{2}})(?:[ T].*)?")
_SIGNS = {"ГРН": "UAH", "₴": "UAH", "$": "USD", "€": "EUR", "РУБ": "RUB", "₽": "RUB"}
_MOST = 1_000_000  # pieces
_STATUSES = {
    PurchaseStatus.ORDERED: ("ordered", "new", "заказан", "заказано", "замовлено", "новый"),
    PurchaseStatus.SHIPPED: ("shipped", "sent", "отправлен", "отправлено", "відправлено"),
    PurchaseStatus.DELIVERED: ("delivered", "done", "доставлен", "доставлено", "выполнен"),
    PurchaseStatus.RETURNED: ("returned", "возвращен", "возврат", "повернено", "повернення"),
    PurchaseStatus.CANCELLED: ("cancelled", "canceled", "отменен", "отменено", "скасовано"),
}
NEEDED: Mapping[ImportKind, tuple[str, ...]] = {
    ImportKind.PURCHASES: ("external_id", "bought_on", "title", "amount"),
    ImportKind.INVOICES: ("external_id", "issued_on", "amount"),
    ImportKind.ITEMS: ("product",),
}
_MODELS: Mapping[ImportKind, Any] = {
    ImportKind.PURCHASES: Purchase,
    ImportKind.INVOICES: Invoice,
    ImportKind.ITEMS: Item,
}


@dataclass
class FactRow:
    """A checked row: whose it is by any of their keys, and what the verb takes."""

    number: int
    whose: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_fact(row: Row, known: Known) -> FactRow:
    """Check every cell; amounts by the currency of the row, else that of the country."""
    found = FactRow(row.number)
    found.problems += surplus(row, known)
    cells = [(one, row.cells[one.place]) for one in known.mapped if one.place < len(row.cells)]
    given = [(one, cell.strip()) for one, cell in cells if cell.strip()]
    currency = next((_currency(cell) for one, cell in given if one.key == "currency"), None)
    for one, cell in given:
        try:
            check_broken(cell)
            _take(found, one.key, cell, currency or known.currency)
        except HelpdeskError as error:
            found.problems.append(problem(row.number, one.header, error))
    if "amount" in found.values or "paid" in found.values:
        found.values.setdefault("currency", known.currency)
    return found


class Facts:
    """Puts rows of one kind; the clients and products they name are looked up once a chunk."""

    def __init__(
        self, session: Session, kind: ImportKind, known: Known, *, actor: Actor, at: datetime
    ) -> None:
        self._session, self._kind, self._known = session, kind, known
        self._who: dict[str, Any] = {"actor": actor, "at": at}
        self._clients: dict[tuple[str, Any], Client] = {}
        self._products: dict[str, int] = {}

    def put(self, row: FactRow) -> str:
        """created, changed or same. Raises HelpdeskError, with a column's key as its field."""
        values = dict(row.values)
        if "product" in values:
            values["product_id"] = self._product(values.pop("product"))
        old = self._existing(values)
        client = self._client(row, old)
        if old is None:
            self._check_needed(values)
        before = _snapshot(old)
        new = self._put(client, values, old)
        if old is None:
            return CREATED
        return SAME if _snapshot(new) == before else CHANGED

    def _put(self, client: Client, values: dict[str, Any], old: Any) -> Any:
        if self._kind == ImportKind.ITEMS:
            return self._put_item(client, values, old)
        if self._kind == ImportKind.PURCHASES:
            kept = ("external_id", "bought_on", "title", "amount", "currency")
            given = _kept(old, kept) | values
            return put_purchase(self._session, client, given, **self._who)[0]
        kept = ("external_id", "issued_on", "amount", "currency", "due_on")
        return put_invoice(self._session, client, _kept(old, kept) | values, **self._who)[0]

    def _put_item(self, client: Client, values: dict[str, Any], old: Item | None) -> Item:
        if old is None:
            return put_item(self._session, client, values, **self._who)[0]
        if old.client_id != client.id:
            message = _lazy("The item belongs to another client.")
            raise HelpdeskError(message, field="id" if "id" in values else "external_id")
        kept = _kept(old, ("bought_on", "warranty_until"))
        change_item(self._session, old, kept | values, **self._who)
        return old

    def _existing(self, values: dict[str, Any]) -> Any:
        """The row that is meant: by id, by number, an item also by its serial number."""
        model = _MODELS[self._kind]
        if self._kind == ImportKind.ITEMS and (id_ := values.pop("id", None)):
            found = self._session.get(Item, id_)
            if found is None:
                message = _lazy("There is no item with the ID %(id)s.")
                raise HelpdeskError(message, field="id", id=str(id_))
            return found
        external = values.get("external_id")
        if external:
            return self._session.scalar(select(model).where(model.external_id == external))
        key = serial_key(values.get("serial", "")) if self._kind == ImportKind.ITEMS else None
        if key is None or "product_id" not in values:
            return None
        same = select(Item).where(Item.serial_key == key, Item.product_id == values["product_id"])
        return self._session.scalar(same.order_by(Item.id).limit(1))

    def _check_needed(self, values: Mapping[str, Any]) -> None:
        names = {"product": "product_id"} if self._kind == ImportKind.ITEMS else {}
        for name in NEEDED[self._kind]:
            if values.get(names.get(name, name)) is None:
                raise HelpdeskError(_lazy("This is needed."), field=name)
        if self._kind == ImportKind.ITEMS and not (
            values.get("external_id") or values.get("serial")
        ):
            message = _lazy("A number or a serial number is needed, to know the item again.")
            raise HelpdeskError(message, field="serial")

    def _client(self, row: FactRow, old: Any) -> Client:
        if not row.whose:
            if old is not None:
                return self._session.get_one(Client, old.client_id)
            raise HelpdeskError(_lazy("The row does not say whose it is."))
        key, value = next(iter(row.whose.items()))
        if (key, value) not in self._clients:
            self._clients[key, value] = self._find(key, value)
        return self._clients[key, value]

    def _find(self, key: str, value: Any) -> Client:
        found: Client | None = None
        if key == "client_id":
            found = self._session.get(Client, value)
        elif key == "client_external_id":
            found = self._session.scalar(select(Client).where(Client.external_id == value))
        else:
            read = by_email(self._session, value) if key == "client_email" else self._phone(value)
            found = self._session.get(Client, read.client_id) if read is not None else None
        for _ in range(20):
            if found is None or found.merged_into_id is None:
                break
            found = self._session.get(Client, found.merged_into_id)
        if found is None or found.erased_at is not None:
            message = _lazy("There is no client %(value)s.")
            raise HelpdeskError(message, field=key, value=str(value)[:SHOWN])
        return found

    def _phone(self, value: str) -> Any:
        return by_phone(self._session, value, self._known.country)

    def _product(self, name: str) -> int:
        if name not in self._products:
            self._products[name] = product_named(self._session, name).id
        return self._products[name]


def day_of(cell: str) -> date:
    """The day of 2026-11-21, 21.11.2026 or 21/11/2026, an hour after it or not."""
    found = _DAY_FIRST.fullmatch(cell) or _YEAR_FIRST.fullmatch(cell)
    parts = [int(found[name]) for name in ("year", "month", "day")] if found else [0, 0, 0]
    try:
        return date(*parts)
    except ValueError:
        message = _lazy("This is no day: %(value)s. Write 2026-11-21 or 21.11.2026.")
        raise HelpdeskError(message, value=clean_line(cell, SHOWN)) from None


def _take(found: FactRow, key: str, cell: str, currency: str) -> None:
    if key == "client_id":
        found.whose = {key: own_id(cell)} | found.whose
    elif key.startswith("client_"):
        found.whose[key] = clean_line(cell, 254)
    elif key in ("amount", "paid"):
        found.values[key] = _amount(cell, currency)
    else:
        found.values[key] = _READERS.get(key, clean_line)(cell)


def _amount(cell: str, currency: str) -> int:
    amount = parse_amount(cell, currency)
    if amount is None:
        message = _lazy("This is no amount in %(currency)s: %(value)s")
        raise HelpdeskError(message, currency=currency, value=clean_line(cell, SHOWN))
    return amount


def _currency(cell: str) -> str:
    code = clean_line(cell, 10).upper().rstrip(".")
    return _SIGNS.get(code, code)


def _quantity(cell: str) -> int:
    text = cell.removesuffix(".0")
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MOST):
        message = _lazy("This is no number of pieces: %(value)s")
        raise HelpdeskError(message, value=clean_line(cell, SHOWN))
    return int(text)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "id": own_id,
    "bought_on": day_of,
    "issued_on": day_of,
    "due_on": day_of,
    "paid_on": day_of,
    "warranty_until": day_of,
    "currency": _currency,
    "quantity": _quantity,
    "cancelled": yes_or_no,
    "status": lambda cell: word_of(cell, _STATUSES),
}


def _kept(old: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """What the row does not say stays as it is."""
    return {name: getattr(old, name) for name in names} if old is not None else {}


def _snapshot(row: Any) -> dict[str, Any]:
    if row is None:
        return {}
    columns = inspect(type(row)).columns.keys()
    return {name: getattr(row, name) for name in columns if name != "updated_at"}
