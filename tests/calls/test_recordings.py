"""Voicemail and recordings: copied, played by right, kept as long as they may be, never leaked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from helpdesk import ext, files, privacy
from helpdesk.accounts.models import User
from helpdesk.accounts.sessions import log_in
from helpdesk.calls import menus, recordings
from helpdesk.calls.models import (
    Call,
    CallState,
    Direction,
    Provider,
    Recording,
    RecordingKind,
    RecordingState,
)
from helpdesk.calls.providers.port import Heard
from helpdesk.clients.models import Client
from helpdesk.events import Event
from helpdesk.files import StoredFile
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict
from helpdesk.lib.tokens import new_token
from helpdesk.tickets.models import Channel, Ticket
from helpdesk.tickets.received import open_ticket
from helpdesk.web.guard import COOKIE
from tests.calls.phones import Phone
from tests.calls.stored import WAV, Stored
from tests.cast import PASSWORD, Cast

SID = "RE" + "7" * 32
CANARY = "https://api.example.test/canaryofthecarrier/" + SID


@pytest.fixture
def carrier(app: Flask, cast: Cast) -> Stored:
    return Stored(app)


def call_of(cast: Cast, *, talked: bool = False, **values: Any) -> Call:
    """A call of Oksana to Support, with its ticket."""
    with ext.write() as session:
        ticket_id = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Call",
            channel=Channel.PHONE,
            language="uk",
            at=now(),
        )
        about: dict[str, Any] = {
            "queue_id": cast.support.id,
            "ticket_id": ticket_id,
            "client_id": cast.oksana.client_id,
            "person_id": cast.oksana.person_id,
        }
        call = Call(
            provider=Provider.TWIN,
            provider_id=f"CA{new_token(12)}",
            token=new_token(16),
            direction=Direction.INBOUND,
            language="uk",
            state=CallState.ENDED,
            step={},
            facts={},
            started_at=now(),
            last_event_at=now(),
            answered_at=now() if talked else None,
            **(about | values),
        )
        session.add(call)
    return call


def said(**values: Any) -> Heard:
    """What the carrier says of the recording."""
    plain = Heard(
        Provider.TWIN,
        "recording",
        "k",
        recording_id=SID,
        recording_state="completed",
        seconds=7,
        payload={"RecordingUrl": CANARY},
    )
    return replace(plain, **values)


RECORD_STEP = said(kind="step", step="recorded", recording_state=None)


def tell(call: Call, *heard: Heard) -> None:
    for one in heard:
        with ext.write() as session:
            recordings.heard(session, one, session.get_one(Call, call.id), now())


def the_recording() -> Recording:
    with ext.session() as session:
        return session.scalars(select(Recording)).one()


def kinds() -> list[str]:
    with ext.session() as session:
        query = select(Event.kind).where(Event.kind.like("recording.%")).order_by(Event.id)
        return list(session.scalars(query))


@pytest.mark.parametrize(
    "words",
    [
        (said(),),
        (RECORD_STEP, said()),
        (said(), RECORD_STEP),
        (said(), said(), RECORD_STEP, RECORD_STEP, said()),
    ],
)
def test_a_voicemail_is_copied_and_the_carriers_copy_deleted(
    carrier: Stored, cast: Cast, words: tuple[Heard, ...]
) -> None:
    carrier.files[SID] = WAV, "audio/x-wav"
    tell(call_of(cast), *words)
    assert recordings.fetch_due() > 0
    found = the_recording()
    assert (found.state, found.kind, found.seconds) == (
        RecordingState.STORED,
        RecordingKind.VOICEMAIL,
        7,
    )
    assert found.due_at is None and not carrier.files
    with ext.session() as session:
        assert files.read(session.scalars(select(StoredFile.sha256)).one()) == WAV
    assert kinds() == ["recording.stored"]
    asked = len(carrier.asked)
    assert recordings.fetch_due() == 0
    assert len(carrier.asked) == asked


def test_the_record_step_alone_is_enough(
    carrier: Stored, cast: Cast, clock: time_machine.Traveller
) -> None:
    carrier.files[SID] = WAV, "audio/x-wav"
    tell(call_of(cast), RECORD_STEP)
    assert recordings.fetch_due() == 0
    clock.shift(recordings.PATIENCE)
    recordings.fetch_due()
    assert the_recording().state == RecordingState.STORED


def test_it_is_not_there_for_seconds_and_then_it_is(
    carrier: Stored, cast: Cast, clock: time_machine.Traveller
) -> None:
    tell(call_of(cast), said())
    for _ in range(2):
        recordings.fetch_due()
        assert the_recording().state == RecordingState.READY
        clock.shift(timedelta(seconds=20))
    carrier.files[SID] = WAV, "audio/x-wav"
    recordings.fetch_due()
    assert the_recording().state == RecordingState.STORED


def test_after_five_tries_it_is_given_up_where_people_see_it_and_can_be_asked_again(
    carrier: Stored, cast: Cast, clock: time_machine.Traveller
) -> None:
    tell(call_of(cast), said())
    for _ in range(8):
        recordings.fetch_due()
        clock.shift(timedelta(hours=2))
    assert sum(method == "GET" for method, *_ in carrier.asked) == recordings.REFUSALS
    assert the_recording().state == RecordingState.FAILED
    assert kinds() == ["recording.failed"]
    carrier.files[SID] = b"<html>log in</html>", "audio/x-wav"
    for _ in range(recordings.REFUSALS):
        with ext.write() as session:
            found = session.scalars(select(Recording)).one()
            if found.state == RecordingState.FAILED:
                recordings.fetch_again(session, found, at=now())
        recordings.fetch_due()
        clock.shift(timedelta(hours=2))
    assert the_recording().last_error == recordings.NO_SOUND
    carrier.files[SID] = b"ID3" + WAV, "text/html"
    with ext.write() as session:
        recordings.fetch_again(session, session.scalars(select(Recording)).one(), at=now())
    recordings.fetch_due()
    assert the_recording().content_type == "audio/mpeg"
    with pytest.raises(Conflict), ext.write() as session:
        recordings.fetch_again(session, session.scalars(select(Recording)).one(), at=now())


@pytest.mark.parametrize(
    ("code", "words"),
    [("16101", recordings.TOO_SHORT), ("16102", recordings.SILENT), (None, recordings.NONE_MADE)],
)
def test_where_there_is_none_the_ticket_says_why(
    carrier: Stored, cast: Cast, code: str | None, words: str
) -> None:
    tell(call_of(cast), RECORD_STEP, *[said(recording_state="absent", error=code)] * 2, said())
    found = the_recording()
    assert (found.state, found.last_error) == (RecordingState.ABSENT, words)
    assert recordings.fetch_due() == 0
    assert kinds() == ["recording.absent"]


@pytest.mark.parametrize("given_", [False, None])
def test_a_talk_without_the_callers_consent_is_deleted_unheard(
    carrier: Stored, cast: Cast, given_: bool | None
) -> None:
    carrier.files[SID] = WAV, "audio/x-wav"
    call = call_of(cast, talked=True, consent_asked_at=now(), consent_given=given_)
    tell(call, said())
    recordings.fetch_due()
    found = the_recording()
    assert (found.state, found.file_id) == (RecordingState.DELETED, None)
    assert not carrier.files and not any(method == "GET" for method, *_ in carrier.asked)
    assert kinds() == ["recording.deleted"]


def test_a_talk_with_consent_is_kept_and_an_erased_callers_is_not(
    carrier: Stored, cast: Cast
) -> None:
    carrier.files[SID] = WAV, "audio/x-wav"
    tell(call_of(cast, talked=True, consent_asked_at=now(), consent_given=True), said())
    recordings.fetch_due()
    assert (the_recording().state, the_recording().kind) == (
        RecordingState.STORED,
        RecordingKind.TALK,
    )
    late = "RE" + "8" * 32
    carrier.files[late] = WAV, "audio/x-wav"
    tell(call_of(cast), said(recording_id=late))
    with ext.write() as session:
        session.get_one(Client, cast.oksana.client_id).erased_at = now()
    recordings.fetch_due()
    with ext.session() as session:
        query = select(Recording.state).where(Recording.provider_id == late)
        assert session.scalar(query) == RecordingState.DELETED
    assert not carrier.files


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                RECORD_STEP,
                said(),
                said(recording_state="in-progress", seconds=None),
                said(seconds=3),
            ]
        ),
        min_size=1,
        max_size=6,
    ).flatmap(lambda words: st.tuples(st.just(words), st.permutations(words)))
)
def test_order_and_repetition_do_not_matter(
    pair: tuple[list[Heard], list[Heard]],
) -> None:
    """Without a database: what the words make of a row is the same in any order."""
    rows = []
    for words in pair:
        row = Recording(kind=RecordingKind.TALK, state=RecordingState.EXPECTED)
        call = Call(answered_at=None)
        for one in words:
            recordings.merge(row, one, call)
        rows.append((row.kind, row.state, row.seconds))
    assert rows[0] == rows[1]


def test_after_its_period_the_sound_is_overwritten(
    carrier: Stored, cast: Cast, clock: time_machine.Traveller
) -> None:
    carrier.files[SID] = WAV, "audio/x-wav"
    tell(call_of(cast), said())
    recordings.fetch_due()
    with ext.session() as session:
        path = files.path_of(session.scalars(select(StoredFile.sha256)).one())
    clock.shift(timedelta(days=179))
    privacy.retain(now())
    assert path.exists()
    clock.shift(timedelta(days=2))
    privacy.retain(now())
    assert not path.exists()
    assert (the_recording().state, the_recording().file_id) == (RecordingState.DELETED, None)
    assert kinds() == ["recording.stored", "recording.deleted"]


def test_who_may_hear_it_can_also_seek_in_it_and_each_listening_is_kept(
    carrier: Stored, cast: Cast, app: Flask
) -> None:
    carrier.files[SID] = WAV, "audio/x-wav"
    call = call_of(cast)
    tell(call, said())
    recordings.fetch_due()
    address = f"/desk/recordings/{the_recording().id}"
    anonymous = app.test_client()
    assert anonymous.get(address, buffered=True).status_code == 404
    for name, status in (("alice", 200), ("bob", 404), ("sam", 200)):
        browser = logged_in(app, name)
        assert browser.get(address, buffered=True).status_code == status, name
        assert browser.get("/desk/recordings/99999", buffered=True).status_code == 404
    alice = logged_in(app, "alice")
    whole = alice.get(address, buffered=True)
    assert whole.data == WAV
    assert whole.headers["Content-Type"] == "audio/wav"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in whole.headers["Cache-Control"]
    part = alice.get(address, headers={"Range": "bytes=100-119"}, buffered=True)
    assert (part.status_code, part.data) == (206, WAV[100:120])
    assert part.headers["Content-Range"] == f"bytes 100-119/{len(WAV)}"
    assert alice.get(address, headers={"Range": "bytes=9999-"}, buffered=True).status_code == 416
    assert alice.head(address, buffered=True).status_code == 200
    assert kinds().count("recording.played") == 3


def test_a_call_that_came_to_no_queue_is_heard_by_who_sees_its_ticket(
    carrier: Stored, cast: Cast, app: Flask
) -> None:
    carrier.files[SID] = WAV, "audio/x-wav"
    tell(call_of(cast, queue_id=None), said())
    recordings.fetch_due()
    address = f"/desk/recordings/{the_recording().id}"
    assert logged_in(app, "bob").get(address, buffered=True).status_code == 404
    assert logged_in(app, "alice").get(address, buffered=True).status_code == 200
    with ext.write() as session:
        session.scalars(select(Ticket)).one().queue_id = cast.billing.id
    assert logged_in(app, "bob").get(address, buffered=True).status_code == 200


def logged_in(app: Flask, name: str) -> Any:
    browser = app.test_client()
    with ext.write() as session:
        user = session.scalars(select(User).where(User.name == name.title())).one()
        token = log_in(session, user, PASSWORD, old_token=None, agent="", at=now())
    browser.set_cookie(COOKIE, token)
    return browser


@pytest.mark.parametrize("speaks", [True, False])
def test_a_voicemail_in_the_twin_is_in_our_files_or_the_ticket_says_why_not(
    phone: Phone, cast: Cast, speaks: bool
) -> None:
    with ext.write() as session:
        choices = [{"digit": "1", "action": "voicemail"}]
        menus.save(session, cast.support.id, choices=choices, at=now())
    leg = phone.call().listen()
    leg.press("1").listen(20).press("1").listen(20)  # the language, then the choice
    if speaks:
        leg.speak("Моя лампа не світить")
        phone.advance(9)
    leg.hang_up()
    phone.advance(60)
    found = the_recording()
    wanted = RecordingState.STORED if speaks else RecordingState.ABSENT
    assert (found.state, found.kind) == (wanted, RecordingKind.VOICEMAIL)
    assert found.due_at is None
    with ext.session() as session:
        assert session.get_one(Call, found.call_id).ticket_id is not None or not speaks
    assert not phone.problems
