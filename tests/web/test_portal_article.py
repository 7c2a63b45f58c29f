"""A reader opens an article: right language, right address, what is near, whether it helped."""

import re

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import LimitHit
from helpdesk.kb import actions
from helpdesk.kb.checks import content_of
from helpdesk.kb.models import ArticleText, Feedback, Outcome, Reading, Search
from helpdesk.lib.clock import now
from helpdesk.web.portal import article
from tests.web.conftest import Pages, counted
from tests.web.knowledge import Shelf

PARCEL = "/en/help/where-is-my-parcel"
AGENT = {"User-Agent": "Mozilla/5.0"}


def text_of(article_id: int, lang: str = "en") -> ArticleText:
    with ext.session() as session:
        return session.scalars(
            select(ArticleText).where(
                ArticleText.article_id == article_id, ArticleText.lang == lang
            )
        ).one()


def test_article_shows_text_way_day_and_what_is_near(pages: Pages, shelf: Shelf) -> None:
    page = pages.get(PARCEL)
    assert page.one("h1").text == "Where is my parcel"
    assert "Help / Delivery" in page.text and "Changed on 23 November 2026" in page.text
    assert [a.text for a in page.all("aside//li/a")] == ["What delivery costs"]
    assert page.one("article//table").get("class") == "tab"
    links = {a.get("href") for a in page.all("article//a")}
    assert "/en/help/when-a-refund-comes" in links and "/en/topics/delivery" in links


def test_switch_keeps_the_article_by_its_own_address(pages: Pages, shelf: Shelf) -> None:
    page = pages.get(PARCEL)
    switch = {a.get("hreflang"): a.get("href", "") for a in page.all("nav//a") if a.get("hreflang")}
    assert switch["uk"] == "/uk/help/de-moia-posylka?lang=uk"
    other = pages.get(switch["uk"])
    assert other.one("h1").text == "Де моя посилка" and other.place == "/uk/help/de-moia-posylka"
    names = {link.get("hreflang"): link.get("href") for link in other.all("link")}
    assert names["en"] == f"http://127.0.0.1:8000{PARCEL}" and "ru" not in names


def test_language_that_lacks_it_says_so_and_offers_the_others(pages: Pages, shelf: Shelf) -> None:
    switch = {a.get("hreflang"): a.get("href", "") for a in pages.get(PARCEL).all("nav//a")}
    page = pages.get(switch["ru"])
    assert page.status == 404 and next(page.tree.iter("html")).get("lang") == "ru"
    offered = {a.get("hreflang"): a.get("href") for a in page.all("main//a") if a.get("hreflang")}
    assert offered == {"uk": "/uk/help/de-moia-posylka", "en": PARCEL}


@pytest.mark.parametrize("name", ["parcel", "de-moia-posylka"])
def test_key_or_slug_of_another_language_leads_on(pages: Pages, shelf: Shelf, name: str) -> None:
    answer = pages.raw("GET", f"/en/help/{name}")
    assert (answer.status_code, answer.headers["Location"]) == (301, PARCEL)


def test_old_address_leads_on_for_good(pages: Pages, shelf: Shelf) -> None:
    with ext.write() as session:
        text = session.get_one(ArticleText, text_of(shelf.parcel).id)
        old = content_of(text)
        renamed = type(old)("Track a parcel", old.body, old.keywords, old.voice)
        actions.change_text(session, text, renamed, at=now())
    answer = pages.raw("GET", PARCEL)
    assert (answer.status_code, answer.headers["Location"]) == (301, "/en/help/track-a-parcel")


def test_address_without_a_language_leads_to_the_readers(pages: Pages, shelf: Shelf) -> None:
    answer = pages.raw("GET", "/help/parcel", headers={"Accept-Language": "uk"})
    assert answer.headers["Location"] == "/uk/help/parcel"
    assert pages.get("/topics/delivery").one("h1").text == "Delivery"


@pytest.mark.parametrize("path", ["/en/help/secret-bonus", "/en/help/draft", "/uk/help/draft"])
def test_draft_is_not_there_for_readers_nor_its_title(
    pages: Pages, shelf: Shelf, path: str
) -> None:
    page = pages.get(path)
    assert page.status == 404 and "Secret bonus" not in page.html


@pytest.mark.parametrize(
    "path", ["/en/help/where-is-the-parcel.html", "/en/parcel/where", "/en/topics/parcel"]
)
def test_wrong_address_searches_by_its_words(pages: Pages, shelf: Shelf, path: str) -> None:
    page = pages.get(path)
    assert page.status == 404 and "Where is my parcel" in page.text
    assert page.all("meta[@name='robots']")


def test_wrong_address_with_nothing_to_find_is_still_a_page(pages: Pages, shelf: Shelf) -> None:
    assert pages.get("/en/help/%F0%9F%8E%89").status == 404
    assert pages.get("/en/" + "a" * 3000).status == 404


def rated(pages: Pages, **values: str) -> str:
    pages.get(PARCEL)
    return pages.post(f"{PARCEL}/helped", **values).text


def test_yes_is_counted_once_a_reader_however_often(pages: Pages, shelf: Shelf) -> None:
    assert "Good to know." in rated(pages, helped="yes")
    rated(pages, helped="yes")
    assert (text_of(shelf.parcel).helped, text_of(shelf.parcel).not_helped) == (1, 0)
    assert "What is missing?" in rated(pages, helped="no")
    assert (text_of(shelf.parcel).helped, text_of(shelf.parcel).not_helped) == (0, 1)


def test_no_asks_what_is_missing_and_offers_a_person(pages: Pages, shelf: Shelf) -> None:
    rated(pages, helped="no")
    page = pages.post(f"{PARCEL}/helped", comment="No phone of the courier")
    assert "The editor has your note." in page.text
    assert any("/ask?" in a.get("href", "") for a in page.all("main//a"))
    with ext.session() as session:
        assert session.scalars(select(Feedback.comment)).all() == ["No phone of the courier"]


def test_vote_without_our_token_or_from_another_site_is_refused(pages: Pages, shelf: Shelf) -> None:
    fields = {"helped": "yes", "csrf_token": "x"}
    assert pages.raw("POST", f"{PARCEL}/helped", data=fields).status_code == 400
    pages.get(PARCEL)
    fields = {"helped": "yes", "csrf_token": pages.token}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = pages.raw("POST", f"{PARCEL}/helped", data=fields, headers=foreign)
    assert answer.status_code == 403
    assert text_of(shelf.parcel).helped == 0


def test_many_votes_of_one_address_are_too_many(
    pages: Pages, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(article, "ANSWERS_AN_HOUR", 1)
    rated(pages, helped="no")
    page = pages.post(f"{PARCEL}/helped", comment="Again")
    assert page.status == 429 and "Again" in page.html
    with ext.session() as session:
        assert len(session.scalars(select(LimitHit)).all()) == 1


def test_whoever_asks_not_to_be_followed_gets_no_cookie(pages: Pages, shelf: Shelf) -> None:
    pages.headers = {"Sec-GPC": "1", **AGENT}
    assert "Good to know." in rated(pages, helped="yes")
    answer = pages.raw("GET", "/en/search?q=parcel")
    assert "visit" not in answer.headers.get("Set-Cookie", "")
    assert text_of(shelf.parcel).helped == 1


def test_search_reading_and_yes_belong_together(pages: Pages, shelf: Shelf) -> None:
    pages.headers = AGENT
    pages.get("/en/search?q=parcel").response.close()
    pages.get(PARCEL).response.close()
    pages.post(f"{PARCEL}/helped", helped="yes").response.close()
    with ext.session() as session:
        found = session.scalars(select(Search)).one()
        assert (found.query, found.outcome) == ("parcel", Outcome.SOLVED)
        assert found.article_id == shelf.parcel
        assert session.scalars(select(Reading.visit)).first() == found.visit
    assert text_of(shelf.parcel).views >= 1


def test_programs_and_staff_are_not_counted_as_readers(pages: Pages, shelf: Shelf) -> None:
    pages.raw("GET", PARCEL, headers={"User-Agent": "Googlebot/2.1"}).close()
    pages.log_in("alice")
    pages.raw("GET", PARCEL, headers=AGENT).close()
    with ext.session() as session:
        assert not session.scalars(select(Reading)).all()


def test_article_is_kept_for_a_minute_and_not_sent_twice(pages: Pages, shelf: Shelf) -> None:
    first = pages.raw("GET", PARCEL)
    assert "max-age=60" in first.headers["Cache-Control"] and "Set-Cookie" not in first.headers
    again = pages.raw("GET", PARCEL, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_article_costs_few_statements(pages: Pages, shelf: Shelf) -> None:
    pages.raw("GET", "/en/help/what-delivery-costs")
    with counted() as first:
        pages.client.get(PARCEL)
    assert len(first) <= 12
    with counted() as second:
        pages.client.get(PARCEL)
    assert len(second) <= 3


def test_data_for_machines_cannot_be_left_by_a_title(pages: Pages, shelf: Shelf) -> None:
    with ext.write() as session:
        text = session.get_one(ArticleText, text_of(shelf.parcel).id)
        text.title = '</script><script src="//evil.example">&'
    html = pages.raw("GET", PARCEL).text
    assert "</script><script" not in re.sub(r"</script>\s*<script type=.application/ld", "", html)
    assert "\\u003c/script" in html
