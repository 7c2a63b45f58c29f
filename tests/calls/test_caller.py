"""What a caller hears: language, hours, menu, answers, the state of a request, queue, callback."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext, settings
from helpdesk.accounts.models import PortalCode
from helpdesk.accounts.portal import make_code
from helpdesk.calls import menus
from helpdesk.calls.caller import lines
from helpdesk.calls.models import VoiceAnswer
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.match import Known
from helpdesk.clients.models import Client, Person
from helpdesk.events import Event
from helpdesk.kb.actions import add_translation, create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.models import Article, ArticleText, Outcome, Search, Source, State
from helpdesk.lib.clock import now
from helpdesk.planner.models import Task
from helpdesk.tickets.content import Content as Words
from helpdesk.tickets.models import Channel, Status, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.calls.line import KYIV, dial
from tests.cast import Cast

EVENING = timedelta(hours=7)


@pytest.fixture
def oksana(cast: Cast) -> Known:
    """Oksana has a phone, a mailbox and Ukrainian."""
    with ext.write() as session:
        person = session.get_one(Person, cast.oksana.person_id)
        person.vocative = "Оксано"
        add_contact_point(session, person, kind="phone", value=KYIV, country="UA", at=now())
    return cast.oksana


@pytest.fixture
def shelf(cast: Cast) -> Cast:
    """Two articles with texts for the phone; one of them also in Russian."""
    with ext.write() as session:
        text = create_article(
            session,
            Content("Скільки коштує доставка", "Доставка: 90 ₴.", voice="Дев’яносто гривень."),
            lang="uk", key="delivery", state=State.PUBLIC, at=now(),
        )  # fmt: skip
        article = session.get_one(Article, text.article_id)
        russian = Content("Сколько стоит доставка", "Доставка: 90 ₴.", voice="Девяносто гривен.")
        add_translation(
            session, article, russian, lang="ru", state=State.PUBLIC, at=now()
        )  # fmt: skip
        create_article(
            session,
            Content("Як почистити кавомашину", "Раз на місяць.", voice="Чистіть раз на місяць."),
            lang="uk", key="coffee", state=State.PUBLIC, at=now(),
        )  # fmt: skip
        menus.save(
            session,
            None,
            choices=[
                {"digit": "1", "action": "answer", "article": "delivery"},
                {"digit": "2", "action": "speech"},
                {"digit": "3", "action": "status"},
                {"digit": "4", "action": "queue", "queue_id": cast.billing.id, "skill": "money"},
            ],
            at=now(),
        )
    return cast


def ticket(cast: Cast, who: Known, *, status: Status = Status.OPEN, subject: str = "Secret") -> int:
    with ext.write() as session:
        id_ = open_ticket(
            session, queue_id=cast.support.id, who=who, subject=subject, channel=Channel.EMAIL,
            language="uk", at=now(),
        )  # fmt: skip
        words = Words(text="Private words", subject=subject)
        add_message(
            session, id_, words, who=who, channel=Channel.EMAIL, at=now(), first=True
        )  # fmt: skip
        session.get_one(Ticket, id_).status = status
    return id_


def events(kind: str) -> list[dict[str, Any]]:
    with ext.session() as session:
        rows = session.scalars(select(Event.data).where(Event.kind == kind).order_by(Event.id))
        return list(rows)


# Language


def test_an_unknown_number_chooses_a_language_each_in_its_own_voice(cast: Cast) -> None:
    line = dial()
    assert line.voices == ["uk", "uk", "ru", "en"]
    assert "Для русского языка нажмите 2" in line.last and "For English, press 3" in line.last
    line.press("3")
    assert line.call().language == "en" and line.voices[0] == "en"
    assert "To talk to a person, press 0." in line.last


def test_silence_keeps_the_primary_language(cast: Cast) -> None:
    with ext.write() as session:
        settings.put(session, "primary_language", "ru")
    line = dial()
    assert line.voices[:3] == ["ru", "ru", "uk"]
    assert line.silent().call().language == "ru"
    assert dial().press("7").call().language == "ru"


def test_a_client_is_greeted_in_their_language_and_may_change_it(cast: Cast, oksana: Known) -> None:
    line = dial()
    assert line.voices[0] == "uk" and line.end == "asked"
    assert "Для русского языка нажмите 9." in line.last
    line.press("9").press("2")
    assert line.call().language == "ru" and line.voices[0] == "ru"
    with ext.session() as session:  # what they have chosen before stays
        assert session.get_one(Person, oksana.person_id).language == "uk"


def test_a_client_without_a_language_keeps_the_one_chosen(cast: Cast) -> None:
    stranger = cast.stranger
    with ext.write() as session:
        person = session.get_one(Person, stranger.person_id)
        add_contact_point(session, person, kind="phone", value=KYIV, country="UA", at=now())
    dial().press("2")
    with ext.session() as session:
        assert session.get_one(Client, stranger.client_id).language == "ru"
    assert dial().voices[0] == "ru"


def test_the_languages_move_to_a_key_that_is_free(cast: Cast) -> None:
    with ext.write() as session:
        choices = [{"digit": "9", "action": "speech"}, {"digit": "8", "action": "status"}]
        menus.save(session, None, choices=choices, at=now())
    line = dial().press("1")
    assert "Для русского языка нажмите 7." in line.last
    assert "For English" in line.press("7").last


def test_greetings_and_an_incident_are_heard(cast: Cast) -> None:
    with ext.write() as session:
        menus.save(session, None, greetings={"uk": "Крамниця слухає."}, at=now())
        settings.put(session, "incident", {"uk": "Сайт не працює\nПодробиці"})
    line = dial()
    assert line.last.startswith("Крамниця слухає. Сайт не працює ")
    assert "Подробиці" not in line.last


def test_a_number_alone_gives_no_name(cast: Cast, oksana: Known) -> None:
    line = dial()
    assert "Оксано" not in line.last and "Литвиненко" not in line.last


@pytest.mark.parametrize("by", ["tag", "setting"])
def test_a_blocked_caller_is_refused(cast: Cast, oksana: Known, by: str) -> None:
    with ext.write() as session:
        if by == "tag":
            session.get_one(Client, oksana.client_id).tags = ["vip", "blocked"]
        else:
            settings.put(session, "blocked_numbers", [KYIV])
    assert dial().end == "refused"


# The menu


def test_wrong_keys_and_silence_end_with_a_person(cast: Cast) -> None:
    line = dial().press("1")
    assert line.press("7").last.startswith("There is nothing under this key.")
    assert line.silent().last.startswith("We heard nothing.")
    line.press("6")
    assert line.end == "queue" and "We connect you with a person." in line.heard


def test_the_star_says_it_again_and_forgets_mistakes(cast: Cast) -> None:
    line = dial().press("1")
    menu = line.last
    assert line.press("7").press("*").last == menu
    assert line.press("7").press("7").end == "asked"


def test_outside_the_hours_nobody_waits_in_vain(cast: Cast, clock: time_machine.Traveller) -> None:
    clock.shift(EVENING)
    line = dial().press("3")
    assert "We are closed now and open tomorrow at 9:00." in line.last
    assert "To be called back or to leave a message, press 0." in line.last
    assert line.press("0").end == "asked"
    assert "To be called back, press 1. To leave a message, press 2." in line.last
    assert line.press("2").end == "message"
    assert line.call().queued_at is None


def test_a_choice_leads_to_another_queue_with_its_skill(shelf: Cast) -> None:
    line = dial().press("1").press("4")
    call = line.call()
    assert line.end == "queue" and line.queue is not None
    assert line.queue.name == f"q-{shelf.billing.id}"
    assert (call.queue_id, call.skill) == (shelf.billing.id, "money")


def test_within_the_hours_zero_always_waits_even_with_nobody_on(cast: Cast) -> None:
    line = dial(None).press("1").press("0")
    assert line.end == "queue"
    line.wait()
    assert "Nobody is on the line just now. We answer calls until 18:00." in line.last
    assert "To be called back without losing your place, press 1." in line.last


# Answers


def test_a_key_reads_out_an_article_in_the_language_of_the_call(shelf: Cast) -> None:
    line = dial().press("2").press("1")
    assert line.last.startswith("Девяносто гривен.") and line.voices[0] == "ru"
    assert line.press("1").last.startswith("Good to know")
    with ext.session() as session:
        (answer,) = session.scalars(select(VoiceAnswer).order_by(VoiceAnswer.id)).all()
        text = session.scalars(select(ArticleText).where(ArticleText.lang == "ru")).one()
    assert (answer.helped, answer.language) == (True, "ru")
    assert (text.helped, text.views) == (1, 1)
    assert events("call.shown") == [{"call_id": line.call_id, "article_id": text.article_id}]
    assert line.silent().end == "over"


def test_an_article_that_lacks_the_language_is_read_in_the_primary_one(shelf: Cast) -> None:
    line = dial().press("3").press("1")
    assert line.voices[:2] == ["uk", "en"]


def test_a_question_in_own_words_is_answered(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    assert line.question.speech == "uk"
    line.speak("скільки коштує доставка")
    if "Did you mean" in line.last:
        line.press("1")
    assert "Дев’яносто гривень." in line.last
    assert line.press("2").end == "asked"  # another answer, or other words
    with ext.session() as session:
        asked = session.scalars(select(Search).order_by(Search.id)).one()
    assert (asked.source, asked.lang, asked.found > 0) == (Source.PHONE, "uk", True)
    assert asked.query == "скільки коштує доставка"


def test_what_was_hardly_understood_is_asked_first(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    line.speak("скільки коштує доставка", 0.3)
    assert "Did you mean: Скільки коштує доставка?" in line.last
    assert "Say in a few words" in line.press("2").last


def test_an_answer_that_helped_settles_the_search(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    line.speak("скільки коштує доставка", 0.3).press("1").press("1")
    with ext.session() as session:
        asked = session.scalars(select(Search).order_by(Search.id)).one()
    assert asked.outcome == Outcome.SOLVED
    assert "contained_at" in line.call().facts


def test_what_is_not_found_leads_to_another_try_then_to_a_person(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    assert line.speak("футбол у неділю зранку").last.startswith("We found no answer to that.")
    line.press("1").speak("футбол у неділю зранку").press("0")
    assert line.end == "queue"


def test_who_says_person_gets_one(shelf: Cast) -> None:
    line = dial().press("1").press("2").speak("Дайте оператора!")
    assert line.end in ("asked", "queue")
    line = dial().press("1").press("2").speak("людина")
    assert line.end == "queue"


def test_an_article_that_was_deleted_meanwhile_breaks_nothing(shelf: Cast) -> None:
    line = dial().press("1").press("1")
    with ext.write() as session:
        for article in session.scalars(select(Article).order_by(Article.id)):
            article.deleted_at = now()
    assert line.press("1").end == "asked"
    assert "We found no answer" in line.press("*").press("1").last


# The state of a request


def test_known_and_unknown_numbers_hear_the_same_where_nothing_is_open(
    cast: Cast, oksana: Known
) -> None:
    with ext.write() as session:  # so that both choose their language
        session.get_one(Person, oksana.person_id).language = None
        session.get_one(Client, oksana.client_id).language = None
    ways = []
    for number in (KYIV, "+380500000001"):
        line = dial(number).press("1").press("2")
        line.press("1")  # more, by a code
        line.press("000000").silent().press("111111")
        ways.append(line.heard)
    assert ways[0] == ways[1]
    assert "There is no open request from this number." in ways[0]
    with ext.session() as session:
        codes = session.scalars(select(PortalCode).order_by(PortalCode.id)).all()
    assert [code.contact_point_id is not None for code in codes] == [True, False]


def test_the_number_alone_tells_state_and_promise_and_nothing_else(
    cast: Cast, oksana: Known
) -> None:
    ticket(cast, oksana)
    line = dial().press("2")
    assert "Your request is in work. We answer today by 16:00." in line.last
    for secret in ("Secret", "Private", "Оксан", "Литвиненко", "1 0 0 0", "10001"):
        assert secret not in line.last


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.PENDING, "wait for your word"),
        (Status.ON_HOLD, "waits for somebody whose help"),
        (Status.OPEN, "in work"),
    ],
)
def test_the_state_is_said_in_words(cast: Cast, oksana: Known, status: Status, said: str) -> None:
    ticket(cast, oksana, status=status)
    assert said in dial().press("2").last


def test_a_withheld_number_is_told_so(cast: Cast) -> None:
    line = dial(None).press("1").press("2")
    assert "Your number is withheld" in line.last
    assert line.press("1").last.startswith("There is nothing under this key.")


def emailed_code() -> str:
    """The code that the worker sends to the mailbox."""
    with ext.write() as session:
        row = session.scalars(select(PortalCode).order_by(PortalCode.id.desc())).first()
        assert row is not None
        code = make_code(session, row.id, secret=b"k" * 32, at=now())
    assert code is not None
    return code


def test_a_code_opens_number_kind_and_owner(cast: Cast, oksana: Known) -> None:
    first = ticket(cast, oksana)
    second = ticket(cast, oksana, subject="Other secret")
    with ext.write() as session:
        session.get_one(Ticket, second).assignee_id = cast.alice.id
    line = dial().press("2").press("1")
    assert "a code of six digits is on its way" in line.last
    assert "This code does not fit." in line.press("000000").last
    line.press(emailed_code())
    assert line.last.startswith("Thank you, Оксано.")
    assert f"Request number {' '.join(str(second + 10_000))}: a request." in line.last
    assert "Alice looks after it." in line.last and "1 more request is open." in line.last
    assert "ecret" not in line.last
    assert line.call().verified_at is not None
    assert " ".join(str(first + 10_000)) in line.press("1").last
    again = line.press("*").press("2").last  # no second code in the same call
    assert "Request number" in again


def test_codes_have_the_limits_of_the_portal(cast: Cast, oksana: Known) -> None:
    for _ in range(5):
        line = dial().press("2").press("1")
        assert "on its way" in line.last
    line = dial().press("2").press("1")
    assert "That was tried too often for now." in line.heard and line.end == "queue"


def test_a_code_that_never_comes_ends_with_a_person(cast: Cast, oksana: Known) -> None:
    line = dial().press("2").press("1")
    assert line.silent().silent().silent().end == "queue"


# Consent and queue


@pytest.fixture
def recorded(cast: Cast) -> Cast:
    with ext.write() as session:
        menus.save(session, None, recording=True, consent={"uk": "Пишемо розмову."}, at=now())
    return cast


@pytest.mark.parametrize(("key", "given"), [("9", False), ("", True), ("1", True)])
def test_consent_is_asked_once_and_kept_with_its_wording(
    recorded: Cast, key: str, given: bool
) -> None:
    line = dial().press("1").press("0")
    assert line.last.startswith("Пишемо розмову.") and line.end == "asked"
    line.press(key)
    call = line.call()
    assert line.end == "queue"
    assert (call.consent_given, call.consent_version) == (given, 2)
    assert call.consent_asked_at is not None and call.language == "uk"
    assert events("call.consent") == [{"call_id": call.id, "given": given, "version": 2}]


def test_a_key_while_waiting_promises_a_callback(cast: Cast) -> None:
    line = dial().press("1").press("0").wait()
    line.press("1")
    assert "We call you back at +380 67 123 45 67." in line.last
    line.press("1")
    assert line.end == "over" and "We call you back" in line.last
    with ext.session() as session:
        task = session.scalars(select(Task).order_by(Task.id)).one()
    assert task.number == KYIV and task.done_at is None


def test_another_number_is_typed_and_read_back(cast: Cast) -> None:
    line = dial().press("1").press("0").wait().press("1").press("2")
    assert line.question.digits == 0  # the hash key ends it
    for wrong in ("12", "0900123456"):
        assert line.press(wrong).last.startswith("We cannot call this number.")
    line.press("0501112233")
    assert "+380 50 111 22 33" in line.last
    assert line.press("1").end == "over"


def test_a_withheld_number_types_one_or_leaves_a_message(cast: Cast) -> None:
    line = dial(None).press("1").press("0").wait().press("1")
    assert "Type the number" in line.last
    assert line.silent().silent().silent().end == "message"


def test_a_message_may_be_left_instead(cast: Cast) -> None:
    line = dial().press("1").press("0").wait().press("2")
    assert line.end == "message"
    assert line.recorded(12).end == "over" and "we have your message" in line.last


def test_after_the_longest_wait_nobody_is_kept(cast: Cast, clock: time_machine.Traveller) -> None:
    line = dial().press("1").press("0").wait()
    clock.shift(timedelta(seconds=899))
    assert line.silent().waiting
    clock.shift(timedelta(seconds=1))
    line.silent()
    assert not line.waiting and line.end == "asked"
    assert "Nobody has become free yet" in " ".join(line.heard)
    assert "To be called back, press 1." in line.last


def test_a_call_that_went_on_elsewhere_is_left_alone(cast: Cast) -> None:
    line = dial().press("1").press("0")
    for result in ("redirected", "hangup", "bridged"):
        assert line.left(result).end == "silence"


def test_a_queue_that_fails_offers_a_callback_or_a_message(cast: Cast) -> None:
    line = dial().press("1").press("0")
    line.left("system-error")
    assert "Something went wrong on our side. To be called back, press 1." in line.last


def test_a_silent_message_is_asked_for_once_more(cast: Cast, clock: Any) -> None:
    clock.shift(EVENING)
    line = dial().press("1").press("0").press("2")
    line.step("recorded?silent=1")
    assert line.end == "message" and "We heard no message." in line.last
    assert line.step("recorded?silent=1").end == "over"


def test_a_menu_without_callbacks_goes_straight_to_the_message(cast: Cast, clock: Any) -> None:
    with ext.write() as session:
        menus.save(session, None, callbacks=False, at=now())
    clock.shift(EVENING)
    assert dial().press("1").press("0").end == "message"


def test_the_key_of_the_languages_is_the_highest_free_one() -> None:
    assert lines.language_key([{"digit": "9"}, {"digit": "7"}]) == "8"
