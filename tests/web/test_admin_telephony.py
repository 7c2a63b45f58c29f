"""The page of the telephone's health: what came, what was refused, what the check finds."""

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.calls import commands, flow, reconcile
from helpdesk.calls.models import Call, CallCommand, CommandState
from helpdesk.lib.clock import now
from tests.calls.phones import make_phone
from tests.calls.post import Carrier
from tests.cast import Cast
from tests.web.conftest import Pages
from tests.web.rooms import enter


@pytest.fixture
def ada(pages: Pages) -> Pages:
    return enter(pages, "ada")


def refused() -> int:
    """The carrier would not ring somebody."""
    with ext.write() as session:
        call = session.scalars(select(Call)).one()
        commands.order(session, call, "redirect", key="k", at=now(), step="menu")
        command = session.scalars(select(CallCommand).where(CallCommand.key == "k")).one()
        command.state, command.due_at = CommandState.FAILED, None
        command.last_error = "21220: <b>call is over</b>"
        return call.id


def test_before_the_first_call_it_says_what_to_do(ada: Pages) -> None:
    page = ada.get("/admin/telephony")
    assert "not yet: call from the simulator" in page.text
    assert "http://127.0.0.1:8000/twilio/voice" in page.text
    assert "Nothing was refused" in page.text


def test_everything_that_goes_wrong_stands_there(
    ada: Pages, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = Carrier(app)
    carrier.calls()
    carrier.calls()
    app.test_client().post("/twilio/voice", base_url=app.config["PUBLIC_URL"])
    call_id = refused()
    with monkeypatch.context() as patch:
        patch.setattr(flow.record, "take", lambda *_: 1 / 0)
        carrier.reports("completed")
    page = ada.get("/admin/telephony")
    assert "ZeroDivisionError" in page.text
    assert page.all("a[@href='#events']")
    facts = [("".join(dt.itertext()), "".join(dd.itertext())) for dt, dd in pairs(page)]
    said = dict(facts)
    assert said["Calls under way"] == "1"
    assert said["Repeated messages, last 24 hours"] == "1"
    assert said["Forged messages since the start"] == "1"
    assert "21220: <b>call is over</b>" in page.text
    assert page.all(f"a[@href='/desk/call/{call_id}']")
    reconcile.run()
    page = ada.get("/admin/telephony")
    assert "ZeroDivisionError" not in page.text
    assert not page.all("a[@href='#events']")


def pairs(page: object) -> list[tuple[object, object]]:
    terms, details = page.all("dt"), page.all("dd")  # type: ignore[attr-defined]
    return list(zip(terms, details, strict=True))


def test_the_check_says_what_the_carrier_finds(
    ada: Pages, app: Flask, cast: Cast, clock: object
) -> None:
    ada.get("/admin/telephony")
    app.config["TWIN_URL"] = None
    page = ada.post("/admin/telephony/check")
    assert page.status == 200
    assert "What the check found" in page.text
    assert "Account" in page.text
    make_phone(app, clock)  # type: ignore[arg-type]
    page = ada.post("/admin/telephony/check")
    assert "in order" in page.text
    assert not page.all("td[@data-tone='bad']")
