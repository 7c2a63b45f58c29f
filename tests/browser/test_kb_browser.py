"""Editing with a live preview, drafts that survive, articles put into a reply; axe everywhere."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from helpdesk.tickets.models import NUMBER_OFFSET
from tests.browser.conftest import DESKTOP, DOMAIN, PHONE, House, Visitor
from tests.browser.test_pages import inspect
from tests.product import until

pytestmark = pytest.mark.browser

PAGES = (
    "/desk/kb",
    "/desk/kb?view=stale",
    "/desk/kb?q=гроші",
    "/desk/kb?view=deleted",
    "/desk/kb/1",
    "/desk/kb/1?lang=en",
    "/desk/kb/new",
    "/desk/kb/1/edit?lang=en",
    "/desk/kb/1/versions?lang=uk",
    "/desk/kb/searches",
    "/desk/kb/feedback",
    "/admin/kb",
    "/admin/kb/categories/1",
)


def shot(page: Page, name: str) -> None:
    """A picture to look at, where HELPDESK_SHOTS names a folder."""
    if "HELPDESK_SHOTS" in os.environ:
        page.emulate_media(color_scheme="light")
        page.screenshot(path=Path(os.environ["HELPDESK_SHOTS"]) / f"{name}.png")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_of_the_knowledge_base(visit: Visitor, size: tuple[int, int]) -> None:
    page = visit("admin", size)
    found = {}
    for n, address in enumerate(PAGES):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        shot(page, f"kb-{n}-{size[0]}")
        found[address] = inspect(page)
    assert {address: broken for address, broken in found.items() if broken} == {}


def test_an_editor_sees_what_readers_will_see_and_loses_nothing(visit: Visitor) -> None:
    page = visit("maryna")
    page.goto("/desk/kb/new")
    page.fill("#f-title", "Чайник пахне пластиком")
    page.locator("#f-body").press_sequentially("Закип’ятіть воду")
    page.keyboard.press("Control+A")
    page.click("[data-mark='**']")
    expect(page.locator("#preview strong")).to_have_text("Закип’ятіть воду")
    page.fill("#f-voice", "а" * 29)
    expect(page.locator("#spoken")).to_contain_text("3")
    page.reload()
    expect(page.locator("#f-title")).to_have_value("Чайник пахне пластиком")
    expect(page.locator("#f-body")).to_have_value("**Закип’ятіть воду**")
    page.select_option("#f-state", "public")
    page.click("#editor .primary")
    expect(page.locator("h1")).to_have_text("Чайник пахне пластиком")
    page.goto("/desk/kb/new")
    expect(page.locator("#f-title")).to_have_value("")


def test_an_article_is_put_into_the_reply_where_the_cursor_is(visit: Visitor, house: House) -> None:
    house.email(
        "Как вернуть товар и когда придут деньги?",
        From="insert@articles.example",
        To=f"support@{DOMAIN}",
        Subject="Возврат денег за чайник",
        Message_ID="<insert@articles.example>",
    )
    query = f"SELECT id + {NUMBER_OFFSET} FROM ticket WHERE subject = 'Возврат денег за чайник'"
    until(lambda: house.product.rows(query))
    page = visit("denys")
    page.goto(f"/desk/t/{house.product.rows(query)[0][0]}")
    summary = page.locator(".answers > summary")
    expect(summary).to_be_visible()
    summary.click()
    shot(page, "kb-beside")
    expect(page.locator("#answers-list [data-insert]").first).to_be_visible()
    with page.expect_response(lambda answer: "articles?q=" in answer.url):
        page.fill("#kb-q", "возврат денег")
    button = page.locator("#answers-list [data-insert*='/help/']").first
    expect(button).to_be_visible()
    page.fill("#text-reply", "Здравствуйте!")
    page.locator("#text-reply").press("End")
    button.click()
    expect(page.locator("#text-reply")).to_have_value(
        f"Здравствуйте!\n{button.get_attribute('data-insert')}"
    )
    tell = page.locator("#answers-list [data-cite]").first
    tell.click()
    expect(tell).to_have_attribute("aria-pressed", "true")
    tell.click()
    expect(tell).to_have_attribute("aria-pressed", "false")
