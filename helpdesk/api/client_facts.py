"""A client's purchases, invoices, debts and notes, as billing and other systems tell them."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.accounts.models import User
from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import day_of, product_of
from helpdesk.api.shapes.base import MAX_ID, Named, Paged, Query
from helpdesk.api.shapes.client_facts import (
    DebtList,
    DebtOut,
    InvoiceIn,
    InvoiceList,
    InvoiceOut,
    NoteIn,
    NoteList,
    NoteOut,
    PurchaseIn,
    PurchaseList,
    PurchaseOut,
)
from helpdesk.clients import billing, fact_actions
from helpdesk.clients.facts import ClientNote, Invoice, Purchase
from helpdesk.clients.models import Client
from helpdesk.lib.errors import NotFound

DAYS = ("bought_on", "issued_on", "due_on", "paid_on")


@operation(
    "GET",
    "/clients/<int:client_id>/purchases",
    permission="client.read",
    query=Paged,
    answer=PurchaseList,
    tag="clients",
)
def list_purchases(call: Call[Paged, None], client_id: int) -> PurchaseList:
    """List a client's purchases, the last told first."""
    rows = select(Purchase).options(joinedload(Purchase.product))
    page, cursor = _page(call, client_id, rows, Purchase)
    return PurchaseList(items=[_purchase(row) for row in page], next_cursor=cursor)


@operation(
    "POST",
    "/clients/<int:client_id>/purchases",
    permission="client.change",
    body=PurchaseIn,
    answer=PurchaseOut,
    tag="clients",
)
def put_purchase(call: Call[Query, PurchaseIn], client_id: int) -> PurchaseOut:
    """Add a purchase, or change the one with this external_id."""
    client = fact_actions.open_client(call.session, client_id)
    values = given_values(call.body)
    if "product" in values:
        ref = values.pop("product")
        values["product_id"] = None if ref is None else product_of(call.session, ref).id
    row, _added = billing.put_purchase(call.session, client, values, actor=call.actor, at=call.at)
    return _purchase(row)


@operation(
    "GET",
    "/clients/<int:client_id>/invoices",
    permission="client.read",
    query=Paged,
    answer=InvoiceList,
    tag="clients",
)
def list_invoices(call: Call[Paged, None], client_id: int) -> InvoiceList:
    """List a client's invoices, the last told first."""
    page, cursor = _page(call, client_id, select(Invoice), Invoice)
    return InvoiceList(items=[_invoice(row) for row in page], next_cursor=cursor)


@operation(
    "POST",
    "/clients/<int:client_id>/invoices",
    permission="client.change",
    body=InvoiceIn,
    answer=InvoiceOut,
    tag="clients",
)
def put_invoice(call: Call[Query, InvoiceIn], client_id: int) -> InvoiceOut:
    """Add an invoice, or change the one with this external_id."""
    client = fact_actions.open_client(call.session, client_id)
    values = given_values(call.body)
    row, _added = billing.put_invoice(call.session, client, values, actor=call.actor, at=call.at)
    return _invoice(row)


@operation(
    "GET",
    "/clients/<int:client_id>/debts",
    permission="client.read",
    answer=DebtList,
    tag="clients",
)
def read_debts(call: Call[Query, None], client_id: int) -> DebtList:
    """Read what a client owes, by age, a line for each currency."""
    _client(call, client_id)
    today = call.at.astimezone(ZoneInfo(current_app.config["TIMEZONE"])).date()
    found = billing.debts(call.session, client_id, today)
    return DebtList(items=[_debt(debt, today) for debt in found])


@operation(
    "GET",
    "/clients/<int:client_id>/notes",
    permission="client.read",
    query=Paged,
    answer=NoteList,
    tag="clients",
)
def list_notes(call: Call[Paged, None], client_id: int) -> NoteList:
    """List what colleagues wrote down about a client, newest first."""
    rows = select(ClientNote).where(ClientNote.deleted_at.is_(None))
    page, cursor = _page(call, client_id, rows, ClientNote)
    users = {note.user_id for note in page}
    names = call.session.execute(select(User.id, User.name).where(User.id.in_(users)))
    known = dict(names.all())
    return NoteList(
        items=[_note(note, known.get(note.user_id, "")) for note in page], next_cursor=cursor
    )


@operation(
    "POST",
    "/clients/<int:client_id>/notes",
    permission="client.change",
    body=NoteIn,
    answer=NoteOut,
    tag="clients",
    status=201,
)
def add_note(call: Call[Query, NoteIn], client_id: int) -> NoteOut:
    """Write something down about a client."""
    client = fact_actions.open_client(call.session, client_id)
    user_id = call.viewer.user_id
    note = fact_actions.add_note(call.session, client, call.body.text, user_id=user_id, at=call.at)
    return _note(note, call.session.get_one(User, user_id).name)


@operation(
    "DELETE",
    "/clients/<int:client_id>/notes/<int:note_id>",
    permission="client.change",
    answer=NoteOut,
    tag="clients",
)
def delete_note(call: Call[Query, None], client_id: int, note_id: int) -> NoteOut:
    """Delete a note; the answer is what it was, also when asked again."""
    note = fact_actions.note_of(call.session, client_id, note_id)
    fact_actions.delete_note(call.session, note, actor=call.actor, at=call.at)
    return _note(note, call.session.get_one(User, note.user_id).name)


def given_values(body: PurchaseIn | InvoiceIn) -> dict[str, Any]:
    """The fields that the body has, days as dates. Raises Refused for a day that is none."""
    values = {
        name: getattr(body, name)
        for name in type(body).model_fields
        if getattr(body, name) is not MISSING
    }
    return values | {name: day_of(values[name], name) for name in DAYS if name in values}


def _client(call: Call[Any, Any], client_id: int) -> Client:
    client = call.session.get(Client, client_id)
    if client is None:
        raise NotFound()
    return client


def _page(
    call: Call[Paged, None], client_id: int, rows: Any, model: Any
) -> tuple[list[Any], str | None]:
    _client(call, client_id)
    rows = rows.where(model.client_id == client_id, model.id < id_of(call.query.cursor, MAX_ID))
    found = call.session.scalars(rows.order_by(model.id.desc()).limit(call.query.limit + 1))
    page, last = cut(found.all(), call.query.limit)
    return page, id_cursor(last.id if last else None)


def _purchase(row: Purchase) -> PurchaseOut:
    product = row.product
    return PurchaseOut(
        id=row.id,
        external_id=row.external_id,
        bought_on=row.bought_on.isoformat(),
        status=row.status.value,
        title=row.title,
        product=Named(id=product.id, name=product.name) if product else None,
        quantity=row.quantity,
        amount=row.amount,
        currency=row.currency,
        paid_by=row.paid_by,
        updated_at=row.updated_at,
    )


def _invoice(row: Invoice) -> InvoiceOut:
    return InvoiceOut(
        id=row.id,
        external_id=row.external_id,
        issued_on=row.issued_on.isoformat(),
        due_on=text_of(row.due_on),
        amount=row.amount,
        paid=row.paid,
        paid_on=text_of(row.paid_on),
        currency=row.currency,
        cancelled=row.cancelled,
        updated_at=row.updated_at,
    )


def _debt(debt: billing.Debt, today: date) -> DebtOut:
    return DebtOut(
        currency=debt.currency,
        not_due=debt.not_due,
        days_1_30=debt.to_30,
        days_31_60=debt.to_60,
        days_61_90=debt.to_90,
        days_over_90=debt.older,
        total=debt.total,
        days_late=debt.days_late(today),
    )


def _note(note: ClientNote, by: str) -> NoteOut:
    return NoteOut(id=note.id, text=note.text, by=by, created_at=note.created_at)


def text_of(day: date | None) -> str | None:
    """A day as the API writes it."""
    return None if day is None else day.isoformat()
