"""Self-service: found alone; or asked, answered, written down, and found by the next one."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, open_ticket
from tests.browser.test_ask import fill, send

pytestmark = pytest.mark.browser

QUESTION = "Как ухаживать за чугунной сковородкой"
ANSWER = "Мойте её без моющих средств, вытирайте досуха и смазывайте растительным маслом."


def look_for(page: Page, lang: str, words: str) -> None:
    page.goto(f"/{lang}/")
    page.locator("#ask").press_sequentially(words, delay=5)


@pytest.mark.parametrize(
    ("lang", "typed", "title"),
    [
        ("uk", "колли повернуть грощі", "Коли повернуться гроші"),
        ("ru", "когда прийдут денги за возврат", "деньги"),
        ("en", "when will my refnd come", "refund"),
    ],
)
def test_a_customer_who_mistypes_finds_the_answer_alone(
    visit: Visitor, lang: str, typed: str, title: str
) -> None:
    page = visit()
    look_for(page, lang, typed)
    first = page.locator("#hits [role=option]").first
    expect(first).to_contain_text(title, ignore_case=True)  # of all words, not of the first ones
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{lang}/help/*")
    expect(page.locator("h1")).to_contain_text(title, ignore_case=True)
    page.locator("#helped button[value=yes]").click()
    expect(page.locator("#helped")).not_to_contain_text("?")
    assert page.locator("#helped button").count() == 0


def test_what_one_customer_asked_the_next_one_finds(visit: Visitor) -> None:
    customer = visit()
    customer.goto("/ru/search?q=чугунная+сковородка")
    customer.goto("/ask?lang=ru")
    fill(customer, f"{QUESTION}? Она ржавеет.", "petr@klient.example")
    number = send(customer)

    agent = visit("denys")
    open_ticket(agent, number)
    agent.keyboard.press("KeyR")
    agent.keyboard.type("Здравствуйте!\n\n" + ANSWER)
    agent.keyboard.press("Control+Enter")
    expect(customer.locator("#talk")).to_contain_text(ANSWER, timeout=30_000)
    customer.locator("#rate button[value='5']").click()
    expect(customer.locator("#rate button[value='5']")).to_have_attribute("aria-pressed", "true")

    editor = visit("maryna")
    open_ticket(editor, number)
    editor.locator(".thread .msg.out a[href^='/desk/kb/new']").click()
    expect(editor.locator("#f-body")).to_have_value(ANSWER)
    editor.fill("#f-title", QUESTION)
    editor.select_option("#f-state", "public")
    editor.click("#editor .primary")
    expect(editor.locator("h1")).to_have_text(QUESTION)

    following = visit()
    look_for(following, "ru", "ржавеет сковорода чугун")
    found = following.locator("#hits [role=option]").first
    expect(found).to_contain_text(QUESTION)
    found.click()
    expect(following.locator("h1")).to_have_text(QUESTION)
    expect(following.locator("div.prose")).to_contain_text("смазывайте растительным маслом")
