"""The start page: in the reader's language, with topics, hours and the promise."""

from typing import Any

import pytest
import time_machine

from helpdesk import ext, settings
from tests.cast import Cast
from tests.web.conftest import Pages, counted
from tests.web.knowledge import Shelf


def put(name: str, value: Any) -> None:
    with ext.write() as session:
        settings.put(session, name, value)


def test_start_page_has_search_topics_and_people(pages: Pages, shelf: Shelf) -> None:
    page = pages.get("/")
    assert page.one("h1").text == "How can we help?"
    assert "Delivery" in page.text and "2 answers" in page.text
    assert "Where is my parcel" in page.text
    assert "support@example.com" in page.text
    assert page.one("form").get("action") == "/en/search"


@pytest.mark.parametrize(("asked", "lang"), [("ru", "ru"), ("de,uk;q=0.5", "uk"), ("de", "uk")])
def test_it_speaks_the_readers_language_else_the_primary_one(
    pages: Pages, asked: str, lang: str
) -> None:
    page = pages.get("/", headers={"Accept-Language": asked})
    assert next(page.tree.iter("html")).get("lang") == lang


def test_primary_language_comes_first_where_the_law_asks_for_it(pages: Pages) -> None:
    put("language_rule", "primary_first")
    assert next(pages.get("/").tree.iter("html")).get("lang") == "uk"
    pages.get("/ru/?lang=ru")
    assert next(pages.get("/").tree.iter("html")).get("lang") == "ru"


def test_choice_of_language_is_remembered_and_leaves_the_address_clean(pages: Pages) -> None:
    answer = pages.raw("GET", "/ru/?lang=ru")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/ru/")
    assert "language=ru" in answer.headers["Set-Cookie"]
    assert "Set-Cookie" not in pages.raw("GET", "/en/").headers
    assert next(pages.get("/").tree.iter("html")).get("lang") == "ru"


def test_pages_name_themselves_and_each_other(pages: Pages) -> None:
    links = {(e.get("rel"), e.get("hreflang")): e.get("href") for e in pages.get("/").all("link")}
    assert links["canonical", None] == "http://127.0.0.1:8000/en/"
    assert links["alternate", "uk"] == "http://127.0.0.1:8000/uk/"
    assert links["alternate", "x-default"] == "http://127.0.0.1:8000/uk/"


def test_hours_and_promise_are_told(pages: Pages, clock: time_machine.Traveller) -> None:
    text = pages.get("/").text
    assert "Mon–Fri 09:00–18:00" in text and "open now, till 18:00" in text
    assert "write now, and we answer today by 16:00" in text
    clock.shift(4 * 3600)
    assert "write now, and we answer by Tue 24 Nov, 11:00" in pages.get("/").text
    clock.shift(4 * 3600)
    assert "closed now, opens Tue 09:00" in pages.get("/").text


def test_holidays_ahead_are_told(pages: Pages, cast: Cast) -> None:
    with ext.write() as session:
        office = session.merge(cast.office)
        office.holidays = ["2026-11-24", "2026-11-29", "2027-01-01"]
        office.special = {"2026-11-25": [["10:00", "14:00"]]}
    text = pages.get("/").text
    assert "24 November: closed; 25 November: 10:00–14:00" in text
    assert "29 November" not in text, "a Sunday is closed anyway"
    assert "January" not in text


def test_incident_stands_on_top_in_each_language(pages: Pages) -> None:
    put("incident", {"en": "Cards may be slow\nSince 12:10 <b>", "uk": "Картки"})
    page = pages.get("/en/")
    assert "Cards may be slow" in page.text and "<b>" in page.text
    assert "Картки" in pages.get("/uk/").text
    assert not pages.get("/ru/").all("div[@class='say']")


def test_unchanged_page_is_not_sent_again(pages: Pages, shelf: Shelf) -> None:
    first = pages.raw("GET", "/en/")
    tag = first.headers["ETag"]
    assert tag.startswith("W/") and "no-cache" in first.headers["Cache-Control"]
    again = pages.raw("GET", "/en/", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    put("incident", {"en": "Cards may be slow"})
    assert pages.raw("GET", "/en/", headers={"If-None-Match": tag}).status_code == 200


def test_compressed_page_keeps_its_tag(pages: Pages) -> None:
    answer = pages.raw("GET", "/en/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip" and answer.headers["ETag"]


def test_start_page_costs_few_statements_whatever_there_is(pages: Pages, shelf: Shelf) -> None:
    with counted() as first:
        pages.raw("GET", "/en/")
    assert len(first) <= 12
    with counted() as second:
        pages.client.get("/en/")
    assert len(second) == 0, "what seldom changes is kept"


def test_page_of_staff_is_not_kept(alice: Pages) -> None:
    assert alice.raw("GET", "/en/").headers["Cache-Control"] == "no-store"
