"""Choosing reason and product with keys and words, and the pages of their administration."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, House, Visitor, open_ticket
from tests.browser.test_pages import inspect

pytestmark = pytest.mark.browser

TOP = {"en": "Browser orders", "ru": "Заказы браузера", "uk": "Замовлення браузера"}
LOW = {"en": "Browser order late", "ru": "Заказ опаздывает", "uk": "Замовлення запізнюється"}


@pytest.fixture(scope="module")
def shop(house: House) -> dict[str, Any]:
    """A reason under another and a product, in the house by the API."""
    api, token = f"{house.url}/api/v1", house.token()

    def send(path: str, body: dict[str, Any]) -> dict[str, Any]:
        return posted(f"{api}{path}", token, body)

    top = send("/reasons", {"names": TOP, "key": "browser-orders"})
    low = send("/reasons", {"names": LOW, "parent": top["id"], "kind": "complaint"})
    return {"top": top, "low": low, "lamp": send("/products", {"name": "Лампа Промінь 60"})}


def posted(url: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(url, data, headers)) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_a_reason_and_a_product_are_chosen_by_typing(visit: Visitor, shop: dict[str, Any]) -> None:
    page = visit("denys")
    open_ticket(page, "10003")
    page.click("[data-key=reason]")
    field = page.locator("#i-reason")
    expect(field).to_be_focused()
    field.fill("нічого такого")
    expect(page.locator("#p-reason [data-words]:visible")).to_have_count(0)
    field.fill("заказ опазд")
    expect(page.locator("#p-reason [data-words]:visible")).to_have_count(1)
    field.press("Enter")
    expect(page.locator("[data-key=reason]")).to_contain_text("Заказ опаздывает")
    expect(page.locator("#p-reason")).to_be_hidden()
    page.click("[data-key=product]")
    expect(page.locator("#i-find")).to_be_focused()
    page.locator("#i-find").press_sequentially("ПРОМІНЬ")
    expect(page.locator("#products button", has_text="Лампа Промінь 60")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-key=product]")).to_contain_text("Лампа Промінь 60")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_about_reasons_and_products_are_in_order(
    visit: Visitor, shop: dict[str, Any], size: tuple[int, int]
) -> None:
    page = visit("admin", size)
    for path in (
        "/admin/reasons",
        "/admin/reasons/new",
        f"/admin/reasons/{shop['low']['id']}",
        "/admin/products",
        f"/admin/products/{shop['lamp']['id']}",
        f"/desk?reason={shop['top']['id']}",
        "/desk/t/10003/reason",
        "/desk/t/10003/product",
    ):
        page.goto(path)
        assert inspect(page) == [], path


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_open_pickers_are_in_order(
    visit: Visitor, shop: dict[str, Any], size: tuple[int, int]
) -> None:
    page = visit("admin", size)
    for what in ("kind", "reason", "product"):
        open_ticket(page, "10004")
        show(page, what)
        assert inspect(page) == [], what


def show(page: Page, what: str) -> None:
    """Open a picker, also where its chip does not fit the screen."""
    page.evaluate(f"document.getElementById('p-{what}').showPopover()")
    expect(page.locator(f"#p-{what} button").first).to_be_visible()
