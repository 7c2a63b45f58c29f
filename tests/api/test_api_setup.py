"""Queues, calendars, policies and users through the API."""

from helpdesk import ext
from helpdesk.tickets.queries import queue_of_address
from tests.api.conftest import Program
from tests.cast import OFFICE, Cast

SHOP = {"name": "Shop", "address": "Shop@Example.com", "numbers": ["044 123 45 67"]}
WEEK = {
    "name": "Night",
    "timezone": "Europe/Kyiv",
    "weekly": {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "sun": [["22:00", "24:00"]]},
    "holidays": ["2026-12-25"],
    "special": {"2026-12-26": [["10:00", "14:00"]]},
}


def test_a_queue_is_added_with_its_address(ada: Program) -> None:
    queue = ada.post("/queues", SHOP)
    assert queue["address"] == "shop@example.com" and queue["numbers"] == ["+380441234567"]
    names = {one["name"]: one for one in ada.get("/queues")["items"]}
    assert names["Shop"] == queue and names["Support"]["address"] == "support@example.com"
    with ext.session() as session:
        assert queue_of_address(session, "SHOP@example.com") == queue["id"]
    kinds = [event["kind"] for event in ada.get("/events", limit=200)["items"]]
    assert kinds[-2:] == ["queue.created", "mailbox.created"]


def test_a_queue_says_whether_it_takes_forms_and_offers_articles(ada: Program) -> None:
    queue = ada.post("/queues", SHOP | {"receipt_articles": True, "in_form": True})
    assert (queue["receipt_articles"], queue["in_form"]) == (True, True)
    [other, *_] = ada.get("/queues")["items"]
    assert (other["receipt_articles"], other["in_form"]) == (False, False)


A_WRONG_QUEUE_IS_REFUSED: list[tuple[dict[str, object], int, str]] = [
    ({"name": "support"}, 409, "name"),
    ({"name": "12"}, 422, "name"),
    ({"address": "support@EXAMPLE.com"}, 409, "address"),
    ({"address": "nobody"}, 422, "address"),
    ({"numbers": ["12"]}, 422, "numbers.0"),
    ({"numbers": ["1234"]}, 409, "numbers"),
    ({"receipts": False}, 422, "receipts"),
    ({"in_form": "yes"}, 422, "in_form"),
]


def test_a_wrong_queue_is_refused(ada: Program) -> None:
    for change, status, field in A_WRONG_QUEUE_IS_REFUSED:
        assert ada.post("/queues", SHOP | change, status)["errors"][0]["field"] == field
        assert len(ada.get("/queues")["items"]) == 2


def test_a_number_leads_into_one_queue(ada: Program) -> None:
    ada.post("/queues", SHOP)
    other = {"name": "Other", "address": "other@example.com", "numbers": ["+380 44 123 45 67"]}
    assert ada.post("/queues", other, 409)["errors"][0]["field"] == "numbers"


def test_a_calendar_is_added(ada: Program) -> None:
    calendar = ada.post("/calendars", WEEK)
    closed: dict[str, list[list[str]]] = dict.fromkeys(("tue", "wed", "thu", "fri", "sat"), [])
    assert calendar == WEEK | {"id": calendar["id"], "weekly": {**closed, **WEEK["weekly"]}}
    assert calendar in ada.get("/calendars")["items"]
    (office,) = [one for one in ada.get("/calendars")["items"] if one["name"] == "Office"]
    assert office["weekly"] == {**OFFICE, "sat": [], "sun": []}


A_WRONG_CALENDAR_IS_REFUSED: list[tuple[dict[str, object], int]] = [
    ({"timezone": "Europe/Kyyiv"}, 409),
    ({"timezone": "../../etc/passwd"}, 409),
    ({"weekly": {"mon": [["9:00", "18:00"]]}}, 422),
    ({"weekly": {"mon": [["18:00", "09:00"]]}}, 409),
    ({"weekly": {"mon": [["09:00"]]}}, 422),
    ({"weekly": {"day": []}}, 422),
    ({"weekly": {}}, 409),
    ({"holidays": ["25.12.2026"]}, 422),
    ({"holidays": ["2026-02-30"]}, 409),
    ({"special": {"tomorrow": []}}, 422),
]


def test_a_wrong_calendar_is_refused(ada: Program) -> None:
    for change, status in A_WRONG_CALENDAR_IS_REFUSED:
        ada.post("/calendars", WEEK | change, status)
        assert len(ada.get("/calendars")["items"]) == 1


def test_a_policy_is_added_and_the_particular_one_wins(ada: Program) -> None:
    policy = ada.post(
        "/policies",
        {
            "name": "Fast",
            "queue": "Billing",
            "priority": "urgent",
            "calendar": None,
            "targets": {"first_response": 900},
        },
    )
    assert policy == {
        "id": policy["id"],
        "name": "Fast",
        "queue": "Billing",
        "priority": "urgent",
        "calendar": None,
        "targets": {"first_response": 900},
    }
    listed = {one["name"]: one for one in ada.get("/policies")["items"]}
    assert listed["Fast"] == policy and listed["Standard"]["calendar"] == "Office"
    ticket = ada.post(
        "/tickets",
        {
            "subject": "x",
            "text": "y",
            "requester": {"email": "oksana@client.example"},
            "queue": "Billing",
            "priority": "urgent",
        },
    )
    (only,) = ticket["clocks"]
    assert only["policy"] == "Fast" and only["due_at"] == "2026-11-23T10:15:00Z"


A_WRONG_POLICY_IS_REFUSED: list[tuple[dict[str, object], int]] = [
    ({"queue": "Nowhere"}, 409),
    ({"calendar": "Nowhere"}, 409),
    ({"targets": {"coffee": 5}}, 422),
    ({"targets": {"resolution": 0}}, 422),
    ({"targets": {"resolution": True}}, 422),
    ({"priority": "highest"}, 422),
    ({"name": ""}, 422),
]


def test_a_wrong_policy_is_refused(ada: Program) -> None:
    for change, status in A_WRONG_POLICY_IS_REFUSED:
        body = {"name": "Fast", "targets": {"resolution": 900}, "calendar": "office".title()}
        ada.post("/policies", body | change, status)
        assert len(ada.get("/policies")["items"]) == 1


def test_users_are_listed_without_secrets(alice: Program, cast: Cast) -> None:
    users = alice.get("/users", limit=3)
    assert [user["name"] for user in users["items"]] == ["Alice", "Bob", "Sam"]
    assert users["items"][0].keys() == {"id", "name", "email", "role", "active"}
    rest = alice.get("/users", cursor=users["next_cursor"])
    assert [user["role"] for user in rest["items"]] == ["admin"]
