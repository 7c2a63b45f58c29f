"""Products and contact reasons through the API, and on tickets."""

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.tickets import reasons
from tests.api.conftest import Program

NEW = {"names": {"en": "Late", "ru": "Поздно", "uk": "Запізно"}}
ASKED = {
    "subject": "Де лампа?",
    "text": "Чекаю тиждень.",
    "requester": {"email": "oksana@client.example"},
}


def seed() -> dict[str, int]:
    with ext.write() as session:
        reasons.seed_reasons(session)
        return {one.key: one.id for one in reasons.tree(session)}


def product(name: str, sku: str | None = None) -> int:
    with ext.write() as session:
        return create_product(session, name=name, sku=sku, at=now()).id


def test_a_ticket_opens_with_what_it_is_about(alice: Program) -> None:
    keys, lamp = seed(), product("Lamp", "L-1")
    ticket = alice.post("/tickets", ASKED | {"reason": "delivery-late", "product": "L-1"})
    assert ticket["kind"] == "complaint" and ticket["product"] == {"id": lamp, "name": "Lamp"}
    late = {"id": keys["delivery-late"], "key": "delivery-late", "name": "It is late"}
    assert ticket["reason"] == late
    assert alice.get(f"/tickets/{ticket['id']}") == ticket
    plain = alice.post("/tickets", ASKED)
    assert (plain["kind"], plain["reason"], plain["product"]) == (None, None, None)
    said = alice.post("/tickets", ASKED | {"reason": keys["delivery-late"], "kind": "question"})
    assert said["kind"] == "question"


def test_a_ticket_is_told_what_it_is_about_later(alice: Program) -> None:
    seed()
    lamp = product("Lamp")
    path = f"/tickets/{alice.post('/tickets', ASKED)['id']}"
    change = {"kind": "request", "reason": "payment-refund", "product": lamp}
    ticket = alice.patch(path, change)
    assert ticket["kind"] == "request" and ticket["reason"]["key"] == "payment-refund"
    ticket = alice.patch(path, {"product": None, "reason": None, "kind": None})
    assert (ticket["kind"], ticket["reason"], ticket["product"]) == (None, None, None)
    kinds = [event["kind"] for event in alice.get("/events", limit=200)["items"]]
    assert kinds[-3:] == ["ticket.kind", "ticket.reason", "ticket.product"]


def test_what_is_not_there_is_refused_by_its_field(alice: Program) -> None:
    seed()
    for change, status, field in (
        ({"reason": "nothing"}, 409, "reason"),
        ({"reason": 999}, 409, "reason"),
        ({"product": "nothing"}, 409, "product"),
        ({"kind": "robot"}, 422, "kind"),
        ({"reason": ""}, 422, "reason"),
    ):
        body = alice.post("/tickets", ASKED | change, status)
        assert any(error["field"].startswith(field) for error in body["errors"]), change
    for query in ({"reason": "nothing"}, {"product": "nothing"}):
        alice.get("/tickets", 404, **query)


def test_tickets_are_found_by_reason_with_those_under_it_product_and_kind(alice: Program) -> None:
    keys, lamp = seed(), product("Lamp")
    late = alice.post("/tickets", ASKED | {"reason": "delivery-late"})["id"]
    other = alice.post("/tickets", ASKED | {"product": "Lamp", "kind": "thanks"})["id"]
    for query, ids in (
        ({"reason": "delivery"}, [late]),
        ({"reason": keys["delivery-late"]}, [late]),
        ({"reason": "payment"}, []),
        ({"product": "Lamp"}, [other]),
        ({"product": lamp}, [other]),
        ({"kind": "thanks"}, [other]),
        ({"kind": "complaint", "product": "Lamp"}, []),
    ):
        assert [one["id"] for one in alice.get("/tickets", **query)["items"]] == ids, query


def test_reasons_are_added_and_listed(ada: Program, alice: Program) -> None:
    top = ada.post("/reasons", NEW | {"kind": "complaint", "queue": "Support"})
    assert top["key"] == "late" and top["queue"] == "Support" and top["kind"] == "complaint"
    low = ada.post("/reasons", NEW | {"parent": "late", "key": "very-late", "in_form": False})
    assert low["parent_id"] == top["id"] and not low["in_form"]
    first = alice.get("/reasons", limit=1)
    assert first["items"] == [top]
    assert alice.get("/reasons", cursor=first["next_cursor"])["items"] == [low]
    for change, status in (
        ({"parent": 999}, 409),
        ({"queue": "nothing"}, 409),
        ({"key": "Late!"}, 422),
        ({"key": "late"}, 409),
        ({"names": {"en": "A", "ru": "Б"}}, 422),
        ({}, 409),
    ):
        ada.post("/reasons", NEW | change, status)
    alice.post("/reasons", NEW, 403)


def test_products_are_added_changed_and_found(ada: Program, alice: Program) -> None:
    lamp = ada.post("/products", {"name": "Лампа", "sku": "L-1", "group": "Світло"})
    assert lamp == {"id": lamp["id"], "name": "Лампа", "sku": "L-1", "group": "Світло"} | {
        "active": True
    }
    kettle = ada.post("/products", {"name": "Kettle"})
    assert alice.get("/products", q="ЛАМП")["items"] == [lamp]
    first = alice.get("/products", limit=1)
    assert [first["items"], alice.get("/products", cursor=first["next_cursor"])["items"]] == [
        [kettle],
        [lamp],
    ]
    off = ada.patch(f"/products/{lamp['id']}", {"active": False, "sku": None})
    assert not off["active"] and off["sku"] is None and off["name"] == "Лампа"
    assert alice.get("/products", active="true")["items"] == [kettle]
    ada.post("/products", {"name": "Kettle"}, 409)
    ada.patch(f"/products/{lamp['id']}", {"name": "Kettle"}, 409)
    ada.patch("/products/999", {"name": "X"}, 404)
    ada.post("/products", {"name": " "}, 422)
    assert alice.get("/products", cursor="zzz")["items"] == []
    alice.post("/products", {"name": "X"}, 403)
    body = alice.post("/tickets", ASKED | {"product": lamp["id"]}, 409)
    assert body["errors"][0]["field"] == "product"
