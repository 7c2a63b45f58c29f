"""What tickets are about, in the reader's words: reasons and products, kept for seconds."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import g, request
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.lib.errors import NotFound
from helpdesk.products import Product
from helpdesk.tickets.models import ContactReason
from helpdesk.tickets.reasons import Tree, name_of, tree
from helpdesk.tickets.views import View
from helpdesk.web.cached import SETTINGS_SECONDS, keep, put
from helpdesk.web.guard import reading
from helpdesk.web.words import words

PRODUCT_SECONDS = 60.0
FILTERS = ("reason", "product", "kind")


def reasons() -> Tree:
    """The tree of contact reasons, a few seconds old at most."""
    return keep("reasons", SETTINGS_SECONDS, lambda: tree(reading()))


def language() -> str:
    return str(g.get("language") or "en")


def reason_title(reason_id: Any) -> str:
    """A reason with those above it, "–" for none."""
    if not reason_id:
        return "–"
    return reasons().title(reason_id, language()) or "?"


def reason_name(reason: ContactReason | None) -> str:
    """What a reason itself is called, "" for none."""
    return name_of(reason.names, reason.key, language()) if reason else ""


def reason_groups(chosen: int | None) -> list[tuple[str, list[tuple[int, str, int]]]]:
    """What may be chosen as (name of the topmost, [(id, name, depth)]), the topmost first in each.

    The reason chosen before stays, also if it is switched off by now.
    """
    known, lang = reasons(), language()
    offered = {one.id for one in known.open()} | ({chosen} if chosen else set())
    groups: dict[int, tuple[str, list[tuple[int, str, int]]]] = {}
    for one in known:
        if one.id in offered:
            top = known.reasons[one.path[0]]
            _name, lines = groups.setdefault(top.id, (top.name(lang), []))
            lines.append((one.id, one.name(lang), one.depth))
    return list(groups.values())


def product_name(product_id: Any) -> str:
    """A product's name, "–" for none."""
    if not product_id:
        return "–"
    learn_products([product_id])
    return str(keep(("product", product_id), PRODUCT_SECONDS, lambda: "?"))


def learn_products(ids: Iterable[int]) -> None:
    """Read the names of these products that are not kept yet, in one statement."""
    missing = [id_ for id_ in set(ids) if not keep(("product", id_), PRODUCT_SECONDS, str)]
    if not missing:
        return
    rows = reading().execute(select(Product.id, Product.name).where(Product.id.in_(missing)))
    names = dict(rows.all())
    for id_ in missing:
        put(("product", id_), PRODUCT_SECONDS, names.get(id_, "?"))


def keep_product(product: Product | None) -> None:
    """Keep the name of a product that was read by the way."""
    if product is not None:
        put(("product", product.id), PRODUCT_SECONDS, product.name)


def asked_view() -> str | None:
    """The view an address asks for: `?view=`, or what its `?reason=`, `?product=`, `?kind=` say."""
    for name in FILTERS:
        if request.args.get(name):
            return f"{name}:{request.args[name]}"
    return request.args.get("view")


def about_title(view: View) -> str:
    """The name of a list by reason, product or kind. Raises NotFound for an unknown one."""
    value = view.about.partition(":")[2]
    if view.name == "kind":
        return str(_("Kind: %(name)s", name=words().kind[value]))
    if view.name == "reason":
        title = reasons().title(int(value), language())
        label = _("Reason: %(name)s", name=title)
    else:
        title = product_name(int(value))
        label = _("Product: %(name)s", name=title)
    if title in ("", "?"):
        raise NotFound()
    return str(label)


def reasons_of(view: View) -> Sequence[int]:
    """The reason of a view with all under it; none for another view. Raises NotFound."""
    if view.name != "reason":
        return ()
    found = reasons().under(int(view.about.partition(":")[2]))
    if not found:
        raise NotFound()
    return found
