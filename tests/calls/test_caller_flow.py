"""Whatever a caller presses, says or leaves unsaid, they end with a person, a callback, a message
or a goodbye, and every document they get is one that the carrier takes."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import current_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk import ext
from helpdesk.calls import menus
from helpdesk.calls.script import Enqueue, Play
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.models import State
from helpdesk.lib.clock import now
from tests.calls.line import KYIV, Line, dial
from tests.cast import Cast

FULL = [
    {"digit": "1", "action": "answer", "article": "delivery"},
    {"digit": "2", "action": "speech"},
    {"digit": "3", "action": "status"},
    {"digit": "4", "action": "voicemail"},
]
WORDS = ("скільки коштує доставка", "оператор", "зовсім інше щось", "\U0001f642", "")
MOVES = st.one_of(
    st.sampled_from(["", "0", "1", "2", "3", "4", "8", "9", "*"]).map(lambda key: ("press", key)),
    st.sampled_from(["123456", "0671234567", "12", "+1", "999999999999999"]).map(
        lambda typed: ("press", typed)
    ),
    st.tuples(st.sampled_from(WORDS), st.floats(0, 1)).map(lambda said: ("speak", *said)),
)


@pytest.fixture
def shop(cast: Cast) -> Cast:
    """A menu with all kinds of choices and one article with a text for the phone."""
    with ext.write() as session:
        content = Content("Скільки коштує доставка", "90 ₴", voice="Доставка коштує 90 гривень.")
        create_article(session, content, lang="uk", key="delivery", state=State.PUBLIC, at=now())
        menus.save(session, cast.support.id, choices=FULL, recording=True, at=now())
    return cast


def move(line: Line, what: tuple[object, ...]) -> None:
    if what[0] == "press":
        line.press(str(what[1]))
    else:
        line.speak(str(what[1]), float(str(what[2])))


def stays_put(line: Line) -> bool:
    return line.end in ("queue", "over", "refused", "message")


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    moves=st.lists(MOVES, max_size=14),
    number=st.sampled_from([KYIV, None]),
    hour=st.sampled_from([0, 9]),  # noon, or nine in the evening
)
def test_every_way_ends_well(
    shop: Cast,
    clock: time_machine.Traveller,
    moves: list[tuple[object, ...]],
    number: str | None,
    hour: int,
) -> None:
    clock.move_to(now().replace(hour=10) + timedelta(hours=hour))
    line = dial(number)
    for what in moves:
        if stays_put(line):
            break
        assert line.end == "asked"
        move(line, what)
    for _ in range(12):  # whoever says nothing any more is not forgotten
        if stays_put(line):
            break
        line.silent()
    assert stays_put(line), line.heard
    if line.end == "message":
        assert line.recorded(0).recorded(0).end == "over"
    clock.move_to(now().replace(hour=10))


@settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=st.lists(st.sampled_from(["", "0", "1", "2", "*", "7"]), max_size=8))
def test_every_wait_ends_well(shop: Cast, clock: time_machine.Traveller, moves: list[str]) -> None:
    start = now()
    line = dial().press("1").press("0").press("")
    assert line.waiting
    line.wait()
    for key in moves:
        if not line.waiting:
            break
        clock.shift(40)
        line.press(key)
    clock.shift(900)
    if line.waiting:
        line.press("")
    assert not line.waiting
    for _ in range(6):
        if stays_put(line):
            break
        line.silent()
    assert stays_put(line), line.heard
    clock.move_to(start)


STEPS = (
    *("helped", "confirm", "again", "code", "callback", "left", "sorry", "waited", "wait"),
    *("later", "consent", "more", "request", "recorded", "speech", "language", "menu"),
)


def test_a_step_that_nobody_led_to_still_leads_on(shop: Cast) -> None:
    for name in STEPS:
        for digits in (None, "", "1", "123456"):
            line = Line()
            line.waiting = name in ("wait", "waited")
            line.queue = Enqueue("q-1", "wait", "left")
            line.step(name, digits=digits)
            assert line.end != "silence", (name, digits)


def test_the_music_of_the_queue_is_there(shop: Cast) -> None:
    line = dial().press("1").press("0").press("").wait()
    (music,) = [part.url for part in line.question.say if isinstance(part, Play)]
    assert (Path(current_app.static_folder or "") / music.removeprefix("/static/")).is_file()
