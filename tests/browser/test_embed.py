"""The form on a page of another site that allows next to nothing; "my requests" after a code."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP, TELL, House, Visitor, text_of
from tests.browser.test_pages import SIZES, inspect

pytestmark = pytest.mark.browser

TEXT = "Мій чайник протікає після ремонту, а квитанцію я загубила."


@contextmanager
def shop(home: str, attributes: str = 'data-lang="uk"') -> Iterator[str]:
    """A page on another site and port, with the strictest policy that docs/embed.md allows."""
    policy = f"default-src 'none'; script-src {home}; frame-src {home}; base-uri 'none'"
    body = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
        <meta name="viewport" content="width=device-width"><main><h1>Shop</h1><div id="place"></div>
        </main><script src="{home}/embed.js" {attributes} async></script></html>"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body.encode() if self.path == "/" else b"")

        def log_message(self, *_: object) -> None:
            """Nothing: the test says what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"  # another site than 127.0.0.1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def allow(visit: Visitor, *origins: str) -> None:
    admin = visit("admin")
    admin.goto("/admin/embed")
    admin.locator("#f-embed_origins").fill("\n".join(origins))
    admin.get_by_role("button", name="Save").click()
    expect(admin.locator(".flash[role=status]")).to_be_visible()
    assert inspect(admin) == []


@contextmanager
def stranger(chromium: Browser, size: tuple[int, int]) -> Iterator[tuple[Page, list[str]]]:
    """A browser without our cookies, and what it complains of."""
    context: BrowserContext = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="uk-UA", reduced_motion="reduce"
    )
    context.add_init_script(TELL)
    said: list[str] = []
    context.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    context.on("weberror", lambda error: said.append(str(error.error)))
    try:
        page = context.new_page()
        page.set_default_timeout(15_000)
        yield page, said
        assert [cookie for cookie in context.cookies() if "helpdesk" in cookie["name"]] == []
    finally:
        context.close()


@SIZES
def test_form_on_a_site_with_a_strict_policy(
    house: House, chromium: Browser, visit: Visitor, size: tuple[int, int]
) -> None:
    with shop(house.url) as site, stranger(chromium, size) as (page, said):
        allow(visit, site)
        page.goto(site)
        button = page.locator("button")
        expect(button).to_have_attribute("aria-expanded", "false")
        assert page.locator("iframe").count() == 0  # nothing of ours is loaded before it is wanted
        button.click()
        frame = page.frame_locator("iframe")
        expect(frame.locator("h1")).to_be_visible()
        low = page.locator("iframe").bounding_box()
        assert low is not None and low["width"] <= size[0]
        wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        inner = page.frames[1]
        assert inner.evaluate(wide) <= 0
        inner.locator("#f-text").fill(TEXT)
        inner.locator("#f-name").fill("Олена")
        inner.locator("#f-contact").fill("bad@")
        page.wait_for_timeout(3_100)  # people need longer than that
        inner.locator("button.primary").click()
        expect(frame.locator("#wrong")).to_be_visible()
        expect(frame.locator("#f-text")).to_have_value(TEXT)
        inner.locator("#f-contact").fill(f"olena{size[0]}@embedded.example")
        inner.locator("#f-contact").press("Enter")  # suggestions may move the button meanwhile
        expect(frame.locator("[data-sent]")).to_be_visible()
        with page.context.expect_page() as opened:
            frame.locator("a[target=_blank]").click()
        expect(opened.value.locator("#talk")).to_contain_text("чайник протікає")
        opened.value.close()
        frame.locator("h1").press("Escape")
        expect(page.locator("section")).to_be_hidden()
        expect(button).to_be_focused()
        allowed = "400 (BAD REQUEST)", "status of 400"
        assert [line for line in said if not any(words in line for words in allowed)] == []


def test_form_in_a_place_of_the_page_grows_with_what_it_holds(
    house: House, chromium: Browser, visit: Visitor
) -> None:
    attributes = 'data-lang="ru" data-into="#place"'
    with shop(house.url, attributes) as site, stranger(chromium, DESKTOP) as (page, said):
        allow(visit, site)
        page.goto(site)
        frame = page.frame_locator("#place iframe")
        expect(frame.locator("html")).to_have_attribute("lang", "ru")
        height = "() => parseInt(document.querySelector('iframe').style.height)"
        page.wait_for_function(f"({height})() > 500")
        before = page.evaluate(height)
        frame.locator("button.primary").click()
        expect(frame.locator("#wrong")).to_be_visible()
        page.wait_for_function(f"({height})() > {before}")
        assert [line for line in said if "400" not in line] == []


def test_no_other_site_may_hold_it(house: House, chromium: Browser, visit: Visitor) -> None:
    with shop(house.url) as site, stranger(chromium, DESKTOP) as (page, said):
        allow(visit, "https://shop.example")
        page.goto(site)
        page.locator("button").click()
        for _ in range(60):
            if any("frame-ancestors" in line for line in said):
                break
            page.wait_for_timeout(250)  # Playwright hears of nothing while Python sleeps
        assert any("frame-ancestors" in line for line in said)
        assert all(frame.locator("form").count() == 0 for frame in page.frames[1:])


@SIZES
def test_a_customer_sees_their_requests_after_a_code(
    house: House, visit: Visitor, size: tuple[int, int]
) -> None:
    name = f"halyna{size[0]}@code.example"
    house.email("Лампа блимає.", From=name, To="support@helpdesk.localhost", Subject="Лампа блимає")
    house.outgoing(name)
    page = visit(None, size)
    page.goto("/my?lang=uk")
    assert inspect(page) == []
    page.locator("#f-contact").fill(name)
    page.keyboard.press("Enter")
    page.wait_for_url("**/my/code")
    assert inspect(page) == []
    found = re.findall(r"\b\d{6}\b", text_of(house.outgoing(name, "/my?lang=uk")))
    page.locator("#f-code").fill(found[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/my")
    assert inspect(page) == []
    page.get_by_role("searchbox").fill("лампи")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Лампа блимає").click()
    expect(page.locator("#talk")).to_contain_text("Лампа блимає.")
    page.goto("/my")
    page.locator("form[action='/my/leave'] button").click()
    expect(page.locator("#f-contact")).to_be_visible()


def test_going_back_in_the_frame_and_sending_again_is_one_request(
    house: House, chromium: Browser, visit: Visitor
) -> None:
    attributes = 'data-lang="uk" data-into="#place"'
    with shop(house.url, attributes) as site, stranger(chromium, DESKTOP) as (page, _said):
        allow(visit, site)
        page.goto(site)
        frame = page.frame_locator("#place iframe")
        numbers = []
        for turn in range(2):
            for name, text in {"text": TEXT, "name": "Олена", "contact": "b@back.example"}.items():
                frame.locator(f"#f-{name}").fill(text)
            page.wait_for_timeout(3_100)  # people need longer than that
            frame.locator("#f-contact").press("Enter")
            expect(frame.locator("[data-sent]")).to_be_visible()
            numbers.append(frame.locator("h1").inner_text())
            if turn == 0:
                page.evaluate("history.back()")  # only the frame goes back
                expect(frame.locator("#f-contact")).to_be_visible()
        assert numbers[0] == numbers[1]
