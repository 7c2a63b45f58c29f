"""What a client owns: the form about one item with its serial number and warranty."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients import items
from helpdesk.clients.fact_actions import open_client
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.products import Item, Product
from helpdesk.web.desk import client_page
from helpdesk.web.guard import actor, needs, reading, said

blueprint = Blueprint("desk_client_items", __name__)

TEXTS = ("serial", "batch", "note")
DAYS = ("bought_on", "warranty_until")
PRODUCTS = 500


@blueprint.get("/desk/clients/<int:client_id>/items/new")
@needs("client.change")
def new(client_id: int) -> str:
    return _page(client_id, None, {})


@blueprint.post("/desk/clients/<int:client_id>/items/new")
@needs("client.change")
def create(client_id: int) -> BaseResponse | tuple[str, int]:
    try:
        with ext.write() as session:
            client = open_client(session, client_id)
            items.put_item(session, client, _read(), actor=actor(), at=now())
    except HelpdeskError as error:
        return _again(client_id, None, error)
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}#items")


@blueprint.get("/desk/clients/<int:client_id>/items/<int:item_id>")
@needs("client.change")
def edit(client_id: int, item_id: int) -> str:
    return _page(client_id, items.item_of(reading(), client_id, item_id), {})


@blueprint.post("/desk/clients/<int:client_id>/items/<int:item_id>")
@needs("client.change")
def save(client_id: int, item_id: int) -> BaseResponse | tuple[str, int]:
    try:
        with ext.write() as session:
            open_client(session, client_id)
            item = items.item_of(session, client_id, item_id)
            items.change_item(session, item, _read(), actor=actor(), at=now())
    except HelpdeskError as error:
        return _again(client_id, item_id, error)
    flash(_("Saved."))
    return redirect(f"/desk/clients/{client_id}#items")


def _read() -> dict[str, Any]:
    form = request.form
    product = form.get("product", "")
    known = product.isascii() and product.isdigit() and len(product) < 18
    values: dict[str, Any] = {name: form.get(name, "") for name in TEXTS}
    return (
        values | {name: _day(name) for name in DAYS} | {"product_id": int(product) if known else 0}
    )


def _day(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        raise HelpdeskError(_lazy("Write a day like 2026-12-31."), field=name) from None
    if found is not None and not 1900 <= found.year <= 2200:
        raise HelpdeskError(_lazy("Write a day like 2026-12-31."), field=name)
    return found


def _again(client_id: int, item_id: int | None, error: HelpdeskError) -> tuple[str, int]:
    if error.status == 404:
        raise error
    item = items.item_of(reading(), client_id, item_id) if item_id else None
    return _page(client_id, item, {error.field or "": said(error)}), error.status


def _page(client_id: int, item: Item | None, errors: dict[str, str]) -> str:
    client = client_page.client_here(client_id)
    products = select(Product.id, Product.name).where(Product.active.is_(True))
    rows = reading().execute(products.order_by(Product.sort_key, Product.id).limit(PRODUCTS)).all()
    options = [(id_, name) for id_, name in rows]
    if item is not None and item.product_id not in {id_ for id_, _name in options}:
        options.insert(0, (item.product_id, item.product.name))
    values: dict[str, Any] = dict.fromkeys((*TEXTS, *DAYS, "product"), "")
    if item is not None:
        values = {name: getattr(item, name) or "" for name in (*TEXTS, *DAYS)}
        values["product"] = item.product_id
    if errors:
        values |= request.form.to_dict()
    return render_template(
        "desk/client_item.html",
        section="clients",
        client=client,
        item=item,
        values=values,
        products=options,
        errors=errors,
    )
