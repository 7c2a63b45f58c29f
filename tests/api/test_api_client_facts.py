"""A client's record over the API: profile, purchases, invoices, debts, items, notes."""

from collections.abc import Callable
from typing import Any

import pytest

from helpdesk import ext
from helpdesk.clients.models import Client
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.products import Product
from tests.api.conftest import Program
from tests.cast import Cast

SALE: dict[str, Any] = {
    "external_id": "S-1",
    "bought_on": "2026-11-20",
    "title": "Kettle",
    "amount": 89900,
    "currency": "UAH",
}
BILL: dict[str, Any] = {
    "external_id": "B-1",
    "issued_on": "2026-10-01",
    "due_on": "2026-11-01",
    "amount": 124000,
    "currency": "UAH",
}


@pytest.fixture
def path(cast: Cast) -> str:
    with ext.write() as session:
        seed_fields(session)
        for name, sku in (("Kettle", "K-1"), ("Iron", None)):
            session.add(Product(name=name, sort_key=name, sku=sku, created_at=now()))
    return f"/clients/{cast.oksana.client_id}"


def test_the_record_is_read_and_changed(sam: Program, path: str) -> None:
    firm = sam.post("/clients", {"name": "Svitlo", "kind": "organisation", "external_id": "F1"})
    change = {
        "relation": "partner",
        "potential": False,
        "organisation": firm["id"],
        "timezone": "Europe/Kyiv",
        "external_id": "C-17",
        "profile": {"birthday": "1980-12-31", "loyalty": 90, "income": 1000.5},
    }
    read = sam.patch(path, change)
    named = {"organisation": {"id": firm["id"], "name": "Svitlo"}}
    assert change | named | {"profile_hidden": []} == {
        key: read[key] for key in (*change, "profile_hidden")
    }
    assert [c["id"] for c in sam.get("/clients", external_id="C-17")["items"]] == [read["id"]]
    read = sam.patch(path, {"profile": {"loyalty": None}, "organisation": None})
    assert read["profile"] == {"birthday": "1980-12-31", "income": 1000.5}
    assert read["organisation"] is None
    made = sam.post("/clients", {"name": "New", "profile": {"occupation": "cook"}})
    assert made["profile"] == {"occupation": "cook"}


def test_a_value_that_does_not_fit_says_which(sam: Program, path: str, cast: Cast) -> None:
    sam.patch(f"/clients/{cast.stranger.client_id}", {"external_id": "taken"})
    for body, field in (
        ({"profile": {"birthday": "soon"}}, "profile.birthday"),
        ({"profile": {"horoscope": "Lion"}}, "profile.horoscope"),
        ({"timezone": "Mars"}, "timezone"),
        ({"organisation": cast.stranger.client_id}, "organisation"),
        ({"external_id": "taken"}, "external_id"),
    ):
        assert sam.patch(path, body, 409)["errors"][0]["field"] == field
    firm = sam.post("/clients", {"name": "Svitlo", "kind": "organisation"})
    refused = sam.patch(f"/clients/{firm['id']}", {"profile": {"birthday": "1980-12-31"}}, 409)
    assert refused["errors"][0]["field"] == "profile.birthday"
    for wrong in ({"profile": {"Bad key": 1}}, {"profile": []}, {"relation": "enemy"}):
        sam.patch(path, wrong, 422)


def test_sensitive_values_are_for_those_who_may(
    alice: Program, sam: Program, path: str, program: Callable[..., Program], cast: Cast
) -> None:
    sam.patch(path, {"profile": {"income": 1000, "occupation": "cook"}})
    for reader in (alice, program(cast.sam, "client.read", "client.change")):
        read = reader.get(path)
        assert read["profile"] == {"occupation": "cook"} and read["profile_hidden"] == ["income"]
        refused = reader.patch(path, {"profile": {"income": 1}}, 403)
        assert refused["errors"][0]["field"] == "profile.income"
    assert alice.get("/clients", q="Оксана")["items"][0]["profile_hidden"] == ["income"]
    assert sam.get(path)["profile"]["income"] == 1000


def test_a_purchase_told_twice_is_one(alice: Program, path: str, cast: Cast) -> None:
    made = alice.post(f"{path}/purchases", SALE | {"product": "K-1"}, 200)
    assert made["product"]["name"] == "Kettle" and made["status"] == "delivered"
    again = alice.post(f"{path}/purchases", SALE | {"status": "returned", "quantity": 2}, 200)
    assert (again["id"], again["status"], again["quantity"]) == (made["id"], "returned", 2)
    assert again["product"]["name"] == "Kettle", "what is left out stays"
    assert alice.post(f"{path}/purchases", SALE | {"product": None}, 200)["product"] is None
    assert alice.get(f"{path}/purchases")["items"] == [alice.post(f"{path}/purchases", SALE, 200)]
    other = f"/clients/{cast.stranger.client_id}/purchases"
    assert alice.post(other, SALE, 409)["errors"][0]["field"] == "external_id"
    for wrong, status, field in (
        ({"bought_on": "2026-02-30"}, 409, "bought_on"),
        ({"bought_on": "soon"}, 422, "bought_on"),
        ({"currency": "XXQ"}, 409, "currency"),
        ({"amount": -1}, 422, "amount"),
        ({"amount": 10**16}, 422, "amount"),
        ({"product": "Nothing"}, 409, "product"),
    ):
        refused = alice.post(f"{path}/purchases", SALE | wrong, status)
        assert refused["errors"][0]["field"] == field


def test_debts_follow_the_invoices(alice: Program, path: str) -> None:
    assert alice.get(f"{path}/debts")["items"] == []
    alice.post(f"{path}/invoices", BILL, 200)
    alice.post(f"{path}/invoices", BILL | {"external_id": "B-2", "due_on": None}, 200)
    (debt,) = alice.get(f"{path}/debts")["items"]
    assert debt == {
        "currency": "UAH",
        "not_due": 124000,
        "days_1_30": 124000,
        "days_31_60": 0,
        "days_61_90": 0,
        "days_over_90": 0,
        "total": 248000,
        "days_late": 22,
    }
    alice.post(f"{path}/invoices", BILL | {"paid": 124000, "paid_on": "2026-11-02"}, 200)
    assert alice.get(f"{path}/debts")["items"][0]["days_late"] == 0
    paid = alice.get(f"{path}/invoices")["items"][-1]
    assert (paid["paid"], paid["paid_on"], paid["cancelled"]) == (124000, "2026-11-02", False)
    page = alice.get(f"{path}/invoices", limit=1)
    rest = alice.get(f"{path}/invoices", limit=5, cursor=page["next_cursor"])
    assert len(page["items"] + rest["items"]) == 2 and rest["next_cursor"] is None


def test_items_are_kept_by_their_outside_number(alice: Program, path: str) -> None:
    item = {"product": "Iron", "serial": "sn 12", "external_id": "I-1"}
    made = alice.post(f"{path}/items", item, 200)
    again = alice.post(f"{path}/items", item | {"warranty_until": "2027-01-01"}, 200)
    assert again["id"] == made["id"] and again["warranty_until"] == "2027-01-01"
    alice.post(f"{path}/items", {"product": "Kettle"}, 200)
    alice.post(f"{path}/items", {"product": "Kettle"}, 200)
    assert len(alice.get(f"{path}/items")["items"]) == 3
    alice.post(f"{path}/items", {"product": "Nothing"}, 409)


def test_notes_are_written_read_and_deleted(alice: Program, path: str, cast: Cast) -> None:
    note = alice.post(f"{path}/notes", {"text": "Prefers mornings"})
    assert note["by"] == "Alice"
    assert alice.get(f"{path}/notes")["items"] == [note]
    assert alice.call("DELETE", f"{path}/notes/{note['id']}").get_json() == note
    assert alice.get(f"{path}/notes")["items"] == []
    assert alice.call("DELETE", f"{path}/notes/{note['id']}").get_json() == note
    other = f"/clients/{cast.stranger.client_id}/notes/{note['id']}"
    assert alice.call("DELETE", other).status_code == 404


def test_nothing_is_added_to_nobody_or_the_erased(alice: Program, path: str) -> None:
    for part, body in (
        ("purchases", SALE), ("invoices", BILL), ("items", {"product": "Iron"}),
        ("notes", {"text": "x"}),
    ):  # fmt: skip
        alice.post(f"/clients/999/{part}", body, 404)
        alice.get(f"/clients/999/{part}", 404)
        with ext.write() as session:
            session.get_one(Client, 1).erased_at = now()
        alice.post(f"{path}/{part}", body, 409)
    alice.get("/clients/999/debts", 404)


def test_the_timeline_tells_money_and_notes(alice: Program, path: str) -> None:
    alice.post(f"{path}/purchases", SALE, 200)
    alice.post(f"{path}/notes", {"text": "Prefers mornings"})
    items = alice.get(f"{path}/timeline")["items"]
    assert [(item["kind"], item["title"]) for item in items] == [
        ("client.note", "Prefers mornings"),
        ("client.created", "The client was added"),
        ("purchase", "Purchase UAH\xa0899.00: Kettle"),
    ]
    assert items[-1]["at"] == "2026-11-20T12:00:00Z"
