"""Who may do what, and what hostile requests get."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.actions import find_token, revoke_token
from helpdesk.accounts.models import ApiToken, User
from helpdesk.accounts.permissions import GRANTS, PERMISSIONS, Role
from helpdesk.api import PERMISSION_OF
from helpdesk.clients.fact_actions import add_note, open_client
from helpdesk.events import Actor
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.tickets.models import Message, Ticket
from tests.api.conftest import V1, Program, checked
from tests.api.test_api_client_facts import BILL, SALE
from tests.api.test_api_clients import FIRM
from tests.api.test_api_messages import with_file
from tests.api.test_api_setup import SHOP, WEEK
from tests.api.test_api_tickets import ASKED, by_email
from tests.cast import Cast

NOTE = {"kind": "note", "text": "x"}
POLICY = {"name": "Fast", "targets": {"resolution": 60}}
REASON = {"names": {"en": "Late", "ru": "Поздно", "uk": "Запізно"}}
ARTICLE = {"key": "lamp", "lang": "en", "title": "Lamp", "body_markdown": "x", "state": "draft"}
EXAMPLE = {"key": "lamp", "lang": "en", "text": "My lamp is dark"}

# Every operation: endpoint -> (method, path, body, what it needs). One that is not here fails.
OPERATIONS: dict[str, tuple[str, str, Any, str]] = {
    "list_tickets": ("GET", "/tickets", None, "ticket.read"),
    "create_ticket": ("POST", "/tickets", ASKED, "ticket.answer"),
    "read_ticket": ("GET", "/tickets/{ticket}", None, "ticket.read"),
    "change_ticket": ("PATCH", "/tickets/{ticket}", {"status": "open"}, "ticket.change"),
    "explain_clocks": ("GET", "/tickets/{ticket}/clocks/explain", None, "ticket.read"),
    "list_messages": ("GET", "/tickets/{ticket}/messages", None, "ticket.read"),
    "create_message": ("POST", "/tickets/{ticket}/messages", NOTE, "ticket.answer"),
    "read_attachment": ("GET", "/attachments/{file}", None, "ticket.read"),
    "list_calls": ("GET", "/calls", None, "ticket.read"),
    "read_call": ("GET", "/calls/{call}", None, "ticket.read"),
    "read_recording": ("GET", "/recordings/{recording}", None, "ticket.read"),
    "list_clients": ("GET", "/clients", None, "client.read"),
    "add_client": ("POST", "/clients", FIRM, "client.change"),
    "read_client": ("GET", "/clients/{client}", None, "client.read"),
    "patch_client": ("PATCH", "/clients/{client}", {"name": "X"}, "client.change"),
    "read_timeline": ("GET", "/clients/{client}/timeline", None, "client.read"),
    "list_purchases": ("GET", "/clients/{client}/purchases", None, "client.read"),
    "put_purchase": ("POST", "/clients/{client}/purchases", SALE, "client.change"),
    "list_invoices": ("GET", "/clients/{client}/invoices", None, "client.read"),
    "put_invoice": ("POST", "/clients/{client}/invoices", BILL, "client.change"),
    "read_debts": ("GET", "/clients/{client}/debts", None, "client.read"),
    "list_items": ("GET", "/clients/{client}/items", None, "client.read"),
    "put_item": ("POST", "/clients/{client}/items", {"product": "Lamp"}, "client.change"),
    "list_notes": ("GET", "/clients/{client}/notes", None, "client.read"),
    "add_note": ("POST", "/clients/{client}/notes", {"text": "x"}, "client.change"),
    "delete_note": ("DELETE", "/clients/{client}/notes/{note}", None, "client.change"),
    "list_deliveries": ("GET", "/deliveries", None, "delivery.read"),
    "replay_delivery": ("POST", "/deliveries/1/replay", None, "delivery.replay"),
    "list_events": ("GET", "/events", None, "event.read"),
    "list_queues": ("GET", "/queues", None, "queue.read"),
    "add_queue": ("POST", "/queues", SHOP, "queue.change"),
    "list_calendars": ("GET", "/calendars", None, "calendar.read"),
    "add_calendar": ("POST", "/calendars", WEEK, "calendar.change"),
    "list_policies": ("GET", "/policies", None, "policy.read"),
    "add_policy": ("POST", "/policies", POLICY, "policy.change"),
    "list_users": ("GET", "/users", None, "user.read"),
    "list_products": ("GET", "/products", None, "product.read"),
    "add_product": ("POST", "/products", {"name": "Lamp 2"}, "product.change"),
    "change_product": ("PATCH", "/products/{product}", {"group": "x"}, "product.change"),
    "list_reasons": ("GET", "/reasons", None, "reason.read"),
    "add_reason": ("POST", "/reasons", REASON, "reason.change"),
    "read_sla": ("GET", "/reports/sla", None, "report.own"),
    "read_report": ("GET", "/reports/calls", None, "report.own"),
    "merge_clients": ("POST", "/clients/{client}/merge", {"other": 99_999}, "client.merge"),
    "undo_merge": ("POST", "/merges/99999/undo", None, "client.merge"),
    "search_articles": ("GET", "/kb/search?q=lamp", None, "kb.read"),
    "list_articles": ("GET", "/kb/articles", None, "kb.read"),
    "read_article": ("GET", "/kb/articles/lamp", None, "kb.read"),
    "list_categories": ("GET", "/kb/categories", None, "kb.read"),
    "put_article": ("POST", "/kb/articles", ARTICLE, "kb.write"),
    "patch_article": ("PATCH", "/kb/articles/lamp", {"keywords": ["bulb"]}, "kb.write"),
    "add_example": ("POST", "/kb/examples", EXAMPLE, "kb.write"),
}

SQL = [
    "' OR 1=1 --",
    '" OR ""="',
    "1; DROP TABLE ticket; --",
    "') UNION SELECT token_hash FROM api_token --",
    "%' AND sleep(5) --",
    "\\",
    "*",
    "a AND NOT (b OR c) NEAR d",
    '"unclosed',
    "ъ" * 300,
    "\u202e\u200b\ufeff",
    "😀'\"\\;",
]


def test_every_operation_has_a_row_in_the_table(app: Flask) -> None:
    routes = {
        rule.endpoint.removeprefix("api.")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.nothing_here"
    }
    assert routes == OPERATIONS.keys()
    assert {f"api.{name}": row[3] for name, row in OPERATIONS.items()} == PERMISSION_OF


@pytest.fixture
def places(cast: Cast) -> dict[str, int]:
    ticket = by_email(cast, "guard@x")
    client_id = cast.oksana.client_id
    with ext.write() as session:
        client = open_client(session, client_id)
        note = add_note(session, client, "x", user_id=cast.alice.id, at=now()).id
        lamp = create_product(session, name="Lamp", at=now()).id
        create_article(session, Content("Lamp", "x"), lang="en", at=now(), key="lamp")
    ids = {"ticket": ticket, "client": client_id, "note": note, "product": lamp}
    return ids | {"file": with_file(cast, ticket), "call": 1, "recording": 1}


def test_every_role_and_scope_by_every_operation(
    places: dict[str, int], cast: Cast, program: Callable[..., Program]
) -> None:
    users = {Role.AGENT: cast.alice, Role.SUPERVISOR: cast.sam, Role.ADMIN: cast.ada}
    for role, user in users.items():
        whole = program(user)
        for method, path, body, needed in OPERATIONS.values():
            address = path.format(**places)
            got = whole.call(method, address, json=body, buffered=True).status_code
            assert (got == 403) == (needed not in GRANTS[role]), (role, method, path, got)
            assert got < 500


def test_a_token_does_what_its_scopes_say_and_no_more(
    places: dict[str, int], cast: Cast, program: Callable[..., Program]
) -> None:
    without = {needed: PERMISSIONS - {needed} for *_, needed in OPERATIONS.values()}
    narrowed = {needed: program(cast.ada, *rest) for needed, rest in without.items()}
    for method, path, body, needed in OPERATIONS.values():
        response = narrowed[needed].call(method, path.format(**places), json=body)
        problem = checked(response, 403)
        assert needed in problem["detail"]
    only = program(cast.ada, "ticket.read")
    only.get("/tickets")
    only.get("/clients", 403)


def test_without_a_live_token_nothing_is_told(
    app: Flask, cast: Cast, alice: Program, places: dict[str, int]
) -> None:
    client = app.test_client()
    wrong = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {alice.token}"},
        {"Authorization": f"Bearer {alice.token}x"},
        {"Authorization": f"Bearer {'x' * 5000}"},
        {"Authorization": "Bearer \u00ff"},
        {"Cookie": f"helpdesk_login={alice.token}; session={alice.token}"},
    ]
    for headers in wrong:
        for method, path, body, _ in OPERATIONS.values():
            address = V1 + path.format(**places)
            response = client.open(address, method=method, json=body, headers=headers)
            checked(response, 401)
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
    with ext.write() as session:
        found = find_token(session, alice.token)
        assert found is not None
        revoke_token(session, found[0], now(), actor=Actor(user_id=cast.alice.id))
    alice.get("/tickets", 401)


def test_a_leavers_token_ends(alice: Program, cast: Cast) -> None:
    alice.get("/tickets")
    with ext.write() as session:
        session.get_one(User, cast.alice.id).active = False
    alice.get("/tickets", 401)


def test_an_agent_of_one_queue_sees_nothing_of_another(
    bob: Program, alice: Program, cast: Cast, places: dict[str, int]
) -> None:
    """Bob works in Billing only; the ticket lies in Support."""
    before = alice.get(f"/tickets/{places['ticket']}")
    for name, (method, path, body, needed) in OPERATIONS.items():
        if needed.startswith("ticket.") and "{" in path:
            response = bob.call(method, path.format(**places), json=body)
            assert checked(response, 404)["errors"] == [], name
    assert bob.get("/tickets")["items"] == []
    for query in (
        {"message_id": "guard@x"},
        {"number": before["number"]},
        {"q": "hello"},
        {"q": before["number"]},
        {"client": cast.oksana.client_id},
    ):
        assert bob.get("/tickets", **query)["items"] == [], query
    bob.get("/tickets", 404, queue="Support")
    bob.post("/tickets", ASKED | {"queue": "Support"}, 409)
    assert [queue["name"] for queue in bob.get("/queues")["items"]] == ["Billing"]
    timeline = bob.get(f"/clients/{cast.oksana.client_id}/timeline")["items"]
    assert [item["kind"] for item in timeline] == ["client.note", "client.created"]
    assert all(event["ticket_id"] is None for event in bob.get("/events", limit=200)["items"])
    assert alice.get(f"/tickets/{places['ticket']}") == before


def test_it_sees_and_keeps_its_own_queue(bob: Program, alice: Program, cast: Cast) -> None:
    mine = bob.post("/tickets", ASKED)
    assert mine["queue"]["name"] == "Billing"
    assert [ticket["id"] for ticket in bob.get("/tickets")["items"]] == [mine["id"]]
    bob.patch(f"/tickets/{mine['id']}", {"queue": "Support"}, 409)
    alice.patch(f"/tickets/{mine['id']}", {"queue": "Support"})
    bob.get(f"/tickets/{mine['id']}", 404)


def test_policies_of_other_queues_are_not_shown(bob: Program, ada: Program) -> None:
    for queue in ("Support", "Billing"):
        body = {"name": f"For {queue}", "queue": queue, "targets": {"resolution": 60}}
        ada.post("/policies", body)
    names = [policy["name"] for policy in bob.get("/policies")["items"]]
    assert names == ["Standard", "For Billing"]


def test_the_use_of_a_token_is_noted_once_a_minute(
    alice: Program, clock: time_machine.Traveller
) -> None:
    def noted() -> Any:
        with ext.session() as session:
            return session.scalars(select(ApiToken.last_used_at).order_by(ApiToken.id)).first()

    alice.get("/tickets")
    first = noted()
    clock.shift(timedelta(seconds=59))
    alice.get("/tickets")
    assert noted() == first == now() - timedelta(seconds=59)
    clock.shift(timedelta(seconds=1))
    alice.get("/tickets")
    assert noted() == now()


def test_problems_speak_the_language_of_the_user(
    alice: Program, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ext.write() as session:
        session.get_one(User, cast.alice.id).language = "uk"
    seen: list[str] = []

    def spoken(message: str, **params: object) -> str:
        seen.append(str(ext.languages.g.language))
        return message % params if params else message

    monkeypatch.setattr("helpdesk.api.problems._", spoken)
    alice.get("/tickets", 400, limit=0)
    assert seen and set(seen) == {"uk"}


def test_hostile_words_are_only_words(alice: Program, sam: Program, cast: Cast) -> None:
    by_email(cast, "1@x")
    for text in SQL:
        for path, names in {
            "/tickets": (
                "message_id",
                "q",
                "queue",
                "number",
                "status",
                "client",
                "cursor",
                "limit",
            ),
            "/clients": ("email", "phone", "q", "cursor"),
            "/deliveries": ("state", "message_id", "cursor"),
            "/events": ("after", "cursor"),
            f"/clients/{cast.oksana.client_id}/timeline": ("cursor",),
        }.items():
            for name in names:
                response = sam.call("GET", path, query_string={name: text})
                assert response.status_code in (200, 400, 404), (path, name)
                if response.status_code == 200:
                    assert name == "q" or response.get_json()["items"] == [], (path, name)
        made = alice.post("/tickets", ASKED | {"subject": text, "text": f"x{text}"})
        alice.patch(f"/tickets/{made['id']}", {"tags": [text[:40]], "subject": f"x{text[:200]}"})
        alice.post("/clients", {"name": f"x{text}"[:200]})
        alice.post("/tickets", ASKED | {"queue": text[:200]}, 409)
    with ext.session() as session:
        assert len(session.scalars(select(Ticket.id)).all()) == 1 + len(SQL)


NUL_AND_HALF_CHARACTERS_ARE_REFUSED_WITH_A_WORD: list[str] = ["a\x00b", "\x00", "\ud800", "x\udfff"]


def test_nul_and_half_characters_are_refused_with_a_word(alice: Program) -> None:
    for bad in NUL_AND_HALF_CHARACTERS_ARE_REFUSED_WITH_A_WORD:
        raw = json.dumps(ASKED | {"subject": bad})
        response = alice.call("POST", "/tickets", data=raw, content_type="application/json")
        assert checked(response, 422)["errors"][0]["field"] == "subject"
        raw = json.dumps(ASKED | {bad: 1})
        response = alice.call("POST", "/tickets", data=raw, content_type="application/json")
        checked(response, 422)
        with ext.session() as session:
            assert session.scalar(select(Message.id)) is None


A_BODY_THAT_IS_NO_JSON_OBJECT: list[tuple[bytes, str, int]] = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b'{"a":' * 50_000, "application/json", 400),
    (b'{"subject": ' + b"9" * 10_000 + b"}", "application/json", 400),
    (b"[]", "application/json", 422),
    (b"null", "application/json", 422),
    (b'"x"', "application/json", 422),
    (b'{"subject": NaN}', "application/json", 422),
    (b"{}", "text/plain", 415),
    (b"subject=x", "application/x-www-form-urlencoded", 415),
    (b"{}", "", 415),
    (b'{"text": "' + b"x" * (4 << 20) + b'"}', "application/json", 413),
]


def test_a_body_that_is_no_json_object(alice: Program) -> None:
    for data, kind, status in A_BODY_THAT_IS_NO_JSON_OBJECT:
        checked(alice.call("POST", "/tickets", data=data, content_type=kind), status)
        checked(alice.call("PATCH", "/clients/1", data=data, content_type=kind), status)


def test_a_wrong_method_says_which_are_right(alice: Program) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "QUERY"):
        response = alice.call(method, "/tickets")
        checked(response, 405)
        allowed = {word.strip() for word in response.headers["Allow"].split(",")}
        assert {"GET", "POST"} <= allowed and method not in allowed
    checked(alice.call("POST", "/tickets/1", json={}), 405)


def test_an_unknown_address_is_a_problem_too(alice: Program, app: Flask) -> None:
    for path in ("", "/", "/nothing", "/tickets/", "/tickets/1/nothing", "/../admin", "/%2e%2e"):
        checked(alice.call("GET", path), 404)
    for path in ("/clients/1%0A", "/clients/%0A", "/%0A/x%0D%0Ay", "/clients/1/%0A", "/%00"):
        checked(alice.call("GET", path), 404)
    checked(app.test_client().get(f"{V1}/nothing"), 401)


def test_answers_are_not_kept_by_caches(alice: Program) -> None:
    for path in ("/tickets", "/nothing"):
        assert alice.call("GET", path).headers["Cache-Control"] == "no-store"
