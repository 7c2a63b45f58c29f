"""The Event log: an administrator sees who did what, narrowed as they like."""

from datetime import timedelta

import pytest
import time_machine

from helpdesk import ext
from helpdesk.events import KINDS, Actor, record
from helpdesk.lib.clock import now
from helpdesk.web.event_words import GROUPS, event_words, group_of, group_words
from tests.cast import Cast
from tests.web.conftest import Desk, Pages


@pytest.fixture
def ada(pages: Pages) -> Pages:
    pages.log_in("ada")
    return pages


def test_every_kind_of_event_has_words_and_a_place(ada: Pages) -> None:
    with ada.app.test_request_context():
        assert set(event_words()) == set(KINDS)
        assert {group_of(kind) for kind in KINDS} == set(GROUPS) == set(group_words())


def test_the_log_is_narrowed_by_person_ticket_group_and_days(
    ada: Pages, desk: Desk, cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        record(session, "setting.changed", actor=Actor(user_id=cast.sam.id), name="brand_name")
    clock.shift(timedelta(days=2))
    first, second = desk.ticket(), desk.ticket()

    def shown(**query: str) -> str:
        return ada.get("/admin/log?" + "&".join(f"{k}={v}" for k, v in query.items())).text

    everything = shown()
    assert "A setting was changed" in everything and "name: brand_name" in everything
    assert f"№ {first}" in everything and "Оксана Литвиненко" in everything
    assert f"№ {second}" not in (one := shown(ticket=first))
    assert "A ticket was opened" in one and "Logged in" not in one
    of_sam = shown(user=str(cast.sam.id))
    assert "A setting was changed" in of_sam and "Logged in" not in of_sam
    assert "A ticket was opened" not in shown(group="access")
    assert "Logged in" in shown(group="access")
    assert "A setting was changed" not in shown(**{"from": now().date().isoformat()})
    assert "Nothing like that happened" in shown(group="calls")


def test_long_logs_have_pages(ada: Pages, cast: Cast) -> None:
    with ext.write() as session:
        for number in range(150):
            record(session, "export.made", actor=Actor(user_id=cast.ada.id), count=number)
    page = ada.get("/admin/log?group=taken")
    assert "count: 149" in page.text and "count: 3" not in page.text.split()
    (link,) = [a for a in page.all("a") if a.get("rel") == "next"]
    rest = ada.get("/admin/log" + link.get("href", ""))
    assert "count: 0" in rest.text and "count: 149" not in rest.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=yesterday", "“yesterday” is"),
        ("from=2026-11-20&to=2026-11-01", "ends before it begins"),
        ("user=me", "Choose one from the list"),
        ("group=secrets", "Choose one from the list"),
    ],
)
def test_a_wrong_filter_says_so(ada: Pages, query: str, words: str) -> None:
    page = ada.get(f"/admin/log?{query}")
    assert page.status == 400
    assert words in page.text


def test_the_log_is_for_administrators(alice: Pages) -> None:
    assert alice.get("/admin/log").status == 404
