"""Deliveries and events through the API."""

from helpdesk import ext
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from tests.api.conftest import Program
from tests.api.test_api_tickets import ASKED, by_email
from tests.cast import Cast


def delivered(number: int, state: DeliveryState = DeliveryState.NEW) -> int:
    raw = f"Message-ID: <d{number}@x>\r\nFrom: a@b.example\r\n\r\nHello {number}\r\n".encode()
    with ext.write() as session:
        (id_,) = accept(session, [RawEmail(raw, "a@b.example", ("support@example.com",), now())])
        delivery = session.get_one(Delivery, id_)
        delivery.state = state
        delivery.todo = 1 if state == DeliveryState.NEW else None
        delivery.reason = "parser: no" if state == DeliveryState.FAILED else None
    return id_


def test_deliveries_are_listed_and_filtered(sam: Program) -> None:
    new, failed = delivered(1), delivered(2, DeliveryState.FAILED)
    assert [one["id"] for one in sam.get("/deliveries")["items"]] == [failed, new]
    (one,) = sam.get("/deliveries", state="failed")["items"]
    assert one == {
        "id": failed,
        "channel": "email",
        "received_at": "2026-11-23T10:00:00Z",
        "state": "failed",
        "reason": "parser: no",
        "message_id": "d2@x",
        "ticket_id": None,
        "is_auto_reply": False,
        "is_bounce": False,
        "receipt_sent": None,
    }
    (same,) = sam.get("/deliveries", message_id=" <d1@x>")["items"]
    assert same["id"] == new
    assert sam.get("/deliveries", message_id="d1@x", state="failed")["items"] == []
    page = sam.get("/deliveries", limit=1)
    assert sam.get("/deliveries", cursor=page["next_cursor"])["items"][0]["id"] == new


def test_a_failed_delivery_is_replayed_once(sam: Program, cast: Cast) -> None:
    failed = delivered(1, DeliveryState.FAILED)
    again = sam.post(f"/deliveries/{failed}/replay", status=200)
    assert again["state"] == "new" and again["reason"] is None
    sam.post(f"/deliveries/{failed}/replay", status=409)
    sam.post("/deliveries/999/replay", status=404)
    (event,) = [e for e in sam.get("/events")["items"] if e["kind"] == "delivery.replayed"]
    assert event["actor"] == {"kind": "user", "id": cast.sam.id, "name": "Sam"}
    assert event["data"] == {"delivery_id": failed}


def test_events_are_followed_from_the_last_known(alice: Program, cast: Cast) -> None:
    start = alice.get("/events", limit=200)["items"][-1]["id"]
    ticket_id = by_email(cast, "1@x")
    first = alice.get("/events", after=start)["items"]
    assert {event["ticket_id"] for event in first} == {ticket_id}
    received = next(event for event in first if event["kind"] == "message.received")
    assert received["actor"]["kind"] == "person"
    assert received["actor"]["name"] == "Оксана Литвиненко"
    assert received["client_id"] == cast.oksana.client_id
    assert alice.get("/events", after=first[-1]["id"])["items"] == []


def test_events_are_paged_without_gap(sam: Program, alice: Program) -> None:
    for _ in range(3):
        alice.post("/tickets", ASKED)
    whole = sam.get("/events", limit=200)["items"]
    seen, cursor = [], {}
    while True:
        page = sam.get("/events", limit=2, after=0, **cursor)
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == whole and [e["id"] for e in seen] == sorted(e["id"] for e in seen)


def test_what_concerns_the_house_is_for_supervisors(alice: Program, sam: Program) -> None:
    kinds = {event["kind"] for event in sam.get("/events", limit=200)["items"]}
    assert {"user.created", "token.created"} <= kinds
    seen = {event["kind"] for event in alice.get("/events", limit=200)["items"]}
    assert seen == {"client.created"}


A_BAD_AFTER_IS_A_400: list[str] = ["-1", "x", str(2**63), "1.5"]


def test_a_bad_after_is_a_400(alice: Program) -> None:
    for after in A_BAD_AFTER_IS_A_400:
        alice.get("/events", 400, after=after)
