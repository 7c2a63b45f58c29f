"""GET /calls: shape, filters, pages, rights; recordings by the API."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.calls import recordings
from helpdesk.calls.models import Call, CallState, Direction, EndReason, Provider, Recording
from helpdesk.calls.providers.port import Heard
from helpdesk.events import Event
from helpdesk.lib.clock import now
from tests.api.conftest import Program, checked
from tests.calls.stored import WAV, Stored
from tests.cast import Cast

FIELDS = """
id provider_id direction from to client_id ticket_id queue state started_at queued_at answered_at
ended_at end_reason agent recording_url
"""


def call(cast: Cast, number: int, **values: Any) -> Call:
    plain: dict[str, Any] = {
        "provider": Provider.TWIN,
        "provider_id": f"CA{number}",
        "token": f"t{number}",
        "direction": Direction.INBOUND,
        "from_number": f"+38067111220{number}",
        "to_number": "+380441234567",
        "queue_id": cast.support.id,
        "client_id": cast.oksana.client_id,
        "language": "uk",
        "state": CallState.ENDED,
        "step": {},
        "facts": {},
        "started_at": now() + timedelta(seconds=number),
        "last_event_at": now(),
    }
    return Call(**(plain | values))


@pytest.fixture
def calls(app: Flask, cast: Cast, clock: time_machine.Traveller) -> list[int]:
    """Talked with Alice and recorded; queued now; of Billing; of nobody and no queue."""
    carrier = Stored(app)
    carrier.files["RE"] = WAV, "audio/wav"
    with ext.write() as session:
        rows = [
            call(
                cast,
                1,
                user_id=cast.alice.id,
                queued_at=now(),
                answered_at=now() + timedelta(seconds=9),
                ended_at=now() + timedelta(seconds=99),
                end_reason=EndReason.TALKED,
            ),
            call(cast, 2, state=CallState.QUEUED, waiting=1, client_id=None),
            call(cast, 3, queue_id=cast.billing.id),
            call(cast, 4, queue_id=None, client_id=None, from_number=None),
        ]
        session.add_all(rows)
        session.flush()
        said = Heard(
            Provider.TWIN,
            "recording",
            "k",
            recording_id="RE" + "a" * 32,
            recording_state="completed",
            payload={"RecordingUrl": "https://canaryofthecarrier.example/RE"},
        )
        recordings.heard(session, said, rows[0], now())
        ids = [row.id for row in rows]
    recordings.fetch_due()
    return ids


def test_a_call_as_programs_read_it(calls: list[int], alice: Program, cast: Cast) -> None:
    found = alice.get(f"/calls/{calls[0]}")
    assert found.keys() == set(FIELDS.split())
    address = found.pop("recording_url")
    assert found == {
        "id": calls[0],
        "provider_id": "CA1",
        "direction": "inbound",
        "from": "+380671112201",
        "to": "+380441234567",
        "client_id": cast.oksana.client_id,
        "ticket_id": None,
        "queue": {"id": cast.support.id, "name": "Support"},
        "state": "ended",
        "started_at": "2026-11-23T10:00:01Z",
        "queued_at": "2026-11-23T10:00:00Z",
        "answered_at": "2026-11-23T10:00:09Z",
        "ended_at": "2026-11-23T10:01:39Z",
        "end_reason": "talked",
        "agent": {"id": cast.alice.id, "name": "Alice"},
    }
    assert alice.get(f"/calls/{calls[1]}")["recording_url"] is None
    path = address.partition("/api/v1")[2]
    sound = alice.call("GET", path, buffered=True)
    assert (sound.status_code, sound.data, sound.mimetype) == (200, WAV, "audio/wav")
    assert sound.headers["X-Content-Type-Options"] == "nosniff"
    with ext.session() as session:
        kinds = list(session.scalars(select(Event.kind).order_by(Event.id)))
        assert kinds.count("recording.played") == 1


def test_filters_pages_and_what_is_new(
    calls: list[int], alice: Program, cast: Cast, clock: time_machine.Traveller
) -> None:
    one, two, three, four = calls

    def ids(**query: Any) -> list[int]:
        return [item["id"] for item in alice.get("/calls", **query)["items"]]

    assert ids() == [four, three, two, one]
    assert ids(**{"from": "067 111 22 01"}) == [one]
    assert ids(**{"from": " 380671112201"}) == [one]  # a "+" that nobody escaped
    assert ids(**{"from": "+380999999999"}) == []
    assert ids(provider_id="CA3") == [three]
    assert ids(queue="Billing") == [three]
    assert ids(client=cast.oksana.client_id) == [three, one]
    assert ids(ticket=4711) == []
    assert ids(state="queued") == [two]
    assert ids(state="ended") == [four, three, one]
    assert ids(after=two) == [three, four]
    assert ids(after=0, limit=2) == [one, two]
    for query in ({}, {"after": 0}):
        whole, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = alice.get("/calls", limit=3, **query, **more)
            whole += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(whole) == calls and len(whole) == 4
    alice.get("/calls", 404, queue="Nowhere")
    for wrong in ({"state": "asleep"}, {"client": "x"}, {"limit": 0}, {"colour": "red"}):
        alice.get("/calls", 400, **wrong)


def test_calls_of_other_queues_are_not_there(calls: list[int], bob: Program, sam: Program) -> None:
    one, _two, three, four = calls
    assert [item["id"] for item in bob.get("/calls")["items"]] == [four, three]
    bob.get(f"/calls/{one}", 404)
    bob.get("/calls", 404, queue="Support")
    with ext.session() as session:
        recording_id = session.scalars(select(Recording.id)).one()
    bob.get(f"/recordings/{recording_id}", 404)
    checked(sam.call("GET", "/recordings/4711"), 404)
    assert sam.call("GET", f"/recordings/{recording_id}", buffered=True).status_code == 200
    assert "canaryofthecarrier" not in sam.call("GET", "/calls").text
