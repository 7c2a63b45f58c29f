"""A customer fails to find, asks, is answered live on the thank-you page, and rates."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, House, Visitor, open_ticket
from tests.browser.test_pages import SIZES, inspect

pytestmark = pytest.mark.browser

HASTY = 3_500  # milliseconds: faster than this nobody fills a form in


def fill(page: Page, text: str, contact: str = "ivan@klient.example") -> None:
    page.fill("#f-text", text)
    page.fill("#f-name", "Ivan")
    page.fill("#f-contact", contact)


def send(page: Page) -> str:
    """The number of the request."""
    page.wait_for_timeout(HASTY)
    page.locator("[data-ask] .primary").click()
    expect(page.locator("[data-sent]")).to_be_visible()
    found = re.search(r"\d{5,}", page.locator("[data-sent]").inner_text())
    assert found
    return found[0]


def test_asked_answered_live_and_rated(visit: Visitor, house: House) -> None:
    customer = visit()
    customer.goto("/ask?lang=en")
    customer.locator("#f-text").press_sequentially("where is my parcel, it does not come", delay=5)
    suggested = customer.locator("#suggested details")
    expect(suggested.first).to_be_visible()
    suggested.first.locator("summary").click()
    expect(suggested.first.locator(".prose")).to_be_visible()
    expect(suggested.first.locator("[data-solved]")).to_be_visible()
    expect(customer.locator("#f-text")).to_have_value("where is my parcel, it does not come")
    customer.reload()  # a crash: what was typed comes back
    expect(customer.locator("#f-text")).to_have_value("where is my parcel, it does not come")
    fill(customer, "The quokka in my kettle squeaks at midnight")
    number = send(customer)
    expect(customer).not_to_have_url(re.compile(r"\?"))
    expect(customer.locator("#state")).to_contain_text("We answer by")

    customer.fill("#f-text", "Half a sent")
    agent = visit("denys")
    open_ticket(agent, number)
    expect(agent.locator(".thread .msg .tag")).to_have_count(1)  # the address is not confirmed
    agent.keyboard.press("KeyR")
    agent.keyboard.type("Feed it, then it sleeps.")
    agent.keyboard.press("Control+Enter")
    expect(customer.locator("#talk")).to_contain_text("Feed it, then it sleeps.", timeout=30_000)
    expect(customer.locator("[data-say]")).to_have_text("There is a new answer.")
    expect(customer.locator("#f-text")).to_have_value("Half a sent")
    assert customer.evaluate("document.activeElement.id") == "f-text"

    customer.locator("#rate button", has_text="Very good").click()
    expect(customer.locator(".flash")).to_have_text("Your rating is kept.")
    expect(customer.locator("#rate [aria-pressed=true]")).to_contain_text("5")
    assert inspect(customer) == []  # a chosen rating can be read
    expect(customer.locator("#f-text")).to_have_value("Half a sent")
    agent.goto(f"/desk/t/{number}")
    expect(agent.locator(".thead .props .chip[data-tone=good]").last).to_contain_text("5")
    customer.goto("/ask?lang=en")
    expect(customer.locator("#f-text")).to_have_value("")


@SIZES
def test_pages_of_asking(visit: Visitor, size: tuple[int, int]) -> None:
    page, found = visit(None, size), {}
    for lang in ("uk", "ru", "en"):
        page.goto(f"/ask?lang={lang}")
        found[f"ask {lang}"] = inspect(page)
    page.locator("[data-ask] .primary").click()
    expect(page.locator("#wrong")).to_be_focused()
    found["errors"] = inspect(page)
    page.fill("#f-text", "How do I pay by card for my order")
    expect(page.locator("#suggested details").first).to_be_visible()
    page.locator("#suggested summary").first.click()
    found["suggested"] = inspect(page)
    page.goto("/ask/kept")
    found["kept"] = inspect(page)
    page.goto("/ask?lang=en")
    fill(page, "Something that nobody can know", f"p{size[0]}@klient.example")
    send(page)
    found["sent"] = inspect(page)
    page.locator("#state button").click()
    expect(page.locator("#state")).to_contain_text("This request is solved.")
    found["solved"] = inspect(page)
    assert {what: broken for what, broken in found.items() if broken} == {}
    visit.watch.forgive("400")


@pytest.fixture
def plain(house: House, chromium: Browser) -> Iterator[Page]:
    """A browser without scripts."""
    context = chromium.new_context(
        base_url=house.url,
        java_script_enabled=False,
        locale="en-GB",
        viewport={"width": PHONE[0], "height": PHONE[1]},
    )
    yield context.new_page()
    context.close()


def test_everything_works_without_scripts(plain: Page) -> None:
    plain.goto("/ask?lang=en")
    fill(plain, "No scripts here", "plain@klient.example")
    plain.wait_for_timeout(HASTY)
    plain.locator("[data-ask] .primary").click()
    expect(plain.locator("[data-sent]")).to_contain_text("has number")
    plain.fill("#f-text", "And one more line")
    plain.locator("#write .primary").click()
    expect(plain.locator("#talk")).to_contain_text("And one more line")
    plain.get_by_text("Look for a new answer").click()
    plain.locator("#state button").click()
    expect(plain.locator("#state")).to_contain_text("This request is solved.")
