"""CWE-307, CWE-613, CWE-290: guessing, sessions that end, names nobody proves (I15, I21, I22)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.accounts import sessions
from helpdesk.accounts.actions import change_user, set_password, set_queues
from helpdesk.accounts.models import LoginSession, User
from helpdesk.events import SYSTEM
from helpdesk.lib.clock import now
from helpdesk.live.people import Watcher
from helpdesk.server.asgi import THREADS
from helpdesk.server.streams import Hub
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Pages

TRIES = 100


def storm(app: Flask, tries: int, **headers: str) -> list[int]:
    """The statuses of wrong log-ins, as many at once as two web processes have threads."""
    app.config["WTF_CSRF_ENABLED"] = False

    def attempt(_n: int) -> int:
        form = {"email": "alice@example.com", "password": "wrong horse battery"}
        return app.test_client().post("/login", data=form, headers=headers).status_code

    with ThreadPoolExecutor(2 * THREADS) as threads:
        return list(threads.map(attempt, range(tries)))


def test_a_hundred_guesses_at_once_are_five_guesses(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []
    honest = sessions.check_password

    def counted(*args: Any) -> User | None:
        looked_at.append(args[1])
        return honest(*args)

    monkeypatch.setattr(sessions, "check_password", counted)
    answers = storm(app, TRIES)
    assert len(looked_at) <= sessions.TRIES_PER_ACCOUNT
    assert len(answers) == TRIES
    assert answers.count(429) == TRIES - len(looked_at)


def test_a_forwarded_address_buys_no_more_guesses(pages: Pages) -> None:
    """Without a proxy that we trust, X-Forwarded-For and its kin are only words."""
    statuses = []
    for n in range(sessions.TRIES_PER_ADDRESS + 3):
        pages.get("/login")
        headers = {
            "X-Forwarded-For": f"198.51.100.{n}",
            "X-Real-IP": f"198.51.100.{n}",
            "CF-Connecting-IP": f"198.51.100.{n}",
            "Forwarded": f"for=198.51.100.{n}",
        }
        fields = {"csrf_token": pages.token, "email": f"u{n}@x.example", "password": "no"}
        statuses.append(pages.send("/login", fields, headers=headers).status)
    assert statuses[-3:] == [429] * 3


@pytest.mark.parametrize("name", ["X-Remote-User", "Remote-User"])
def test_a_header_names_nobody(pages: Pages, name: str) -> None:
    answer = pages.raw("GET", "/desk", headers={name: "ada@example.com"})
    assert answer.status_code == 401


def test_a_password_changed_while_it_was_being_checked_opens_nothing(
    pages: Pages, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = sessions.check_password

    def slow(*args: Any) -> User | None:
        found = honest(*args)
        with ext.write() as session:
            alice = session.get_one(User, cast.alice.id)
            set_password(session, alice, "another horse battery", actor=SYSTEM)
        return found

    monkeypatch.setattr(sessions, "check_password", slow)
    pages.get("/login")
    page = pages.post("/login", email="alice@example.com", password=PASSWORD)
    assert page.status == 401
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 0


@pytest.mark.parametrize("change", ["password", "role", "active", "all_queues"])
def test_a_changed_password_or_role_ends_the_session_at_once(
    pages: Pages, cast: Cast, change: str
) -> None:
    pages.log_in("alice")
    assert pages.get("/desk").status == 200
    values = {"role": "supervisor", "active": False, "all_queues": False}
    with ext.write() as session:
        alice = session.get_one(User, cast.alice.id)
        if change == "password":
            set_password(session, alice, "another horse battery", actor=SYSTEM)
        else:
            change_user(session, alice, actor=SYSTEM, **{change: values[change]})
    assert pages.raw("GET", "/desk").status_code == 401


def test_queues_taken_away_while_a_stream_opens_are_not_watched(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ext.write() as session:
        bob = session.get_one(User, cast.bob.id)
        token = sessions.log_in(session, bob, "", old_token=None, agent="", at=now())
    hub, calls = Hub(app), []
    honest = hub._who

    def who(given: str) -> Watcher | None:
        found = honest(given)
        calls.append(found)
        if len(calls) == 1:
            with app.app_context(), ext.write() as session:
                set_queues(session, session.get_one(User, cast.bob.id), [], actor=SYSTEM)
        return found

    monkeypatch.setattr(hub, "_who", who)
    stream = asyncio.run(hub.open(token, None))
    assert calls[0] is not None and calls[0].queue_ids == {cast.billing.id}
    assert stream is not None and stream.who.queue_ids == frozenset()


def test_a_form_gives_nobody_more_rights(pages: Pages, cast: Cast) -> None:
    """Fields that a form does not have are not read (I23)."""
    pages.log_in("bob")
    pages.get("/desk/me")
    pages.post("/desk/me", role="admin", all_queues="1", active="1", email="x@y.example")
    with ext.session() as session:
        bob = session.get_one(User, cast.bob.id)
    assert (bob.role, bob.all_queues, bob.email) == ("agent", False, "bob@example.com")
