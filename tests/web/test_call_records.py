"""Calls on the pages of a ticket and a client: course, player, why there is none; no leaks."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.calls import recordings
from helpdesk.calls.models import (
    Call,
    CallState,
    Direction,
    Disposition,
    EndReason,
    NextStep,
    Provider,
    Recording,
    VoiceAnswer,
)
from helpdesk.calls.providers.port import Heard
from helpdesk.events import Actor, record
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.lib.clock import now
from helpdesk.reports.client.timeline import client_timeline
from helpdesk.tickets.models import NUMBER_OFFSET, Channel
from helpdesk.tickets.received import open_ticket
from tests.api.conftest import Program
from tests.calls.stored import WAV, Stored
from tests.cast import Cast
from tests.web.conftest import Pages
from tests.web.test_desk_ticket import counted

CANARY = "canaryofthecarrier"
LATE = "RE" + "f" * 32


def calls(cast: Cast, clock: time_machine.Traveller, app: Flask) -> int:
    """Four calls of Oksana on one ticket: talked, missed, voicemail, ours; the ticket's number."""
    carrier = Stored(app)
    with ext.write() as session:
        ticket_id = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Lamp",
            channel=Channel.PHONE,
            language="uk",
            at=now(),
        )
    began = now()
    kinds: list[dict[str, Any]] = [
        {
            "end_reason": EndReason.TALKED,
            "user_id": cast.alice.id,
            "answered_at": began + timedelta(seconds=80),
            "ended_at": began + timedelta(seconds=380),
            "hold_seconds": 30,
            "notes": "Sends a photo.",
            "disposition": Disposition.SOLVED,
            "next_step": NextStep.EMAIL,
        },
        {"end_reason": EndReason.ABANDONED_QUEUE, "ended_at": began + timedelta(seconds=40)},
        {"end_reason": EndReason.VOICEMAIL, "ended_at": began + timedelta(seconds=200)},
        {"end_reason": EndReason.NO_ANSWER, "direction": Direction.OUTBOUND},
    ]
    for number, values in enumerate(kinds):
        with ext.write() as session:
            call = _call(cast, ticket_id, number, began, values)
            session.add(call)
            session.flush()
            if number in (2, 3):
                name = f"RE{number:032}"
                carrier.files[f"RE{2:032}"] = WAV, "audio/wav"
                state = "completed" if number == 2 else "absent"
                recordings.heard(session, _said(name, state), call, now())
    while recordings.fetch_due():
        pass
    clock.shift(timedelta(minutes=20))
    return ticket_id + NUMBER_OFFSET


def _call(cast: Cast, ticket_id: int, number: int, began: Any, values: dict[str, Any]) -> Call:
    plain: dict[str, Any] = {
        "provider": Provider.TWIN,
        "provider_id": f"CA{number}",
        "token": f"t{number}",
        "direction": Direction.INBOUND,
        "from_number": "+380671112233",
        "to_number": "+380441234567",
        "queue_id": cast.support.id,
        "ticket_id": ticket_id,
        "client_id": cast.oksana.client_id,
        "person_id": cast.oksana.person_id,
        "language": "uk",
        "state": CallState.ENDED,
        "step": {},
        "facts": {},
        "started_at": began + timedelta(seconds=number),
        "queued_at": began,
        "last_event_at": began,
    }
    return Call(**(plain | values))


def _said(name: str, state: str) -> Heard:
    return Heard(
        Provider.TWIN,
        "recording",
        name,
        recording_id=name,
        recording_state=state,
        error="16101" if state == "absent" else None,
        seconds=7,
        payload={"RecordingSource": "RecordVerb", "RecordingUrl": f"https://{CANARY}/{name}"},
    )


@pytest.fixture
def number(app: Flask, cast: Cast, clock: time_machine.Traveller) -> int:
    return calls(cast, clock, app)


def test_the_thread_says_what_came_of_each_call(pages: Pages, number: int, cast: Cast) -> None:
    pages.log_in("alice")
    page = pages.get(f"/desk/t/{number}")
    for words in (
        "Call, talked for 5 minutes",
        "waited 01:20",
        "on hold 00:30",
        "Sends a photo.",
        "Solved",
        "Missed call, hung up after waiting for 40 seconds",
        "We called, nobody answered",
        "No recording: too short",
    ):
        assert words in page.text, words
    (player,) = page.all("audio")
    assert player.get("src", "").startswith("/desk/recordings/")
    assert player.get("preload") == "none"
    with counted() as sent:
        pages.client.get(f"/desk/t/{number}")
    assert len(sent) <= 13  # one for the calls, and only where there are some


def test_a_recording_that_failed_is_fetched_again_from_the_thread(
    pages: Pages, number: int, clock: time_machine.Traveller, app: Flask
) -> None:
    carrier = Stored(app)
    with ext.write() as session:
        call = session.scalars(select(Call).order_by(Call.id)).first()
        assert call is not None
        recordings.heard(session, _said(LATE, "completed"), call, now())
    for _ in range(recordings.REFUSALS):
        recordings.fetch_due()
        clock.shift(timedelta(hours=1))
    pages.log_in("alice")
    page = pages.get(f"/desk/t/{number}")
    assert "did not hand the recording over" in page.text
    with ext.session() as session:
        query = select(Recording.id).where(Recording.provider_id == LATE)
        recording_id = session.scalars(query).one()
    carrier.files[LATE] = WAV, "audio/wav"
    page = pages.post(f"/desk/recordings/{recording_id}/again")
    assert "being fetched again" in page.text
    recordings.fetch_due()
    assert len(pages.get(f"/desk/t/{number}").all("audio")) == 2


def test_the_timeline_of_the_client_has_all_of_it(
    pages: Pages, number: int, cast: Cast, program: Any
) -> None:
    by = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    with ext.write() as session:
        article = create_article(session, Content("Лампа", "Як увімкнути."), lang="uk", **by)
        call = session.scalars(select(Call).order_by(Call.id)).first()
        assert call is not None
        about = {"article_id": article.article_id, "language": "uk", "at": now()}
        session.add(VoiceAnswer(call_id=call.id, helped=True, **about))
        client_id = cast.oksana.client_id
        record(session, "task.done", client_id=client_id, task_id=99, result="called_again")
        record(session, "contact_point.sms", client_id=client_id, contact_point_id=1, stopped=True)
        call_id = call.id
    pages.log_in("alice")
    page = pages.get(f"/desk/clients/{client_id}")
    for words in (
        "Call, talked for 5 minutes",
        "Voicemail",
        "We called, nobody answered",
        "Heard on the telephone, it helped: Лампа",
        "The client called before the callback",
        "Wants no more SMS",
    ):
        assert words in page.text, words
    assert len(page.all("audio")) == 1
    (link,) = [a for a in page.all("a") if "show=contacts" in a.get("href", "")]
    assert "".join(link.itertext()).startswith("3")
    contacts = pages.get(f"/desk/clients/{client_id}?show=contacts").text
    assert "Voicemail" in contacts and "We called, nobody answered" not in contacts
    shown = pages.get(f"/desk/clients/{client_id}?show=calls").text
    assert "Voicemail" in shown and "Wants no more SMS" not in shown
    alice: Program = program(cast.alice)
    items = alice.get(f"/clients/{client_id}/timeline")["items"]
    talked = [item for item in items if item["call_id"] == call_id]
    assert [(one["kind"], one["channel"], one["by"]) for one in talked] == [
        ("call", "phone", "Alice")
    ]
    with ext.session() as session:
        mine = frozenset({cast.billing.id})
        others = client_timeline(session, client_id, queue_ids=mine, limit=100)
        assert not [item for item in others if item.kind == "call"]


def test_the_carriers_address_of_a_recording_is_nowhere(
    pages: Pages, number: int, cast: Cast, program: Any
) -> None:
    """T18: not in pages, not in the API, not in the log of events."""
    pages.log_in("ada")
    client_id = cast.oksana.client_id
    seen = [
        pages.raw("GET", path).text
        for path in (f"/desk/t/{number}", f"/desk/clients/{client_id}", "/desk/calls")
    ]
    ada: Program = program(cast.ada)
    for path in ("/calls", "/events?limit=200", f"/clients/{client_id}/timeline"):
        seen.append(ada.call("GET", path).text)
    for text in seen:
        assert CANARY not in text and "RE000" not in text


@pytest.fixture
def program(app: Flask, cast: Cast) -> Any:
    def make(user: Any, *scopes: str) -> Program:
        with ext.write() as session:
            return Program(app.test_client(), cast.token(session, user, *scopes))

    return make
