"""Each sentence of the phone exists, can be heard out, and says times and waits as people do."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from helpdesk.calls import prompts
from helpdesk.ext import LANGUAGES
from helpdesk.kb.checks import MAX_VOICE

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # Monday noon in Kyiv
KYIV = "Europe/Kyiv"
LONG = {
    "brand": "A shop with a rather long name",
    "label": "x" * 80,
    "title": "y" * 200,
    "number": "+380 67 123 45 67",
    "by": "by Wednesday, 30 September 2026, 14:30",
    "when": "on Wednesday, 30 September 2026, at 14:30",
}


def test_every_prompt_is_there_and_fits_thirty_seconds(app: Flask) -> None:
    for key, msgid in prompts.PROMPTS.items():
        assert msgid.strip(), key
        names = {name for _, name, _, _ in string.Formatter().parse(msgid) if name}
        assert not names, f"{key}: places are written %(name)s"
        for language in LANGUAGES:
            said = prompts.text(key, language, **dict.fromkeys(PLACES, "7") | LONG)
            assert said.strip() and "%(" not in said
            assert len(said) <= MAX_VOICE, (key, language)
    assert set(prompts.OWN_LANGUAGE) == set(prompts.LANGUAGES) == set(LANGUAGES)


PLACES = ("digit", "name", "kind", "position", "time")


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (AT + timedelta(hours=6), "today by 18:00"),
        (AT + timedelta(hours=13), "tomorrow by 1:00"),  # past midnight in Kyiv, not in UTC
        (AT + timedelta(days=1, hours=2, minutes=30), "tomorrow by 14:30"),
        (AT + timedelta(days=8), "by Tuesday, 1 December, 12:00"),
        (AT + timedelta(days=60), "by Friday, 22 January 2027, 12:00"),
    ],
)
def test_a_deadline_is_said_in_words(app: Flask, due: datetime, said: str) -> None:
    assert prompts.by(due, KYIV, "en", AT) == said


def test_an_opening_is_said_in_words(app: Flask) -> None:
    assert prompts.when(AT + timedelta(hours=1), KYIV, "en", AT) == "today at 13:00"
    assert prompts.when(AT + timedelta(days=1), KYIV, "en", AT) == "tomorrow at 12:00"
    later = prompts.when(AT + timedelta(days=7), KYIV, "en", AT)
    assert later == "on Monday, 30 November, at 12:00"
    assert "30 листопада" in prompts.when(AT + timedelta(days=7), KYIV, "uk", AT)
    assert "30 ноября" in prompts.when(AT + timedelta(days=7), KYIV, "ru", AT)


def test_times_and_waits_have_the_right_endings_in_each_language(app: Flask) -> None:
    due = AT + timedelta(days=8)
    assert prompts.by(due, KYIV, "ru", AT) == "до 12:00 вторника, 1 декабря"
    assert prompts.by(due, KYIV, "uk", AT) == "до 12:00 вівторка, 1 грудня"
    assert prompts.wait(1_000, "ru").text == "Ждать примерно от 13 до 21 минуты."
    assert prompts.wait(1_000, "uk").text == "Чекати приблизно від 13 до 21 хвилини."
    assert prompts.wait(240, "ru").text == "Ждать примерно от 3 до 5 минут."
    assert prompts.wait(240, "uk").text == "Чекати приблизно від 3 до 5 хвилин."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "about a minute"),
        (59, "about a minute"),
        (60, "about 1 to 2 minutes"),
        (200, "about 2 to 5 minutes"),
        (240, "about 3 to 5 minutes"),
        (1_500, "about 20 to 32 minutes"),
        (5_000, "more than an hour"),
    ],
)
def test_a_wait_is_a_band(app: Flask, seconds: int, said: str) -> None:
    assert said in prompts.wait(seconds, "en").text


def test_a_wait_that_was_told_does_not_creep_up() -> None:
    assert prompts.told(None, 200) == 200
    assert prompts.told(200, 150) == 150  # shorter is good news
    assert prompts.told(200, 290) == 200
    assert prompts.told(200, 301) == 301  # by more than half: it would be a lie not to say so


def test_numbers_are_said_so_that_they_can_be_written_down() -> None:
    assert prompts.digits("10482") == "1 0 4 8 2"
    assert prompts.telephone("+380671234567") == "+380 67 123 45 67"
