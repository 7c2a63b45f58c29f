"""The telephone in Chromium: who types is not disturbed, everything goes by keys, axe is silent."""

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from helpdesk import ext
from helpdesk.calls.models import Call, CallState, Disposition
from helpdesk.tickets.reasons import create_reason
from tests.browser.test_pages import AXE, EVERYTHING, RUN
from tests.calls import desk as line
from tests.cast import Cast
from tests.web.calling import has_number, on_duty, rings_at
from tests.web.conftest import Desk
from tests.web.test_desk_browser import log_in, site

__all__ = ["site"]
pytestmark = pytest.mark.browser

LOOKS = (("light", 1440, 900), ("dark", 390, 844))


REPLY = "Dear Oksana, your kettle is on its way.\n"


def faults(page: Page) -> list[Any]:
    """What axe finds, dark on a telephone and light on a desk; and what is too wide for it."""
    found: list[Any] = []
    page.evaluate(AXE)
    for theme, width, height in reversed(LOOKS):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": height})
        found += [(theme, width, one) for one in page.evaluate(RUN, EVERYTHING)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [(theme, width, f"{wide} px wide")] if wide > width else []
    return found


def test_a_call_comes_while_somebody_writes(
    site: tuple[str, Flask, Cast], chromium: Browser
) -> None:
    """From the pop to the saved wrap-up and back to the half-written reply, by keyboard."""
    url, _app, cast = site
    number = Desk(cast).ticket("Kettle leaks")
    has_number(cast.oksana.person_id)
    with ext.write() as session:
        for name in ("Payment", "Delivery"):
            create_reason(session, names=dict.fromkeys(("en", "ru", "uk"), name))
    problems: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = log_in(context, url, "alice")
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if "Security Policy" in m.text else None)
    page.goto(f"{url}/desk/t/{number}?view=all")
    page.wait_for_timeout(500)  # the stream begins at what is new from now on
    on_duty(cast.alice)
    expect(page.locator("[data-key=presence]")).to_contain_text("Available")

    caller = rings_while_typing(page, cast)
    accepts_by_keys(page, cast, caller)
    talks(page, cast, caller)
    writes_up(page, caller)
    page.wait_for_url(f"**/desk/t/{number}", wait_until="load")
    expect(page.locator("#text-reply")).to_have_value(REPLY)
    expect(page.locator("#callbar")).to_have_count(0)

    for path in ("/desk/calls", "/desk/callbacks?view=queue", "/desk/phone"):
        page.goto(f"{url}{path}")
        assert faults(page) == [], path
        if path == "/desk/calls":
            hears_of_a_call(page, cast)
    page.click("[data-key=presence]")
    assert faults(page) == []
    page.click("#p-presence button[value=break]")
    expect(page.locator("[data-key=presence]")).to_contain_text("Break")
    assert problems == []


def hears_of_a_call(page: Page, cast: Cast) -> None:
    """What stands in the log stays where it is; the new call waits behind a button."""
    before = page.locator("tbody tr").count()
    page.wait_for_timeout(500)  # the stream begins at what is new from now on
    line.waits(cast.support.id, "+380671230000")
    expect(page.locator("#log-fresh")).to_contain_text("1")
    expect(page.locator("#log-waits")).to_contain_text("1 caller waits")
    assert page.locator("tbody tr").count() == before
    page.click("#log-fresh")
    expect(page.locator("tbody tr").first).to_contain_text("+380 67 123 00 00")
    expect(page.locator("tbody tr")).to_have_count(before + 1)
    expect(page.locator("#log-fresh")).to_be_hidden()


def rings_while_typing(page: Page, cast: Cast) -> line.Caller:
    """The pop comes by itself; letters, Enter and the focus stay with the reply."""
    page.keyboard.press("KeyR")
    page.keyboard.type("Dear Oksana, your ")
    caller = rings_at(cast, cast.alice)
    page.keyboard.type("kettle")
    expect(page.locator("#ringing")).to_be_visible()
    page.keyboard.type(" is on its way.")
    page.keyboard.press("Enter")
    expect(page.locator("#text-reply")).to_have_value(REPLY)
    expect(page.locator("#text-reply")).to_be_focused()
    assert caller.call.state == CallState.OFFERED, "Enter belonged to the reply"
    expect(page.locator("[data-reach]")).to_be_visible()
    assert faults(page) == []
    return caller


def accepts_by_keys(page: Page, cast: Cast, caller: line.Caller) -> None:
    """F2 goes to the pop and back, Esc declines, Enter accepts."""
    page.keyboard.press("F2")
    expect(page.locator("[data-accept]")).to_be_focused()
    page.keyboard.press("F2")
    expect(page.locator("#text-reply")).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.press("Escape")
    expect(page.locator("#ringing")).to_have_count(0)
    expect(page.locator("#text-reply")).to_be_focused()
    assert caller.call.state == CallState.QUEUED
    on_duty(cast.alice)
    line.distribute()
    expect(page.locator("#ringing")).to_be_visible()
    page.keyboard.press("F2")
    page.wait_for_timeout(450)  # an Enter in the first moment is not meant for it
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/t/*", wait_until="load")
    expect(page.locator("#callbar")).to_contain_text("connecting")


def talks(page: Page, cast: Cast, caller: line.Caller) -> None:
    """Notes are kept while typed; nothing pushes itself at somebody who talks."""
    offer = caller.offers[-1]
    line.Ringing(offer).accept()
    caller.step("join", talk=offer.id)
    expect(page.locator("#callbar")).to_contain_text("talking")
    expect(page.locator("#callbar [data-go-ticket]")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("F2")
    with page.expect_response("**/notes"):
        page.keyboard.type("Wants it on Friday")
    page.keyboard.press("Escape")
    shown = page.locator("#total").text_content()
    Desk(cast).ticket("Another")
    page.wait_for_timeout(1_200)
    assert page.locator("#total").text_content() == shown
    expect(page.locator("#fresh")).to_be_hidden()


def writes_up(page: Page, caller: line.Caller) -> None:
    """The page comes by itself; a digit answers each question, Ctrl+Enter saves."""
    caller.hang_up()
    page.wait_for_url(f"**/desk/call/{caller.call_id}", wait_until="load")
    expect(page.locator("#f-notes")).to_have_value("Wants it on Friday")
    assert faults(page) == []
    page.reload()
    for digit in ("2", "1", "1"):  # Delivery, Solved, None
        page.keyboard.press(f"Digit{digit}")
    expect(page.locator("#f-notes")).to_be_focused()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/desk/t/*", wait_until="load")
    call = caller.call
    assert call.disposition == Disposition.SOLVED and call.notes == "Wants it on Friday"
    with ext.session() as session:
        reason = session.get_one(Call, call.id).reason
        assert reason is not None and reason.names["en"] == "Delivery"
