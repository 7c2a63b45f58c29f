"""Logging in with a second factor: asked after the password, set up at will or at once."""

import re

import pyotp
import time_machine
from sqlalchemy import select

from helpdesk import ext, settings
from helpdesk.accounts.models import LoginSession
from helpdesk.events import Event
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Page, Pages


def key_on(page: Page) -> pyotp.TOTP:
    (key,) = re.findall(r"<code class=\"text\">([A-Z2-7 ]+)</code>", page.html)
    assert page.html.count('<svg class="qr"') + page.html.count('class="qr"') >= 1
    return pyotp.TOTP(key.replace(" ", ""))


def password(pages: Pages, name: str) -> Page:
    pages.get("/login")
    return pages.post("/login", email=f"{name}@example.com", password=PASSWORD)


def sessions() -> int:
    with ext.session() as session:
        return len(session.scalars(select(LoginSession)).all())


def set_up(pages: Pages) -> tuple[pyotp.TOTP, list[str]]:
    """In one's own settings."""
    pages.get("/desk/me")
    page = pages.post("/desk/me/factor/begin")
    assert page.place == "/desk/me/factor"
    app = key_on(page)
    page = pages.post("/desk/me/factor", code="000000")
    assert page.status == 400
    assert "The code is wrong" in page.text
    page = pages.post("/desk/me/factor", code=app.now())
    return app, re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", page.html)


def test_an_agent_turns_it_on_uses_it_and_turns_it_off(
    alice: Pages, clock: time_machine.Traveller
) -> None:
    app, codes = set_up(alice)
    assert len(codes) == 10
    assert "10 codes for a lost phone are left" in alice.get("/desk/me").text
    assert alice.get("/desk/me/factor").place == "/desk/me", "the key is shown once only"
    alice.get("/desk/me")
    alice.post("/logout")
    page = password(alice, "alice")
    assert "Enter the code of your app" in page.text
    assert sessions() == 0, "a password alone opens nothing"
    assert alice.post("/login/code", code=app.now()).status == 401, "used already"
    clock.shift(60)
    page = alice.post("/login/code", code=app.now())
    assert page.place.startswith("/desk")
    clock.shift(60)
    alice.get("/desk/me")
    page = alice.post("/desk/me/factor/remove", code="123456")
    assert "The code is wrong" in page.text
    page = alice.post("/desk/me/factor/remove", code=codes[0])
    assert "The second factor is off." in page.text
    with ext.session() as session:
        kinds = session.scalars(select(Event.kind).where(Event.kind.like("factor.%")))
        assert sorted(kinds) == ["factor.recovered", "factor.removed", "factor.set_up"]


def test_codes_can_not_be_guessed(alice: Pages, clock: time_machine.Traveller) -> None:
    app, _codes = set_up(alice)
    alice.get("/desk/me")
    alice.post("/logout")
    password(alice, "alice")
    for _number in range(5):
        assert alice.post("/login/code", code="000000").status == 401
    clock.shift(60)
    assert alice.post("/login/code", code=app.now()).status == 429
    clock.shift(15 * 60)
    password(alice, "alice")
    assert alice.post("/login/code", code=app.now()).place.startswith("/desk")


def test_a_required_one_is_set_up_before_the_first_log_in(
    pages: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        settings.put(session, "second_factor", "supervisors")
    page = password(pages, "sam")
    assert "Set up a second factor" in page.text
    app = key_on(page)
    assert sessions() == 0
    page = pages.post("/login/factor", code="111111")
    assert page.status == 401
    assert key_on(page).secret == app.secret, "the app needn't scan again"
    page = pages.post("/login/factor", code=app.now())
    assert "Codes for a lost phone" in page.text
    assert sessions() == 1
    assert pages.get("/desk/me").status == 200
    clock.shift(60)
    pages.get("/desk/me")
    assert "Your role needs it here." in pages.page.text  # type: ignore[union-attr]
    page = pages.send("/desk/me/factor/remove", {"csrf_token": pages.token, "code": app.now()})
    assert "Your role needs a second factor here." in page.text


def test_an_administrator_helps_who_lost_phone_and_codes(
    alice: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    set_up(alice)
    alice.get("/desk/me")
    alice.post("/logout")
    password(alice, "ada")
    alice.get(f"/admin/staff/{cast.alice.id}")
    page = alice.post(f"/admin/staff/{cast.alice.id}/factor/remove")
    assert "The second factor of Alice is off, and they are logged out." in page.text
    alice.get("/desk/me")
    alice.post("/logout")
    assert password(alice, "alice").place.startswith("/desk")


def test_a_forged_or_late_second_step_begins_anew(
    pages: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    pages.get("/login")
    for path in ("/login/code", "/login/factor"):
        page = pages.send(path, {"csrf_token": pages.token, "pending": "1.2.3", "code": "1"})
        assert page.status == 400
        assert "Begin anew with your password." in page.text
        pages.get("/login")
    assert sessions() == 0
