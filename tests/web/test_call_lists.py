"""The call log, callbacks, calls written down by hand, numbers that call, phones and skills."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.presence import Phone, Presence
from helpdesk.calls import queries
from helpdesk.calls.models import Call, CallCommand, Direction, EndReason, Provider
from helpdesk.clients.match import Known
from helpdesk.lib.clock import now
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.planner.planning import plan
from helpdesk.tickets.models import NUMBER_OFFSET, Queue
from tests.calls import desk as line
from tests.cast import Cast
from tests.test_query_plans import caught, whole_tables
from tests.web.calling import NUMBER, has_number, on_duty, talks_with
from tests.web.conftest import Desk, Pages, counted
from tests.web.inspection import text_of

TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "t" * 32,
    "TWILIO_API_KEY": "SK" + "1" * 32,
    "TWILIO_API_SECRET": "s" * 32,
    "TWILIO_APP_SID": "AP" + "1" * 32,
}


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Tests whose name says so run with an account at the carrier."""
    return dict(TWILIO) if "real_carrier" in request.node.name else {}


def callback(cast: Cast, who: Known | None = None, **more: Any) -> int:
    """A planned callback of Support; its id."""
    known = who or cast.oksana
    about: dict[str, Any] = {
        "kind": TaskKind.CALLBACK,
        "client_id": known.client_id,
        "person_id": known.person_id,
        "number": NUMBER,
        "queue_id": cast.support.id,
        "due_at": now() + timedelta(hours=1),
        "at": now(),
    }
    with ext.write() as session:
        return plan(session, **about | more).id


def has_a_line(cast: Cast) -> None:
    """Support has a number of its own to call from."""
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).numbers = ["+380443334455"]


def task(task_id: int) -> Task:
    with ext.session() as session:
        return session.get_one(Task, task_id)


def late(task_id: int) -> None:
    with ext.write() as session:
        session.get_one(Task, task_id).due_at = now() - timedelta(minutes=14)


def test_a_call_is_written_down_in_two_clicks(alice: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket("Kettle leaks")
    page = alice.get(f"/desk/t/{number}")
    assert "Write down a call" in page.html
    form = f"/desk/calls/log/new?ticket={number}"
    assert "What was said" in alice.get(form, headers={"HX-Request": "true"}).text
    alice.get(form)
    page = alice.post("/desk/calls/log", notes="Asked to wait", minutes="7", direction="outbound")
    assert page.place == f"/desk/t/{number}" and "The call is written down." in page.text
    alice.get(f"/desk/calls/log/new?client={cast.oksana.client_id}")
    alice.post("/desk/calls/log", notes="Just a question", minutes="")
    with ext.session() as session:
        first, second = session.scalars(select(Call).order_by(Call.id)).all()
        assert (first.ticket_id, first.notes) == (int(number) - NUMBER_OFFSET, "Asked to wait")
        assert first.answered_at and first.ended_at - first.answered_at == timedelta(minutes=7)
        assert (first.direction, first.user_id) == (Direction.OUTBOUND, cast.alice.id)
        assert (second.direction, second.client_id) == (Direction.INBOUND, cast.oksana.client_id)
    alice.get(f"/desk/t/{number}")
    for fields in (
        {"minutes": "x"}, {"minutes": "99999"}, {"direction": "up"}, {"ticket": "12"},
        {"ticket": "", "client": ""}, {"ticket": "", "client": "99999"},
    ):  # fmt: skip
        given = {"ticket": number, "direction": "inbound", "minutes": "1"} | fields
        assert alice.script("/desk/calls/log", **given).status_code in (400, 404), fields
    text = alice.get("/desk/calls").text
    assert "Оксана Литвиненко" in text and "talked, 07:00" in text
    assert "Call 7:00" in alice.get(f"/desk/t/{number}/side").text


def test_every_number_calls_with_one_click_or_by_the_dialler(
    alice: Pages, desk: Desk, cast: Cast
) -> None:
    has_number(cast.oksana.person_id)
    number = desk.ticket()
    page = alice.get(f"/desk/t/{number}")
    assert [a.get("href") for a in page.all("a") if "tel:" in (a.get("href") or "")] == [
        "tel:+380671234567"
    ], "who takes no calls has the computer's dialler"
    on_duty(cast.alice, Phone.OWN, "+380670000001")
    has_a_line(cast)
    page = alice.get(f"/desk/t/{number}")
    page = alice.post("/desk/calls/out")
    assert page.place == f"/desk/t/{number}"
    with ext.session() as session:
        call = session.scalars(select(Call)).one()
        assert (call.direction, call.to_number) == (Direction.OUTBOUND, NUMBER)
        assert (call.ticket_id, call.user_id) == (int(number) - NUMBER_OFFSET, cast.alice.id)
        ring = session.scalars(select(CallCommand)).first()
        assert ring is not None and ring.kind == "ring_agent"
    again = alice.script("/desk/calls/out", number=NUMBER, ticket=number)
    assert again.status_code == 409 and again.json and again.json["error"]
    assert alice.script("/desk/calls/out", number="12").status_code == 400
    page = alice.get(f"/desk/clients/{cast.oksana.client_id}")
    assert page.form("/desk/calls/out")["client"] == str(cast.oksana.client_id)


def test_the_log_by_view(alice: Pages, cast: Cast) -> None:
    page = alice.get("/desk/calls")
    assert "No call yet" in page.text and "Nobody waits" in page.text
    has_number(cast.oksana.person_id)
    on_duty(cast.alice)
    talked = talks_with(cast, cast.alice)
    missed = line.waits(cast.support.id, "+380509998877")
    assert "1 caller waits, 00:00" in alice.get("/desk/calls").text
    missed.hang_up()
    talked.hang_up()
    assert "hung up while waiting" in alice.get("/desk/calls").text
    text = text_of(alice.get("/desk/calls?view=missed").one("main"))
    assert "+380 50 999 88 77" in text and "Оксана" not in text
    text = text_of(alice.get("/desk/calls?view=mine").one("main"))
    assert "Оксана Литвиненко" in text and "+380 50 999 88 77" not in text
    for wrong in ("?view=nonsense", "?before=x", "?before=1-x"):
        assert alice.get(f"/desk/calls{wrong}").status == 404


def test_long_logs_come_in_pages_and_read_no_whole_table(alice: Pages, cast: Cast) -> None:
    with ext.write() as session:
        for n in range(queries.PAGE + 2):
            at = now() - timedelta(minutes=n)
            call = Call(
                provider=Provider.TWIN, provider_id=f"CA{n}", token=f"t{n}", language="uk",
                direction=Direction.INBOUND, from_number=NUMBER, queue_id=cast.support.id,
                client_id=cast.oksana.client_id, person_id=cast.oksana.person_id,
                user_id=cast.alice.id, state="ended", end_reason=EndReason.ABANDONED_QUEUE,
                step={}, facts={}, started_at=at, ended_at=at, over_at=at, last_event_at=at,
            )  # fmt: skip
            session.add(call)
    for view in queries.CALL_VIEWS:
        with caught() as statements, counted() as sent:
            page = alice.get(f"/desk/calls?view={view}")
        assert whole_tables(statements) == [] and len(sent) <= 12
        assert len(page.all("tbody/tr")) == queries.PAGE
        (older,) = [a.get("href") for a in page.all("a") if a.get("rel") == "next"]
        assert older and len(alice.get(older).all("tbody/tr")) == 2


def test_callbacks_by_view_and_their_number_in_the_rail(alice: Pages, cast: Cast) -> None:
    page = alice.get("/desk/callbacks")
    assert "Nobody waits to be called back" in page.text
    first = callback(cast)
    second = callback(cast, cast.stranger, number="+380501112233", owner_id=cast.alice.id)
    assert "Оксана" not in alice.get("/desk/callbacks?view=mine").text
    text = alice.get("/desk/callbacks?view=queue").text
    assert "Оксана Литвиненко" in text and "+380 50 111 22 33" in text and "1 h" in text
    late(first)
    page = alice.get("/desk/callbacks?view=overdue")
    assert "−14 min" in page.text and "+380 50 111 22 33" not in page.text
    rail = [a for a in page.all("a") if a.get("href") == "/desk/callbacks?view=overdue"]
    assert "1" in ["".join(a.itertext()).strip() for a in rail]
    assert "1" in alice.raw("GET", "/desk/calls/rail").text
    assert alice.get("/desk/callbacks?view=nonsense").status == 404
    assert task(second).owner_id == cast.alice.id


def test_a_callback_is_done_cancelled_taken_back_and_handed_over(alice: Pages, cast: Cast) -> None:
    one = callback(cast)
    alice.get("/desk/callbacks?view=queue")
    page = alice.post(f"/desk/callbacks/{one}/cancel")
    assert task(one).state == TaskState.CANCELLED and "cancelled" in page.text
    page = alice.post(f"/desk/callbacks/{one}/restore")
    assert task(one).state == TaskState.PLANNED and "It is planned again." in page.text
    page = alice.post(f"/desk/callbacks/{one}/owner", owner=str(cast.sam.id))
    assert task(one).owner_id == cast.sam.id
    page = alice.post(f"/desk/callbacks/{one}/done", result="no_answer")
    found = task(one)
    assert (found.attempts, found.result) == (1, TaskResult.NO_ANSWER) and found.done_at is None
    assert "1 attempt: nobody answered" in page.text
    page = alice.post(f"/desk/callbacks/{one}/done", result="talked", outcome="All is well")
    found = task(one)
    assert (found.state, found.outcome) == (TaskState.DONE, "All is well")
    page = alice.get("/desk/callbacks?view=done")
    assert "All is well" in page.text and "talked" in page.text
    page = alice.send(
        f"/desk/callbacks/{one}/cancel", {"csrf_token": alice.token, "back": "/desk/callbacks"}
    )
    assert page.all("p[@class='flash']"), "it was over: that is said"


def test_a_callback_is_called_now(alice: Pages, cast: Cast) -> None:
    on_duty(cast.alice)
    has_a_line(cast)
    one = callback(cast)
    alice.get("/desk/callbacks?view=queue")
    alice.post(f"/desk/callbacks/{one}/call")
    with ext.session() as session:
        call = session.scalars(select(Call)).one()
        assert (call.task_id, call.to_number) == (one, NUMBER)
    assert task(one).owner_id == cast.alice.id


def test_other_queues_have_other_callbacks_and_calls(pages: Pages, cast: Cast, app: Flask) -> None:
    one = callback(cast)
    late(one)
    call = line.waits(cast.support.id, NUMBER)
    pages.log_in("bob")
    assert "Оксана" not in pages.get("/desk/callbacks?view=queue").text
    page = pages.get("/desk/calls")
    assert "No call yet" in page.text and "Nobody waits" in page.text
    pages.get("/desk/me")
    assert pages.script(f"/desk/callbacks/{one}/done", result="talked").status_code == 404
    assert pages.get(f"/desk/call/{call.call_id}").status == 404
    assert not [a for a in page.all("a") if a.get("href") == "/desk/callbacks?view=overdue"]


def test_languages_and_skills_are_said_on_the_page_of_staff(pages: Pages, cast: Cast) -> None:
    pages.log_in("ada")
    path = f"/admin/staff/{cast.bob.id}"
    pages.get(path)
    page = pages.post(path, spoken="uk", skills="billing,  warranty ,billing")
    assert page.status == 200 and "billing, warranty" in page.html
    with ext.session() as session:
        row = session.get_one(Presence, cast.bob.id)
        assert (row.languages, row.skills) == (["uk"], ["billing", "warranty"])
    page = pages.post(path, spoken="xx")
    assert page.status == 400


def test_the_sound_of_a_real_carrier_lives_in_the_phone_window_alone(
    pages: Pages, cast: Cast
) -> None:
    pages.log_in("alice")
    plain = pages.raw("GET", "/desk").headers["Content-Security-Policy"]
    assert "twilio" not in plain and "media-src 'self';" in plain
    page = pages.get("/desk/phone")
    policy = page.response.headers["Content-Security-Policy"]
    assert "wss://voice-js.roaming.twilio.com" in policy and "mediastream:" in policy
    assert "microphone=(self)" in page.response.headers["Permissions-Policy"]
    assert "twilio.min.js" in page.html and "Start" in page.text
    token = pages.raw("GET", "/desk/phone/token").json
    assert token and token["kind"] == "twilio" and token["token"].count(".") == 2
    assert pages.script("/desk/phone/digits", digits="1").status_code == 400
    assert pages.script("/desk/phone/answer").status_code == 400
