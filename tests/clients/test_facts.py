"""Notes, documents, promises, items, purchases, invoices and what is owed."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, files
from helpdesk.clients import billing, fact_actions, items
from helpdesk.clients.models import Client
from helpdesk.events import SYSTEM, Actor, Event
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from helpdesk.products import Product
from tests.cast import Cast

TODAY = date(2026, 11, 23)


def product(session: Session, name: str = "Kettle K-1") -> Product:
    found = Product(name=name, sort_key=sort_key(name), created_at=now())
    session.add(found)
    session.flush()
    return found


def test_a_note_is_written_deleted_and_put_back(cast: Cast) -> None:
    by: dict[str, Any] = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    with ext.write() as session:
        client = fact_actions.open_client(session, cast.oksana.client_id)
        note = fact_actions.add_note(
            session, client, " Calls late ", user_id=cast.alice.id, at=now()
        )
        assert note.text == "Calls late"
        fact_actions.delete_note(session, note, **by)
        fact_actions.delete_note(session, note, **by)
        assert note.deleted_at is not None
        fact_actions.restore_note(session, note, **by)
        assert note.deleted_at is None
        for text in (" ", "x" * 20_001):
            with pytest.raises(HelpdeskError):
                fact_actions.add_note(session, client, text, user_id=cast.alice.id, at=now())
        with pytest.raises(NotFound):
            fact_actions.note_of(session, cast.stranger.client_id, note.id)
        kinds = session.scalars(select(Event.kind).where(Event.kind.like("%noted"))).all()
        assert kinds == ["client.noted", "client.unnoted", "client.noted"]


def test_a_document_is_kept_with_a_harmless_name(cast: Cast) -> None:
    by: dict[str, Any] = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    with ext.write() as session:
        client = fact_actions.open_client(session, cast.oksana.client_id)
        file: dict[str, Any] = {
            "sha256": files.put(b"act"),
            "size": 3,
            "content_type": "text/plain",
        }
        document = fact_actions.add_document(
            session, client, filename="../../etc/act\u202e.pdf", **file, **by
        )
        assert document.filename == ".._etc_act.pdf" or "/" not in document.filename
        fact_actions.delete_document(session, document, **by)
        with pytest.raises(NotFound):
            fact_actions.document_of(session, client.id, document.id)
        fact_actions.restore_document(session, document, **by)
        assert fact_actions.document_of(session, client.id, document.id) is document
        with pytest.raises(HelpdeskError, match="empty"):
            fact_actions.add_document(session, client, filename="a", **(file | {"size": 0}), **by)


def test_a_promise_is_kept_or_broken_and_may_run_again(cast: Cast) -> None:
    by: dict[str, Any] = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    with ext.write() as session:
        client = fact_actions.open_client(session, cast.oksana.client_id)
        make: dict[str, Any] = {"user_id": cast.alice.id, "at": now()}
        due = now() + timedelta(hours=2)
        promise = fact_actions.make_promise(session, client, "Call back", due_at=due, **make)
        fact_actions.settle_promise(session, promise, False, **by)
        assert (promise.kept, promise.settled_at) == (False, now())
        fact_actions.settle_promise(session, promise, None, **by)
        assert (promise.kept, promise.settled_at) == (None, None)
        for text, at in ((" ", due), ("Late", now())):
            with pytest.raises(HelpdeskError):
                fact_actions.make_promise(session, client, text, due_at=at, **make)


def test_nothing_is_added_to_an_erased_client(cast: Cast) -> None:
    with ext.write() as session:
        session.get_one(Client, cast.oksana.client_id).erased_at = now()
        session.flush()
        with pytest.raises(Conflict):
            fact_actions.open_client(session, cast.oksana.client_id)


@pytest.mark.parametrize(
    ("one", "other"), [("sn-00 12/ab", "SN0012AB"), ("АВ-12", "AB12"), ("ab 12", "A.B.1.2")]
)
def test_a_serial_number_is_found_in_any_spelling(cast: Cast, one: str, other: str) -> None:
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        values = {"product_id": product(session).id, "serial": one}
        item, added = items.put_item(session, client, values, actor=SYSTEM, at=now())
        assert added and items.find_items(session, other) == [item]
        assert items.find_items(session, " -- ") == []


def test_an_item_is_the_same_by_its_outside_number(cast: Cast) -> None:
    by: dict[str, Any] = {"actor": SYSTEM, "at": now()}
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        values = {
            "product_id": product(session).id,
            "external_id": "I-1",
            "serial": "S1",
            "bought_on": date(2025, 1, 1),
            "warranty_until": TODAY,
        }
        item, _ = items.put_item(session, client, values, **by)
        again, added = items.put_item(session, client, values | {"serial": "S 2"}, **by)
        assert again is item and not added and item.serial_key == "S2"
        assert items.under_warranty(item, TODAY)
        assert not items.under_warranty(item, TODAY + timedelta(days=1))
        events = session.scalars(select(Event).where(Event.kind.like("item.%"))).all()
        assert [(e.kind, e.data.get("fields")) for e in events] == [
            ("item.created", None),
            ("item.changed", ["serial"]),
        ]
        stranger = session.get_one(Client, cast.stranger.client_id)
        with pytest.raises(Conflict):
            items.put_item(session, stranger, values, **by)
        for wrong in ({"product_id": 999}, {"warranty_until": date(2024, 1, 1)}):
            with pytest.raises(HelpdeskError):
                items.put_item(session, client, values | wrong, **by)


PURCHASE = {
    "external_id": "P-1",
    "bought_on": TODAY,
    "title": "Kettle",
    "amount": 89_900,
    "currency": "UAH",
}
INVOICE = {"external_id": "V-1", "issued_on": TODAY, "amount": 100_000, "currency": "UAH"}


def test_the_billing_system_may_tell_the_same_twice(cast: Cast) -> None:
    by: dict[str, Any] = {"actor": SYSTEM, "at": now()}
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        one, added = billing.put_purchase(session, client, PURCHASE, **by)
        assert added and one.status == "delivered" and one.quantity == 1
        assert billing.put_purchase(session, client, PURCHASE, **by) == (one, False)
        billing.put_purchase(session, client, PURCHASE | {"status": "returned"}, **by)
        assert one.status == "returned" and one.title == "Kettle"
        bill, _ = billing.put_invoice(session, client, INVOICE, **by)
        billing.put_invoice(session, client, INVOICE | {"paid": 100_000, "paid_on": TODAY}, **by)
        assert bill.paid == 100_000
        told = session.scalars(select(Event.data).where(Event.kind == "client.facts")).all()
        assert [data["kind"] for data in told] == ["purchase", "purchase", "invoice", "invoice"]
        stranger = session.get_one(Client, cast.stranger.client_id)
        with pytest.raises(Conflict):
            billing.put_invoice(session, stranger, INVOICE, **by)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"currency": "GRN"}, "currency"),
    ({"amount": -1}, "amount"),
    ({"external_id": " "}, "external_id"),
]


def test_wrong_money_is_refused(cast: Cast) -> None:
    by: dict[str, Any] = {"actor": SYSTEM, "at": now()}
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        for values, place in (*WRONG, ({"title": " "}, "title"), ({"quantity": 0}, "quantity")):
            with pytest.raises(HelpdeskError) as refused:
                billing.put_purchase(session, client, PURCHASE | values, **by)
            assert refused.value.field == place
        due = {"due_on": TODAY - timedelta(days=1)}
        for values, place in (*WRONG, (due, "due_on"), ({"paid": -1}, "paid")):
            with pytest.raises(HelpdeskError) as refused:
                billing.put_invoice(session, client, INVOICE | values, **by)
            assert refused.value.field == place


def owed(session: Session, client: Client, days_late: int | None, amount: int, **more: Any) -> None:
    due = None if days_late is None else TODAY - timedelta(days=days_late)
    values = {
        "external_id": f"V{days_late}{more}",
        "issued_on": TODAY - timedelta(days=900),
        "due_on": due,
        "amount": amount,
        "currency": "UAH",
    }
    billing.put_invoice(session, client, values | more, actor=SYSTEM, at=now())


def test_debts_are_told_by_age(cast: Cast) -> None:
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        days = {None: 1, -5: 2, 0: 4, 1: 8, 30: 16, 31: 32, 60: 64, 61: 128, 90: 256, 91: 512}
        for late, amount in days.items():
            owed(session, client, late, amount)
        owed(session, client, 400, 10_000, cancelled=True)
        owed(session, client, 300, 10_000, paid=10_000)
        owed(session, client, 200, 10_000, paid=9_000, currency="USD")
        hryvnias, dollars = billing.debts(session, client.id, TODAY)
        assert (dollars.currency, dollars.older, dollars.days_late(TODAY)) == ("USD", 1_000, 200)
        assert (hryvnias.not_due, hryvnias.to_30, hryvnias.to_60, hryvnias.to_90) == (
            7,
            24,
            96,
            384,
        )
        assert (hryvnias.older, hryvnias.total, hryvnias.days_late(TODAY)) == (512, 1023, 91)
        assert billing.debts(session, cast.stranger.client_id, TODAY) == []


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80))
def test_a_serial_key_is_its_own_key(serial: str) -> None:
    key = items.serial_key(serial)
    assert key is None or items.serial_key(key) == key
