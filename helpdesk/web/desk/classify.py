"""What may be chosen for a ticket: the tree of reasons, products with those of the client first."""

from typing import Any

from flask import Blueprint, render_template, request

from helpdesk.clients.items import items_of
from helpdesk.lib.text import clean_line
from helpdesk.products import NAME_LIMIT, Product, find_products
from helpdesk.tickets.about import recent_products
from helpdesk.tickets.models import Ticket
from helpdesk.web.about import reason_groups, reason_title
from helpdesk.web.desk.chips import shown
from helpdesk.web.desk.listing import is_fragment
from helpdesk.web.desk.ticket import open_ticket
from helpdesk.web.guard import needs, reading

blueprint = Blueprint("desk_classify", __name__)

MOST_ITEMS = 8
MOST_FOUND = 20


@blueprint.get("/desk/t/<number>/reason")
@needs("ticket.change")
def reason(number: str) -> str:
    """The picker of the contact reason; without scripts a page with a list."""
    found = open_ticket(number)
    context = {"groups": reason_groups(found.reason_id), "title_of": reason_title}
    return _draw("reason", found, context)


@blueprint.get("/desk/t/<number>/product")
@needs("ticket.change")
def product(number: str) -> str:
    """The picker of the product; `?find=` words of its name or the beginning of its number."""
    found = open_ticket(number)
    text = clean_line(request.args.get("find", ""), NAME_LIMIT)
    context = {"find": text, **_offered(found, text)}
    if request.headers.get("HX-Target") == "products":
        return render_template("desk/_products.html", ticket=found, **context)
    return _draw("product", found, context)


def _offered(ticket: Ticket, text: str) -> dict[str, Any]:
    """The client's own things and what was chosen lately, or what fits the words."""
    session = reading()
    if text:
        return {"items": [], "products": find_products(session, text, limit=MOST_FOUND)}
    items = items_of(session, ticket.client_id, limit=MOST_ITEMS)
    own = {item.product_id for item in items}
    products: list[Product] = [one for one in recent_products(session) if one.id not in own]
    return {"items": items, "products": products or find_products(session, limit=MOST_FOUND)}


def _draw(what: str, ticket: Ticket, context: dict[str, Any]) -> str:
    query = request.query_string.decode("utf-8", "replace")
    suffix = f"?{query}" if query and "find" not in request.args else ""
    page = {
        "ticket": ticket,
        "was": shown(ticket),
        "base": f"/desk/t/{ticket.number}",
        "suffix": suffix,
        **context,
    }
    if is_fragment():
        return render_template(f"desk/_{what}.html", whole=False, **page)
    return render_template("desk/classify.html", what=what, whole=True, section="queue", **page)
