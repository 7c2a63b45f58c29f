"""The simulator's page without scripts: who has it, a whole call by forms, what is refused."""

import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
import time_machine
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.presence import Phone as PhoneKind
from helpdesk.calls.models import Call, CallState, Provider
from helpdesk.calls.providers.twin import server
from helpdesk.calls.providers.twin.engine.faults import Fault
from helpdesk.lib.clock import now
from helpdesk.tickets.models import Queue, Ticket
from tests.calls.phones import OURS, Phone, TwinAdapter, make_phone
from tests.cast import Cast
from tests.web.calling import NUMBER, has_number, on_duty
from tests.web.conftest import Page, Pages, counted

SHOWN = "+380 67 123 45 67"


@pytest.fixture
def phone(app: Flask, clock: time_machine.Traveller) -> Iterator[Phone]:
    """The twin, on the test's clock, reached by pages over a socket."""
    phone, stop = make_phone(app, clock), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=server.serve_http, args=(phone.twin, listening, stop))
    thread.start()
    app.config["TWIN_URL"] = url
    session = requests.Session()
    session.mount(url, TwinAdapter(phone.twin))
    app.extensions["carrier_session"] = session
    yield phone
    stop.set()
    thread.join(5)


@pytest.fixture
def ada(pages: Pages, cast: Cast) -> Pages:
    """A browser in which the administrator is logged in; Oksana has a number, Support too."""
    has_number(cast.oksana.person_id)
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).numbers = [OURS]
    pages.log_in("ada")
    return pages


def part(page: Page, name: str) -> str:
    (found,) = [one for one in page.tree.iter() if one.get("id") == name]
    return " ".join("".join(found.itertext()).split())


def act(pages: Pages, phone: Phone, what: str, wait: float = 0) -> Page:
    """Press a button of the telephone; the page as it is a moment later."""
    pages.post("/simulator/act", act=what)
    return later(pages, phone, wait)


def later(pages: Pages, phone: Phone, wait: float = 0) -> Page:
    phone.settle()
    phone.advance(wait)
    assert pages.page is not None
    return pages.get(pages.page.place)


def call(pages: Pages, phone: Phone, **who: str) -> Page:
    pages.get("/simulator")
    pages.post("/simulator/call", **{"from": NUMBER, "to": OURS, **who})
    return later(pages, phone, 3)


def test_it_is_there_for_administrators_and_on_demo_data_for_all(
    pages: Pages, app: Flask, phone: Phone
) -> None:
    for name, demo, status in (
        ("alice", False, 404), ("sam", False, 404), ("ada", False, 200),
        ("alice", True, 200), ("sam", True, 200),
    ):  # fmt: skip
        app.config["DEMO"] = demo
        pages.log_in(name)
        assert pages.get("/simulator").status == status, (name, demo)
        linked = 'href="/simulator"' in pages.get("/desk/me").html
        assert linked == (status == 200)
    app.config.update(TWILIO_ACCOUNT_SID="AC" + "0" * 32, TWILIO_AUTH_TOKEN="x")
    pages.log_in("ada")
    for path in ("/simulator", "/simulator/live", "/simulator/request?id=1"):
        assert pages.get(path).status == 404
    assert "/simulator" not in pages.get("/admin/phone").html


def test_a_whole_call_by_plain_forms(ada: Pages, phone: Phone, cast: Cast) -> None:
    page = ada.get("/simulator")
    assert f"Оксана Литвиненко, {SHOWN}" in page.text and "+380 44 333 44 55, Support" in page.text
    assert "Choose who calls" in part(page, "sim-said")
    page = call(ada, phone)
    assert re.fullmatch(r"/simulator\?call=CA[0-9a-f]{32}", page.place)
    assert "connected" in part(page, "sim-line") and "1 key is awaited" in part(page, "sim-awaited")
    said = [one for one in page.all("li") if one.get("class") == "them"]
    assert said and said[0].get("lang") == "uk-UA"
    page = act(ada, phone, "0", wait=10)
    assert "Waits in the queue, place 1." in part(page, "sim-awaited")
    for words in ("Number known", "Оксана Литвиненко", "Key 0", "Queue “Support”", "Ticket №"):
        assert words in part(page, "sim-inside"), words
    with ext.session() as session:
        row = session.scalars(select(Call)).one()
        ticket = session.get_one(Ticket, row.ticket_id)
    assert {f"/desk/t/{ticket.number}", f"/desk/call/{row.id}"} <= {
        a.get("href") for a in page.all("a")
    }
    on_duty(cast.alice, PhoneKind.OWN, "+380501112233")
    page = later(ada, phone, 2)
    assert "Alice+380 50 111 22 33rings" in part(page, "sim-agents")
    sid = phone.agents["+380501112233"].legs[0].sid
    for press, words in (("answer", "Press 1"), ("1", "talking")):
        page = act(ada, phone, f"{press}:{sid}", wait=4)
        assert words in part(page, "sim-agents")
    assert "You talk with Alice." in part(page, "sim-awaited")
    page = act(ada, phone, "hangup", wait=2)
    assert "The call is over." in part(page, "sim-awaited") and "talked" in part(page, "sim-inside")
    page = ada.post("/simulator/again")
    assert page.place != f"/simulator?call={row.provider_id}" and not phone.problems


def test_words_a_bad_ear_sms_and_the_log(ada: Pages, phone: Phone, cast: Cast) -> None:
    page = call(ada, phone, **{"from": "other", "typed": "067 765 43 21"})
    assert "+380 67 765 43 21" in part(page, "sim-phone") and "Not known" in part(page, "sim-hears")
    assert "Number not known" in part(page, "sim-inside")
    ada.post("/simulator/say", text="  where is   my parcel ", unclear="1")
    page = later(ada, phone)
    assert "where is my parcel" in part(page, "sim-said")
    ada.post("/simulator/sms", body="Call me tomorrow")
    page = later(ada, phone)
    assert "Call me tomorrow" in part(page, "sim-texts") and phone.messages[0].to == OURS
    assert "/twilio/voice" in part(page, "sim-log") and "200" in part(page, "sim-log")
    full = ada.get("/simulator/request?id=1")
    assert "+380677654321" in full.text and "<Gather" in full.text
    page = call(ada, phone, **{"from": "anonymous"})
    assert "withheld number" in part(page, "sim-phone")
    assert "Number withheld" in part(page, "sim-inside")
    assert len([a for a in page.all("a") if (a.get("id") or "").startswith("tab-")]) == 2


def test_what_makes_no_sense_is_refused_in_words(ada: Pages, phone: Phone) -> None:
    ada.get("/simulator")
    gone = "CA" + "0" * 32
    for path, fields, status, words in (
        ("call", {"from": "other", "typed": "12", "to": OURS}, 400, "This is no phone number."),
        ("call", {"from": NUMBER, "to": "x" * 999}, 400, "This is no phone number."),
        ("call", {}, 400, "This is no phone number."),
        ("act", {"act": "1"}, 400, "Choose a telephone first."),
        ("act", {"act": "../../x", "sid": gone}, 400, "Press digits"),
        ("act", {"act": "1:CA1/../..", "sid": gone}, 400, "Choose a telephone first."),
        ("act", {"act": "hangup", "sid": gone}, 409, "This call is over."),
        ("say", {"text": "", "sid": gone}, 400, "Write what the caller says."),
        ("say", {"text": "x" * 1001, "sid": gone}, 400, "At most 1000 characters."),
        ("say", {"text": "hi", "sid": gone}, 409, "This call is over."),
        ("sms", {"from": NUMBER, "to": OURS, "body": " "}, 400, "Write the text of the SMS."),
        ("sms", {"from": "", "to": OURS, "body": "hi"}, 400, "This is no phone number."),
        ("again", {"sid": gone}, 409, "This call is over."),
        ("clock", {"move": "1e9"}, 400, "Choose one from the list."),
        ("faults", {"fault": "earthquake"}, 400, "Choose one from the list."),
    ):
        page = ada.send(f"/simulator/{path}", {"csrf_token": ada.token, **fields})
        assert page.status == status and words in part(page, "sim-error"), (path, fields)
        answer = ada.script(f"/simulator/{path}", **fields)
        assert answer.status_code == status and words in (answer.json or {})["error"]
    assert (
        ada.raw("GET", "/simulator/request?id=77", headers={"HX-Request": "1"}).status_code == 409
    )
    page = call(ada, phone)
    act(ada, phone, "hangup")
    page = ada.send(
        "/simulator/act", {"csrf_token": ada.token, "act": "1", "sid": page.place.split("=")[1]}
    )
    assert page.status == 409 and "can’t do that now" in part(page, "sim-error")
    for wrong in ("CA1", "'\"<x>", "%00"):
        assert ada.get(f"/simulator?call={wrong}").status == 200


def test_the_clock_leads_to_the_night_and_back(
    ada: Pages, phone: Phone, clock: time_machine.Traveller
) -> None:
    ada.get("/simulator")
    ada.post("/simulator/clock", move="pause")
    assert phone.twin.exchange.agenda.manual
    assert ada.script("/simulator/clock", move="night").status_code == 200
    agenda = phone.twin.exchange.agenda
    agenda.skip(timedelta(hours=15))  # what the twin's own thread would do
    page = ada.get("/simulator")
    assert "to opening time" in part(page, "sim-clock") and "real time" in part(page, "sim-clock")
    ada.post("/simulator/call", **{"from": NUMBER, "to": OURS})
    request = phone.twin.exchange.requests.take()
    assert request is not None and b"TwinAhead=54000" in request.body
    phone.twin.driver._send(request)
    with ext.session() as session:
        state = session.scalars(select(Call)).one().state
    assert state == CallState.MENU
    assert " 9:00." in phone.log[0].document  # when we open again
    ada.post("/simulator/clock", move="real")
    assert agenda.ahead() == timedelta() and agenda.now() == now()


def test_mishaps_strike_until_they_are_switched_off(ada: Pages, phone: Phone) -> None:
    ada.get("/simulator")
    page = ada.send(
        "/simulator/faults", {"csrf_token": ada.token, "fault": ["duplicate", "refuse"]}
    )
    kinds = [(one.kind, one.match) for one in phone.faults if isinstance(one, Fault)]
    assert kinds == [("duplicate", ""), ("rest", "POST ")]
    ticked = {box.get("value") for box in page.all("input") if "checked" in box.attrib}
    assert {"duplicate", "refuse"} <= ticked
    page = call(ada, phone)
    assert "Came twice, counted once" in part(page, "sim-inside")
    ada.send("/simulator/faults", {"csrf_token": ada.token})
    assert not list(phone.faults)


def test_live_says_nothing_while_nothing_happens(ada: Pages, phone: Phone) -> None:
    page = call(ada, phone)
    (sim,) = [one for one in page.tree.iter() if one.get("id") == "sim"]
    known = f"call={sim.get('data-call')}&last={sim.get('data-last')}"
    seen = f"/simulator/live?{known}&seen={sim.get('data-digest')}"
    with counted() as quiet:
        assert ada.raw("GET", seen).status_code == 204
    assert len(quiet) <= 2, quiet
    with counted() as drawn:
        fragment = ada.get(f"/simulator/live?{known}")
    assert fragment.status == 200 and len(drawn) <= 24, "\n".join(drawn)
    assert len(fragment.html) < 40_000
    act(ada, phone, "0")
    assert ada.get(seen).status == 200


def test_without_the_twin_it_says_so(ada: Pages, app: Flask) -> None:
    for url in (None, "http://127.0.0.1:9"):
        app.config["TWIN_URL"] = url
        page = ada.get("/simulator")
        assert page.status == 200 and "does not answer" in page.text
        assert "does not answer" in ada.raw("GET", "/simulator/live").text
        ada.get("/desk/me")
        answer = ada.script("/simulator/call", **{"from": NUMBER, "to": OURS})
        assert answer.status_code == 409 and "does not answer" in (answer.json or {})["error"]
    with ext.session() as session:
        assert not session.scalars(select(Call).where(Call.provider == Provider.TWIN)).all()
