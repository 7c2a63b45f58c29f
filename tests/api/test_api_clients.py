"""Clients and their timeline through the API."""

from datetime import timedelta

import time_machine

from tests.api.conftest import Program
from tests.api.test_api_tickets import by_email
from tests.cast import Cast

FIRM = {
    "kind": "organisation",
    "name": "ТОВ «Ромашка»",
    "language": "uk",
    "owner": "Alice",
    "tags": ["VIP"],
    "people": [
        {
            "name": "Іван Франко",
            "role": "бухгалтер",
            "contact_points": [
                {"kind": "email", "value": "Ivan@Romashka.example"},
                {"kind": "phone", "value": "067 123 45 67", "preferred": True},
                {"kind": "messenger", "value": "@ivan"},
            ],
        }
    ],
}


def test_a_client_is_added_found_and_read(alice: Program, cast: Cast) -> None:
    client = alice.post("/clients", FIRM)
    assert client["owner"] == "Alice" and client["tags"] == ["vip"]
    (person,) = client["people"]
    assert person["role"] == "бухгалтер"
    assert [(p["kind"], p["value"]) for p in person["contact_points"]] == [
        ("email", "Ivan@Romashka.example"),
        ("phone", "+380671234567"),
        ("messenger", "@ivan"),
    ]
    assert [p["preferred"] for p in person["contact_points"]] == [False, True, False]
    assert alice.get(f"/clients/{client['id']}") == client
    for query in (
        {"email": " IVAN@romashka.example"},
        {"phone": "+380 67 123-45-67"},
        {"phone": "0671234567"},
        {"q": "ромашка"},
        {"q": "франко"},
        {"q": "67 123 45 67"},
        {"q": "123-45-67"},
        {"q": "1234567"},
    ):
        assert alice.get("/clients", **query)["items"] == [client], query
    for query in ({"email": "x@y.example"}, {"phone": "nonsense"}, {"q": "нема такого"}):
        assert alice.get("/clients", **query)["items"] == []


def test_a_private_client_is_a_person(alice: Program) -> None:
    client = alice.post("/clients", {"name": "Oksana"})
    assert client["kind"] == "person" and client["language"] is None
    assert [person["name"] for person in client["people"]] == ["Oksana"]
    assert alice.post("/clients", {"name": "X", "people": []})["people"] == []


def test_clients_are_paged_newest_first(alice: Program) -> None:
    ids = [alice.post("/clients", {"name": f"C{n}"})["id"] for n in range(5)]
    one = alice.get("/clients", limit=3)
    two = alice.get("/clients", limit=100, cursor=one["next_cursor"])
    found = [client["id"] for client in one["items"] + two["items"]]
    assert found[:5] == ids[::-1] and two["next_cursor"] is None


def test_a_client_is_changed(alice: Program, cast: Cast) -> None:
    path = f"/clients/{cast.oksana.client_id}"
    read = alice.call("GET", path).headers["ETag"]
    changed = alice.patch(path, {"name": "Оксана Л.", "owner": cast.sam.id, "tags": ["a"]})
    assert (changed["name"], changed["owner"], changed["tags"]) == ("Оксана Л.", "Sam", ["a"])
    assert changed["language"] == "uk"
    alice.patch(path, {"name": "Inna"}, 412, If_Match=read)
    assert alice.patch(path, {"owner": None, "language": None})["owner"] is None


A_WRONG_CLIENT_IS_REFUSED: list[tuple[dict[str, object], int, str]] = [
    ({}, 422, "name"),
    ({"name": "\u200b"}, 422, "name"),
    ({"name": "X", "kind": "robot"}, 422, "kind"),
    ({"name": "X", "language": "de"}, 422, "language"),
    ({"name": "X", "owner": "Nobody"}, 409, "owner"),
    ({"name": "X", "id": 5}, 422, "id"),
    (
        {"name": "X", "people": [{"name": "Y", "contact_points": [{"kind": "fax"}]}]},
        422,
        "people.0.contact_points.0",
    ),
    (
        {
            "name": "X",
            "people": [{"name": "Y", "contact_points": [{"kind": "email", "value": "nobody"}]}],
        },
        422,
        "people.0.contact_points.0.value",
    ),
]


def test_a_wrong_client_is_refused(alice: Program) -> None:
    for body, status, field in A_WRONG_CLIENT_IS_REFUSED:
        before = alice.get("/clients")["items"]
        assert alice.post("/clients", body, status)["errors"][0]["field"] == field
        assert alice.get("/clients")["items"] == before


def test_the_timeline_is_newest_first_and_paged(
    alice: Program, cast: Cast, clock: time_machine.Traveller
) -> None:
    ticket_id = by_email(cast, "1@x", "Printer jams")
    for n in range(3):
        clock.shift(timedelta(minutes=n % 2))  # two of them at the same moment
        alice.post(f"/tickets/{ticket_id}/messages", {"kind": "note", "text": f"note {n}"})
    clock.shift(timedelta(hours=1))
    alice.post(f"/tickets/{ticket_id}/messages", {"kind": "outbound", "text": "Fixed"})
    alice.patch(f"/tickets/{ticket_id}", {"status": "resolved"})
    path = f"/clients/{cast.oksana.client_id}/timeline"
    whole = alice.get(path)["items"]
    assert [item["at"] for item in whole] == sorted((i["at"] for i in whole), reverse=True)
    assert {
        "at": "2026-11-23T10:00:00Z",
        "kind": "message",
        "channel": "email",
        "direction": "inbound",
        "title": "Printer jams",
        "by": "Оксана Литвиненко",
        "ticket_id": ticket_id,
        "call_id": None,
    } in whole
    kinds = [(item["kind"], item["direction"]) for item in whole]
    assert kinds[0][0] == "ticket.status" and ("note", None) in kinds
    assert ("message", "outbound") in kinds[:3]
    assert ("client.created", None) in kinds and ("ticket.status", None) in kinds
    paged, cursor = [], {}
    while True:
        page = alice.get(path, limit=1, **cursor)
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole


def test_a_bad_timeline_cursor_is_a_400(alice: Program, cast: Cast) -> None:
    path = f"/clients/{cast.oksana.client_id}/timeline"
    for cursor in ("1", "1-22-3", "x-1-", "-1-1-1", "zzzzzzzzzzzz-1-1", "1-1-1-1"):
        alice.get(path, 400, cursor=cursor)
    assert alice.get(path, cursor="zzzzzzzzzz-1-zzzzzzzzzzzz")["items"]
    alice.get("/clients/999/timeline", 404)
