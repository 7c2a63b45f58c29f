"""Topics: what lies in them, what lies below, page after page, in languages that exist."""

import pytest

from helpdesk import ext
from helpdesk.kb.actions import create_article
from helpdesk.kb.categories import create_category
from helpdesk.kb.checks import Content
from helpdesk.kb.models import State
from helpdesk.lib.clock import now
from helpdesk.web.portal import topics
from tests.web.conftest import Pages, counted
from tests.web.knowledge import Shelf


def test_topic_lists_its_public_articles(pages: Pages, shelf: Shelf) -> None:
    page = pages.get("/en/topics/payment")
    assert "When a refund comes" in page.text and "Secret bonus" not in page.html


def test_article_of_another_language_is_shown_and_marked(pages: Pages, shelf: Shelf) -> None:
    page = pages.get("/uk/topics/delivery")
    assert "Де моя посилка" in page.text and "What delivery costs" in page.text
    (foreign,) = [a for a in page.all("main//a") if a.get("hreflang") == "en"]
    assert foreign.get("href") == "/en/help/what-delivery-costs"
    assert "English" in page.text


def test_topics_below_are_counted_upwards(pages: Pages, shelf: Shelf) -> None:
    with ext.write() as session:
        names = {"en": "Couriers"}
        below = create_category(session, names, key="couriers", at=now(), parent_id=shelf.delivery)
        content = Content("Who brings it", "A courier.", (), "")
        place = below.id
        create_article(session, content, lang="en", category_id=place, state=State.PUBLIC, at=now())
    assert "3 answers" in pages.get("/en/").text
    assert "1 answer" in pages.get("/en/topics/delivery").text
    page = pages.get("/en/topics/couriers")
    assert "Help / Delivery" in page.text


def test_topic_without_answers_offers_a_person(pages: Pages, shelf: Shelf) -> None:
    page = pages.get("/en/topics/nothing")
    assert "There are no answers here yet" in page.text
    assert "Empty topic" not in pages.get("/en/").text


def test_pages_of_a_topic_hold_each_article_once(
    pages: Pages, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "PAGE", 1)
    first = pages.get("/en/topics/delivery")
    (more,) = [a.get("href", "") for a in first.all("a") if a.get("rel") == "next"]
    second = pages.get(more)
    assert "Where is my parcel" in first.text and "Where is my parcel" not in second.text
    assert "What delivery costs" in second.text
    assert not [a for a in second.all("a") if a.get("rel") == "next"]


@pytest.mark.parametrize("after", ["x", "1~", "~", "9" * 40 + "~1", "1~1~1", "-1~2", "٣~٣"])
def test_bad_place_shows_the_first_page(pages: Pages, shelf: Shelf, after: str) -> None:
    assert "Where is my parcel" in pages.get(f"/en/topics/delivery?after={after}").text


def test_topic_costs_few_statements(pages: Pages, shelf: Shelf) -> None:
    with counted() as found:
        pages.raw("GET", "/en/topics/delivery")
    assert len(found) <= 6
