"""Logging in and out, passwords by link, forms that came too late."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from helpdesk import ext
from helpdesk.accounts.actions import one_time_link
from helpdesk.accounts.models import LoginSession, User
from helpdesk.lib import passwords
from helpdesk.lib.clock import now
from helpdesk.web.guard import COOKIE, safe_path
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Desk, Pages


def test_agent_logs_in_and_comes_to_the_list(pages: Pages) -> None:
    page = pages.log_in_by_form("alice")
    assert page.place.startswith("/desk")
    assert "My tickets" in page.text


def test_wrong_mail_and_wrong_password_say_the_same(pages: Pages) -> None:
    texts = []
    for email in ("alice@example.com", "nobody@example.com"):
        pages.get("/login")
        page = pages.post("/login", email=email, password="wrong wrong wrong")
        assert page.status == 401
        texts.append(page.text.replace(email, ""))
    assert texts[0] == texts[1]
    assert "The address or the password is wrong." in texts[0]


def test_sixth_try_in_fifteen_minutes_waits(pages: Pages) -> None:
    for _ in range(5):
        pages.get("/login")
        pages.post("/login", email="alice@example.com", password="wrong wrong wrong")
    pages.get("/login")
    page = pages.post("/login", email="alice@example.com", password=PASSWORD)
    assert page.status == 429
    assert "15 minutes" in page.text


def test_cookie_changes_at_log_in_and_ends_at_log_out(pages: Pages, cast: Cast) -> None:
    pages.log_in_by_form("alice")
    first = pages.client.get_cookie(COOKIE).value
    pages.log_in_by_form("alice")
    second = pages.client.get_cookie(COOKIE)
    assert second.value != first
    assert second.http_only and second.same_site == "Lax"
    with ext.session() as session:
        assert len(session.scalars(select(LoginSession)).all()) == 1
    pages.get("/desk/me")
    pages.post("/logout")
    assert pages.get("/desk").status == 401


def test_log_in_returns_to_the_page_that_was_wanted(pages: Pages, desk: Desk) -> None:
    number = desk.ticket()
    pages.get(f"/desk/t/{number}")
    page = pages.post("/login", email="alice@example.com", password=PASSWORD)
    assert page.place == f"/desk/t/{number}"


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "", "a"]
)
def test_log_in_never_leads_to_another_site(target: str) -> None:
    assert safe_path(target) == "/desk"


def test_lost_session_keeps_the_text(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    with ext.write() as session:
        session.execute(delete(LoginSession))
    text = "A long answer\nthat took half an hour to write"
    alice.post(f"/desk/t/{number}/messages", outbound=text)
    page = alice.post("/login", email="alice@example.com", password=PASSWORD)
    assert "Nothing was lost" in page.text
    assert "half an hour" in page.text
    page = alice.post(f"/desk/t/{number}/messages")
    assert page.place == f"/desk/t/{number}"
    assert "half an hour" in page.text


def test_stale_form_is_shown_again_with_its_text(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    with alice.client.session_transaction() as browser:
        browser.clear()
    path = f"/desk/t/{number}/messages"
    page = alice.post(path, outbound="Two lines\nof text")
    assert page.status == 400
    assert "Two lines" in page.text
    assert "Two lines" in alice.post(path).text


def test_script_with_a_stale_token_gets_a_new_one(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    with alice.client.session_transaction() as browser:
        browser.clear()
    path = f"/desk/t/{number}/drafts"
    answer = alice.script(path, kind="note", text="x")
    assert answer.status_code == 400
    again = alice.raw(
        "POST",
        path,
        data={"csrf_token": answer.headers["X-CSRFToken"], "kind": "note", "text": "x"},
        headers={"Accept": "application/json"},
    )
    assert again.json == {"saved": True}


def test_form_from_another_site_is_refused(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    fields = alice.page.form(f"/desk/t/{number}/status") if alice.page else {}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        page = alice.send(
            f"/desk/t/{number}/status", fields | {"status": "closed"}, headers=headers
        )
        assert page.status == 403
    assert "Closed" not in alice.get(f"/desk/t/{number}").one("header[@id='thead']").itertext()


def test_password_link_works_once(pages: Pages, cast: Cast, app: Flask) -> None:
    with ext.write() as session:
        token = one_time_link(session, session.get_one(User, cast.alice.id), now())
    path = f"/welcome/{token}"
    fields = pages.get(path).form("") | {"password": "four small words here"}
    assert f"At least {passwords.MIN_LENGTH} characters" in pages.get(path).text
    assert "differ" in pages.send(path, fields | {"repeated": "other"}).text
    page = pages.send(path, fields | {"repeated": "four small words here"})
    assert "Saved." in page.text
    assert page.one("input[@name='email']").get("value") == "alice@example.com"
    assert pages.get(path).status == 404
    pages.get("/login")
    page = pages.post("/login", email="alice@example.com", password="four small words here")
    assert "My tickets" in page.text


@pytest.mark.parametrize("token", ["x", "%20", "%00", "null", "a" * 300])
def test_made_up_password_link_leads_nowhere(pages: Pages, token: str) -> None:
    assert pages.get(f"/welcome/{token}").status == 404


def test_password_link_ends_after_a_day(pages: Pages, cast: Cast, clock: object) -> None:
    with ext.write() as session:
        token = one_time_link(session, session.get_one(User, cast.alice.id), now())
    clock.shift(timedelta(hours=25))  # type: ignore[attr-defined]
    assert pages.get(f"/welcome/{token}").status == 404


def test_own_settings_are_kept(alice: Pages) -> None:
    alice.get("/desk/me")
    page = alice.post("/desk/me", theme="dark", language="uk", timezone="America/New_York")
    html = next(page.tree.iter("html"))
    assert (html.get("lang"), html.get("data-theme")) == ("uk", "dark")
    assert alice.post("/desk/me", theme="pink").status == 400
