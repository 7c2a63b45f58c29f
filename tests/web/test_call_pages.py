"""The telephone on the pages of the desk: who rings, talking, writing it up, availability."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Availability, Presence
from helpdesk.calls.models import Call, CallEvent, CallState, Disposition, NextStep, Provider
from helpdesk.clients import billing, fact_actions
from helpdesk.clients.actions import add_person, create_client
from helpdesk.clients.models import Client
from helpdesk.events import SYSTEM
from helpdesk.lib.clock import now
from helpdesk.planner.models import Task
from helpdesk.tickets.models import NUMBER_OFFSET, Ticket
from helpdesk.tickets.reasons import create_reason
from tests.calls import desk as line
from tests.cast import Cast
from tests.web.calling import NUMBER, has_number, on_duty, rings_at, talks_with
from tests.web.conftest import Desk, Page, Pages, counted

PAGES = ("/desk", "/desk/clients", "/desk/kb", "/desk/me", "/desk/calls", "/desk/callbacks")


@pytest.fixture
def duty(alice: Pages, cast: Cast) -> Pages:
    """Alice, available in her browser; Oksana's number is known."""
    has_number(cast.oksana.person_id)
    on_duty(cast.alice)
    return alice


def presence_of(user_id: int) -> Presence:
    with ext.session() as session:
        return session.get_one(Presence, user_id)


def pop(page: Page) -> str:
    """The text of the pop, "" where none is."""
    found = [one for one in page.all("section") if one.get("id") == "ringing"]
    return " ".join("".join(found[0].itertext()).split()) if found else ""


def bar(page: Page) -> str:
    found = [one for one in page.all("section") if one.get("id") == "callbar"]
    return " ".join("".join(found[0].itertext()).split()) if found else ""


def owes_and_waits(cast: Cast) -> None:
    """Oksana has a debt and a promise of ours."""
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        today = now().date()
        bill = {
            "external_id": "1", "amount": 124_000, "currency": "UAH",
            "issued_on": today - timedelta(40), "due_on": today - timedelta(4),
        }  # fmt: skip
        billing.put_invoice(session, client, bill, at=now(), actor=SYSTEM)
        due = now() + timedelta(hours=2)
        fact_actions.make_promise(
            session, client, "Call back", due_at=due, user_id=cast.alice.id, at=now()
        )


def spoke(call_id: int, text: str) -> None:
    """The caller said this to the menu."""
    with ext.write() as session:
        event = CallEvent(
            key=text, call_id=call_id, provider=Provider.TWIN, kind="step",
            received_at=now(), payload={"SpeechResult": text}, status=200,
        )  # fmt: skip
        session.add(event)


def test_who_rings_is_known_before_the_answer_on_every_page(
    duty: Pages, desk: Desk, cast: Cast, clock: time_machine.Traveller
) -> None:
    desk.ticket("Kettle leaks", "It leaks since Monday")
    owes_and_waits(cast)
    caller = line.waits(cast.support.id, NUMBER)
    spoke(caller.call_id, "where is my parcel")
    clock.shift(18)
    with ext.write() as session:
        presence.seen(session, cast.alice.id, now())
    line.distribute()
    for path in PAGES:
        text = pop(duty.get(path))
        for words in (
            "Incoming call", "waits 00:18", "Оксана Литвиненко", "+380 67 123 45 67",
            "українська", "To pay: UAH 1,240.00", "4 days late", "Promised by 14:00", "Call back",
            "Kettle leaks", "It leaks since Monday", "“where is my parcel”", "Accept", "Decline",
        ):  # fmt: skip
            assert words in text, (path, words)
    fragment = duty.get("/desk/call", headers={"HX-Request": "true"})
    assert "Оксана Литвиненко" in fragment.text and "In a call" in fragment.text
    assert pop(duty.get("/login")) == ""


def test_only_whom_it_rings_sees_and_answers_it(pages: Pages, cast: Cast) -> None:
    on_duty(cast.alice)
    caller = rings_at(cast, cast.alice)
    offer_id = caller.offers[0].id
    pages.log_in("sam")
    assert pop(pages.get("/desk/me")) == ""
    for path in (f"offers/{offer_id}/accept", f"offers/{offer_id}/decline"):
        assert pages.script(f"/desk/call/{path}").status_code == 404
    for act in ("hold", "hang-up", "notes"):
        assert pages.script(f"/desk/call/{caller.call_id}/{act}").status_code == 404
    assert caller.call.state == CallState.OFFERED


def test_a_call_from_the_pop_to_the_written_up_record(
    duty: Pages, desk: Desk, cast: Cast, clock: time_machine.Traveller
) -> None:
    writing = desk.ticket("Parcel", "Where is it?")
    duty.get(f"/desk/t/{writing}")
    answer = duty.script(f"/desk/t/{writing}/drafts", kind="outbound", text="Your parcel is")
    assert answer.status_code == 200
    caller = rings_at(cast, cast.alice)
    page = duty.get("/desk")
    page = duty.post(f"/desk/call/offers/{caller.offers[0].id}/accept")
    number = caller.call.ticket_id and caller.call.ticket_id + NUMBER_OFFSET
    assert page.place == f"/desk/t/{number}"
    assert "connecting" in bar(page) and pop(page) == ""
    line.Ringing(caller.offers[0]).accept()
    caller.step("join", talk=caller.offers[0].id)
    page = duty.get("/desk/clients")
    assert (
        "talking" in bar(page) and "Оксана Литвиненко" in bar(page) and f"№ {number}" in page.text
    )
    clock.shift(30)
    assert "00:30" in bar(duty.get("/desk"))
    base = f"/desk/call/{caller.call_id}"
    assert duty.script(f"{base}/notes", notes="Wants it by Friday").json == {"saved": True}
    page = duty.post(f"{base}/hold", held="1")
    assert ("hold", "") in caller.orders
    page = duty.post(f"{base}/hang-up")
    caller.hang_up()
    page = duty.get("/desk")
    assert "After the call" in bar(page) and "01:00" in bar(page)
    assert f"Back to your reply to № {writing}" in bar(page)
    duty.post("/desk/phone/longer")
    assert "02:00" in bar(duty.get("/desk"))
    page = duty.get(base)
    assert "Wants it by Friday" in page.text and "Write it down" not in bar(page)
    with ext.write() as session:
        reason = create_reason(session, names=dict.fromkeys(("en", "ru", "uk"), "Parcel")).id
    due = (now() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    duty.get(base)
    chosen = {"reason": str(reason), "disposition": "promised", "next_step": "callback"}
    page = duty.post(base, **chosen, due=due, notes="By Friday", then="take")
    assert page.place == f"/desk/t/{writing}", "back to the half-written reply"
    assert "Your parcel is" in page.text and "The call is written down." in page.text
    call = caller.call
    assert (call.disposition, call.next_step) == (Disposition.PROMISED, NextStep.CALLBACK)
    assert (call.reason_id, call.notes, call.state) == (reason, "By Friday", CallState.ENDED)
    assert presence_of(cast.alice.id).state == Availability.AVAILABLE and bar(page) == ""
    with ext.session() as session:
        task = session.scalars(select(Task)).one()
        assert task.owner_id == cast.alice.id and task.due_at.minute == now().minute
        assert session.get_one(Ticket, call.ticket_id).reason_id == reason
    assert "Promised" in duty.get(base).text


def test_saving_may_pause_and_says_what_is_missing(duty: Pages, cast: Cast) -> None:
    caller = talks_with(cast, cast.alice)
    base = f"/desk/call/{caller.call_id}"
    assert "Save and take calls" not in duty.get(base).text, "not while they talk"
    caller.hang_up()
    duty.get(base)
    for fields, words in (
        ({"next_step": "callback", "due": "", "notes": "kept"}, "Say when"),
        ({"next_step": "callback", "due": "2020-01-01T10:00"}, ""),
        ({"disposition": "nonsense"}, "Choose one from the list."),
        ({"other": "99999"}, "Choose one from the list."),
    ):
        page = duty.send(base, {"csrf_token": duty.token, **fields})
        assert page.status == 400 and words in page.text
        assert fields.get("notes", "") in page.html
    duty.get(base)
    duty.post(base, disposition="solved", next_step="none", then="pause")
    assert presence_of(cast.alice.id).state == Availability.BREAK
    assert caller.call.disposition == Disposition.SOLVED


def test_a_declined_and_an_unanswered_call(
    duty: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    caller = rings_at(cast, cast.alice)
    page = duty.get("/desk/clients")
    page = duty.post(f"/desk/call/offers/{caller.offers[0].id}/decline")
    assert page.place == "/desk/clients" and pop(page) == ""
    assert caller.call.state == CallState.QUEUED
    on_duty(cast.alice)
    line.distribute()
    clock.shift(25)
    line.sweep()
    line.distribute()
    page = duty.get("/desk")
    assert "You are paused: the last call was not answered." in bar(page)
    duty.script("/desk/phone/state", state="available")
    assert bar(duty.get("/desk")) == ""
    assert presence_of(cast.alice.id).state == Availability.AVAILABLE


def test_availability_is_chosen_in_the_rail(alice: Pages, cast: Cast) -> None:
    page = alice.get("/desk")
    assert "Your availability: Off shift" in page.text
    for state, words in (
        ("available", "Available"),
        ("break", "Break"),
        ("email_only", "Email only"),
        ("off", "Off shift"),
    ):
        alice.get("/desk/phone")
        page = alice.post("/desk/phone/state", state=state)
        assert page.place == "/desk/phone" and f"Your availability: {words}" in page.text
    for wrong in ("in_call", "nonsense", ""):
        assert alice.script("/desk/phone/state", state=wrong).status_code == 400


def test_the_phone_may_be_ones_own(alice: Pages, cast: Cast) -> None:
    page = alice.get("/desk/phone")
    assert "Calls are simulated here." in page.text
    page = alice.post("/desk/phone/choice", phone="own", number="12")
    assert page.status == 400 and "phone number that can be called" in page.text
    page = alice.post("/desk/phone/choice", phone="own", number="067 765 43 21")
    assert page.place == "/desk/phone" and "+380 67 765 43 21" in page.html
    alice.post("/desk/phone/state", state="available")
    caller = rings_at(cast, cast.alice)
    text = pop(alice.get("/desk"))
    assert "Your phone +380 67 765 43 21 rings: press 1" in text and "Accept" not in text
    assert alice.script(f"/desk/call/offers/{caller.offers[0].id}/accept").status_code == 400
    assert alice.script("/desk/phone/digits", digits="1").status_code == 409


def test_of_several_people_with_the_number_the_right_one_is_chosen(duty: Pages, cast: Cast) -> None:
    with ext.write() as session:
        client = create_client(session, kind="organisation", name="Svitlo LLC", at=now())
        other = add_person(session, client, name="Olena", at=now()).id
    has_number(other)
    caller = rings_at(cast, cast.alice)
    page = duty.get("/desk")
    assert "Several people have this number." in pop(page) and "Olena, Svitlo LLC" in pop(page)
    page = duty.post(f"/desk/call/{caller.call_id}/person", person=str(other))
    assert "Olena" in pop(page)
    with ext.session() as session:
        call = session.get_one(Call, caller.call_id)
        assert call.person_id == other and call.client_id == client.id
        assert session.get_one(Ticket, call.ticket_id).person_id == other
    for wrong in (cast.stranger.person_id, 10**6, "x"):
        answer = duty.script(f"/desk/call/{caller.call_id}/person", person=str(wrong))
        assert answer.status_code == 400


def test_who_withholds_the_number_is_shown_as_that(duty: Pages, cast: Cast) -> None:
    line.waits(cast.support.id, "")
    line.distribute()
    text = pop(duty.get("/desk"))
    assert "Withheld number" in text and "Accept" in text


def test_a_sign_of_life_and_the_token(alice: Pages, cast: Cast) -> None:
    on_duty(cast.alice)
    alice.get("/desk/phone")
    assert alice.script("/desk/phone/seen").json == {"seen": True}
    token = alice.raw("GET", "/desk/phone/token")
    assert token.status_code == 200 and token.json and token.json["kind"] == "twin"
    assert token.json["identity"] == f"agent-{cast.alice.id}"
    assert alice.script("/desk/phone/digits", digits="x").status_code == 400
    assert alice.script("/desk/phone/answer").json == {"done": False}


def test_the_telephone_costs_few_statements(
    duty: Pages, desk: Desk, cast: Cast, app: Flask
) -> None:
    for n in range(12):
        desk.ticket(f"Ticket {n}")
    with counted() as quiet:
        duty.get("/desk/me")
    caller = rings_at(cast, cast.alice)
    with counted() as ringing:
        duty.get("/desk/me")
    assert len(ringing) - len(quiet) <= 6, "\n".join(ringing)
    line.talk(caller, cast.alice.id)
    with counted() as talking:
        duty.get("/desk/me")
    assert len(talking) - len(quiet) <= 2, "\n".join(talking)
    caller.hang_up()
    with counted() as after:
        duty.get(f"/desk/call/{caller.call_id}")
    assert len(after) <= 18, "\n".join(after)
