"""Clients with their people, purchases, invoices and items as rows of text, a page at a time.

What is written here an import reads back without changing anything.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.clients.facts import Invoice, Purchase
from helpdesk.clients.import_models import ImportKind
from helpdesk.clients.importing.columns import PROFILE, Column
from helpdesk.clients.importing.rows import several
from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.fields import Field, fields_of
from helpdesk.lib.money import minor_digits
from helpdesk.products import Item, Product

PAGE = 500  # clients or facts read at once
Values = dict[str, str]


def rows(kind: ImportKind, columns: Sequence[Column]) -> Iterator[list[str]]:
    """One row after another, in the order of the columns; memory for one page only.

    Needs an application context and opens a session for each page, so that a slow download
    keeps nothing from being cleaned up.
    """
    read = _PAGES[kind]
    last = 0
    while True:
        with ext.session() as session:
            found, last = read(session, last)
        for values in found:
            yield [values.get(column.key, "") for column in columns]
        if not last:
            return


def _next(ids: Sequence[int]) -> int:
    """Where to go on; 0 at the end."""
    return ids[-1] if len(ids) == PAGE else 0


def _clients(session: Session, after: int) -> tuple[list[Values], int]:
    query = select(Client).where(
        Client.id > after, Client.erased_at.is_(None), Client.merged_into_id.is_(None)
    )
    clients = session.scalars(query.order_by(Client.id).limit(PAGE)).all()
    ids = [client.id for client in clients]
    names = _names(session, Client, {one.organisation_id for one in clients})
    emails = _emails(session, {one.owner_id for one in clients})
    people = _people(session, ids)
    fields = fields_of(session)
    found: list[Values] = []
    for client in clients:
        own = _client_values(client, names, emails) | _profile(client, fields)
        found += [own | person for person in people.get(client.id, [{}])]
    return found, _next(ids)


def _client_values(client: Client, names: Mapping[int, str], emails: Mapping[int, str]) -> Values:
    return {
        "id": str(client.id),
        "external_id": client.external_id or "",
        "kind": client.kind.value,
        "name": client.name,
        "relation": client.relation.value,
        "potential": "yes" if client.potential else "no",
        "organisation": names.get(client.organisation_id or 0, ""),
        "owner": emails.get(client.owner_id or 0, ""),
        "language": client.language or "",
        "timezone": client.timezone or "",
        "tags": _tags(client.tags),
        "about": client.about,
    }


def _profile(client: Client, fields: Sequence[Field]) -> Values:
    """Of the fields that are kept of clients of its kind."""
    mine = [one.key for one in fields if one.suits(client.kind) and one.key in client.profile]
    return {f"{PROFILE}{key}": _text(client.profile[key]) for key in mine}


def _tags(tags: Sequence[str]) -> str:
    """Between commas; a single tag with a semicolon needs one, so as not to be two."""
    text = ", ".join(tags)
    return f"{text}," if ";" in text and "," not in text else text


def _people(session: Session, ids: Sequence[int]) -> dict[int, list[Values]]:
    query = select(Person).where(Person.client_id.in_(ids), Person.removed_at.is_(None))
    people = session.scalars(query.order_by(Person.id)).all()
    points: dict[int, dict[ContactKind, list[str]]] = {}
    of_them = select(ContactPoint.person_id, ContactPoint.kind, ContactPoint.value)
    of_them = of_them.join(Person, Person.id == ContactPoint.person_id)
    of_them = of_them.where(Person.client_id.in_(ids), ContactPoint.removed_at.is_(None))
    for person_id, kind, value in session.execute(of_them.order_by(ContactPoint.id)):
        points.setdefault(person_id, {}).setdefault(kind, []).append(value)
    found: dict[int, list[Values]] = {}
    for person in people:
        own = {f"{kind}s": _points(kind, v) for kind, v in points.get(person.id, {}).items()}
        own |= {
            "person_id": str(person.id),
            "person_external_id": person.external_id or "",
            "person": person.name,
            "role": person.role,
            "vocative": person.vocative or "",
        }
        found.setdefault(person.client_id, []).append(own)
    return found


def _points(kind: ContactKind, values: Sequence[str]) -> str:
    """Between semicolons; a line each where one would be read back as several."""
    if kind == ContactKind.MESSENGER and any(several(kind, v, "") != [v] for v in values):
        return "".join(f"{value}\n" for value in values)
    return "; ".join(values)


def _purchases(session: Session, after: int) -> tuple[list[Values], int]:
    found = _facts(session, Purchase, after)
    products = _names(session, Product, {one.product_id for one, _client in found})
    rows = [
        _whose(client)
        | {
            "external_id": one.external_id,
            "bought_on": _text(one.bought_on),
            "status": one.status.value,
            "title": one.title,
            "product": products.get(one.product_id or 0, ""),
            "quantity": str(one.quantity),
            "amount": _amount(one.amount, one.currency),
            "currency": one.currency,
            "paid_by": one.paid_by,
        }
        for one, client in found
    ]
    return rows, _next([one.id for one, _client in found])


def _invoices(session: Session, after: int) -> tuple[list[Values], int]:
    found = _facts(session, Invoice, after)
    rows = [
        _whose(client)
        | {
            "external_id": one.external_id,
            "issued_on": _text(one.issued_on),
            "due_on": _text(one.due_on),
            "amount": _amount(one.amount, one.currency),
            "paid": _amount(one.paid, one.currency),
            "paid_on": _text(one.paid_on),
            "currency": one.currency,
            "cancelled": _text(one.cancelled),
        }
        for one, client in found
    ]
    return rows, _next([one.id for one, _client in found])


def _items(session: Session, after: int) -> tuple[list[Values], int]:
    found = _facts(session, Item, after)
    products = _names(session, Product, {one.product_id for one, _client in found})
    rows = [
        _whose(client)
        | {
            "id": str(one.id),
            "external_id": one.external_id or "",
            "product": products[one.product_id],
            "serial": one.serial,
            "batch": one.batch,
            "bought_on": _text(one.bought_on),
            "warranty_until": _text(one.warranty_until),
            "note": one.note,
        }
        for one, client in found
    ]
    return rows, _next([one.id for one, _client in found])


_PAGES: Mapping[ImportKind, Callable[[Session, int], tuple[list[Values], int]]] = {
    ImportKind.CLIENTS: _clients,
    ImportKind.PURCHASES: _purchases,
    ImportKind.INVOICES: _invoices,
    ImportKind.ITEMS: _items,
}


def _facts(session: Session, model: Any, after: int) -> list[Any]:
    query: Select[Any] = select(model, Client).join(Client, Client.id == model.client_id)
    query = query.where(model.id > after).order_by(model.id).limit(PAGE)
    return list(session.execute(query).all())


def _whose(client: Client) -> Values:
    return {"client_id": str(client.id), "client_external_id": client.external_id or ""}


def _names(session: Session, model: Any, ids: Iterable[int | None]) -> dict[int, str]:
    given = {id_ for id_ in ids if id_ is not None}
    query = select(model.id, model.name).where(model.id.in_(given))
    return {row.id: row.name for row in session.execute(query)} if given else {}


def _emails(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    given = {id_ for id_ in ids if id_ is not None}
    query = select(User.id, User.email).where(User.id.in_(given), User.active.is_(True))
    return {row.id: row.email for row in session.execute(query)} if given else {}


def _amount(minor: int, currency: str) -> str:
    return f"{Decimal(minor).scaleb(-minor_digits(currency)):f}"


def _text(value: Any) -> str:
    """Yes and no by their words, days as 2026-11-21, nothing as nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
