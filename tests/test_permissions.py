"""Who may open what: each route × role × thing. A route without a row here fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from helpdesk import ext
from helpdesk.accounts.actions import create_token, one_time_link
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import GRANTS, PERMISSIONS
from helpdesk.accounts.sessions import log_in
from helpdesk.clients.models import Person
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.receive import process_new
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.tickets.models import Attachment, Mailbox, Message, Policy, Ticket
from helpdesk.web.guard import COOKIE
from tests.cast import Cast

PUBLIC = "public"

# endpoint → the permission it asks for. Written by hand: what changes in the code must be
# meant here as well.
TABLE: dict[str, str] = {
    "api.add_calendar": "calendar.change",
}

# Endpoints that lead to one thing of a queue: not there for whoever may not see that queue.
OF_A_QUEUE = {"ticket_id", "number", "message_id", "attachment_id", "outgoing_id"}
# …but administration reaches everything.
ADMIN_ONLY = ("/admin", "/outbox")

ROLES = ("nobody", "bob", "alice", "sam", "ada")


@dataclass(frozen=True)
class World:
    """One ticket in Support with everything that hangs on it; bob works in Billing only."""

    cast: Cast
    values: dict[str, Any]


@pytest.fixture
def world(app: Flask, cast: Cast) -> World:
    raw = (
        b"From: oksana@client.example\r\nTo: support@example.com\r\nSubject: Lamp\r\n"
        b"Message-ID: <1@client.example>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n"
        b"<p>Broken</p>\r\n--B\r\nContent-Type: text/plain\r\n"
        b"Content-Disposition: attachment; filename=a.txt\r\n\r\nfile\r\n--B--\r\n"
    )
    with ext.write() as session:
        email = RawEmail(raw, "oksana@client.example", ("support@example.com",), now())
        (delivery,) = accept(session, [email])
    process_new()
    react()
    with ext.write() as session:
        ticket = session.scalars(select(Ticket)).one()
        secret = app.config["SECRET_KEY"].encode()
        values = {
            "ticket_id": ticket.id,
            "number": ticket.number,
            "message_id": session.scalars(select(Message.id)).one(),
            "attachment_id": session.scalars(select(Attachment.id)).one(),
            "outgoing_id": session.scalars(select(Outgoing.id)).one(),
            "client_id": ticket.client_id,
            "person_id": session.scalars(select(Person.id).limit(1)).one(),
            "delivery_id": delivery,
            "queue_id": cast.support.id,
            "mailbox_id": session.scalars(select(Mailbox.id).limit(1)).one(),
            "calendar_id": cast.office.id,
            "policy_id": session.scalars(select(Policy.id).limit(1)).one(),
            "user_id": cast.bob.id,
            "token_id": 1,
            "filename": "icon.svg",
            "_rest": "nothing",
            "token": one_time_link(session, cast.bob, now()),
            "ticket_token": link_token(secret, ticket.id, ticket.link_nonce),
        }
    return World(cast, values)


def rules(app: Flask) -> Iterator[Rule]:
    yield from (rule for rule in app.url_map.iter_rules() if rule.endpoint != "static")


def is_api(rule: Rule) -> bool:
    return rule.rule.startswith("/api/")


def test_every_route_has_a_row_and_asks_for_what_it_says(app: Flask) -> None:
    asked = {
        rule.endpoint: getattr(app.view_functions[rule.endpoint], "permission", None) or PUBLIC
        for rule in rules(app)
    }
    assert asked == TABLE


def test_every_permission_is_known() -> None:
    assert set(TABLE.values()) <= PERMISSIONS | {PUBLIC}
    for granted in GRANTS.values():
        assert granted <= PERMISSIONS


def address(rule: Rule, world: World) -> str:
    values = dict(world.values)
    if rule.rule.startswith("/t/"):
        values["token"] = values["ticket_token"]
    return re.sub(r"<(?:[a-z]+:)?(\w+)>", lambda m: str(values[m[1]]), rule.rule)


def user_of(world: World, role: str) -> User | None:
    return None if role == "nobody" else getattr(world.cast, role)


def may(rule: Rule, user: User | None) -> bool:
    """What the answer must be, worked out from the table alone."""
    permission = TABLE[rule.endpoint]
    if permission == PUBLIC:
        return True
    if user is None or permission not in GRANTS[user.role]:
        return False
    hidden = user.name == "Bob" and bool(OF_A_QUEUE & rule.arguments)
    return not hidden or rule.rule.startswith(ADMIN_ONLY)


@pytest.mark.parametrize("role", ROLES)
def test_each_route_opens_for_those_it_is_meant_for_only(
    app: Flask, world: World, role: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    user = user_of(world, role)
    wrong = []
    for rule in rules(app):
        for method in sorted((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}):
            status = ask(app, world, rule, method, user)
            opened = status not in (401, 403, 404)
            if rule.endpoint == "api.nothing_here":
                opened = not opened
            if opened != may(rule, user) or status >= 500:
                wrong.append(f"{method} {rule.rule}: {status}")
    assert not wrong


def ask(app: Flask, world: World, rule: Rule, method: str, user: User | None) -> int:
    """One request by this user, undone afterwards as far as log-ins go."""
    client = app.test_client()
    headers = {}
    with ext.write() as session:
        if user is not None and is_api(rule):
            token = create_token(session, session.get_one(User, user.id), "t", (), now())
            headers["Authorization"] = f"Bearer {token}"
        elif user is not None:
            row = session.get_one(User, user.id)
            row.active = True
            token = log_in(session, row, "", old_token=None, agent="", at=now())
            client.set_cookie(COOKIE, token)
    body = {"json": {}} if is_api(rule) and method != "GET" else {}
    response = client.open(address(rule, world), method=method, headers=headers, **body)
    if 300 <= response.status_code < 400 and "/login" in response.headers.get("Location", ""):
        return 401
    return response.status_code


def test_unsafe_pages_without_a_token_are_refused(app: Flask, world: World) -> None:
    """The CSRF sweep: every form of the pages needs its token (T19)."""
    open_ = []
    for rule in rules(app):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS", "GET"}):
            if is_api(rule):
                continue
            status = ask(app, world, rule, method, world.cast.ada)
            if status != 400:
                open_.append(f"{method} {rule.rule}: {status}")
    assert not open_


def test_ids_that_do_not_exist_are_not_there(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    wrong = []
    for rule in rules(app):
        names = {name for name in rule.arguments if name.endswith("_id") or name == "number"}
        if not names:
            continue
        for value in (99999999, 2**62):
            strange = World(world.cast, world.values | dict.fromkeys(names, value))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                status = ask(app, strange, rule, method, world.cast.ada)
                if status not in (404, 422):
                    wrong.append(f"{method} {rule.rule} {value}: {status}")
    assert not wrong
