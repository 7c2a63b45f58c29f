"""CWE-640, CWE-330, CWE-613: invitations, links and API tokens (I8, I9, I16)."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from helpdesk import ext
from helpdesk.accounts.actions import one_time_link, set_password
from helpdesk.accounts.models import OneTimeLink, User
from helpdesk.events import SYSTEM
from helpdesk.ext import Base
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.tickets.models import NUMBER_OFFSET, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages

NEW = "another horse battery"


def invite(cast: Cast) -> str:
    with ext.write() as session:
        return one_time_link(session, session.get_one(User, cast.bob.id), now())


BAD = ["%20", "%00", "{upper}", "{hash}"]


@pytest.mark.parametrize("kind", BAD)
def test_no_other_spelling_of_an_invitation_opens(pages: Pages, cast: Cast, kind: str) -> None:
    token = invite(cast)
    with ext.session() as session:
        stored = session.scalars(select(OneTimeLink.token_hash)).one()
    wrong = kind.format(upper=token.swapcase(), cut=token[:-1], more=token + "A", hash=stored)
    assert pages.raw("GET", f"/welcome/{wrong}").status_code == 404
    assert pages.raw("GET", "/welcome/").status_code == 404
    assert pages.get(f"/welcome/{token}").status == 200


def test_an_invitation_used_replaced_expired_or_of_a_leaver_is_not_there(
    pages: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    def dead(token: str) -> bool:
        return pages.raw("GET", f"/welcome/{token}").status_code == 404

    first = invite(cast)
    second = invite(cast)
    assert dead(first) and not dead(second)
    pages.get(f"/welcome/{second}")
    fields = {"csrf_token": pages.token, "password": NEW, "repeated": NEW}
    assert pages.send(f"/welcome/{second}", fields).place == "/login"
    assert dead(second)
    third = invite(cast)
    clock.shift(timedelta(hours=24))
    assert dead(third)
    fourth = invite(cast)
    with ext.write() as session:
        session.get_one(User, cast.bob.id).active = False
    assert dead(fourth)


@pytest.mark.parametrize("sent", [" ", "{lower}", "{token} x"])
def test_no_other_spelling_of_an_api_token_opens(app: Flask, cast: Cast, sent: str) -> None:
    with ext.write() as session:
        token = cast.token(session, cast.ada)
    wrong = sent.format(lower=token.swapcase(), cut=token[:-1], token=token)
    client = app.test_client()
    answer = client.get("/api/v1/tickets", headers={"Authorization": f"Bearer {wrong}"})
    assert answer.status_code == (200 if wrong.strip() == token else 401)
    basic = client.get("/api/v1/tickets", auth=("ada@example.com", token))
    assert basic.status_code == 401


def test_a_cookie_is_no_token_and_a_token_no_cookie(pages: Pages, cast: Cast) -> None:
    with ext.write() as session:
        token = cast.token(session, cast.ada)
    pages.log_in("ada")
    assert pages.raw("GET", "/api/v1/tickets").status_code == 401
    stranger = pages.app.test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    assert stranger.get("/desk", headers=bearer).status_code == 401
    stranger.set_cookie("helpdesk_login", token)
    assert stranger.get("/desk").status_code == 401


def test_no_secret_that_opens_something_lies_in_the_database(
    pages: Pages, cast: Cast, desk: Desk
) -> None:
    """Only hashes are kept: a stolen copy of the database opens nothing (I8)."""
    number = desk.ticket()
    with ext.write() as session:
        secrets = [cast.token(session, cast.ada), one_time_link(session, cast.bob, now())]
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        key = pages.app.config["SECRET_KEY"].encode()
        secrets.append(link_token(key, ticket.id, ticket.link_nonce))
    pages.log_in("alice")
    secrets.append(pages.client.get_cookie("helpdesk_login").value)
    with ext.session() as session:
        rows = [
            str(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in session.execute(text(f'SELECT * FROM "{table.name}"'))
        ]
    assert len(rows) > 20
    assert not [secret for secret in secrets if any(secret in row for row in rows)]


def test_a_link_of_one_ticket_or_use_opens_no_other(pages: Pages, desk: Desk) -> None:
    numbers = [desk.ticket(), desk.ticket("Other")]
    with ext.session() as session:
        tickets = [session.get_one(Ticket, int(n) - NUMBER_OFFSET) for n in numbers]
    key = pages.app.config["SECRET_KEY"].encode()
    right = link_token(key, tickets[0].id, tickets[0].link_nonce)
    signature = right.partition("-")[2]
    assert pages.get(f"/t/{right}").status == 200
    for wrong in (
        f"{tickets[1].id}-{signature}",
        f"0{right}",
        f"+{right}",
        f"{right}%20",
        f"{right[:-1]}",
        link_token(key, tickets[0].id, tickets[1].link_nonce),
        link_token(b"another key", tickets[0].id, tickets[0].link_nonce),
    ):
        assert pages.raw("GET", f"/t/{wrong}").status_code == 404, wrong


def test_a_new_password_ends_the_invitation_behind_it(pages: Pages, cast: Cast) -> None:
    token = invite(cast)
    with ext.write() as session:
        set_password(session, session.get_one(User, cast.bob.id), NEW, actor=SYSTEM)
    assert pages.raw("GET", f"/welcome/{token}").status_code == 404
