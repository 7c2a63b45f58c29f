"""The twin runs documents as Twilio does: verb by verb, with what each of them asks for."""

from email.utils import parsedate_to_datetime

import pytest

from tests.calls.exchange import ACCOUNT, CALLER, OURS, PUBLIC, START, Desk, errors, said

UK = 'language="uk-UA"'


def test_a_call_comes_in_is_answered_by_the_first_sound_and_ends_with_the_document() -> None:
    desk = Desk({"voice": f"<Say {UK}>Вітаємо</Say><Pause length='2'/><Play>a.wav</Play>"})
    leg = desk.call()
    assert leg.status == "in-progress" and leg.answered_at == START
    desk.advance(60)
    assert [(h.kind, h.text, h.language) for h in leg.heard if h.who == "voice"] == [
        ("say", "Вітаємо", "uk-UA"),
        ("play", f"{PUBLIC}/twilio/a.wav", None),
    ]
    assert leg.status == "completed" and desk.paths == ["voice", "status"]
    first, last = desk.asked[0].params, desk.asked[1].params
    assert first["CallSid"] == leg.sid and first["AccountSid"] == ACCOUNT.sid
    assert (first["From"], first["To"]) == (first["Caller"], first["Called"]) == (CALLER, OURS)
    assert first["CallStatus"] == "ringing" and first["Direction"] == "inbound"
    assert first["ApiVersion"] == "2010-04-01" and first["CallToken"]
    assert first["FromCountry"] == first["CallerCountry"] == "UA" and first["FromCity"] == ""
    assert last["CallStatus"] == "completed" and last["CallbackSource"] == "call-progress-events"
    assert int(last["CallDuration"]) == 12 and last["Duration"] == "1"
    assert last["SequenceNumber"] == "0" and last["SipResponseCode"] == "200"
    assert leg.ended_at and leg.ended_at.second == parsedate_to_datetime(last["Timestamp"]).second


@pytest.mark.parametrize(
    ("verb", "status"),
    [("<Reject/>", "no-answer"), ('<Reject reason="busy"/>', "busy"), ("<Hangup/>", "completed")],
)
def test_refused_or_hung_up_at_once(verb: str, status: str) -> None:
    desk = Desk({"voice": verb})
    leg = desk.call()
    assert leg.status == status and desk.of("status")[0]["CallDuration"] == "0"
    assert (leg.answered_at is None) == (verb != "<Hangup/>")


def test_a_pause_or_a_redirect_comes_before_the_answer() -> None:
    desk = Desk(
        {"voice": '<Pause length="3"/><Redirect>menu</Redirect>', "menu": "<Say>Hello</Say>"}
    )
    leg = desk.call()
    assert leg.status == "ringing"
    desk.advance(3)
    assert leg.status == "in-progress" and desk.paths == ["voice", "menu"]
    assert desk.of("menu")[0]["CallStatus"] == "ringing"


def menu(**attributes: str) -> str:
    spelled = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<Gather {spelled}><Say>One or two</Say></Gather><Say>Nothing</Say>"


def test_a_key_interrupts_the_words_and_is_handed_on() -> None:
    desk = Desk({"voice": menu(numDigits="1", action="choice"), "choice": "<Say>Good</Say>"})
    leg = desk.call()
    desk.act(leg, "digits", keys="2")
    assert desk.of("choice")[0]["Digits"] == "2" and said(leg) == ["One or two", "Good"]


def test_keys_end_with_the_finishing_one_or_after_silence_and_without_it_count() -> None:
    desk = Desk({"voice": menu(action="code", timeout="4"), "code": menu(action="code")})
    leg = desk.call()
    desk.act(leg, "digits", keys="12#")
    desk.act(leg, "digits", keys="34")
    desk.advance(4)
    assert len(desk.of("code")) == 1
    desk.advance(2)
    assert [(p["Digits"], p["FinishedOnKey"]) for p in desk.of("code")] == [("12", "#"), ("34", "")]
    starred = Desk({"voice": menu(action="code", finishOnKey="*"), "code": "<Hangup/>"})
    leg = starred.call()
    starred.act(leg, "digits", keys="1#2*")
    assert starred.of("code")[0]["Digits"] == "1#2"


def test_a_silent_caller_goes_on_to_the_next_verb_or_the_action_is_asked_if_wanted() -> None:
    desk = Desk({"voice": menu(numDigits="1", action="choice", timeout="2")})
    leg = desk.call()
    desk.advance(5)
    assert said(leg) == ["One or two", "Nothing"] and "choice" not in desk.paths
    wanted = menu(numDigits="1", action="choice", timeout="2", actionOnEmptyResult="true")
    desk = Desk({"voice": wanted, "choice": "<Hangup/>"})
    leg = desk.call()
    desk.act(leg, "speech", text="is anybody there")
    desk.advance(5)
    assert desk.of("choice")[0]["Digits"] == "" and said(leg) == ["One or two"]


def test_speech_is_heard_where_it_is_listened_for() -> None:
    asking = menu(input="dtmf speech", language="uk-UA", action="speech", timeout="3")
    desk = Desk({"voice": asking, "speech": "<Say>Зрозуміло</Say>"})
    leg = desk.call()
    assert leg.frames[-1].activity.asks() == {
        "keys": True, "digits": 0, "finish": "#", "entered": "", "speech": "uk-UA",
    }  # fmt: skip
    desk.act(leg, "speech", text="де мій рахунок", confidence=0.72)
    said_so = desk.of("speech")[0]
    assert said_so["SpeechResult"] == "де мій рахунок" and float(said_so["Confidence"]) == 0.72
    assert "Digits" not in said_so


WAIT = '<Enqueue action="left" waitUrl="wait">q-1</Enqueue><Say>After</Say>'


def test_a_queue_asks_for_what_is_heard_again_and_again_with_position_and_times() -> None:
    desk = Desk({"voice": WAIT, "wait": "<Say>You are in the queue</Say><Play>m.wav</Play>"})
    first, second = desk.call(), desk.call("+380509999999")
    desk.advance(30)
    waits = [params for params in desk.of("wait") if params["CallSid"] == second.sid]
    assert len(waits) == 3 and {w["QueuePosition"] for w in waits} == {"2"}
    assert [int(w["QueueTime"]) for w in waits] == [0, 11, 22]
    assert waits[0]["CurrentQueueSize"] == "2" and waits[0]["MaxQueueSize"] == "100"
    assert waits[0]["QueueSid"] == desk.of("wait")[0]["QueueSid"]
    assert waits[0]["AvgQueueTime"] == "0" and "QueueResult" not in waits[0]
    desk.act(first, "hangup")
    assert [(p["QueueResult"], p["QueueTime"]) for p in desk.of("left")] == [("hangup", "30")]
    assert first.status == "completed" and desk.of("status")[0]["CallSid"] == first.sid
    desk.advance(15)
    assert desk.of("wait")[-1]["QueuePosition"] == "1"


def test_a_waiting_caller_leaves_by_a_key_and_the_action_says_what_comes_next() -> None:
    desk = Desk(
        {
            "voice": WAIT,
            "wait": '<Gather numDigits="1" action="pressed" timeout="20"/>',
            "pressed": "<Leave/>",
            "left": "<Say>We call you back</Say>",
        }
    )
    leg = desk.call()
    desk.advance(7)
    desk.act(leg, "digits", keys="1")
    assert desk.of("pressed")[0]["Digits"] == "1"
    assert desk.of("pressed")[0].keys() >= {"CallSid", "From"}
    assert desk.of("left")[0]["QueueResult"] == "leave" and desk.of("left")[0]["QueueTime"] == "7"
    assert said(leg) == ["We call you back"]


def test_without_an_action_the_document_goes_on_after_the_queue() -> None:
    desk = Desk(
        {"voice": "<Enqueue waitUrl='wait'>q</Enqueue><Say>After</Say>", "wait": "<Leave/>"}
    )
    assert said(desk.call()) == ["After"]


def test_a_full_queue_says_so() -> None:
    page = '<Enqueue action="left" waitUrl="wait" maxQueueSize="1">q-1</Enqueue>'
    desk = Desk({"voice": page, "wait": "<Play>m.wav</Play>", "left": "<Say>Full</Say>"})
    desk.call()
    second = desk.call()
    assert desk.of("left")[0]["QueueResult"] == "queue-full" and said(second) == ["Full"]


@pytest.mark.parametrize("bad", ["<Dial>+380501111111</Dial>", "<Record/>", "<Enqueue>x</Enqueue>"])
def test_what_a_waiting_caller_may_not_hear_takes_them_out_of_the_queue(bad: str) -> None:
    desk = Desk({"voice": WAIT, "wait": bad, "left": "<Say>Sorry</Say>"})
    leg = desk.call()
    assert desk.of("left")[0]["QueueResult"] == "error" and said(leg) == ["Sorry"]
    assert any("13233" in entry.problem for entry in desk.twin.exchange.log)


def test_a_document_without_length_is_not_asked_for_in_a_storm() -> None:
    desk = Desk({"voice": WAIT, "wait": ""})
    desk.call()
    desk.advance(10)
    assert len(desk.of("wait")) == 11


RECORD = (
    '<Record action="recorded" timeout="3" maxLength="20" recordingStatusCallback="recording"'
    ' recordingStatusCallbackEvent="completed absent"/><Say>Nothing was said</Say>'
)


def test_a_message_ends_by_silence_and_its_recording_is_told_a_moment_later() -> None:
    desk = Desk({"voice": RECORD, "recorded": "<Say>Thanks</Say>"})
    leg = desk.call()
    desk.act(leg, "speech", text="Зателефонуйте мені, будь ласка, завтра після обіду")
    desk.advance(10)
    done, told = desk.of("recorded")[0], desk.of("recording")[0]
    assert said(leg) == ["Thanks"] and done["Digits"] == "" and int(done["RecordingDuration"]) == 6
    assert told["RecordingSid"] == done["RecordingSid"] and told["RecordingStatus"] == "completed"
    assert told["RecordingSource"] == "RecordVerb" and told["RecordingDuration"] == "6"
    assert told["RecordingUrl"].endswith(told["RecordingSid"]) and told["RecordingChannels"] == "1"
    assert parsedate_to_datetime(told["RecordingStartTime"]) == START


def test_who_speaks_again_in_time_is_not_cut_off() -> None:
    desk = Desk({"voice": RECORD, "recorded": "<Hangup/>"})
    leg = desk.call()
    for _ in range(3):
        desk.act(leg, "speech", text="a long sentence, spoken slowly")
        desk.advance(4)
    desk.advance(10)
    assert desk.of("recorded")[0]["RecordingDuration"] == "13"


def test_a_message_ended_by_hanging_up_is_told_twice_over() -> None:
    desk = Desk({"voice": RECORD, "recorded": "<Say>Thanks</Say>"})
    leg = desk.call()
    desk.act(leg, "speech", text="call me")
    desk.advance(2)
    desk.act(leg, "hangup")
    desk.advance(2)
    assert desk.of("recorded")[0]["Digits"] == "hangup" and said(leg) == []
    assert desk.of("recorded")[0]["CallStatus"] == "completed"
    assert desk.of("recording")[0]["RecordingDuration"] == "2"


def test_a_silent_message_is_absent_and_the_document_goes_on() -> None:
    desk = Desk({"voice": RECORD})
    leg = desk.call()
    desk.advance(5)
    assert said(leg) == ["Nothing was said"] and "recorded" not in desk.paths
    told = desk.of("recording")[0]
    assert told["RecordingStatus"] == "absent" and told["ErrorCode"] == "16102"


def test_a_message_ends_with_a_key_or_at_its_longest() -> None:
    desk = Desk({"voice": RECORD, "recorded": "<Hangup/>"})
    keyed, long = desk.call(), desk.call()
    for leg in (keyed, long):
        desk.act(leg, "speech", text="words " * 100)
    desk.advance(5)
    desk.act(keyed, "digits", keys="#")
    desk.advance(30)
    found = {p["CallSid"]: (p["Digits"], p["RecordingDuration"]) for p in desk.of("recorded")}
    assert found == {keyed.sid: ("#", "5"), long.sid: ("", "20")}


TALK = (
    '<Dial action="after"><Conference participantLabel="{label}" endConferenceOnExit="{ends}"'
    ' statusCallback="conference" statusCallbackEvent="start end join leave hold">c-1'
    "</Conference></Dial>"
)


def talk() -> Desk:
    return Desk(
        {
            "voice": lambda p: TALK.format(
                label="customer" if p["From"] == CALLER else "agent-7",
                ends="true" if p["From"] == CALLER else "false",
            ),
            "after": "<Say>Goodbye</Say>",
            "hold": "<Say>One moment</Say>",
        }
    )


def told(desk: Desk) -> list[tuple[str, str | None]]:
    return [(p["StatusCallbackEvent"], p.get("ParticipantLabel")) for p in desk.of("conference")]


def test_two_meet_in_a_conference_and_the_end_of_one_ends_it() -> None:
    desk = talk()
    agent = desk.call("+380501112233")
    assert [h.kind for h in agent.heard] == ["ringing", "music"]
    customer = desk.call()
    desk.advance(30)
    desk.act(customer, "hangup")
    assert told(desk) == [
        ("participant-join", "agent-7"),
        ("participant-join", "customer"),
        ("conference-start", None),
        ("participant-leave", "customer"),
        ("participant-leave", "agent-7"),
        ("conference-end", None),
    ]
    events = desk.of("conference")
    assert [int(p["SequenceNumber"]) for p in events] == [1, 2, 3, 4, 5, 6]
    assert {p["FriendlyName"] for p in events} == {"c-1"}
    assert events[1]["EndConferenceOnExit"] == "true" and events[1]["Hold"] == "false"
    assert events[3]["ReasonParticipantLeft"] == "participant_hung_up"
    assert events[4]["ReasonParticipantLeft"] == "moderator_ended_conference"
    assert events[5]["CallSidEndingConference"] == customer.sid
    assert events[5]["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    after = desk.of("after")
    assert [(p["CallSid"], p["DialCallStatus"]) for p in after] == [(agent.sid, "answered")]
    assert said(agent) == ["Goodbye"]


def test_a_conference_waits_for_whoever_may_start_it() -> None:
    waits = (
        '<Dial><Conference startConferenceOnEnter="false" waitUrl="hold">c-1</Conference></Dial>'
    )
    desk = Desk(
        {
            "voice": lambda p: waits if p["From"] == CALLER else waits.replace("false", "true"),
            "hold": "<Say>One moment</Say>",
        }
    )
    first, second = desk.call(), desk.call()
    desk.advance(3)
    conference = next(iter(desk.twin.exchange.conferences.values()))
    assert conference.status == "init" and len(said(first)) >= 2
    third = desk.call("+380501112233")
    assert conference.status == "in-progress" and len(conference.participants) == 3
    heard = len(said(first))
    desk.advance(20)
    assert len(said(first)) == heard and second.live and third.live
    for leg in (first, second, third):
        desk.act(leg, "hangup")
    assert conference.status == "completed" and not conference.participants
    assert conference.reason == "last-participant-left"


DIAL = (
    '<Dial callerId="+380443334455" timeout="{timeout}" action="after" {more}>'
    '<Number statusCallback="leg" statusCallbackEvent="initiated ringing answered completed">'
    "+380501112233</Number></Dial>"
)


def dialled(desk: Desk, to: str = "+380501112233"):  # type: ignore[no-untyped-def]
    return next(leg for leg in reversed(desk.twin.exchange.legs.values()) if leg.to == to)


def test_a_number_is_rung_connected_and_the_action_says_how_it_ended() -> None:
    desk = Desk({"voice": DIAL.format(timeout=20, more=""), "after": "<Hangup/>"})
    leg = desk.call()
    child = dialled(desk)
    assert child.status == "ringing" and child.direction == "outbound-dial"
    desk.advance(5)
    desk.act(child, "answer")
    desk.advance(61)
    desk.act(child, "hangup")
    assert [p["CallStatus"] for p in desk.of("leg")] == [
        "initiated", "ringing", "in-progress", "completed",
    ]  # fmt: skip
    assert {p["ParentCallSid"] for p in desk.of("leg")} == {leg.sid}
    assert [p["SequenceNumber"] for p in desk.of("leg")] == ["0", "1", "2", "3"]
    assert desk.of("leg")[-1]["CallDuration"] == "61" and desk.of("leg")[-1]["Duration"] == "2"
    done = desk.of("after")[0]
    assert done["DialCallSid"] == child.sid and done["DialCallStatus"] == "completed"
    assert done["DialCallDuration"] == "61" and done["DialBridged"] == "true"
    assert leg.status == "completed"


@pytest.mark.parametrize(
    ("act", "status"), [("decline", "busy"), (None, "no-answer"), ("hangup", "canceled")]
)
def test_a_number_that_is_not_reached(act: str | None, status: str) -> None:
    bridge = 'answerOnBridge="true"'
    desk = Desk({"voice": DIAL.format(timeout=20, more=bridge), "after": "<Hangup/>"})
    leg = desk.call()
    child = dialled(desk)
    assert leg.status == "ringing"
    if act == "hangup":
        desk.act(leg, "hangup")
    elif act:
        desk.act(child, act)
    desk.advance(25)
    assert child.status == status and not leg.live
    results = [p["DialCallStatus"] for p in desk.of("after")]
    assert results == ([] if act == "hangup" else [status])


def test_several_telephones_ring_and_the_first_to_answer_wins_after_its_own_document() -> None:
    page = (
        '<Dial action="after"><Client url="whisper">agent-7</Client>'
        '<Number url="whisper">+380501112233</Number></Dial>'
    )
    desk = Desk({"voice": page, "whisper": "<Say>A call for you</Say>", "after": "<Hangup/>"})
    leg = desk.call()
    browser, number = dialled(desk, "client:agent-7"), dialled(desk)
    desk.act(browser, "answer")
    assert number.status == "canceled" and said(browser) == ["A call for you"]
    assert desk.of("whisper")[0]["ParentCallSid"] == leg.sid
    assert not [h for h in leg.heard if h.kind == "connected"]
    desk.advance(5)
    assert [h.text for h in leg.heard if h.kind == "connected"] == ["client:agent-7"]
    desk.act(leg, "hangup")
    assert browser.status == "completed" and not errors(leg)


def test_a_verb_that_the_twin_does_not_know_is_an_application_error() -> None:
    desk = Desk({"voice": "<Say>Hello</Say><Connect><Stream url='wss://x.example/'/></Connect>"})
    leg = desk.call()
    desk.advance(30)
    assert errors(leg) == ["We are sorry, an application error has occurred. Goodbye."]
    assert leg.status == "completed"
