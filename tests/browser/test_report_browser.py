"""Reports in Chromium: by keyboard, without scripts, on paper, from a number to its tickets."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import House, Visitor

pytestmark = pytest.mark.browser

SLA = "/supervisor/reports/sla"
COLOURS = """() => {
  const colours = getComputedStyle(document.querySelector("main"));
  return [colours.colorScheme, getComputedStyle(document.querySelector(".rail")).display];
}"""


def test_a_number_leads_to_its_tickets_and_a_head_to_its_meaning(visit: Visitor) -> None:
    page = visit("maryna")
    page.goto(f"{SLA}?period=90d")
    head = page.locator("#t-all .def").nth(1)
    head.focus()
    page.keyboard.press("Enter")
    meaning = page.locator(".def-pop:popover-open")
    expect(meaning).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()
    number = page.locator("#t-all tfoot a").first
    count = number.inner_text()
    number.click()
    expect(page.locator("main")).to_contain_text(count)
    page.locator("main table a").first.click()
    expect(page.locator("#text-reply")).to_be_visible()


def test_filters_work_without_scripts(house: House, chromium: Browser, visit: Visitor) -> None:
    context = chromium.new_context(
        java_script_enabled=False, base_url=house.url, storage_state=visit.cookies("maryna")
    )
    visit.stack.callback(context.close)
    page = context.new_page()
    page.goto(SLA)
    page.locator("[popovertarget=filters]").click()
    page.select_option("#f-channel", "email")
    page.fill("#f-from", "2026-01-01")
    page.fill("#f-to", "2026-01-31")
    page.locator("#filters .primary").click()
    expect(page.locator("a.chip")).to_have_count(1)
    assert "channel=email" in page.url and "from=2026-01-01" in page.url
    assert "team=" not in page.url


def test_a_report_on_paper_is_light_and_says_what_it_is(visit: Visitor) -> None:
    page = visit("maryna")
    page.goto(SLA)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(COLOURS) == ["light", "none"]
    expect(page.locator(".onprint")).to_be_visible()
    expect(page.locator("[popovertarget=filters]")).to_be_hidden()
    head = page.locator("#t-all thead .def").first
    assert head.evaluate("one => getComputedStyle(one).display") == "contents", "on each page"
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF") and len(paper) > 10_000
