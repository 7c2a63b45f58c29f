"""What a caller's telephone is told: every document is one that Twilio takes."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.twiml.voice_response import Say as SayNoun
from twilio.twiml.voice_response import VoiceResponse

from helpdesk.calls import script as words
from helpdesk.calls.providers.twilio import checker, twiml
from helpdesk.calls.providers.twilio.addresses import Addresses
from helpdesk.calls.script import Script, numbered

DESK = Addresses("https://desk.example.com")
SAY = words.Say("Вітаємо! 5 < 6 & «так»", "uk")
ALL = [
    SAY,
    words.Play("/static/ring.mp3"),
    words.Pause(2),
    words.Gather("menu", [SAY, words.Pause()], digits=1),
    words.Gather("speech", [SAY], digits=0, speech="uk", hints=["рахунок", "кур'єр, доставка"]),
    words.Enqueue("q-1", "wait", "left"),
    words.Leave(),
    words.Record("recorded", longest=120),
    words.Conference("c-abc", "customer", "after", ends=True, record=True),
    words.Dial("+380671234567", "after", "+380441230000"),
    words.Redirect("menu?n=1&again=1"),
    words.Hangup(),
]


def document(*verbs: words.Verb) -> str:
    return twiml.document(Script(verbs), DESK, {})


@pytest.mark.parametrize("verb", [*ALL, words.Reject()], ids=lambda verb: type(verb).__name__)
def test_every_verb_is_one_that_twilio_takes(verb: words.Verb) -> None:
    xml = document(verb)
    assert checker.check(xml) == []
    assert xml == document(verb)


def test_a_caller_who_stays_silent_is_asked_for_too() -> None:
    """Without actionOnEmptyResult a silent caller falls out of the menu."""
    noun = ElementTree.fromstring(document(ALL[3])).find("Gather")
    assert noun is not None
    assert noun.get("actionOnEmptyResult") == "true"
    assert (noun.get("input"), noun.get("numDigits"), noun.get("finishOnKey")) == ("dtmf", "1", "")


def test_speech_is_listened_for_in_the_callers_language() -> None:
    noun = ElementTree.fromstring(document(ALL[4])).find("Gather")
    assert noun is not None
    assert (noun.get("input"), noun.get("language")) == ("dtmf speech", "uk-UA")
    assert noun.get("hints") == "рахунок,кур'єр доставка"
    assert "numDigits" not in noun.attrib


def test_a_step_fails_over_in_ten_seconds_and_a_report_is_sent_again() -> None:
    xml = document(words.Redirect("menu?n=1&x=2"), words.Record("recorded"))
    assert (
        "https://desk.example.com/twilio/menu?n=1&amp;x=2#ct=2000&amp;rt=4000&amp;rc=1"
        "&amp;rp=ct,rt,5xx<"
    ) in xml
    assert "/twilio/recording#rc=5&amp;rp=all" in xml


def test_an_administrator_chooses_the_voices() -> None:
    xml = twiml.document(Script([SAY]), DESK, {"uk": "Google.uk-UA-Chirp3-HD-Aoede"})
    assert 'voice="Google.uk-UA-Chirp3-HD-Aoede"' in xml
    assert 'voice="Polly.Joanna"' in document(words.Say("Hello", "en"))


def test_all_words_arrive_as_they_are_written() -> None:
    for text in ("Ціна < 5 & > 3 «ок» ]]>", "Ё ґ ʼ", "a\x00b\x1f c\ud800", "рядок\nрядок"):
        said = ElementTree.fromstring(document(words.Say(text, "ru"))).findtext("Say")
        assert said == " ".join(
            text.replace("\x00", "").replace("\x1f", "").replace("\ud800", "").split()
        )


@pytest.mark.parametrize(
    "verb",
    [
        words.Say("", "uk"), words.Say(" \0 ", "uk"), words.Say("x" * 4_097, "uk"),
        words.Say("x", "de"),
        words.Play("ftp://x/y"), words.Play("//evil.example/x.mp3"), words.Play("https://x/ й"),
        words.Pause(0), words.Gather("menu", [], timeout=0), words.Gather("menu", [], speech="de"),
        words.Gather("menu", [words.Hangup()]),  # type: ignore[list-item]
        words.Enqueue("черга", "wait", "left"), words.Enqueue("q-1", "https://x", "left"),
        words.Conference("c-Oksana Koval", "customer", "after"),
        words.Conference("c-1", "", "after"),
        words.Dial("112", "after", "+380441230000"),
        words.Dial("+380671234567", "after", "anonymous"),
        words.Redirect("меню"), words.Redirect("menu#x"), words.Redirect("../admin"),
        words.Redirect("menu?q=a b"), words.Redirect(""), words.Record("recorded", longest=0),
    ],
    ids=lambda verb: type(verb).__name__,
)  # fmt: skip
def test_what_twilio_would_refuse_is_refused_here(verb: words.Verb) -> None:
    with pytest.raises(ValueError, match="."):
        document(verb)


def test_a_refused_call_hears_nothing_else() -> None:
    with pytest.raises(ValueError, match="nothing else"):
        document(SAY, words.Reject())


def test_a_document_has_an_end() -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        document(*[words.Say("й" * 4_000, "uk")] * 9)


def test_a_thousand_hints_are_cut_not_refused() -> None:
    verb = words.Gather("speech", [SAY], speech="uk", hints=["слово " * 10] * 1_000 + ["й" * 500])
    assert checker.check(document(verb)) == []


def test_each_visit_of_a_step_has_its_own_address() -> None:
    found = numbered(Script(ALL), 12)
    steps = [getattr(verb, "then", None) for verb in found.verbs]
    assert [s for s in steps if s] == [
        "menu?n=12", "speech?n=12", "left?n=12", "recorded?n=12", "after?n=12", "after?n=12",
        "menu?n=1&again=1&n=12",
    ]  # fmt: skip
    assert found.verbs[5].wait == "wait?n=12"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("xml", "fault"),
    [
        ('<Response><Gather languge="ru-RU"/></Response>', "@languge not allowed on <Gather>"),
        ("<Response><Enqueue><Say>x</Say></Enqueue></Response>", "<Say> not allowed in <Enqueue>"),
        ("<Response><Shout>x</Shout></Response>", "<Shout> not allowed in <Response>"),
        ("<Response><say>x</say></Response>", "<say> not allowed in <Response>"),
        ('<Response><Say message="x">x</Say></Response>', "@message not allowed on <Say>"),
        ("<Response><Conference>c</Conference></Response>", "<Conference> not allowed"),
        ("<Response><Dial><Say>x</Say></Dial></Response>", "<Say> not allowed in <Dial>"),
        ("<Response><Say/></Response>", "<Say> must have 1 to 4096"),
        (f"<Response><Say>{'x' * 4_097}</Say></Response>", "<Say> must have 1 to 4096"),
        ("<Response><Redirect>/menu</Redirect></Response>", "<Redirect> needs an address"),
        (
            '<Response><Record action="https://x/й"/></Response>',
            "@action of <Record> is no address",
        ),
        ('<Response><Record method="PUT"/></Response>', "must be GET or POST"),
        ("<Response><Say>x</Say><Reject/></Response>", "<Reject> must stand alone"),
        ("<Answer/>", "the root must be <Response>"),
        ("<Response", "this is no XML"),
        ("", "this is no XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Response/>', "document type"),
        ("<Response>" + " " * (64 * 1024) + "</Response>", "larger than"),
    ],
)
def test_a_wrong_document_is_named_by_its_fault(xml: str, fault: str) -> None:
    assert [found for found in checker.check(xml) if fault in found]


def test_the_librarys_own_typing_error_is_found() -> None:
    """The library takes any keyword and says nothing."""
    response = VoiceResponse()
    response.gather(languge="ru-RU").append(SayNoun("x"))
    assert checker.check(str(response)) == ["@languge not allowed on <Gather>"]


def test_who_waits_in_a_queue_hears_few_verbs() -> None:
    for verb in ALL:
        xml = document(verb)
        allowed = type(verb).__name__ in checker.WAITING
        assert (checker.check(xml, waiting=True) == []) is allowed


TEXT = st.text(max_size=50) | st.sampled_from(["x" * 4_097, "\0", "\ud800", "й" * 4_000])
STEP = st.sampled_from(["menu", "agent?offer=7", "sms/status", ""]) | TEXT
LANGUAGE = st.sampled_from(["uk", "ru", "en", "de"])
NUMBER = st.integers(-1, 100)
SPOKEN = st.builds(words.Say, TEXT, LANGUAGE)
SOUND = st.builds(words.Play, st.sampled_from(["/static/a.mp3", "https://x/y"]) | TEXT)
PAUSE = st.builds(words.Pause, NUMBER)
NAME = st.sampled_from(["q-1", "c-ab", "customer"]) | TEXT
VERB = st.one_of(
    SPOKEN,
    SOUND,
    PAUSE,
    st.builds(
        words.Gather, STEP, st.lists(SPOKEN | SOUND | PAUSE, max_size=3), NUMBER, NUMBER,
        st.none() | LANGUAGE, st.lists(TEXT, max_size=3),
    ),
    st.builds(words.Enqueue, NAME, STEP, STEP),
    st.builds(words.Record, STEP, NUMBER, NUMBER),
    st.builds(words.Conference, NAME, NAME, STEP, st.booleans(), st.booleans()),
    st.builds(words.Dial, st.just("+380671234567") | TEXT, STEP, st.just("+380441230000") | TEXT),
    st.builds(words.Redirect, STEP),
    st.builds(words.Leave),
    st.builds(words.Hangup),
    st.builds(words.Reject),
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.lists(VERB, max_size=4))
def test_any_script_is_a_document_for_twilio_or_a_value_error(verbs: list[words.Verb]) -> None:
    try:
        xml = document(*verbs)
    except ValueError:
        return
    assert checker.check(xml) == []
