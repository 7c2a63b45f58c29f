"""Readers search: with typos, on the wrong layout, while typing, in vain."""

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.kb import confidence
from helpdesk.kb.models import Miss, Search, Source
from helpdesk.web.portal.find import marked
from tests.web.conftest import Pages, counted
from tests.web.knowledge import Shelf

PART = {"HX-Request": "true", "User-Agent": "Mozilla/5.0"}
AGENT = {"User-Agent": "Mozilla/5.0"}


def titles(pages: Pages, path: str) -> list[str]:
    found = pages.get(path).all("main//h2/a")
    return ["".join(a.itertext()) for a in found]


@pytest.mark.parametrize("query", ["parcel", "parsel", "track my parcels"])
def test_page_of_answers_works_without_scripts(pages: Pages, shelf: Shelf, query: str) -> None:
    assert titles(pages, f"/en/search?q={query}")[0] == "Where is my parcel"


def test_wrong_layout_is_understood(pages: Pages, shelf: Shelf) -> None:
    assert titles(pages, "/uk/search?q=gjcbkrf")[0] == "Де моя посилка"


def test_found_words_are_marked(pages: Pages, shelf: Shelf) -> None:
    marks = [mark.text for mark in pages.get("/en/search?q=refund").all("mark")]
    assert "refunds" in marks or "refund" in marks


def test_marking_escapes_what_it_marks() -> None:
    assert marked("<b> & <i>", ((0, 3), (6, 9))) == (
        "<mark>&lt;b&gt;</mark> &amp; <mark>&lt;i&gt;</mark>"
    )


def test_while_typing_comes_only_the_list(pages: Pages, shelf: Shelf) -> None:
    answer = pages.get("/search?q=parc&lang=en", headers=PART)
    assert "<html" not in answer.html
    (first, *_rest) = answer.all("a[@role='option']")
    assert first.get("href") == "/en/help/where-is-my-parcel"
    assert first.get("aria-selected") == "false" and first.get("id") == "hit-1"


def test_half_words_are_not_logged_but_what_was_meant_is(pages: Pages, shelf: Shelf) -> None:
    pages.get("/search?q=parc&lang=en", headers=PART).response.close()
    answer = pages.raw("GET", "/en/search?q=parcel&done=1", headers=PART)
    assert answer.status_code == 204
    assert "visit=" in answer.headers["Set-Cookie"] and "Expires" not in str(answer.headers)
    answer.close()
    with ext.session() as session:
        (found,) = session.scalars(select(Search)).all()
        assert (found.query, found.source, found.lang) == ("parcel", Source.PORTAL, "en")
        assert found.found >= 1 and found.visit


def test_search_in_vain_says_what_to_do_and_reaches_the_editor(pages: Pages, shelf: Shelf) -> None:
    page = pages.get("/en/search?q=quokka", headers=AGENT)
    assert "Nothing was found" in page.text
    assert any(a.get("href") == "/ask?lang=en&q=quokka" for a in page.all("main//a"))
    page.response.close()
    with ext.session() as session:
        assert session.scalars(select(Miss.query)).all() == ["quokka"]


def test_answer_stands_on_top_where_the_base_is_sure(
    pages: Pages, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confidence, "threshold", lambda _session: 0.0)
    page = pages.get("/en/search?q=what does delivery cost")
    assert "This may be it" in page.text and "Delivery costs 90 hryvnias." in page.text
    monkeypatch.setattr(confidence, "threshold", lambda _session: None)
    assert "This may be it" not in pages.get("/en/search?q=what does delivery cost").text


@pytest.mark.parametrize(
    "query", ["", "%20", "%00", "<script>alert(1)</script>", "a" * 5000, "%F0%9F%8E%89", "%ff"]
)
def test_any_question_is_answered_with_a_page(pages: Pages, shelf: Shelf, query: str) -> None:
    assert pages.get(f"/en/search?q={query}").status == 200
    assert pages.get(f"/search?q={query}&lang=xx", headers=PART).status == 200


def test_switch_carries_the_question_over(pages: Pages, shelf: Shelf) -> None:
    page = pages.get("/en/search?q=parcel+%26+co")
    switch = {a.get("hreflang"): a.get("href", "") for a in page.all("nav//a")}
    assert switch["uk"] == "/uk/search?q=parcel+%26+co&lang=uk"
    assert pages.get(switch["uk"]).place == "/uk/search?q=parcel+%26+co"
    assert pages.client.get_cookie("language").value == "uk"


def test_language_of_a_search_is_no_choice(pages: Pages, shelf: Shelf) -> None:
    pages.get("/search?q=parcel&lang=uk")
    assert pages.client.get_cookie("language") is None


def test_search_costs_few_statements(pages: Pages, shelf: Shelf) -> None:
    pages.get("/en/search?q=parcel")
    with counted() as found:
        pages.client.get("/en/search?q=delivery")
    assert len(found) <= 6
