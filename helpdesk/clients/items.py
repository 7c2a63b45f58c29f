"""Items that clients own: added, changed, found by their serial number in any spelling."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from helpdesk.clients.models import Client
from helpdesk.events import Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line, fold
from helpdesk.products import Item, Product

SERIAL_LIMIT = 60
NOTE_LIMIT = 300
# Letters that people and scanners take for each other, of two alphabets.
_LOOK_ALIKE = str.maketrans("АВЕКМНОРСТУХІЅЈ", "ABEKMHOPCTYXISJ")


def serial_key(serial: str) -> str | None:
    """The form in which serial numbers are compared: capital letters and digits alone.

    Cyrillic letters that look like Latin ones count as these. None for a text without any.
    """
    upper = fold(clean_line(serial, SERIAL_LIMIT)).upper().translate(_LOOK_ALIKE)
    return "".join(char for char in upper if char.isalnum())[:SERIAL_LIMIT] or None


def items_of(session: Session, client_id: int, *, limit: int = 50) -> list[Item]:
    """The client's items with their products, newest first."""
    query = select(Item).where(Item.client_id == client_id).options(joinedload(Item.product))
    return list(session.scalars(query.order_by(Item.id.desc()).limit(limit)))


def find_items(session: Session, serial: str, *, limit: int = 20) -> list[Item]:
    """Items with this serial number in any spelling, newest first."""
    key = serial_key(serial)
    if key is None:
        return []
    query = select(Item).where(Item.serial_key == key).options(joinedload(Item.product))
    return list(session.scalars(query.order_by(Item.id.desc()).limit(limit)))


def item_of(session: Session, client_id: int, item_id: int) -> Item:
    """An item of this client. Raises NotFound."""
    query = select(Item).where(Item.id == item_id, Item.client_id == client_id)
    item = session.scalar(query)
    if item is None:
        raise NotFound()
    return item


def put_item(
    session: Session, client: Client, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> tuple[Item, bool]:
    """Add an item, or change the one with this external_id; whether it was added.

    `values`: product_id and, if given, external_id, serial, batch, bought_on, warranty_until,
    note. Raises HelpdeskError, or Conflict where the external_id is another client's.
    """
    given = _checked(session, values)
    found = None
    if given.get("external_id"):
        query = select(Item).where(Item.external_id == given["external_id"])
        found = session.scalar(query.with_for_update())
    if found is not None and found.client_id != client.id:
        message = _lazy("The number %(number)s belongs to another client.")
        raise Conflict(message, field="external_id", number=given["external_id"])
    if found is not None:
        change_item(session, found, given, actor=actor, at=at)
        return found, False
    item = Item(client_id=client.id, created_at=at, **given)
    session.add(item)
    session.flush()
    record(session, "item.created", actor=actor, at=at, client_id=client.id, item_id=item.id)
    return item, True


def change_item(
    session: Session, item: Item, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Change what `put_item` takes. Raises HelpdeskError."""
    given = _checked(session, {"product_id": item.product_id, **values})
    changed = {name: value for name, value in given.items() if getattr(item, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(item, name, value)
    session.flush()
    fields = sorted(changed.keys() - {"serial_key"})
    record(
        session,
        "item.changed",
        actor=actor,
        at=at,
        client_id=item.client_id,
        item_id=item.id,
        fields=fields,
    )


def under_warranty(item: Item, today: date) -> bool:
    """Whether the warranty holds today; its last day counts."""
    return item.warranty_until is not None and item.warranty_until >= today


def _checked(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(values)
    if session.get(Product, given["product_id"]) is None:
        raise HelpdeskError(_lazy("Choose a product."), field="product")
    for name, limit in (("serial", SERIAL_LIMIT), ("batch", SERIAL_LIMIT), ("note", NOTE_LIMIT)):
        if name in given:
            given[name] = clean_line(given[name] or "", limit)
    if "serial" in given:
        given["serial_key"] = serial_key(given["serial"])
    if "external_id" in given:
        given["external_id"] = clean_line(given["external_id"] or "", 80) or None
    bought, until = given.get("bought_on"), given.get("warranty_until")
    if bought is not None and until is not None and until < bought:
        message = _lazy("The warranty ends before the item was bought.")
        raise HelpdeskError(message, field="warranty_until")
    return given
