"""The twin's REST side, over real HTTP: as Twilio's library sees it and its contract says."""

import io
import json
import re
import socket
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from helpdesk.calls.providers.port import CarrierError
from helpdesk.calls.providers.twilio.rest import Rebase
from helpdesk.calls.providers.twin import server
from helpdesk.calls.providers.twin.remote import Remote
from tests.calls import prism
from tests.calls.exchange import ACCOUNT, CALLER, OURS, PUBLIC, START, Desk, basic, said

VOICE = f"{PUBLIC}/twilio/voice"
AGENT = "client:agent-7"
JOIN = (
    '<Dial><Conference participantLabel="customer" endConferenceOnExit="true"'
    ' statusCallback="conference" statusCallbackEvent="start end join leave hold mute">c-1'
    "</Conference></Dial>"
)
PAGES = {
    "voice": '<Enqueue action="left" waitUrl="wait">q-1</Enqueue>',
    "wait": "<Play>m.wav</Play>",
    "join": JOIN,
    "agent": JOIN.replace("customer", "agent-7").replace('"true"', '"false"'),
    "hold": "<Say>One moment</Say>",
    "message": '<Record action="recorded" timeout="3"/>',
    "recorded": "<Hangup/>",
}


@dataclass
class Line:
    """The library's client, the twin behind it, and its address."""

    client: Any
    desk: Desk
    url: str
    session: requests.Session

    def get(self, path: str, **login: str) -> requests.Response:
        headers = {"Authorization": basic(**login)} if login != {"user": ""} else {}
        return self.session.get(self.url + path, headers=headers, timeout=5)


@pytest.fixture
def line() -> Iterator[Line]:
    """A twin that serves HTTP; its clock is moved by the test alone."""
    desk, stop = Desk(dict(PAGES)), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=server.serve_http, args=(desk.twin, listening, stop))
    thread.start()
    with requests.Session() as session:
        client = Client(ACCOUNT.sid, ACCOUNT.token, http_client=Rebase(session, url))  # type: ignore[arg-type]
        yield Line(client, desk, url, session)
    stop.set()
    thread.join(5)


def ring(line: Line, **more: object) -> Any:
    found = line.client.calls.create(
        to=AGENT,
        from_=OURS,
        url=f"{PUBLIC}/twilio/agent#rc=1",
        status_callback=f"{PUBLIC}/twilio/leg",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
        timeout=20,
        **more,
    )
    line.desk.twin.driver.settle()
    return found


def test_a_call_is_placed_rings_and_is_answered(line: Line) -> None:
    placed = ring(line)
    assert re.fullmatch(r"CA[0-9a-f]{32}", placed.sid) and placed.status == "queued"
    assert (placed.to, placed._from, placed.direction) == (AGENT, OURS, "outbound-api")
    assert placed.date_created == START and placed.account_sid == ACCOUNT.sid
    desk = line.desk
    leg = desk.twin.exchange.legs[placed.sid]
    desk.advance(5)
    assert placed.fetch().status == "ringing" and "agent" not in desk.paths
    desk.act(leg, "answer")
    assert desk.of("agent")[0]["CallStatus"] == "in-progress"
    assert desk.of("agent")[0]["Direction"] == "outbound-api"
    desk.advance(60)
    placed.update(status="completed")
    desk.twin.driver.settle()
    done = placed.fetch()
    assert done.status == "completed" and done.duration == "60"
    assert done.start_time == START and done.end_time == START + timedelta(seconds=65)
    assert [(p["CallStatus"], p["SequenceNumber"]) for p in desk.of("leg")] == [
        ("initiated", "0"),
        ("ringing", "1"),
        ("in-progress", "2"),
        ("completed", "3"),
    ]


@pytest.mark.parametrize(
    ("act", "status"),
    [("decline", "busy"), ("nobody", "no-answer"), ("canceled", "canceled")],
)
def test_a_call_that_is_not_taken(line: Line, act: str, status: str) -> None:
    placed = ring(line)
    if act == "decline":
        line.desk.act(line.desk.twin.exchange.legs[placed.sid], "decline")
    elif act == "canceled":
        placed.update(status="canceled")
    line.desk.advance(20)
    assert placed.fetch().status == status
    assert line.desk.of("leg")[-1]["CallStatus"] == status
    with pytest.raises(TwilioRestException) as gone:
        placed.update(url=VOICE)
    assert gone.value.code == 21220 and gone.value.status == 400


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": "12345", "from_": OURS, "url": VOICE}, 21211),
        ({"to": AGENT, "from_": "somebody", "url": VOICE}, 21212),
        ({"to": AGENT, "from_": OURS}, 21205),
        ({"to": AGENT, "from_": OURS, "url": "ftp://x"}, 21205),
        ({"to": AGENT, "from_": OURS, "url": VOICE, "timeout": 9999}, 21214),
    ],
)
def test_a_wrong_request_is_refused_with_twilios_number(
    line: Line, wrong: dict[str, Any], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        line.client.calls.create(**wrong)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert not line.desk.twin.exchange.legs


def test_unknown_things_and_a_wrong_log_in(line: Line) -> None:
    for asked in (line.client.calls("CA" + "0" * 32), line.client.recordings("RE" + "0" * 32)):
        with pytest.raises(TwilioRestException) as missing:
            asked.fetch()
        assert (missing.value.status, missing.value.code) == (404, 20404)
    path = f"/2010-04-01/Accounts/{ACCOUNT.sid}/Calls.json"
    assert line.get(path, password="guessed").status_code == 401
    assert line.get(path, user="").status_code == 401
    assert line.get("/2010-04-01/Accounts/AC0/Calls.json").status_code == 404


def test_lists_come_in_pages_by_time_and_by_who(line: Line) -> None:
    desk = line.desk
    for number in range(7):
        desk.call(f"+38067000000{number}")
        desk.advance(60)
    assert len(line.client.calls.list(page_size=3)) == 7
    late = line.client.calls.list(start_time_after=START + timedelta(seconds=240))
    assert [call._from for call in late] == [f"+38067000000{n}" for n in (6, 5, 4)]
    early = line.client.calls.list(start_time_before=START + timedelta(seconds=60))
    assert len(early) == 2
    one = line.client.calls.list(from_="+380670000003", status="in-progress", limit=5)
    assert len(one) == 1 and line.client.calls.list(status="completed") == []
    page = line.client.calls.page(page_size=5)
    assert page.next_page() is not None


def test_a_waiting_caller_is_sent_to_the_agent_held_and_left_alone(line: Line) -> None:
    desk, client = line.desk, line.client
    customer = desk.call()
    assert [q.friendly_name for q in client.queues.list()] == ["q-1"]
    queue = client.queues.list()[0]
    assert queue.current_size == 1 and queue.members.list()[0].call_sid == customer.sid
    placed = ring(line)
    agent = desk.twin.exchange.legs[placed.sid]
    desk.act(agent, "answer")
    client.calls(customer.sid).update(url=f"{PUBLIC}/twilio/join", method="POST")
    desk.twin.driver.settle()
    assert desk.of("left")[0]["QueueResult"] == "redirected"
    talk = client.conferences.list(friendly_name="c-1", status="in-progress")[0]
    members = {p.label: p for p in talk.participants.list()}
    assert members.keys() == {"customer", "agent-7"} and members["customer"].status == "connected"
    held = members["customer"].update(hold=True, hold_url=f"{PUBLIC}/twilio/hold")
    desk.advance(10)
    assert held.hold is True and said(customer)[-1] == "One moment" and not said(agent)
    members["customer"].update(hold=False)
    members["agent-7"].update(muted=True)
    desk.twin.driver.settle()
    count = len(said(customer))
    desk.advance(10)
    assert len(said(customer)) == count
    events = [p["StatusCallbackEvent"] for p in desk.of("conference")]
    assert events[-3:] == ["participant-hold", "participant-unhold", "participant-mute"]
    assert talk.participants("agent-7").fetch().call_sid == agent.sid
    client.conferences(talk.sid).participants(customer.sid).delete()
    desk.twin.driver.settle()
    ended = client.conferences(talk.sid).fetch()
    assert ended.status == "completed" and not agent.live and not customer.live
    assert desk.of("conference")[-1]["StatusCallbackEvent"] == "conference-end"


def test_somebody_is_invited_into_a_conference(line: Line) -> None:
    desk = line.desk
    desk.pages["voice"] = JOIN
    customer = desk.call()
    made = line.client.conferences("c-1").participants.create(
        from_=OURS, to="+380501112233", label="agent-9", end_conference_on_exit=True
    )
    assert made.status == "queued" and made.label == "agent-9"
    desk.twin.driver.settle()
    desk.act(desk.twin.exchange.legs[made.call_sid], "answer")
    labels = [p.label for p in line.client.conferences(made.conference_sid).participants.list()]
    assert sorted(labels) == ["agent-9", "customer"]
    line.client.conferences(made.conference_sid).update(status="completed")
    desk.advance(5)
    assert not customer.live


def test_recordings_are_real_sound_behind_the_log_in(line: Line) -> None:
    desk = line.desk
    desk.pages["voice"] = PAGES["message"]
    leg = desk.call()
    desk.act(leg, "speech", text="Мене звати Оксана, зателефонуйте мені завтра")
    assert line.client.recordings.list()[0].status == "in-progress"
    desk.advance(10)
    kept = line.client.recordings.list(date_created_after=START - timedelta(minutes=1))[0]
    assert kept.status == "completed" and kept.source == "RecordVerb" and kept.call_sid == leg.sid
    path = f"/2010-04-01/Accounts/{ACCOUNT.sid}/Recordings/{kept.sid}.wav"
    sound = line.get(path)
    with wave.open(io.BytesIO(sound.content)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(int(kept.duration), abs=1)
    assert sound.headers["Content-Type"] == "audio/x-wav"
    assert line.session.head(line.url + path, timeout=5).status_code == 401
    headers = {"Authorization": basic()}
    head = line.session.head(line.url + path, headers=headers, timeout=5)
    assert int(head.headers["Content-Length"]) == len(sound.content) and not head.content
    desk.twin.exchange.faults.add("media")
    assert [line.get(path).status_code for _ in range(2)] == [404, 200]
    assert kept.delete() and line.get(path).status_code == 404


def test_a_talk_is_recorded_paused_and_goes_on(line: Line) -> None:
    desk = line.desk
    leg = desk.call()
    made = line.client.calls(leg.sid).recordings.create(
        recording_channels="dual",
        recording_status_callback=f"{PUBLIC}/twilio/recording",
        recording_status_callback_event=["completed", "absent"],
    )
    desk.advance(10)
    current = line.client.calls(leg.sid).recordings("Twilio.CURRENT")
    assert current.update(status="paused").status == "paused"
    desk.advance(20)
    current.update(status="in-progress")
    desk.advance(5)
    desk.act(leg, "hangup")
    desk.advance(2)
    told = desk.of("recording")[0]
    assert told["RecordingDuration"] == "15" and told["RecordingChannels"] == "2"
    assert told["RecordingSource"] == "StartCallRecordingAPI" and told["RecordingSid"] == made.sid


def test_messages_go_out_come_in_and_stop(line: Line) -> None:
    desk, client = line.desk, line.client
    desk.pages["sms"] = "<Message>Thanks</Message>"
    sent = client.messages.create(
        to=CALLER, from_=OURS, body="Вітаємо", status_callback=f"{PUBLIC}/twilio/sms/status"
    )
    assert sent.status == "queued" and sent.num_segments == "1" and sent.sid.startswith("SM")
    desk.advance(3)
    assert [p["MessageStatus"] for p in desk.of("sms/status")] == ["sent", "delivered"]
    assert sent.fetch().status == "delivered"
    desk.twin.write(CALLER, OURS, "СТОП, дякую")
    desk.advance(3)
    came = desk.of("sms")[0]
    assert came["Body"] == "СТОП, дякую" and came["SmsStatus"] == "received"
    assert came["MessageSid"] == came["SmsSid"] and came["NumMedia"] == "0"
    inbound = [m for m in client.messages.list(to=OURS) if m.direction == "inbound"]
    assert len(inbound) == 1 and inbound[0].date_sent is not None
    assert [m.body for m in client.messages.list(to=CALLER)] == ["Thanks", "Вітаємо"]
    desk.twin.write(CALLER, OURS, "STOP")
    with pytest.raises(TwilioRestException) as stopped:
        client.messages.create(to=CALLER, from_=OURS, body="Hello")
    assert stopped.value.code == 21610
    desk.twin.write(CALLER, OURS, "start")
    desk.twin.exchange.faults.add("sms", code=30003)
    lost = client.messages.create(to=CALLER, from_=OURS, body="Hello")
    desk.advance(3)
    assert (lost.fetch().status, lost.fetch().error_code) == ("undelivered", 30003)
    assert lost.update(body="").body == "" and lost.delete()


def test_numbers_and_the_application_know_our_addresses_and_take_others(line: Line) -> None:
    line.desk.call()
    number = line.client.incoming_phone_numbers.list()[0]
    assert number.phone_number == OURS and number.voice_url == VOICE
    assert number.sms_url == f"{PUBLIC}/twilio/sms" and number.capabilities["sms"] is True
    number.update(voice_url=f"{PUBLIC}/twilio/message")
    line.desk.call()
    assert line.desk.paths[-1] == "message"
    application = line.client.applications(ACCOUNT.sid).fetch()
    assert application.voice_url == f"{PUBLIC}/twilio/outgoing"
    assert line.client.api.v2010.accounts(ACCOUNT.sid).fetch().status == "active"


def test_faults_of_the_rest_interface(line: Line) -> None:
    faults = line.desk.twin.exchange.faults
    faults.add("rest", "POST", status=429, code=20429)
    with pytest.raises(TwilioRestException) as many:
        ring(line)
    assert (many.value.status, many.value.code) == (429, 20429)
    for kind, made in (("rest-timeout", 0), ("rest-lost", 1)):
        faults.add(kind, "Calls.json")
        with pytest.raises(requests.exceptions.ConnectionError):
            ring(line)
        assert len(line.desk.twin.exchange.legs) == made


def test_the_remote_control_of_pages(line: Line) -> None:
    line.desk.pages["voice"] = '<Gather action="choice" numDigits="1"><Say>One?</Say></Gather>'
    remote = Remote(line.url, ACCOUNT)
    sid = remote.call(CALLER, OURS)
    line.desk.twin.driver.settle()
    found = remote.state()
    assert found["mode"] == "manual" and found["now"] == START.isoformat()
    call = found["calls"][0]
    assert (call["sid"], call["from"], call["status"]) == (sid, CALLER, "in-progress")
    assert call["asks"] == {
        "keys": True, "digits": 1, "finish": "#", "entered": "", "speech": None,
    }  # fmt: skip
    assert [h["text"] for h in call["heard"] if h["who"] == "voice"] == ["One?"]
    line_ = found["log"][0]
    assert (
        line_["status"] == 200 and line_["params"]["CallSid"] == sid and "One?" in line_["document"]
    )
    assert remote.state(after=found["last"])["log"] == []
    remote.act(sid, "digits", digits="1")
    line.desk.twin.driver.settle()
    assert line.desk.of("choice")[0]["Digits"] == "1"
    with pytest.raises(CarrierError) as wrong:
        remote.act(sid, "answer")
    assert wrong.value.code == 409 and "ring" in str(wrong.value)
    with pytest.raises(CarrierError) as unknown:
        remote.act("CA" + "0" * 32, "hangup")
    assert unknown.value.code == 404
    for bad in ({"kind": "earthquake"}, {"kind": "drop", "surprise": 1}):
        with pytest.raises(CarrierError):
            remote.faults(**bad)
    assert remote.faults(kind="drop", match="status", times=2)[0]["times"] == 2
    assert remote.faults(clear=True) == []
    assert remote.sms(CALLER, OURS, "Привіт") and remote.messages()[0]["body"] == "Привіт"
    with pytest.raises(CarrierError):
        remote.call("nobody", OURS)
    with pytest.raises(CarrierError) as away:
        Remote("http://127.0.0.1:9", ACCOUNT).state()
    assert away.value.again


def test_every_answer_is_within_twilios_contract(line: Line) -> None:
    """The published schema: types, patterns, enumerations, formats of time."""
    if not prism.SPEC.exists():
        pytest.skip(f"the contract file is missing: {prism.SPEC}")
    spec = json.loads(prism.SPEC.read_text("utf-8"))
    desk = line.desk
    customer, placed = desk.call(), ring(line)
    desk.act(desk.twin.exchange.legs[placed.sid], "answer")
    line.client.calls(customer.sid).update(url=f"{PUBLIC}/twilio/join")
    line.client.calls(customer.sid).recordings.create()
    desk.call("+380509998877")
    line.client.messages.create(to=CALLER, from_=OURS, body="Hello")
    desk.twin.write(CALLER, OURS, "Привіт")
    desk.advance(20)
    conference = line.client.conferences.list()[0].sid
    lists = {
        "Calls": "call", "Conferences": "conference", "Queues": "queue", "Messages": "message",
        "Recordings": "recording", "IncomingPhoneNumbers": "incoming_phone_number",
        "Applications": "application",
        f"Conferences/{conference}/Participants": "conference.participant",
        f"Queues/{next(iter(desk.twin.exchange.queues))}/Members": "queue.member",
    }  # fmt: skip
    for path, name in lists.items():
        frame = line.get(f"/2010-04-01/Accounts/{ACCOUNT.sid}/{path}.json").json()
        rows = next(value for value in frame.values() if isinstance(value, list))
        assert rows, path
        schema = spec["components"]["schemas"][f"api.v2010.account.{name}"]
        wrong = [fault for row in rows for fault in faults_of(spec, schema, row)]
        assert not wrong, path


KINDS = {"string": str, "integer": int, "boolean": bool, "object": dict, "number": float}
NOT_YET = ".reason_conference_ended"  # of a conference that goes on; null is against the contract


def faults_of(spec: Any, schema: Any, value: Any, at: str = "") -> Iterator[str]:
    """What breaks a schema of the contract, as far as it uses them."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if value is None:
        yield from () if schema.get("nullable") else (f"{at} is null",)
        return
    if not isinstance(value, KINDS.get(schema.get("type", ""), object)):
        yield f"{at}: {value!r} is no {schema['type']}"
    if value not in schema.get("enum", [value]) or not re.search(
        schema.get("pattern", ""), str(value)
    ):
        yield f"{at}: {value!r} against {schema}"
    if schema.get("format") == "date-time-rfc-2822":
        parsedate_to_datetime(value)
    if isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            if at or name in value or f".{name}" != NOT_YET:
                yield from faults_of(spec, part, value.get(name), f"{at}.{name}")
