"""What a ticket is about: kind, contact reason, product and item, and the verb that sets them."""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy.orm import Session

from helpdesk.events import Actor, record
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.products import Item, Product
from helpdesk.tickets.models import ContactReason, Ticket, TicketKind
from helpdesk.tickets.reasons import tree


class Classes(TypedDict, total=False):
    """What `classify` may set; None takes it away, a missing one stays."""

    kind: TicketKind | None
    reason: ContactReason | None
    product: Product | None
    item: Item | None


class ClassIds(TypedDict):
    """The same as a ticket keeps it and `open_ticket` takes it."""

    kind: TicketKind | None
    reason_id: int | None
    product_id: int | None
    item_id: int | None


NOTHING = ClassIds(kind=None, reason_id=None, product_id=None, item_id=None)


def classes_of_new(session: Session, client_id: int, **classes: Unpack[Classes]) -> ClassIds:
    """What a new ticket of this client is about, for `open_ticket`.

    A reason gives its kind where no other is said, an item its product. Raises HelpdeskError for
    a switched-off reason or product and for an item of another client.
    """
    return _after(session, NOTHING, client_id, classes)


def classify(
    session: Session, ticket: Ticket, *, actor: Actor, at: datetime, **classes: Unpack[Classes]
) -> None:
    """Say what the ticket is about; each change is an Event of its own.

    A reason with a kind gives it to a ticket that has none. An item brings its product; another
    product takes the former one's item away. Raises HelpdeskError as `classes_of_new` does.
    """
    old = ClassIds(
        kind=ticket.kind,
        reason_id=ticket.reason_id,
        product_id=ticket.product_id,
        item_id=ticket.item_id,
    )
    new = _after(session, old, ticket.client_id, classes)
    if new == old:
        return
    ticket.kind, ticket.reason_id = new["kind"], new["reason_id"]
    ticket.product_id, ticket.item_id = new["product_id"], new["item_id"]
    ticket.updated_at = at
    ticket.version += 1
    session.flush()
    about: dict[str, Any] = {
        "actor": actor,
        "at": at,
        "ticket_id": ticket.id,
        "client_id": ticket.client_id,
    }
    for kind, data in _changes(old, new):
        record(session, kind, **about, **data)


def _after(session: Session, old: ClassIds, client_id: int, classes: Classes) -> ClassIds:
    new = ClassIds(**old)
    if "kind" in classes:
        new["kind"] = classes["kind"]
    if "reason" in classes:
        _put_reason(session, new, classes["reason"])
    if "product" in classes:
        _put_product(new, classes["product"])
    if "item" in classes:
        _put_item(new, classes["item"], client_id)
    return new


def _put_reason(session: Session, new: ClassIds, reason: ContactReason | None) -> None:
    if reason is None:
        new["reason_id"] = None
        return
    if reason.id != new["reason_id"] and reason.id not in {one.id for one in tree(session).open()}:
        message = _lazy("The contact reason %(name)s is switched off.")
        raise HelpdeskError(message, field="reason", name=reason.key)
    new["reason_id"] = reason.id
    new["kind"] = new["kind"] or reason.kind


def _put_product(new: ClassIds, product: Product | None) -> None:
    if product is not None and product.id != new["product_id"] and not product.active:
        message = _lazy("The product %(name)s is switched off.")
        raise HelpdeskError(message, field="product", name=product.name)
    product_id = product.id if product else None
    if product_id != new["product_id"]:
        new["product_id"], new["item_id"] = product_id, None


def _put_item(new: ClassIds, item: Item | None, client_id: int) -> None:
    if item is None:
        new["item_id"] = None
        return
    if item.client_id != client_id:
        raise HelpdeskError(_lazy("This item is another client's."), field="item")
    new["product_id"], new["item_id"] = item.product_id, item.id


def _changes(old: ClassIds, new: ClassIds) -> list[tuple[str, dict[str, Any]]]:
    """The kinds of Events with their data: ids and enums alone."""
    found: list[tuple[str, dict[str, Any]]] = []
    if new["kind"] != old["kind"]:
        kinds = [kind.value if kind else None for kind in (old["kind"], new["kind"])]
        found.append(("ticket.kind", {"old": kinds[0], "new": kinds[1]}))
    if new["reason_id"] != old["reason_id"]:
        found.append(("ticket.reason", {"old": old["reason_id"], "new": new["reason_id"]}))
    if (new["product_id"], new["item_id"]) != (old["product_id"], old["item_id"]):
        data = {"old": old["product_id"], "new": new["product_id"]}
        item = {"item_id": new["item_id"]} if new["item_id"] else {}
        found.append(("ticket.product", {**data, **item}))
    return found
