"""What a caller hears: language, hours, the menu, consent, the queue, a callback, a message."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext, settings
from helpdesk.calls import menus
from helpdesk.calls.caller import lines
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.match import Known
from helpdesk.clients.models import Client, Person
from helpdesk.lib.clock import now
from helpdesk.planner.models import Task
from tests.calls import desk
from tests.calls.line import KYIV, dial, english
from tests.calls.shop import events
from tests.cast import Cast

EVENING = timedelta(hours=7)


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


def test_a_blocked_caller_is_refused(cast: Cast, oksana: Known) -> None:
    with ext.write() as session:
        settings.put(session, "blocked_numbers", ["+380500000001"])
    assert dial("+380500000001").end == "refused"
    assert dial().end == "asked"
    with ext.write() as session:
        session.get_one(Client, oksana.client_id).tags = ["vip", "blocked"]
    assert dial().end == "refused"


# The menu


def test_wrong_keys_and_silence_end_with_a_person(cast: Cast) -> None:
    line = english()
    assert line.press("7").last.startswith("There is nothing under this key.")
    assert line.silent().last.startswith("We heard nothing.")
    line.press("6")
    assert line.end == "queue" and "We connect you with a person." in line.heard


def test_the_star_says_it_again_and_forgets_mistakes(cast: Cast) -> None:
    line = english()
    menu = line.last
    assert line.press("7").press("*").last == menu
    assert line.press("7").press("7").end == "asked"


def test_outside_the_hours_nobody_waits_in_vain(cast: Cast, clock: time_machine.Traveller) -> None:
    clock.shift(EVENING)
    line = english()
    assert "We are closed now and open tomorrow at 9:00." in line.last
    assert "To be called back or to leave a message, press 0." in line.last
    assert line.press("0").end == "asked"
    assert "To be called back, press 1. To leave a message, press 2." in line.last
    assert line.press("2").end == "message"
    assert line.call().queued_at is None


def test_a_choice_leads_to_another_queue_with_its_skill(shelf: Cast) -> None:
    line = english().press("4")
    call = line.call()
    assert line.end == "queue" and line.queue is not None
    assert line.queue.name == f"q-{shelf.billing.id}"
    assert (call.queue_id, call.skill) == (shelf.billing.id, "money")


def test_within_the_hours_zero_always_waits_even_with_nobody_on(cast: Cast) -> None:
    line = english(None).press("0")
    assert line.end == "queue"
    line.wait()
    assert "Nobody is on the line just now. We answer calls until 18:00." in line.last
    assert "To be called back without losing your place, press 1." in line.last


def test_where_all_talk_nobody_is_told_that_none_is_there(cast: Cast) -> None:
    with ext.write() as session:
        desk.on(session, cast.alice.id)
    first = desk.waits(cast.support.id)
    desk.distribute()
    desk.talk(first, cast.alice.id)
    line = english(None).press("0")
    line.wait()
    assert "All our agents are talking just now." in line.last
    assert "Nobody" not in line.last


# Consent and queue


@pytest.fixture
def recorded(cast: Cast) -> Cast:
    with ext.write() as session:
        menus.save(session, None, recording=True, consent={"en": "We write it down."}, at=now())
    return cast


def test_consent_is_asked_once_and_kept_with_its_wording(recorded: Cast) -> None:
    for key, given in (("9", False), ("", True), ("1", True)):
        line = english().press("0")
        assert line.last.startswith("We write it down.") and line.end == "asked"
        call = line.press(key).call()
        assert line.end == "queue"
        assert (call.consent_given, call.consent_version) == (given, 2)
        assert call.consent_asked_at is not None
        assert events("call.consent")[-1] == {"call_id": call.id, "given": given, "version": 2}


def test_a_key_while_waiting_promises_a_callback(cast: Cast) -> None:
    line = english().press("0").wait()
    line.press("1")
    assert "We call you back at +380 67 123 45 67." in line.last
    line.press("1")
    assert line.end == "over" and "We call you back" in line.last
    with ext.session() as session:
        task = session.scalars(select(Task).order_by(Task.id)).one()
    assert task.number == KYIV and task.done_at is None


def test_another_number_is_typed_and_read_back(cast: Cast) -> None:
    line = english().press("0").wait().press("1").press("2")
    assert line.question.digits == 0  # the hash key ends it
    for wrong in ("12", "0900123456"):
        assert line.press(wrong).last.startswith("We cannot call this number.")
    line.press("0501112233")
    assert "+380 50 111 22 33" in line.last
    assert line.press("1").end == "over"


def test_a_withheld_number_types_one_or_leaves_a_message(cast: Cast) -> None:
    line = english(None).press("0").wait().press("1")
    assert "Type the number" in line.last
    assert line.silent().silent().silent().end == "message"


def test_a_message_may_be_left_instead(cast: Cast) -> None:
    line = english().press("0").wait().press("2")
    assert line.end == "message"
    assert line.recorded(12).end == "over" and "we have your message" in line.last


def test_after_the_longest_wait_nobody_is_kept(cast: Cast, clock: time_machine.Traveller) -> None:
    line = english().press("0").wait()
    clock.shift(timedelta(seconds=899))
    assert line.silent().waiting
    clock.shift(timedelta(seconds=1))
    line.silent()
    assert not line.waiting and line.end == "asked"
    assert "Nobody has become free yet" in " ".join(line.heard)
    assert "To be called back, press 1." in line.last


def test_a_call_that_went_on_elsewhere_is_left_alone(cast: Cast) -> None:
    line = english().press("0")
    for result in ("redirected", "hangup", "bridged"):
        assert line.left(result).end == "silence"


def test_a_queue_that_fails_offers_a_callback_or_a_message(cast: Cast) -> None:
    line = english().press("0")
    line.left("system-error")
    assert "Something went wrong on our side. To be called back, press 1." in line.last


def test_a_silent_message_is_asked_for_once_more(cast: Cast, clock: Any) -> None:
    clock.shift(EVENING)
    line = english().press("0").press("2")
    line.step("recorded?silent=1")
    assert line.end == "message" and "We heard no message." in line.last
    assert line.step("recorded?silent=1").end == "over"


def test_a_menu_without_callbacks_goes_straight_to_the_message(cast: Cast, clock: Any) -> None:
    with ext.write() as session:
        menus.save(session, None, callbacks=False, at=now())
    clock.shift(EVENING)
    assert english().press("0").end == "message"


def test_the_key_of_the_languages_is_the_highest_free_one() -> None:
    assert lines.language_key([{"digit": "9"}, {"digit": "7"}]) == "8"
