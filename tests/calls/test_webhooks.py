"""Webhooks: forged, repeated, strange, or while we are ill. No caller meets silence or a 5xx."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from helpdesk import cli, ext
from helpdesk.calls import fallback, flow, reconcile, safe
from helpdesk.calls.carriers import account
from helpdesk.calls.models import Call, CallEvent, CallLeg, EndReason, LegState
from helpdesk.calls.providers.twilio import checker
from helpdesk.calls.providers.twin.engine.signing import signature
from helpdesk.events import Event
from helpdesk.intake import patience, voice
from helpdesk.intake.voice import webhooks
from helpdesk.tickets.models import Ticket
from tests.calls.post import CALLER, OURS, Carrier
from tests.cast import Cast


@pytest.fixture
def carrier(app: Flask, cast: Cast) -> Carrier:
    return Carrier(app)


def count(model: Any) -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def the_call() -> Call:
    with ext.session() as session:
        return session.scalars(select(Call)).one()


def heard(answer: TestResponse) -> str:
    """The document, which Twilio would understand."""
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert checker.check(answer.text) == []
    return answer.text


def leads_on(answer: TestResponse) -> bool:
    """Whether there is something after it: a question, a queue or a message."""
    return any(f"<{verb} " in heard(answer) for verb in ("Gather", "Enqueue", "Record", "Redirect"))


def test_a_forgery_gets_403_and_leaves_nothing(carrier: Carrier, app: Flask) -> None:
    params = {"CallSid": "CA1", "From": CALLER, "To": OURS}
    client, public = app.test_client(), app.config["PUBLIC_URL"]
    events = count(Event)
    answers = [
        carrier.send("/twilio/voice", params, token="x" * 32),
        client.post("/twilio/voice", base_url=public, data=params),
        client.post("/twilio/voice", base_url=public, json=params),
        client.post("/twilio/menu?bodySHA256=00", base_url=public, json=params),
        client.get("/twilio/voice", base_url=public, query_string=params),
        client.post("/twilio/status", base_url=public, data=b"\xff\xfe=%zz"),
        client.post("/twilio/%D1%83", base_url=public, data=params),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert (count(Call), count(CallEvent), count(Event)) == (0, 0, events)
    assert webhooks().counts.totals()["forged"] == len(answers)
    assert webhooks().unlogged == len(answers) - 1  # one line for all of them


def test_a_repeat_gets_the_same_bytes_and_changes_nothing(carrier: Carrier) -> None:
    first = carrier.calls()
    assert leads_on(first)
    again = [carrier.calls() for _ in range(3)]
    assert {answer.data for answer in again} == {first.data}
    assert (count(Call), count(CallEvent), count(CallLeg)) == (1, 1, 1)
    with ext.session() as session:
        assert session.scalars(select(CallEvent.repeats)).one() == 3
    assert webhooks().counts.totals()["repeat"] == 3
    carrier.reports("completed")
    events = count(Event)
    assert carrier.reports("completed").status_code == 204
    assert count(Event) == events


def test_fifty_at_the_same_moment_have_one_effect(carrier: Carrier) -> None:
    """T16. Each in its own thread and connection."""
    with ThreadPoolExecutor(10) as hands:
        answers = list(hands.map(lambda _: carrier.calls(), range(50)))
        keys = [hands.submit(press_zero, carrier) for _ in range(50)]
        pressed = [one.result() for one in keys]
    assert len({heard(answer) for answer in answers}) == 1
    assert len({heard(answer) for answer in pressed}) == 1
    assert (count(Call), count(CallLeg), count(CallEvent), count(Ticket)) == (1, 1, 2, 1)
    with ext.session() as session:
        repeats = session.scalars(select(CallEvent.repeats).order_by(CallEvent.id)).all()
    assert repeats == [49, 49]


def press_zero(carrier: Carrier) -> TestResponse:
    return carrier.post("/twilio/language?n=1", CallSid="CA1", Digits="0", CallStatus="in-progress")


def test_the_same_step_at_another_time_is_no_repeat(carrier: Carrier) -> None:
    first = carrier.calls()
    assert "n=1" in first.text
    second = carrier.post("/twilio/menu?n=1", CallSid="CA1", Digits="*", CallStatus="in-progress")
    assert "n=2" in second.text
    third = carrier.post("/twilio/menu?n=2", CallSid="CA1", Digits="*", CallStatus="in-progress")
    assert "n=3" in third.text
    assert count(CallEvent) == 3


STRANGE: list[tuple[str, dict[str, str]]] = [
    ("/twilio/voice", {"CallSid": "CA2"}),  # no numbers
    ("/twilio/voice", {"CallSid": "CA3", "From": "+266696687", "To": OURS}),  # withheld
    ("/twilio/voice", {"CallSid": "CA4", "From": "anonymous", "To": "nobody"}),
    ("/twilio/voice", {"CallSid": "CA5", "From": CALLER, "To": OURS, "New": "1", "Ünï": "ж"}),
    ("/twilio/menu?n=4", {"CallSid": "CA6", "Digits": "1"}),  # of a call that we don't know
    ("/twilio/nonsense", {"CallSid": "CA7", "From": CALLER}),  # a step that there isn't
    ("/twilio/a/b/c", {"CallSid": "CA8"}),
    ("/twilio/menu?%D1%83=%D1%96&n=1", {"CallSid": "CA9", "From": CALLER, "Digits": "9"}),
    (
        "/twilio/speech",
        {"CallSid": "CA10", "SpeechResult": "\U0001f4a9 \x00 де мій", "Confidence": "x"},
    ),
    ("/twilio/menu", {"CallSid": "CA11", "Digits": "12345678901234567890" * 500}),
    ("/twilio/queue", {"CallSid": "CA12", "QueueResult": "system-error"}),
    ("/twilio/fallback", {"CallSid": "CA13", "From": CALLER, "ErrorCode": "11200"}),
    ("/twilio/recorded", {"CallSid": "CA14", "RecordingDuration": "0"}),
    ("/twilio/code", {"CallSid": "CA15", "Digits": "000000"}),
    ("/twilio/callback", {"CallSid": "CA16", "Digits": ""}),
]


def test_whatever_a_caller_brings_gets_a_document(carrier: Carrier) -> None:
    for path, params in STRANGE:
        answer = carrier.post(path, **params)
        assert leads_on(answer), (path, answer.text)
    with ext.session() as session:
        withheld = session.scalars(select(Call).where(Call.provider_id == "CA3")).one()
        assert (withheld.from_number, withheld.client_id) == (None, None)


def test_what_is_about_no_call_gets_an_answer_too(carrier: Carrier) -> None:
    """An agent's telephone that nobody knows is told to hang up; reports are only noted."""
    out = {"CallSid": "CA1", "Direction": "outbound-api", "To": "client:agent-7"}
    assert "<Hangup" in heard(carrier.post("/twilio/agent?offer=99", **out))
    assert "<Record " in heard(carrier.post("/twilio/voice"))  # nobody is left in silence
    for path in ("status", "conference", "recording"):
        assert carrier.post(f"/twilio/{path}").status_code == 204
        assert carrier.post(f"/twilio/{path}", CallSid="CA9", **{"From": "x"}).status_code == 204
    assert carrier.post("/twilio/status", CallStatus="dancing").status_code == 204


def test_a_get_is_as_good_as_a_post(carrier: Carrier, app: Flask) -> None:
    params = {"CallSid": "CA1", "CallStatus": "ringing", "From": CALLER, "To": OURS}
    query = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in params.items())
    public, path = app.config["PUBLIC_URL"], f"/twilio/voice?{query}"
    signed = {"X-Twilio-Signature": signature(account().token, public + path, {})}
    for host in (public, "http://inside.example"):  # what a proxy calls us is not what was signed
        assert leads_on(app.test_client().get(path, base_url=host, headers=signed))
    assert the_call().from_number == CALLER


def test_secrets_and_numbers_are_not_kept_in_what_was_heard(carrier: Carrier) -> None:
    carrier.calls(CallerName="Іван", CallToken="secret", FromCity="Kyiv")
    told = {"CallSid": "CA1", "Digits": "123456"}
    carrier.post("/twilio/code?n=1", **told)
    spoken = "my card is 4111 1111 1111 1111 thanks"
    carrier.post("/twilio/speech?n=2", CallSid="CA1", SpeechResult=spoken)
    with ext.session() as session:
        payloads = session.scalars(select(CallEvent.payload).order_by(CallEvent.id)).all()
    assert payloads[0] == {"CallSid": "CA1", "CallStatus": "ringing"}
    assert payloads[1]["Digits"] == "…"
    assert payloads[2]["SpeechResult"] == "my card is … thanks"


def test_a_locked_database_costs_three_seconds_and_no_caller(
    carrier: Carrier, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier.calls()
    monkeypatch.setattr(patience, "WHOLE", 0.6)
    with locked(app):
        began = time.monotonic()
        answers = [
            carrier.calls("CA2"),
            carrier.post("/twilio/wait?n=9", CallSid="CA1"),
            carrier.post("/twilio/agent?offer=1", CallSid="CA5"),
            carrier.reports("completed"),
        ]
        # Those who come after the first hardly wait, so that none waits behind many.
        assert 0.6 <= time.monotonic() - began < 2 * 0.6
    monkeypatch.setattr(patience, "BRIEF", 0.6)
    assert "<Record " in heard(answers[0])
    assert {f'language="{code}"' in answers[0].text for code in ("uk-UA", "ru-RU", "en-US")} == {
        True
    }
    assert checker.check(answers[1].text, waiting=True) == []
    assert "<Hangup" in heard(answers[2])
    assert answers[3].status_code == 503
    assert count(Call) == 1  # nothing half done
    assert carrier.reports("completed").status_code == 204  # the carrier tries again
    assert the_call().ended_at is not None


class locked:
    """Somebody writes, or holds the tables, and does not come to an end."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.held, self.release = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        with self.app.app_context(), ext.write() as session:
            session.execute(text("SELECT 1"))
            if not ext.is_sqlite(session.get_bind()):
                session.execute(text("LOCK TABLE call, call_event IN ACCESS EXCLUSIVE MODE"))
            self.held.set()
            self.release.wait(20)

    def __enter__(self) -> None:
        self.thread.start()
        assert self.held.wait(10)

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self.thread.join()


def test_a_database_that_is_away_is_no_silence_either(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Iterator[None]:
        raise OperationalError("connect", {}, Exception("away"))

    monkeypatch.setattr(voice.ext, "write", away)
    assert "<Record " in heard(carrier.calls())
    assert carrier.reports("ringing").status_code == 503


def test_our_own_fault_is_kept_and_mended(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller leaves a message, the report is asked for again, and nothing is lost."""
    carrier.calls()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(flow.recordings, "heard", broken)
        patch.setattr(flow.record, "take", broken)
        first = carrier.post("/twilio/menu?n=1", CallSid="CA1", Digits="0")
        assert "<Record " in heard(first)
        assert carrier.post("/twilio/menu?n=1", CallSid="CA1", Digits="0").data == first.data
        assert carrier.reports("completed").status_code == 503
        assert carrier.reports("completed").status_code == 503
        assert reconcile._again() == 0
    with ext.session() as session:
        events = session.scalars(select(CallEvent).order_by(CallEvent.id)).all()
        assert [one.todo for one in events] == [None, 2, 3]
        assert {one.error for one in events[1:]} == {"RuntimeError"}
    assert reconcile._again() == 2
    call = the_call()
    assert (call.end_reason, call.reconciled) == (EndReason.ABANDONED_MENU, True)
    with ext.session() as session:
        events = session.scalars(select(CallEvent).order_by(CallEvent.id)).all()
        assert [(one.todo, one.error) for one in events] == [(None, None)] * 3
        assert "From" not in events[2].payload


def test_what_fails_each_time_is_given_up_in_the_end(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(flow.record, "take", broken)
    for _ in range(flow.TRIES + 2):
        carrier.reports("ringing")
    with ext.session() as session:
        event = session.scalars(select(CallEvent)).one()
    assert (event.todo, event.error) == (None, "RuntimeError")


def test_a_status_before_the_call_and_after_its_end(carrier: Carrier) -> None:
    """The first end stays; what comes late fills in what is missing."""
    carrier.reports("completed", SequenceNumber="3", Timestamp="Mon, 23 Nov 2026 10:00:09 +0000")
    carrier.reports("busy", SequenceNumber="4", Timestamp="Mon, 23 Nov 2026 10:00:12 +0000")
    carrier.reports("initiated", SequenceNumber="0", Timestamp="Mon, 23 Nov 2026 09:59:58 +0000")
    assert leads_on(carrier.calls())
    call = the_call()
    with ext.session() as session:
        leg = session.scalars(select(CallLeg)).one()
    assert leg.state == LegState.COMPLETED
    assert (call.started_at.second, call.ended_at and call.ended_at.second) == (58, 9)


def test_safe_documents_are_valid_and_lead_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (*flow.STEPS, "nonsense", ""):
        waiting = step in ("wait", "waited")
        assert checker.check(safe.document(step), waiting=waiting) == []
    monkeypatch.setattr(safe, "carrier", lambda: None)
    assert checker.check(safe.document("voice")) == []


def test_the_fallback_is_one_document_to_paste(
    app: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(cli, "create_app", lambda: app)
    monkeypatch.setattr(cli.logs, "configure", lambda: None)
    assert cli.main(["twilio-fallback"]) == 0
    printed = capsys.readouterr().out
    assert cli.main(["twilio-fallback", "--out", str(tmp_path / "bin.xml")]) == 0
    assert (tmp_path / "bin.xml").read_text() == printed == fallback.document() + "\n"
    assert checker.check(printed) == []
    assert "recordingStatusCallback" in printed
    assert len(printed) < 4000


def test_metrics_tell_what_came(carrier: Carrier, app: Flask) -> None:
    carrier.calls()
    carrier.calls()
    carrier.reports("ringing")
    app.test_client().post("/twilio/voice", base_url=app.config["PUBLIC_URL"])
    page = app.test_client().get("/metrics").text
    for line in (
        'helpdesk_webhooks_total{kind="voice",status="2xx"} 2.0',
        'helpdesk_webhooks_total{kind="leg",status="2xx"} 1.0',
        "helpdesk_webhook_repeats_total 1.0",
        "helpdesk_webhooks_forged_total 1.0",
        'helpdesk_webhook_seconds_count{status="2xx"} 3.0',
    ):
        assert line in page
