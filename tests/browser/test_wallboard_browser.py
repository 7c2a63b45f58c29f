"""The wallboard in a browser: numbers follow what happens, and lead to what caused them."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DOMAIN, PHONE, House, Visitor
from tests.browser.test_pages import inspect
from tests.product import until

pytestmark = pytest.mark.browser

SOON = 2.0  # seconds; one on an idle machine
PAGES = ("/supervisor/people", "/supervisor/levels", "/supervisor/alarms", "/supervisor/alarms/new")


def opened(page: Page, address: str = "/supervisor") -> None:
    """The wallboard, its stream running."""
    with page.expect_response(lambda answer: "/events" in answer.url):
        page.goto(address)
    expect(page.locator("#wall-head .live")).to_be_visible()


def test_a_number_changes_within_a_second_and_a_red_one_leads_to_its_email(
    visit: Visitor, house: House
) -> None:
    page = visit("maryna", (1920, 1080))
    opened(page)
    support = page.locator("#board tr:has-text('Support') a[href*='now_open']")
    before = int(support.inner_text())
    count = "SELECT count(*) FROM ticket WHERE subject = 'Seen on the wall'"
    house.email(
        "It hums.", From="w@wall.example", To=f"support@{DOMAIN}", Subject="Seen on the wall"
    )
    until(lambda: house.product.rows(count) == [(1,)])
    began = time.monotonic()
    expect(support).to_have_text(str(before + 1))
    assert time.monotonic() - began < SOON
    assert inspect(page) == []
    page.locator("#t-breached").click()  # one
    page.locator("main a[href^='/desk/t/']").first.click()  # two
    expect(page.locator("#thread .msg").first).to_be_visible()


def test_its_pages_have_nothing_for_axe_to_find(visit: Visitor) -> None:
    page = visit("maryna", PHONE)
    opened(page)
    found = {"/supervisor": inspect(page)}
    for address in PAGES:
        page.goto(address)
        found[address] = inspect(page)
    assert {address: broken for address, broken in found.items() if broken} == {}


def test_it_outlives_the_server_and_the_log_in(visit: Visitor, house: House) -> None:
    """A plain sentence while nothing comes, and the numbers again by themselves."""
    page = visit("maryna")
    opened(page, "/supervisor?screen")
    expect(page.locator("#rail")).to_be_hidden()
    page.route("**/supervisor/board**", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('board'))")
    away = page.locator("[data-said=away]")
    expect(away).to_be_visible()
    expect(page.locator("#wall-head .live")).to_be_hidden()
    page.unroute("**/supervisor/board**")
    page.evaluate("document.dispatchEvent(new Event('board'))")
    expect(away).to_be_hidden()
    page.context.clear_cookies()
    page.evaluate("document.dispatchEvent(new Event('board'))")
    expect(page.locator("[data-said=out] a")).to_have_attribute("href", "/login?next=/supervisor")
    visit.watch.forgive("401", "ERR_FAILED", "Failed to load")
