"""The items that a client owns, with serial number and warranty."""

from typing import Any

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api.client_facts import text_of
from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import day_of, product_of
from helpdesk.api.shapes.base import MAX_ID, Named, Paged, Query
from helpdesk.api.shapes.client_facts import ItemIn, ItemList, ItemOut
from helpdesk.clients.fact_actions import open_client
from helpdesk.clients.items import put_item as put
from helpdesk.clients.models import Client
from helpdesk.lib.errors import NotFound
from helpdesk.products import Item

DAYS = ("bought_on", "warranty_until")


@operation(
    "GET",
    "/clients/<int:client_id>/items",
    permission="client.read",
    query=Paged,
    answer=ItemList,
    tag="clients",
)
def list_items(call: Call[Paged, None], client_id: int) -> ItemList:
    """List what a client owns, newest first."""
    if call.session.get(Client, client_id) is None:
        raise NotFound()
    rows = select(Item).options(joinedload(Item.product)).where(Item.client_id == client_id)
    rows = rows.where(Item.id < id_of(call.query.cursor, MAX_ID)).order_by(Item.id.desc())
    found = call.session.scalars(rows.limit(call.query.limit + 1)).all()
    page, last = cut(found, call.query.limit)
    return ItemList(
        items=[_item(item) for item in page], next_cursor=id_cursor(last.id if last else None)
    )


@operation(
    "POST",
    "/clients/<int:client_id>/items",
    permission="client.change",
    body=ItemIn,
    answer=ItemOut,
    tag="clients",
)
def put_item(call: Call[Query, ItemIn], client_id: int) -> ItemOut:
    """Add an item, or change the one with this external_id."""
    client = open_client(call.session, client_id)
    names = (name for name in ItemIn.model_fields if getattr(call.body, name) is not MISSING)
    values: dict[str, Any] = {name: getattr(call.body, name) for name in names}
    values |= {name: day_of(values[name], name) for name in DAYS if name in values}
    values["product_id"] = product_of(call.session, values.pop("product")).id
    item, _added = put(call.session, client, values, actor=call.actor, at=call.at)
    return _item(item)


def _item(item: Item) -> ItemOut:
    return ItemOut(
        id=item.id,
        product=Named(id=item.product.id, name=item.product.name),
        serial=item.serial,
        batch=item.batch,
        bought_on=text_of(item.bought_on),
        warranty_until=text_of(item.warranty_until),
        note=item.note,
        external_id=item.external_id,
        created_at=item.created_at,
    )
