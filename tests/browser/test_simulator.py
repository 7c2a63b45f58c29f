"""Two windows: a Ukrainian caller in the simulator, an agent at the desk."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor, open_ticket
from tests.browser.test_pages import inspect
from tests.browser.test_writing import new_ticket

pytestmark = pytest.mark.browser

CALLER = "Оксана Литвиненко"
HALF, NOTE = "Посилка їде, завтра", "Чекає на фільтр"
TALKS, HELD = "You talk with Денис Ковальов.", "Денис Ковальов has put you on hold."


@pytest.fixture
def agent(visit: Visitor) -> Iterator[Page]:
    """Denys at his desk; off shift again afterwards."""
    page = visit("denys")
    yield page
    page.goto("/desk/me")
    available(page, "off")


def available(page: Page, state: str) -> None:
    page.locator("#presence button").first.click()
    choice = page.locator(f"#presence [value={state}]")
    expect(choice).to_be_visible()
    with page.expect_response(lambda answer: answer.url.endswith("/desk/phone/state")):
        choice.click()


def in_hours(page: Page) -> None:
    """Whatever the day is: the caller's clock shows working time."""
    page.goto("/simulator")
    if page.locator("[value=open]").count():
        page.click("[value=open]")
    expect(page.locator("[value=night]")).to_be_visible()


def begin(page: Page, who: str = CALLER) -> None:
    option = page.locator("#f-from option", has_text=who).first.get_attribute("value")
    page.select_option("#f-from", option)
    page.locator("#sim-go").focus()
    page.keyboard.press("Enter")


def awaited(page: Page) -> Locator:
    return page.locator("#sim-awaited")


def half_written(visit: Visitor, agent: Page) -> str:
    """The agent is in the middle of a reply; the address of its ticket."""
    open_ticket(agent, new_ticket(visit.house, "half-written"))
    expect(agent.locator("#text-reply")).to_be_visible()
    agent.keyboard.press("KeyR")
    with agent.expect_response(re.compile(r"/drafts$")):
        agent.keyboard.type(HALF)
    return agent.url.split("?")[0]


def test_a_call_from_the_first_word_to_the_timeline(visit: Visitor, agent: Page) -> None:
    """Nothing that the agent was typing is lost, and each window shows what the other does."""
    writing = half_written(visit, agent)
    available(agent, "available")
    agent.locator("#text-reply").focus()
    caller = visit("admin")
    waits(caller)
    rings(agent, writing)
    expect(caller.locator("#sim-agents")).to_contain_text("Денис Ковальов")
    accepts(agent)
    expect(awaited(caller)).to_have_text(TALKS)
    expect(caller.locator(".steps [aria-current]")).to_have_text(re.compile("Agent"))
    ticket = talks(agent, caller)
    agent.locator("#callbar .stop").click()
    writes_up(agent, writing)
    agent.goto(ticket)
    spoken = agent.locator(".thread article", has_text=NOTE)
    expect(spoken).to_contain_text("Денис Ковальов")
    expect(caller.locator("#sim-inside")).to_contain_text("Written up")
    caller.locator("#sim-inside a", has_text="Number known").click()
    caller.wait_for_url(re.compile(r"/desk/clients/\d+"))
    line = caller.locator(f"#timeline a[href^='{ticket}']", has_text="Call, talked")
    expect(line.first).to_be_visible()


def waits(caller: Page) -> None:
    """The caller is greeted in their language and goes to the queue by 0."""
    in_hours(caller)
    begin(caller)
    greeting = caller.locator("#sim-said .them").first
    expect(greeting).to_contain_text("Вітаємо")
    expect(greeting).to_have_attribute("lang", "uk-UA")
    caller.keyboard.press("Digit0")
    expect(awaited(caller)).to_have_text("Waits in the queue, place 1.")


def rings(agent: Page, writing: str) -> None:
    """The card pops before the answer, and the agent goes on typing."""
    reply, pop = agent.locator("#text-reply"), agent.locator("#ringing")
    expect(pop).to_contain_text(CALLER)
    expect(pop).to_contain_text("+380 63 555 12 29")
    expect(reply).to_be_focused()
    agent.keyboard.type(" буде")
    expect(reply).to_have_value(f"{HALF} буде")
    assert agent.url.startswith(writing)


def accepts(agent: Page) -> None:
    agent.keyboard.press("F2")
    expect(agent.locator("#ringing [data-accept]")).to_be_focused()
    agent.wait_for_timeout(500)  # a key that was meant for the text does not accept
    agent.keyboard.press("Enter")


def talks(agent: Page, caller: Page) -> str:
    """Notes, hold and back; the address of the call's ticket, on which the agent is now."""
    timer = agent.locator("#callbar .timer")
    expect(timer).to_be_visible()
    ticket = agent.locator("#callbar a", has_text="№").first.get_attribute("href")
    agent.wait_for_url(re.compile(rf"{ticket}\b"))
    assert inspect(agent) == []
    assert inspect(caller) == []
    agent.fill("#call-notes", NOTE)
    agent.locator("#callbar .timer").click()
    agent.keyboard.press("KeyH")
    expect(awaited(caller)).to_have_text(HELD)
    agent.keyboard.press("KeyH")
    expect(awaited(caller)).to_have_text(TALKS)
    return str(ticket)


def writes_up(agent: Page, writing: str) -> None:
    """By digits, and back to the reply, which was one click away all the time."""
    agent.wait_for_url(re.compile(r"/desk/call/\d+"))
    expect(agent.locator("[data-wrap-up] input:focus")).to_be_visible()
    expect(agent.locator("#f-notes")).to_have_value(NOTE)
    assert inspect(agent) == []
    expect(agent.locator("#callbar a", has_text=writing.rsplit("/", 1)[1])).to_be_visible()
    for digit in ("Digit4", "Digit1", "Digit1"):
        agent.keyboard.press(digit)
    agent.keyboard.press("Control+Enter")
    agent.wait_for_url(re.compile(rf"{re.escape(writing)}\b"))
    expect(agent.locator("#text-reply")).to_have_value(f"{HALF} буде")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_simulator_itself(visit: Visitor, size: tuple[int, int]) -> None:
    """Several callers, words, SMS, mishaps, the log, the stopped clock; nothing jumps or breaks."""
    page = visit("admin", size)
    in_hours(page)
    assert inspect(page) == []
    somebody_unknown(visit, page)
    first = page.url
    assert "call=CA" in first
    keypad = page.locator("[data-digit='5']").bounding_box()
    page.fill("#f-words", "де моя посилка")
    page.press("#f-words", "Enter")
    expect(page.locator("#sim-said .me")).to_contain_text("де моя посилка")
    expect(page.locator("#f-words")).to_have_value("")
    page.fill("#f-sms", "Передзвоніть")
    page.press("#f-sms", "Enter")
    expect(page.locator("#sim-texts .me").last).to_contain_text("Передзвоніть")
    page.click("[value=pause]")
    expect(page.locator("#sim[data-stands]")).to_be_attached()
    stands = page.locator("[data-clock-face]").inner_text()
    page.wait_for_timeout(1_500)
    assert page.locator("[data-clock-face]").inner_text() == stands
    page.locator("#sim-clock [aria-pressed]").click()
    expect(page.locator("#sim[data-stands]")).to_have_count(0)
    assert page.locator("[data-digit='5']").bounding_box() == keypad or size == PHONE

    duplicate = page.locator("#x-duplicate")
    duplicate.click()  # the page shows what the server has, a moment later
    expect(duplicate).to_be_checked()
    page.locator("nav [data-idle]").click()
    expect(page.locator("#sim-go")).to_be_visible()
    begin(page)
    expect(page.locator("#sim-said .them").first).to_contain_text("Вітаємо")
    expect(page.locator("[id^=tab-]")).to_have_count(2 + page.locator("[id^=tab-].plain").count())
    expect(page.locator("#sim-inside")).to_contain_text("Came twice, counted once")
    line = page.locator("#sim-log details", has_text="/twilio/voice").first
    line.locator("summary").click()
    expect(line.locator("pre")).to_contain_text("<Gather")
    page.wait_for_timeout(1_500)
    expect(line.locator("pre")).to_be_visible()  # still open after fresh news
    assert inspect(page) == []
    duplicate.click()
    expect(duplicate).not_to_be_checked()
    page.locator("#sim-hook .stop").click()
    expect(awaited(page)).to_have_text("The call is over.")
    page.goto(first)
    page.locator("#sim-hook .stop").click()
    expect(page.locator("#sim-inside")).to_contain_text("hung up in the menu")


def somebody_unknown(visit: Visitor, page: Page) -> None:
    """A typed number calls, once it is one."""
    page.select_option("#f-from", "other")
    expect(page.locator("#f-typed")).to_be_focused()
    page.fill("#f-typed", "12")
    page.click("#sim-go")
    expect(page.locator("#sim-error")).to_contain_text("This is no phone number.")
    expect(page.locator("#f-typed")).to_be_focused()
    visit.watch.forgive("400")
    page.fill("#f-typed", "067 999 12 34")
    page.click("#sim-go")
    expect(page.locator("#sim-said .them").first).to_be_visible()
