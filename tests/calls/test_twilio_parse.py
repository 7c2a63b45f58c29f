"""What Twilio writes becomes what happened; rubbish becomes nothing, never an error."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.calls import flow
from helpdesk.calls.models import Direction, LegState, Provider
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.providers.twilio import parse

CALL = {
    "CallSid": "CA" + "1" * 32,
    "AccountSid": "AC" + "a" * 32,
    "From": "+380671234567",
    "To": "+380441230000",
    "CallStatus": "ringing",
    "Direction": "inbound",
    "ApiVersion": "2010-04-01",
    "FromCity": "Київ",
    "StirVerstat": "TN-Validation-Passed-A",
}


def heard(path: str, params: Mapping[str, str] = CALL, query: str = "") -> Heard:
    return parse.heard(Provider.TWILIO, path, query, params)


def test_a_call_comes_in() -> None:
    found = heard("/twilio/voice")
    assert (found.kind, found.provider_id, found.state) == ("voice", "CA" + "1" * 32, "ringing")
    assert (found.from_number, found.to_number) == ("+380671234567", "+380441230000")
    assert (found.direction, found.digits, found.step) == (Direction.INBOUND, None, "")
    assert found.payload["FromCity"] == "Київ"


@pytest.mark.parametrize(
    "written",
    ["", "anonymous", "Restricted", "+266696687", "+7378742833", "client:agent-7", "+12",
     "+0671234567", "0671234567", "12345", "sip:reception@pbx.example",
     "+٣٨٠٦٧١٢٣٤٥٦٧", "+380 67 123", "unknown"],
)  # fmt: skip
def test_a_withheld_number_is_no_number(written: str) -> None:
    assert heard("/twilio/voice", CALL | {"From": written}).from_number is None
    missing = {name: value for name, value in CALL.items() if name != "From"}
    assert heard("/twilio/voice", missing).from_number is None


@pytest.mark.parametrize(
    "written",
    ["+380671234567", " 380671234567", " +380671234567 ", "sip:+380671234567@pbx.example"],
)
def test_a_number_is_read_however_it_was_escaped(written: str) -> None:
    assert heard("/twilio/voice", CALL | {"From": written}).from_number == "+380671234567"


def test_an_agents_browser_phone_is_known_by_its_name() -> None:
    found = heard("/twilio/outgoing", CALL | {"From": "client:agent-7"})
    assert (found.kind, found.step, found.label) == ("step", "outgoing", "agent-7")
    rung = heard("/twilio/status", CALL | {"To": "client:agent-7", "Direction": "outbound-api"})
    assert (rung.label, rung.to_number, rung.direction) == ("agent-7", None, Direction.OUTBOUND)


def test_keys_silence_and_speech_differ() -> None:
    nothing = heard("/twilio/menu", CALL | {"Digits": ""}, "n=1")
    pressed = heard("/twilio/menu", CALL | {"Digits": "1"}, "n=1")
    spoken = CALL | {"SpeechResult": "де моє замовлення", "Confidence": "0.91"}
    said = heard("/twilio/menu", spoken, "n=1")
    assert (nothing.digits, pressed.digits, said.digits) == ("", "1", None)
    assert (said.speech, said.confidence) == ("де моє замовлення", 0.91)
    assert pressed.query == {"n": "1"}
    assert len({nothing.key, pressed.key, said.key}) == 3


@pytest.mark.parametrize("confidence", ["", "nan", "inf", "-1", "1.5", "0,9", "1e-3", "٠.٥"])
def test_an_impossible_confidence_is_none(confidence: str) -> None:
    assert heard("/twilio/menu", CALL | {"Confidence": confidence}).confidence is None


def test_a_repeat_is_known_and_a_second_visit_is_no_repeat() -> None:
    first = heard("/twilio/menu", CALL | {"Digits": "1"}, "n=1")
    again = heard("/twilio/menu", CALL | {"Digits": "1", "CallStatus": "in-progress"}, "n=1")
    assert first.key == again.key
    later = heard("/twilio/menu", CALL | {"Digits": "1"}, "n=5")
    other_call = heard("/twilio/menu", CALL | {"Digits": "1", "CallSid": "CA2"}, "n=1")
    other_step = heard("/twilio/confirm", CALL | {"Digits": "1"}, "n=1")
    assert len({first.key, later.key, other_call.key, other_step.key}) == 4


@pytest.mark.parametrize("name", sorted(flow.STEPS.keys() - {"voice"}))
def test_no_step_is_taken_for_a_report(name: str) -> None:
    """Whoever asks a step hears a document: its address is that of no report."""
    found = heard(f"/twilio/{name}", CALL | {"Digits": "1"}, "n=2")
    assert (found.kind, found.step) == ("step", name)


def test_waiting_in_the_queue_asks_again_and_again() -> None:
    waits = [
        heard("/twilio/wait", CALL | {"QueueTime": str(t), "QueuePosition": "1"}, "n=3")
        for t in (0, 20, 40)
    ]
    assert len({one.key for one in waits}) == 3
    assert [one.seconds for one in waits] == [0, 20, 40]
    left = heard("/twilio/left", CALL | {"QueueResult": "hangup", "QueueTime": "45"}, "n=3")
    assert (left.kind, left.step, left.queue_result, left.seconds) == (
        "queue",
        "left",
        "hangup",
        45,
    )
    assert heard("/twilio/queue", CALL | {"QueueResult": "leave"}).step == "left"


@pytest.mark.parametrize(
    ("written", "state"),
    [("queued", "queued"), ("initiated", "initiated"), ("ringing", "ringing"),
     ("answered", "in_progress"), ("in-progress", "in_progress"), ("completed", "completed"),
     ("busy", "busy"), ("failed", "failed"), ("no-answer", "no_answer"), ("canceled", "canceled"),
     ("exploded", None), ("", None)],
)  # fmt: skip
def test_the_state_of_a_leg(written: str, state: str | None) -> None:
    sent = CALL | {
        "CallStatus": written, "SequenceNumber": "3", "CallDuration": "61",
        "Timestamp": "Mon, 23 Nov 2026 12:00:05 +0200",
    }  # fmt: skip
    found = heard("/twilio/status", sent, "offer=7")
    assert (found.kind, found.state, found.sequence, found.seconds) == ("leg", state, 3, 61)
    assert found.at == datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC)
    assert found.query == {"offer": "7"}
    assert state is None or isinstance(found.state, LegState)


def test_two_states_of_one_leg_are_two_events() -> None:
    keys = {
        heard("/twilio/status", CALL | {"CallStatus": status, "SequenceNumber": str(n)}).key
        for n, status in enumerate(("initiated", "ringing", "in-progress", "completed"))
    }
    assert len(keys) == 4


def test_a_conference_says_who_came_and_went() -> None:
    sent = {
        "ConferenceSid": "CF1", "FriendlyName": "c-abc", "CallSid": "CA1", "SequenceNumber": "2",
        "StatusCallbackEvent": "participant-join", "ParticipantLabel": "agent-7",
    }  # fmt: skip
    found = heard("/twilio/conference", sent)
    assert (found.kind, found.event, found.label) == ("conference", "join", "agent-7")
    assert (found.conference_id, found.conference) == ("CF1", "c-abc")
    strange = heard("/twilio/conference", sent | {"StatusCallbackEvent": "participant-sneeze"})
    assert strange.event is None
    assert strange.key != found.key


def test_a_recording_is_ready_or_there_is_none() -> None:
    sent = {
        "RecordingSid": "RE1", "CallSid": "CA1", "RecordingStatus": "completed",
        "RecordingDuration": "12", "RecordingUrl": "https://api.twilio.com/x",
    }  # fmt: skip
    found = heard("/twilio/recording", sent)
    assert (found.kind, found.recording_id, found.recording_state) == (
        "recording",
        "RE1",
        "completed",
    )
    assert found.seconds == 12
    absent = heard("/twilio/recording", sent | {"RecordingStatus": "absent", "ErrorCode": "16101"})
    assert (absent.recording_state, absent.error) == ("absent", "16101")
    assert absent.key != found.key


def test_our_server_was_down_and_the_fallback_says_why() -> None:
    sent = CALL | {"ErrorCode": "11200", "ErrorUrl": "https://desk.example.com/twilio/menu"}
    found = heard("/twilio/fallback", sent)
    assert (found.kind, found.error) == ("fallback", "11200")


def test_a_get_carries_its_parameters_in_the_address() -> None:
    query = "n=2&Digits=%2A&From=%2B380671234567&CallSid=CA1"
    found = heard("/twilio/menu", {}, query)
    assert (found.digits, found.from_number, found.provider_id) == ("*", "+380671234567", "CA1")
    assert found.query == {"n": "2"}


def test_an_sms_with_pictures_and_one_from_a_name() -> None:
    sent = {
        "MessageSid": "SM1", "From": "+380671234567", "To": "+380441230000", "Body": "Привіт 👋",
        "NumMedia": "2", "MediaUrl0": "https://api.twilio.com/0", "MediaUrl1": "https://api.twilio.com/1",
    }  # fmt: skip
    found = parse.text(sent)
    assert (found.from_number, found.body, len(found.media)) == ("+380671234567", "Привіт 👋", 2)
    assert parse.text(sent | {"From": "Nova Poshta"}).from_number == "Nova Poshta"
    assert parse.text({"NumMedia": "999999", "MediaUrl0": "x"}).media == ["x"]
    status = parse.text_status(
        {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "30006"}
    )
    assert (status.provider_id, status.state, status.error) == ("SM1", "failed", "30006")
    assert parse.text_status({"SmsStatus": "received"}).state == ""


RUBBISH = st.text(max_size=40) | st.sampled_from(["\0", "\ud800", "9" * 5000, "+" * 300, "%", "-1"])
NAMES = st.sampled_from(
    [*CALL, "Digits", "SpeechResult", "Confidence", "QueueTime", "Timestamp", "SequenceNumber",
     "CallDuration", "StatusCallbackEvent", "NumMedia", "MediaUrl0", "ErrorCode", "QueueResult"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    st.text(max_size=30),
    st.text(max_size=60),
    st.dictionaries(NAMES | st.text(max_size=10), RUBBISH, max_size=20),
)
def test_rubbish_never_raises_and_fits_the_database(
    step: str, query: str, params: dict[str, str]
) -> None:
    for path in (f"/twilio/{step}", "/twilio/status", "/twilio/conference", step):
        found = heard(path, params, query)
        assert found.key == heard(path, params, query).key
        assert len(found.key) == 64
        stored = "".join([*found.payload, *found.payload.values(), *found.query.values()])
        assert "\0" not in stored
        stored.encode("utf-8")
    parse.text(params)
    parse.text_status(params)


def test_a_flood_of_parameters_is_cut() -> None:
    found = heard("/twilio/voice", {f"x{n}": "y" * 20_000 for n in range(2_000)})
    assert len(found.payload) <= 200
    assert max(map(len, found.payload.values())) <= parse.LONGEST
