"""Products: the list with its search and pages, the form about one with what clients own of it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients.models import Client
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.lib.text import clean_line
from helpdesk.products import (
    NAME_LIMIT,
    Item,
    Product,
    change_product,
    create_product,
    find_products,
)
from helpdesk.tickets.about import items_by_product, tickets_by_product
from helpdesk.web.admin.forms import check_seen, cursor, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_products", __name__)

PAGE = 50
COUNT_CAP = 99
ITEMS = 20


@dataclass(frozen=True)
class Shown:
    """What the form of a product holds."""

    name: str = ""
    group: str = ""
    sku: str = ""
    active: bool = True

    def changes(self) -> dict[str, Any]:
        return {"name": self.name, "group": self.group, "sku": self.sku}


@blueprint.get("/admin/products")
@needs("product.change")
def listing() -> str:
    """By name; `?q=` words of the name or the beginning of the number, `?after=` where to go on."""
    session = reading()
    text = clean_line(request.args.get("q", ""), NAME_LIMIT)
    after = cursor("after")
    last = _product(session, after) if after is not None else None
    found = find_products(session, text, active=False, after=last, limit=PAGE + 1)
    rows = found[:PAGE]
    ids = [one.id for one in rows]
    more = {"q": text, "after": rows[-1].id} if len(found) > PAGE else None
    return render_template(
        "admin/products.html",
        products=rows,
        q=text,
        tickets=tickets_by_product(session, ids, cap=COUNT_CAP),
        items=items_by_product(session, ids, cap=COUNT_CAP),
        cap=COUNT_CAP,
        next_url=f"/admin/products?{urlencode(more)}" if more else None,
        later_page=last is not None,
    )


@blueprint.get("/admin/products/new")
@needs("product.change")
def new() -> str:
    return _page(None, Shown())


@blueprint.post("/admin/products/new")
@needs("product.change")
def create() -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            create_product(session, at=now(), actor=actor(), **shown.changes())
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    forget()
    flash(_("Added: %(name)s.", name=clean_line(shown.name, NAME_LIMIT)))
    return redirect("/admin/products")


@blueprint.get("/admin/products/<int:product_id>")
@needs("product.change")
def edit(product_id: int) -> str:
    found = _product(reading(), product_id)
    return _page(found, _shown(found))


@blueprint.post("/admin/products/<int:product_id>")
@needs("product.change")
def save(product_id: int) -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            found = _product(session, product_id)
            check_seen(_seen(found))
            changes = shown.changes() | {"active": shown.active}
            change_product(session, found, at=now(), actor=actor(), **changes)
    except HelpdeskError as error:
        return _page(_product(reading(), product_id), shown, wrong(error)), page_status(error)
    forget()
    flash(_("Saved."))
    return redirect("/admin/products")


def _product(session: Session, product_id: int) -> Product:
    found = session.get(Product, product_id)
    if found is None:
        raise NotFound()
    return found


def _read() -> Shown:
    form = request.form
    return Shown(
        name=form.get("name", "")[:300],
        group=form.get("group", "")[:300],
        sku=form.get("sku", "")[:300],
        active=form.get("active") == "1",
    )


def _shown(found: Product) -> Shown:
    return Shown(found.name, found.group, found.sku or "", found.active)


def _seen(found: Product) -> str:
    return fingerprint(_shown(found).changes(), found.active)


def _page(found: Product | None, shown: Shown, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "admin/product.html",
        product=found,
        shown=shown,
        seen=_seen(found) if found is not None else "",
        items=_items(found.id) if found is not None else [],
        most=ITEMS,
        errors=errors or {},
    )


def _items(product_id: int) -> list[tuple[Item, str]]:
    """The newest items of a product with the names of their owners."""
    query = select(Item, Client.name).join(Client, Client.id == Item.client_id)
    query = query.where(Item.product_id == product_id).order_by(Item.id.desc()).limit(ITEMS)
    return [(item, name) for item, name in reading().execute(query)]
