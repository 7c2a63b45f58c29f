"""Customers find answers: by keys, by touch, in three languages, without scripts, and quickly."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, House, Visitor
from tests.browser.test_pages import SIZES, inspect

pytestmark = pytest.mark.browser

FIRST, LATER = 100_000, 30_000
ARTICLE = "/uk/help/koly-povernutsia-hroshi"
PAGES = (
    "/uk/",
    "/ru/",
    "/en/",
    "/uk/topics/delivery",
    "/uk/search?q=скільки+коштує+доставка",
    "/en/search?q=quokka",
    ARTICLE,
    f"{ARTICLE}?helped=no",
)
SHIFT = """() => { window.moved = 0; new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.moved += one.value;
}).observe({ type: "layout-shift", buffered: true }); }"""


class Scales:
    """How many octets came over the network since they were last asked for."""

    def __init__(self, page: Page) -> None:
        self.octets = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._add)

    def _add(self, event: dict[str, Any]) -> None:
        self.octets += int(event["encodedDataLength"])

    def take(self) -> int:
        taken, self.octets = self.octets, 0
        return taken


@SIZES
def test_pages_of_answers(visit: Visitor, size: tuple[int, int]) -> None:
    page = visit(None, size)
    found = {}
    for address in PAGES:
        page.goto(address)
        expect(page.locator("h1")).to_have_count(1)
        found[address] = inspect(page)
    for address in ("/uk/help/nema-takoi", "/uk/help/parcel-zzz"):
        page.goto(address)
        found[address] = inspect(page)
    assert {address: broken for address, broken in found.items() if broken} == {}
    visit.watch.forgive("404")


@pytest.mark.parametrize("lang", ["uk", "ru", "en"])
def test_first_load_is_light_and_later_pages_are_lighter(
    house: House, chromium: Browser, lang: str
) -> None:
    context = chromium.new_context(base_url=house.url)  # unwatched: watching switches caches off
    try:
        page = context.new_page()
        scales = Scales(page)
        page.goto(f"/{lang}/", wait_until="networkidle")
        assert 20_000 < scales.take() <= FIRST
        for topic in ("delivery", "payment"):
            page.goto(f"/{lang}/topics/{topic}", wait_until="networkidle")
            assert 0 < scales.take() <= LATER
            page.locator(".hits a").first.click()
            page.wait_for_load_state("networkidle")
            assert 0 < scales.take() <= LATER
    finally:
        context.close()


def test_typo_finds_the_answer_by_keys_alone(visit: Visitor) -> None:
    page = visit()
    page.goto("/uk/")
    page.evaluate(SHIFT)
    field = page.get_by_role("combobox")
    field.focus()
    page.keyboard.type("поверненя грошй")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    assert page.locator(".drop mark").count() > 0
    expect(field).to_have_attribute("aria-expanded", "true")
    assert inspect(page) == []
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "hit-1")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Escape")
    expect(page.locator(".drop")).to_be_hidden()
    expect(field).to_have_value("поверненя грошй")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    assert page.evaluate("window.moved") < 0.02
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/uk/help/**")
    expect(page.locator("article h1")).to_be_visible()


def test_enter_without_a_choice_opens_the_page_of_answers(visit: Visitor) -> None:
    page = visit(None, PHONE)
    page.goto("/ru/")
    page.get_by_role("combobox").fill("возврат денег")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ru/search?q=*")
    page.locator("main h2 a").first.click()
    page.wait_for_url("**/ru/help/**")


def test_slow_answers_never_overtake_newer_ones(visit: Visitor) -> None:
    page = visit()
    page.goto("/en/")
    held: list[Any] = []

    def hold(route: Any) -> None:
        if "q=delivery" in route.request.url and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/search?*", hold)
    field = page.get_by_role("combobox")
    field.fill("delivery")
    page.wait_for_timeout(400)
    field.fill("refund")
    expect(page.locator(".drop mark", has_text="refund").first).to_be_visible()
    for route in held:
        route.abort()
    page.wait_for_timeout(200)
    expect(page.get_by_role("option").first).to_be_visible()


def test_reader_says_that_it_did_not_help_and_why(visit: Visitor) -> None:
    page = visit()
    page.goto(ARTICLE)
    page.locator("button[value=no]").click()
    page.locator("#f-comment").fill("Немає строку для розстрочки")
    assert inspect(page) == []
    page.locator("#helped .primary").click()
    page.wait_for_url("**helped=told**")
    assert page.locator("#helped a[href^='/ask']").count() == 1


def test_everything_works_without_scripts(house: House, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, base_url=house.url, locale="uk-UA")
    try:
        page = context.new_page()
        page.goto("/")
        page.fill("[name=q]", "де моя посилка")
        page.press("[name=q]", "Enter")
        page.locator("main h2 a").first.click()
        page.locator("button[value=yes]").click()
        assert "helped=yes" in page.url
        page.locator("nav.ptop a[hreflang=ru]").click()
        assert "/ru/help/" in page.url and "lang=" not in page.url
        page.goto("/")
        assert page.locator("html").get_attribute("lang") == "ru"
    finally:
        context.close()


def test_data_for_machines_is_read_and_breaks_no_rule(visit: Visitor) -> None:
    """The visitor's watch hears of every violation of the policy."""
    page = visit(None, DESKTOP)
    page.goto(ARTICLE)
    blocks = page.locator("script[type='application/ld+json']").all_text_contents()
    kinds = {json.loads(block)["@type"] for block in blocks}
    assert kinds == {"Article", "BreadcrumbList"}


def test_printed_article_is_the_article_alone(visit: Visitor) -> None:
    page = visit()
    page.goto(ARTICLE)
    page.emulate_media(media="print")
    expect(page.locator("article h1")).to_be_visible()
    for gone in ("#helped", "aside", "nav.ptop"):
        expect(page.locator(gone).first).to_be_hidden()
