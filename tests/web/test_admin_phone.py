"""/admin/phone: what callers hear is edited by a plain form and can be read before it is heard."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext, settings
from helpdesk.calls import menus
from helpdesk.calls.models import PhoneMenu
from helpdesk.events import Event
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.models import State
from helpdesk.lib.clock import now
from tests.cast import Cast
from tests.web.conftest import Pages, counted
from tests.web.rooms import enter


@pytest.fixture
def ada(pages: Pages) -> Pages:
    with ext.write() as session:
        for key, voice in (("delivery", "Доставка коштує 90 гривень."), ("mute", "")):
            content = Content(f"Про {key}", "Текст.", voice=voice)
            create_article(session, content, lang="uk", key=key, state=State.PUBLIC, at=now())
    return enter(pages, "ada")


def menu_of(queue_id: int | None) -> PhoneMenu | None:
    with ext.session() as session:
        return menus.own_menu(session, queue_id)


def changes() -> list[Any]:
    kind = Event.kind == "phone_menu.changed"
    with ext.session() as session:
        return list(session.scalars(select(Event.data).where(kind).order_by(Event.id)))


def test_the_list_shows_what_callers_of_each_queue_get(ada: Pages, cast: Cast) -> None:
    page = ada.get("/admin/phone")
    assert "Support" in page.text and "Billing" in page.text
    assert "Ask a question in your own words" in page.text and "the default one" in page.text
    assert "answers calls" in page.text
    with counted() as statements:
        ada.get("/admin/phone")
    assert len(statements) <= 14


def test_a_queue_gets_a_menu_of_its_own(ada: Pages, cast: Cast) -> None:
    path = f"/admin/phone/{cast.billing.id}"
    page = ada.get(path)
    assert "This queue has the default menu" in page.text
    fields = {
        "greetings.uk": "Бухгалтерія слухає.",
        "digit-0": "5",
        "action-0": "answer",
        "article-0": "delivery",
        "digit-1": "2",
        "action-1": "queue",
        "queue-1": str(cast.support.id),
        "skill-1": "Coffee",
        "label-1-en": "Machines",
        "max_wait_seconds": "300",
        "overflow_seconds": "60",
        "overflow_queue_id": str(cast.support.id),
        "recording": "1",
        "consent.uk": "Розмову записуємо.",
    }
    page = ada.post(path, **fields)
    assert "The next caller hears it" in page.text
    made = menu_of(cast.billing.id)
    assert made is not None
    assert [choice["digit"] for choice in made.choices] == ["2", "5"]
    assert made.choices[0]["skill"] == "coffee"
    assert (made.max_wait_seconds, made.overflow_queue_id) == (300, cast.support.id)
    assert made.recording and made.consent_version == 2
    # The preview is what is heard, each language in its own words.
    assert "Бухгалтерія слухає." in page.text and "Machines: press 2." in page.text
    assert "Про delivery: натисніть 5." in page.text
    assert "If you do not want that, press 9." in page.text
    assert "The wait is about 3 to 5 minutes." in page.text
    assert changes()[0]["queue_id"] == cast.billing.id


def test_saving_what_is_there_changes_nothing(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/phone/default")
    ada.post("/admin/phone/default")
    first = menu_of(None)
    assert first is not None and first.version == 1 and first.consent_version == 1
    ada.get("/admin/phone/default")
    ada.post("/admin/phone/default")
    again = menu_of(None)
    assert again is not None and again.version == 1 and len(changes()) == 1


def test_the_version_of_the_consent_grows_with_its_words_alone(ada: Pages, cast: Cast) -> None:
    versions = []
    for wording in ("Записуємо.", "Записуємо.", "Розмову записують."):
        ada.get("/admin/phone/default")
        ada.post("/admin/phone/default", **{"consent.uk": wording, "recording": "1"})
        menu = menu_of(None)
        assert menu is not None
        versions.append(menu.consent_version)
    assert versions == [2, 2, 3]


WRONG = (
    ({"digit-0": "", "action-0": "speech"}, "A choice has a key from 1 to 9"),
    ({"digit-0": "3", "action-0": ""}, "Choose what the key does"),
    ({"digit-0": "3", "action-0": "fly"}, "Choose what the key does"),
    ({"digit-0": "2", "action-0": "speech"}, "Two choices have the key 2"),
    ({"digit-0": "1", "action-0": "answer", "article-0": "nope"}, "public article"),
    ({"digit-0": "1", "action-0": "answer", "article-0": "mute"}, "no text for the phone"),
    ({"digit-0": "1", "action-0": "queue"}, "Choose a queue"),
    ({"digit-0": "1", "action-0": "queue", "queue-0": "999"}, "a queue that is open"),
    ({"digit-0": "1", "action-0": "queue", "queue-0": "x"}, "Choose one from the list"),
    ({"greetings.ru": "а" * 421}, "At most 30 fit"),
    ({"ring_seconds": "5"}, "from 10 to 60"),
    ({"max_wait_seconds": "soon"}, "from 60 to 3600"),
    ({"overflow_seconds": "30"}, "Overflow needs both"),
    ({"calendar_id": "999"}, "Choose one from the list"),
    ({"label-0-en": "x" * 81}, "at most 80 characters"),
)


def test_what_is_wrong_is_said_where_it_is(ada: Pages, cast: Cast) -> None:
    for wrong, said in WRONG:
        ada.get("/admin/phone/default")
        page = ada.post("/admin/phone/default", **wrong)
        assert page.status == 400 and said in page.text, wrong
    assert menu_of(None) is None


def test_a_caller_keeps_a_way_out(ada: Pages, cast: Cast) -> None:
    page = ada.get("/admin/phone/default")
    fields = page.form("/admin/phone/default")
    del fields["callbacks"], fields["voicemail"]
    page = ada.send("/admin/phone/default", fields)
    assert page.status == 400 and "Leave callbacks or voicemail on" in page.text


def test_two_administrators_do_not_overwrite_each_other(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/phone/default")
    with ext.write() as session:
        menus.save(session, None, at=now(), max_wait_seconds=120)
    page = ada.post("/admin/phone/default", ring_seconds="30")
    assert page.status == 409 and "Somebody changed this menu" in page.text
    page = ada.post("/admin/phone/default", ring_seconds="30")  # saving again is a decision
    assert page.status == 200
    menu = menu_of(None)
    assert menu is not None and menu.ring_seconds == 30


def test_taking_a_menu_away_can_be_undone(ada: Pages, cast: Cast) -> None:
    path = f"/admin/phone/{cast.support.id}"
    ada.get(path)
    ada.post(path, **{"greetings.uk": "Слухаємо вас."})
    page = ada.post(f"{path}/remove")
    assert "Save to put its own menu back" in page.text
    assert menu_of(cast.support.id) is None
    ada.post(path)
    back = menu_of(cast.support.id)
    assert back is not None and back.greetings == {"uk": "Слухаємо вас."}


def test_refused_numbers_are_kept_in_one_spelling(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/phone")
    page = ada.post("/admin/phone/blocked", blocked="067 123-45-67\n\n+380 67 123 45 67\n")
    assert "+380 67 123 45 67" in page.text
    with ext.session() as session:
        assert settings.get(session, "blocked_numbers") == ["+380671234567"]
    page = ada.post("/admin/phone/blocked", blocked="call me")
    assert page.status == 400 and "This is not a phone number: call me" in page.text


def test_what_is_not_there_is_not_found(ada: Pages, cast: Cast) -> None:
    for name in ("999", "x", "-1", "9" * 30):
        assert ada.get(f"/admin/phone/{name}").status == 404
