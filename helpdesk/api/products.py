"""Products: what tickets, articles and items speak of."""

from typing import Any

from pydantic import MISSING

from helpdesk import products
from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import given
from helpdesk.api.shapes.base import Query
from helpdesk.api.shapes.products import (
    ProductChange,
    ProductIn,
    ProductList,
    ProductOut,
    ProductQuery,
)
from helpdesk.lib.errors import NotFound
from helpdesk.products import Product


@operation(
    "GET",
    "/products",
    permission="product.read",
    query=ProductQuery,
    answer=ProductList,
    tag="products",
)
def list_products(call: Call[ProductQuery, None]) -> ProductList:
    """List products by name."""
    query = call.query
    after = None
    if query.cursor is not MISSING:
        after = call.session.get(Product, id_of(query.cursor, 0))
        if after is None:  # nothing follows what is not there
            return ProductList(items=[], next_cursor=None)
    found = products.find_products(
        call.session,
        given(query.q, ""),
        active=given(query.active, False),
        after=after,
        limit=query.limit + 1,
    )
    page, last = cut(found, query.limit)
    return ProductList(
        items=[_shape(one) for one in page], next_cursor=id_cursor(last.id if last else None)
    )


@operation(
    "POST",
    "/products",
    permission="product.change",
    body=ProductIn,
    answer=ProductOut,
    tag="products",
    status=201,
)
def add_product(call: Call[Query, ProductIn]) -> ProductOut:
    """Add a product."""
    body = call.body
    return _shape(
        products.create_product(
            call.session,
            name=body.name,
            group=body.group,
            sku=given(body.sku),
            at=call.at,
            actor=call.actor,
        )
    )


@operation(
    "PATCH",
    "/products/<int:product_id>",
    permission="product.change",
    body=ProductChange,
    answer=ProductOut,
    tag="products",
)
def change_product(call: Call[Query, ProductChange], product_id: int) -> ProductOut:
    """Change a product."""
    found = call.session.get(Product, product_id)
    if found is None:
        raise NotFound()
    body = call.body
    named: dict[str, Any] = {
        "name": body.name,
        "group": body.group,
        "sku": body.sku,
        "active": body.active,
    }
    changes = {name: value for name, value in named.items() if value is not MISSING}
    products.change_product(call.session, found, at=call.at, actor=call.actor, **changes)
    return _shape(found)


def _shape(product: Product) -> ProductOut:
    return ProductOut(
        id=product.id,
        name=product.name,
        group=product.group,
        sku=product.sku,
        active=product.active,
    )
