"""From a receipt with articles to "this solved it" and back to a person, in a browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DOMAIN, House, Visitor, text_of
from tests.browser.test_pages import SIZES, inspect

pytestmark = pytest.mark.browser


@SIZES
def test_an_article_of_the_receipt_solves_it_and_a_person_is_one_press_away(
    visit: Visitor, house: House, size: tuple[int, int]
) -> None:
    admin = visit("admin", size)
    admin.goto("/admin/queues/1")
    admin.locator("#f-receipt_articles").check()
    assert inspect(admin) == []
    admin.locator("main form.card button.primary").click()
    expect(admin.locator("#f-receipt_articles")).to_be_checked()
    who = f"parcel{size[0]}@solved.example"
    house.email(
        "Добрий день. Гроші списали двічі за одне замовлення.",
        From=who,
        To=f"support@{DOMAIN}",
        Subject="Подвійне списання з картки",
    )
    text = text_of(house.outgoing(who))
    links = re.findall(r"/t/\S+/solved\?article=\S+", text)
    assert 1 <= len(links) <= 3
    page = visit(None, size)
    page.goto(links[0])
    expect(page.locator("h1")).to_have_count(1)
    assert inspect(page) == []
    page.locator("main form button.primary").click()
    expect(page.locator("#state form[action$='/reopen']")).to_be_visible()
    page.goto(links[0])
    assert inspect(page) == []
    page.locator("form[action$='/reopen'] button").click()
    expect(page.locator("#state form[action$='/solved']")).to_be_visible()
