"""The desk by keyboard alone, on a Cyrillic layout as on a Latin one."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DOMAIN, House, Visitor

pytestmark = pytest.mark.browser

CYRILLIC = {"KeyJ": "о", "KeyK": "л", "KeyR": "к", "KeyN": "т", "KeyU": "г", "KeyZ": "я"}
PRESS = """([code, key, shiftKey]) => (document.activeElement ?? document.body).dispatchEvent(
  new KeyboardEvent("keydown", { code, key, shiftKey, bubbles: true, cancelable: true }))"""


def press(page: Page, code: str, key: str = "", shift: bool = False) -> None:
    """What a browser reports of a key whose layout is switched to Cyrillic."""
    page.evaluate(PRESS, [code, key or CYRILLIC[code], shift])


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('href') ?? ''"))


def outline(page: Page) -> str:
    """The ring around what has the focus."""
    return str(
        page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
            return style.outlineStyle === "none" ? "" : style.outlineWidth; }"""
        )
    )


def test_letters_work_by_their_place_on_a_cyrillic_layout(visit: Visitor) -> None:
    page = visit("denys")
    page.goto("/desk?view=all")
    links = page.locator("#rows .row").evaluate_all("rows => rows.map(r => r.getAttribute('href'))")
    press(page, "KeyJ")
    assert focused(page) == links[0]
    press(page, "KeyJ")
    press(page, "KeyJ")
    press(page, "KeyK")
    assert focused(page) == links[1]
    page.keyboard.press("Enter")
    expect(page.locator("#text-reply")).to_be_visible()
    expect(page.locator("h1")).to_have_count(1)
    press(page, "KeyN")
    expect(page.locator("#text-note")).to_be_focused()
    page.keyboard.press("Escape")
    press(page, "KeyR")
    expect(page.locator("#text-reply")).to_be_focused()
    press(page, "KeyJ")  # a letter in a text is a letter
    expect(page.locator("#text-reply")).to_be_focused()
    page.keyboard.press("Escape")
    press(page, "Slash", ",", shift=True)
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    press(page, "Slash", ".")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")
    press(page, "Digit7", "?", shift=True)  # where that layout has it
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    press(page, "KeyP", "з")
    expect(page.locator("#p-priority")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-key=priority]")).to_be_focused()


def test_tab_goes_through_the_page_with_a_ring_that_is_seen(visit: Visitor) -> None:
    page = visit("denys")
    page.goto("/desk?view=all")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    expect(page.locator(".skip")).to_be_in_viewport()
    unseen = []
    for _ in range(25):
        page.keyboard.press("Tab")
        if outline(page) in ("", "0px"):
            unseen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
    assert unseen == []


def test_the_focus_stays_where_it_is_when_something_new_is_shown(
    visit: Visitor, house: House
) -> None:
    """On a row, in a text with its cursor, on a chip: a change of the ticket moves nothing."""
    page, other = visit("denys"), visit("olena")
    with page.expect_response(lambda answer: answer.url.endswith("/events")):
        page.goto("/desk?view=all")
    press(page, "KeyJ")
    press(page, "KeyJ")
    link = focused(page)
    other.goto(link)

    def change(priority: str) -> None:
        other.keyboard.press("KeyP")
        other.click(f"#p-priority button[value={priority}]")
        expect(other.locator("#p-priority")).to_be_hidden()

    change("urgent")
    row = page.locator(f'#rows .row[href="{link}"]')
    expect(row.locator('use[href$="#pr-urgent"]')).to_have_count(1)
    assert focused(page) == link

    page.keyboard.press("Enter")
    expect(page.locator("#text-reply")).to_be_visible()
    press(page, "KeyR")
    page.keyboard.press("Control+A")  # somebody may have left a draft
    page.keyboard.type("ab")
    page.keyboard.press("ArrowLeft")
    change("high")
    expect(page.locator('[data-key=priority] use[href$="#pr-high"]')).to_have_count(1)
    page.keyboard.type("-")
    expect(page.locator("#text-reply")).to_have_value("a-b")
    page.locator("#text-reply").fill("")

    page.locator("[data-key=priority]").focus()
    change("low")
    expect(page.locator('[data-key=priority] use[href$="#pr-low"]')).to_have_count(1)
    expect(page.locator("[data-key=priority]")).to_be_focused()
    house.email("New", From="new@keys.example", To=f"support@{DOMAIN}", Subject="Of keys")
    expect(page.locator("#fresh")).to_be_visible()
    expect(page.locator("[data-key=priority]")).to_be_focused()
