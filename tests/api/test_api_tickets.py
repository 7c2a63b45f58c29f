"""Tickets through the API: opening, finding, changing, explaining."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import event, select

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.clients.match import by_phone
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Queue, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.api.conftest import Program, checked
from tests.cast import Cast

ASKED = {
    "subject": "Не працює оплата",
    "text": "Вітаю, карту не приймає.",
    "requester": {"email": "oksana@client.example", "name": "Оксана"},
}


def by_email(
    cast: Cast, message_id: str, subject: str = "Hello", queue: Queue | None = None
) -> int:
    """A ticket as an email opens it."""
    with ext.write() as session:
        ticket_id = open_ticket(
            session,
            queue_id=(queue or cast.support).id,
            who=cast.oksana,
            subject=subject,
            channel=Channel.EMAIL,
            language="en",
            at=now(),
        )
        content = Content(text=f"{subject}, all", subject=subject, message_id=message_id)
        channel = Channel.EMAIL
        add_message(
            session, ticket_id, content, who=cast.oksana, channel=channel, at=now(), first=True
        )
    return ticket_id


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent meanwhile, without those that begin and end transactions."""
    sent: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        if not re.match(r"BEGIN|COMMIT|ROLLBACK", statement):
            sent.append(statement)

    event.listen(ext.db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(ext.db.engine, "before_cursor_execute", note)


def test_a_ticket_is_opened_for_a_known_client(alice: Program, cast: Cast) -> None:
    response = alice.call("POST", "/tickets", json=ASKED)
    ticket = response.get_json()
    assert response.headers["Location"] == f"/api/v1/tickets/{ticket['id']}"
    assert ticket["number"] == str(ticket["id"] + 10_000)
    assert ticket["status"] == "new" and ticket["priority"] == "normal"
    assert ticket["channel"] == "api" and ticket["language"] == "uk"
    assert ticket["queue"] == {"id": cast.support.id, "name": "Support"}
    assert ticket["client"]["id"] == cast.oksana.client_id
    assert ticket["requester"]["email"] == "oksana@client.example"
    assert ticket["created_at"] == "2026-11-23T10:00:00Z"
    assert ticket["assignee"] is ticket["product"] is ticket["merged_into"] is None
    assert alice.get(f"/tickets/{ticket['id']}") == ticket
    (message,) = alice.get(f"/tickets/{ticket['id']}/messages")["items"]
    assert message["text"] == ASKED["text"] and message["kind"] == "inbound"


def test_its_promises_run(alice: Program, clock: time_machine.Traveller) -> None:
    ticket = alice.post("/tickets", ASKED)
    first, resolution = ticket["clocks"]
    assert first == {
        "metric": "first_response",
        "policy": "Standard",
        "state": "running",
        "due_at": "2026-11-23T14:00:00Z",
        "remaining_seconds": 4 * 3600,
    }
    assert resolution["metric"] == "resolution"
    clock.shift(timedelta(hours=5))
    later = alice.get(f"/tickets/{ticket['id']}")["clocks"][0]
    assert later["remaining_seconds"] == -3600


def test_the_receipt_is_asked_for_only_where_there_is_an_address(
    alice: Program, cast: Cast
) -> None:
    alice.post("/tickets", ASKED)
    alice.post("/tickets", ASKED | {"requester": {"phone": "067 123 45 67"}})
    with ext.session() as session:
        rows = session.scalars(
            select(Event).where(Event.kind == "ticket.opened").order_by(Event.id)
        ).all()
    assert [row.data["receipt"] for row in rows] == [True, False]
    assert [row.user_id for row in rows] == [cast.alice.id] * 2


def test_a_new_client_is_made_from_address_and_number(alice: Program) -> None:
    asked = {"email": "new@client.example", "phone": "067 123 45 67", "name": "Іван"}
    ticket = alice.post("/tickets", ASKED | {"requester": asked})
    assert ticket["requester"]["name"] == "Іван"
    assert ticket["requester"]["phone"] == "+380671234567"
    with ext.session() as session:
        found = by_phone(session, "+380671234567", "UA")
    assert found is not None and found.client_id == ticket["client"]["id"]


def test_queue_and_priority_can_be_named(alice: Program, cast: Cast) -> None:
    for ref in ("Billing", cast.billing.id, str(cast.billing.id)):
        ticket = alice.post("/tickets", ASKED | {"queue": ref, "priority": "urgent"})
        assert ticket["queue"]["name"] == "Billing" and ticket["priority"] == "urgent"


WHAT_DOES_NOT_FIT_IS_NAMED: list[tuple[dict[str, object], int, str]] = [
    ({"queue": "Nowhere"}, 409, "queue"),
    ({"priority": "highest"}, 422, "priority"),
    ({"text": " \n"}, 422, "text"),
    ({"text": "a\x00b"}, 422, "text"),
    ({"text": 5}, 422, "text"),
    ({"subject": "x" * 301}, 422, "subject"),
    ({"requester": {}}, 422, "requester"),
    ({"requester": {"name": "X"}}, 422, "requester"),
    ({"requester": {"email": "nobody"}}, 422, "requester.email"),
    ({"requester": {"phone": "123"}}, 409, "requester.phone"),
    ({"requester": {"email": "a@b.example", "id": 1}}, 422, "requester.id"),
    ({"assignee": 1}, 422, "assignee"),
    ({"queue": 2**63}, 422, "queue"),
    ({"queue": 10**400}, 422, "queue"),
]


def test_what_does_not_fit_is_named(alice: Program) -> None:
    for change, status, field in WHAT_DOES_NOT_FIT_IS_NAMED:
        problem = alice.post("/tickets", ASKED | change, status)
        assert problem["errors"][0]["field"] == field
        assert "%(" not in problem["errors"][0]["message"]
        assert alice.get("/tickets")["items"] == []


def test_a_message_id_finds_its_ticket(alice: Program, cast: Cast) -> None:
    ticket_id = by_email(cast, "CAF+1@mail.example")
    by_email(cast, "other@mail.example")
    for spelt in ("CAF+1@mail.example", "<CAF+1@mail.example>", " < CAF+1@mail.\t example> "):
        (found,) = alice.get("/tickets", message_id=spelt)["items"]
        assert found["id"] == ticket_id
    assert alice.get("/tickets", message_id="caf+1@mail.example")["items"] == []


def test_filters(alice: Program, cast: Cast) -> None:
    hello = by_email(cast, "1@x", "Printer jams")
    bill = by_email(cast, "2@x", "Invoice missing", cast.billing)
    alice.patch(f"/tickets/{bill}", {"status": "resolved"})

    def ids(**query: object) -> list[int]:
        return [ticket["id"] for ticket in alice.get("/tickets", **query)["items"]]

    assert ids() == [bill, hello]
    assert ids(number=str(10_000 + hello)) == [hello]
    assert ids(number="7") == []
    assert ids(q="invoices") == [bill]
    assert ids(q="oksana@client.example") == [bill, hello]
    assert ids(q="nothing like that") == []
    assert ids(q="  ") == [bill, hello]
    assert ids(status="new") == [hello]
    assert ids(status="resolved") == [bill]
    assert ids(queue="Billing") == ids(queue=str(cast.billing.id)) == [bill]
    assert ids(client=cast.oksana.client_id) == [bill, hello]
    assert ids(client=cast.stranger.client_id) == []
    assert ids(status="new", queue="Billing") == []
    alice.get("/tickets", 404, queue="Nowhere")


def test_pages_follow_each_other_without_gap(alice: Program, cast: Cast) -> None:
    opened = [by_email(cast, f"{n}@x") for n in range(7)]
    seen, cursor = [], {}
    while True:
        page = alice.get("/tickets", limit=3, **cursor)
        seen += [ticket["id"] for ticket in page["items"]]
        if page["next_cursor"] is None:
            break
        by_email(cast, f"later-{len(seen)}@x")
        cursor = {"cursor": page["next_cursor"]}
    assert seen == opened[::-1]


A_BAD_PARAMETER_IS_A_400: list[dict[str, object]] = [
    {"limit": 0},
    {"limit": 201},
    {"limit": "many"},
    {"cursor": "!"},
    {"cursor": "zzzzzzzzzzzzz"},
    {"cursor": ""},
    {"client": 2**63},
    {"client": -1},
    {"status": "sleeping"},
    {"colour": "red"},
    {"q": "a\x00b"},
]


def test_a_bad_parameter_is_a_400(alice: Program) -> None:
    for query in A_BAD_PARAMETER_IS_A_400:
        problem = alice.get("/tickets", 400, **query)
        assert [error["field"] for error in problem["errors"]] == list(query)


def test_a_repeated_parameter_is_refused(alice: Program) -> None:
    response = alice.call("GET", "/tickets?status=new&status=open")
    assert checked(response, 400)["errors"][0]["field"] == "status"


def test_a_page_costs_the_same_statements_whatever_its_size(alice: Program, cast: Cast) -> None:
    def cost() -> int:
        alice.get("/users")  # what is cached for a second is read here
        with counted() as sent:
            alice.get("/tickets", queue="Support")
        return len(sent)

    by_email(cast, "0@x")
    alice.get("/tickets")
    small = cost()
    for n in range(1, 50):
        by_email(cast, f"{n}@x")
    assert cost() == small <= 6


def test_fields_are_changed_and_recorded(alice: Program, cast: Cast) -> None:
    ticket = alice.post("/tickets", ASKED)
    changed = alice.patch(
        f"/tickets/{ticket['id']}",
        {
            "status": "pending",
            "priority": "high",
            "queue": "Billing",
            "assignee": "Bob",
            "tags": ["Refund", "refund", "VIP"],
            "subject": "Оплата карткою",
        },
    )
    assert changed["status"] == "pending" and changed["priority"] == "high"
    assert changed["queue"]["name"] == "Billing" and changed["assignee"]["name"] == "Bob"
    assert changed["tags"] == ["refund", "vip"] and changed["subject"] == "Оплата карткою"
    assert {one["state"] for one in changed["clocks"]} == {"paused"}
    assert alice.get(f"/tickets/{ticket['id']}") == changed
    kinds = {
        one["kind"]: one["actor"]["name"]
        for one in alice.get("/events")["items"]
        if one["ticket_id"] == ticket["id"]
    }
    for kind in ("status", "priority", "queue", "assigned", "tags", "subject"):
        assert kinds[f"ticket.{kind}"] == "Alice"
    freed = alice.patch(f"/tickets/{ticket['id']}", {"assignee": None})
    assert freed["assignee"] is None and freed["status"] == "pending"


def test_nothing_changes_by_an_empty_patch(alice: Program) -> None:
    ticket = alice.post("/tickets", ASKED)
    assert alice.patch(f"/tickets/{ticket['id']}", {}) == ticket


A_WRONG_CHANGE_CHANGES_NOTHING: list[tuple[object, int]] = [
    ({"status": None}, 422),
    ({"status": "sleeping"}, 422),
    ({"subject": ""}, 422),
    ({"assignee": "Nobody"}, 409),
    ({"queue": 999}, 409),
    ({"tags": "vip"}, 422),
    ({"number": "1"}, 422),
    ({"version": 1}, 422),
    ([], 422),
    ("null", 422),
]


def test_a_wrong_change_changes_nothing(alice: Program) -> None:
    for change, status in A_WRONG_CHANGE_CHANGES_NOTHING:
        ticket = alice.post("/tickets", ASKED)
        body = {"priority": "urgent"} | change if isinstance(change, dict) else change
        alice.patch(f"/tickets/{ticket['id']}", body, status)
        assert alice.get(f"/tickets/{ticket['id']}") == ticket


def test_an_assignee_must_work_in_the_queue(alice: Program, cast: Cast) -> None:
    ticket = alice.post("/tickets", ASKED)
    problem = alice.patch(f"/tickets/{ticket['id']}", {"assignee": cast.bob.id}, 409)
    assert problem["errors"][0]["field"] == "assignee"


def test_only_the_version_that_was_read_is_changed(alice: Program) -> None:
    path = f"/tickets/{alice.post('/tickets', ASKED)['id']}"
    read = alice.call("GET", path).headers["ETag"]
    first = alice.call("PATCH", path, json={"priority": "low"}, headers={"If-Match": read})
    assert first.status_code == 200 and first.headers["ETag"] != read
    alice.patch(path, {"priority": "high"}, 412, If_Match=read)
    assert alice.get(path)["priority"] == "low"
    alice.patch(path, {"priority": "high"}, If_Match=f'"x", {first.headers["ETag"]}')
    alice.patch(path, {"priority": "urgent"}, If_Match="*")


def test_a_deadline_is_explained(alice: Program) -> None:
    ticket = alice.post("/tickets", ASKED)
    items = alice.get(f"/tickets/{ticket['id']}/clocks/explain")["items"]
    assert [item["metric"] for item in items] == ["first_response", "resolution"]
    for item, shown in zip(items, ticket["clocks"], strict=True):
        assert item["due_at"] == shown["due_at"]
        counted_seconds = sum(span["seconds"] for span in item["spans"] if span["counted"])
        assert counted_seconds == item["target_seconds"]
        for span, following in zip(item["spans"], item["spans"][1:], strict=False):
            assert span["to"] == following["from"]


def test_no_ticket_looks_like_someone_elses(alice: Program, app: Flask) -> None:
    for path in ("", "/messages", "/clocks/explain"):
        for wrong in ("1", "0", "-1", "abc", "9" * 30, "1.5", "%00"):
            alice.get(f"/tickets/{wrong}{path}", 404)
    with ext.session() as session:
        assert session.scalar(select(Ticket.id)) is None


def test_a_leaver_is_no_assignee(alice: Program, cast: Cast) -> None:
    ticket = alice.post("/tickets", ASKED)
    with ext.write() as session:
        session.get_one(User, cast.sam.id).active = False
    alice.patch(f"/tickets/{ticket['id']}", {"assignee": "Sam"}, 409)
