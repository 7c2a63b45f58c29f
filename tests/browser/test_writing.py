"""Nothing typed is lost, what was sent can be taken back, and a note is never taken for a reply."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, Route, expect

from helpdesk.tickets.models import NUMBER_OFFSET
from tests.browser.conftest import (
    DOMAIN,
    House,
    Visitor,
    log_in,
    open_ticket,
    text_of,
)
from tests.chromium import CHROMIUM, FLAGS
from tests.product import until

pytestmark = pytest.mark.browser

SAVED = "Черновик сохранён"
TYPED = "Typed with care, never to be typed again"
HOLD_SECONDS = 8


def new_ticket(house: House, who: str) -> str:
    """The number of a ticket that this client's email has just opened."""
    house.email(
        "It does not work.",
        From=f"{who}@writing.example",
        To=f"support@{DOMAIN}",
        Subject=f"Of {who}",
        Message_ID=f"<{who}@writing.example>",
    )
    query = f"SELECT id + {NUMBER_OFFSET} FROM ticket WHERE subject = 'Of {who}'"
    until(lambda: house.product.rows(query))
    return str(house.product.rows(query)[0][0])


def sent_to(house: House, who: str) -> list[str]:
    """The texts that left the house for this client, without the receipt."""
    mine = [t for t in house.relay.taken if t.recipients == [f"{who}@writing.example"]]
    return [text_of(taken) for taken in mine if not taken.parsed["Auto-Submitted"]]


def type_reply(page: Page, text: str) -> None:
    page.keyboard.press("KeyR")
    page.keyboard.type(text)


def test_typed_text_outlives_a_reload(visit: Visitor, house: House) -> None:
    number = new_ticket(house, "reload")
    page = visit("denys")
    open_ticket(page, number)
    type_reply(page, TYPED)
    page.reload()  # at once: the server has heard nothing yet
    expect(page.locator("#text-reply")).to_have_value(TYPED)
    expect(page.locator("[data-state]")).to_contain_text(SAVED)
    other = visit("denys")
    other.goto(f"/desk/t/{number}")
    expect(other.locator("#text-reply")).to_have_value(TYPED)


def test_a_page_older_than_the_saved_draft_does_not_hide_it(visit: Visitor, house: House) -> None:
    """Asked for before the server had the text, shown after: the text is there all the same."""
    number = new_ticket(house, "older")
    page = visit("denys")
    open_ticket(page, number)

    def late(route: Route) -> None:
        older = route.fetch()
        until(lambda: house.product.rows("SELECT id FROM draft WHERE text = 'Saved meanwhile'"))
        time.sleep(0.5)  # until the page that is left has heard that it is saved
        route.fulfill(response=older)

    page.route(f"**/desk/t/{number}?view=all", late)
    type_reply(page, "Saved meanwhile")
    page.reload()
    expect(page.locator("#text-reply")).to_have_value("Saved meanwhile")


def test_typed_text_outlives_the_browser(
    playwright: Playwright, house: House, tmp_path: Path
) -> None:
    """Killed without a network: only the browser's own store has the text, and it is enough."""
    number = new_ticket(house, "crash")
    profile = tmp_path / "profile"
    context = start(playwright, profile)
    page = context.pages[0]
    log_in(page, house.url, "denys")
    page.goto(f"{house.url}/desk/t/{number}")
    context.set_offline(True)
    type_reply(page, TYPED)
    store = profile / "Default" / "Local Storage" / "leveldb"
    until(lambda: any(TYPED.encode() in file.read_bytes() for file in store.glob("*.log")))
    kill(profile)

    (profile / "SingletonLock").unlink(missing_ok=True)
    again = start(playwright, profile)
    page = again.pages[0]
    page.goto(f"{house.url}/desk/t/{number}")
    if page.locator("#f-email").is_visible():  # cookies reach the disk later
        log_in(page, house.url, "denys")
    expect(page.locator("#text-reply")).to_have_value(TYPED)
    expect(page.locator("[data-state]")).to_contain_text(SAVED)
    kill(profile)

    fresh = start(playwright, tmp_path / "elsewhere")
    page = fresh.pages[0]
    log_in(page, house.url, "denys")
    page.goto(f"{house.url}/desk/t/{number}")
    expect(page.locator("#text-reply")).to_have_value(TYPED)
    fresh.close()
    shutil.rmtree(profile, ignore_errors=True)


def start(playwright: Playwright, profile: Path) -> BrowserContext:
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=FLAGS
    )


def kill(profile: Path) -> None:
    """SIGKILL to all processes of the browser with this profile."""
    mark = f"--user-data-dir={profile}".encode()
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in line.read_bytes().split(b"\0"):
                os.kill(int(line.parent.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


def test_typed_text_outlives_the_server(visit: Visitor, house: House) -> None:
    number = new_ticket(house, "server")
    page = visit("denys")
    open_ticket(page, number)
    expect(page.locator("#text-reply")).to_have_value("")
    house.product.kill()
    type_reply(page, TYPED)
    expect(page.locator("[data-state]")).to_contain_text("не на сервере")
    house.product.start()
    until(house.product.ready)
    expect(page.locator("[data-state]")).to_contain_text(SAVED, timeout=20_000)
    kept = f"SELECT text FROM draft WHERE ticket_id = {int(number) - NUMBER_OFFSET}"
    assert house.product.rows(kept) == [(TYPED,)]
    page.keyboard.press("Control+Enter")
    until(lambda: any(TYPED in text for text in sent_to(house, "server")))
    visit.watch.forgive("ERR_", "htmx:")  # of each request that nobody answered


def test_typed_text_outlives_the_session(visit: Visitor, house: House) -> None:
    number = new_ticket(house, "session")
    page = visit()
    log_in(page, house.url, "olena")
    open_ticket(page, number)
    page.context.clear_cookies()
    type_reply(page, TYPED)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#undo")).to_be_visible()
    expect(page.locator(".composer [data-error]")).to_be_visible(timeout=20_000)
    expect(page.locator("#text-reply")).to_have_value(TYPED)
    page.goto(f"/desk/t/{number}")
    log_in(page, house.url, "olena")
    assert f"/desk/t/{number}" in page.url
    expect(page.locator("#text-reply")).to_have_value(TYPED)
    assert sent_to(house, "session") == []
    visit.watch.forgive("401")


def test_a_form_without_scripts_comes_back_after_log_in(visit: Visitor, house: House) -> None:
    """A page whose scripts never ran sends its form the plain way."""
    number = new_ticket(house, "plain")
    page = visit()
    log_in(page, house.url, "olena")
    page.goto(f"/desk/t/{number}")
    page.context.clear_cookies()
    page.evaluate(
        """text => { const form = document.querySelector(".composer");
        form.querySelector("#text-reply").value = text; form.submit(); }""",
        TYPED,
    )
    page.wait_for_selector("#f-email")
    log_in(page, house.url, "olena")
    expect(page.locator("textarea:visible")).to_have_value(TYPED)
    assert sent_to(house, "plain") == []
    visit.watch.forgive("401")


def test_undo_brings_the_text_back_and_nothing_leaves(visit: Visitor, house: House) -> None:
    number = new_ticket(house, "undo")
    page = visit("denys")
    open_ticket(page, number)
    type_reply(page, TYPED)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#undo")).to_be_visible()
    expect(page.locator("#text-reply")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("KeyZ")
    expect(page.locator("#undo")).to_be_hidden()
    expect(page.locator("#text-reply")).to_have_value(TYPED)
    time.sleep(HOLD_SECONDS + 2)
    assert sent_to(house, "undo") == []
    expect(page.locator(".msg.out")).to_have_count(0)


def test_a_note_looks_different_and_stays_in_the_house(visit: Visitor, house: House) -> None:
    number = new_ticket(house, "note")
    page = visit("denys")
    open_ticket(page, number)
    page.keyboard.press("KeyR")
    reply = face(page)
    page.keyboard.type("To the client")
    page.keyboard.press("Escape")
    page.keyboard.press("KeyN")
    note = face(page)
    assert all(reply[key] != note[key] for key in reply), (reply, note)
    expect(page.locator("b.if-note")).to_be_visible()
    page.keyboard.type("The canary sings among colleagues only")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.note")).to_contain_text("The canary sings")
    expect(page.locator(".msg.note em")).to_be_visible()
    border = page.locator(".msg.note > div").evaluate("e => getComputedStyle(e).borderStyle")
    assert border == "dashed"

    page.keyboard.press("Escape")
    page.keyboard.press("KeyR")
    expect(page.locator("#text-reply")).to_have_value("To the client")
    page.keyboard.press("Control+Enter")
    until(lambda: sent_to(house, "note"))
    assert ["To the client" in text for text in sent_to(house, "note")] == [True]
    assert not any(b"canary" in taken.raw for taken in house.relay.taken)
    assert "canary" not in "".join(text_of(taken) for taken in house.relay.taken)


def face(page: Page) -> dict[str, str]:
    """What tells the two modes apart: the colours, the words beside, the button."""
    found: dict[str, str] = page.evaluate(
        """() => { const form = document.querySelector(".composer"), style = getComputedStyle(form);
        const shown = selector => [...form.querySelectorAll(selector)].find(
          element => element.checkVisibility());
        return { ground: style.backgroundColor, pattern: style.backgroundImage,
          edge: style.borderTopWidth, label: shown("label:has(:checked)").textContent,
          button: shown("button.primary, button.note").textContent,
          field: shown("textarea").id }; }"""
    )
    return found


def test_two_agents_on_one_ticket_know_of_each_other(visit: Visitor, house: House) -> None:
    number = new_ticket(house, "both")
    first, second = visit("denys"), visit("admin")
    open_ticket(first, number)
    expect(first.locator("#here")).to_be_empty()
    open_ticket(second, number)
    expect(second.locator("#here")).to_contain_text("Денис Ковальов")
    type_reply(first, TYPED)
    expect(first.locator("[data-state]")).to_have_text(SAVED)
    second.locator("#text-reply").focus()  # asks at once, not in ten seconds
    expect(second.locator("#here b")).to_contain_text("Денис Ковальов")
    first.goto("/desk")
    expect(second.locator("#here")).to_be_empty()


LOW = """() => {
  const low = new CSSStyleSheet();  // a style of the element would go when the page is refreshed
  low.replaceSync("#thread { min-height: 0 !important; max-height: 75px !important }");
  document.adoptedStyleSheets = [low];
}"""
AT_ITS_END = """() => {
  const thread = document.querySelector("#thread");
  const below = thread.scrollHeight - thread.clientHeight;
  return below > 0 && thread.scrollTop >= below - 1;
}"""
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_an_answer_below_the_reader_is_not_taken_for_seen(visit: Visitor, house: House) -> None:
    """Who reads further up hears of it before the client gets two answers."""
    number = new_ticket(house, "unseen")
    first, second = visit("denys"), visit("admin")
    open_ticket(first, number)
    first.set_viewport_size({"width": 1440, "height": 520})
    type_reply(first, TYPED)
    expect(first.locator("#thread .event").first).to_be_visible()  # of the receipt
    first.evaluate(LOW)
    first.evaluate(DRAWN)  # it may keep its end in sight, until the reader goes up
    first.locator("#thread").evaluate("thread => { thread.scrollTop = 0; }")
    first.evaluate(DRAWN)
    first.evaluate("htmx.trigger('#talk', 'refresh')")  # as late news of the receipt does
    assert not first.evaluate(AT_ITS_END)
    open_ticket(second, number)
    type_reply(second, "Of a colleague")
    second.keyboard.press("Control+Enter")
    second.goto("/desk")  # sends at once
    expect(first.locator(".msg.out")).to_have_count(1)
    assert not first.evaluate(AT_ITS_END)
    first.keyboard.press("Control+Enter")
    expect(first.locator(".composer [data-error]")).to_contain_text("Andrew Miller")
    expect(first.locator(".msg.out")).to_be_in_viewport()
    expect(first.locator("#text-reply")).to_have_value(TYPED)
    assert [TYPED in text for text in sent_to(house, "unseen")] == [False]
    visit.watch.forgive("409")


def test_two_tabs_share_what_is_written(visit: Visitor, house: House) -> None:
    number = new_ticket(house, "tabs")
    page = visit("denys")
    open_ticket(page, number)
    other = page.context.new_page()
    open_ticket(other, number)
    page.bring_to_front()
    page.keyboard.press("KeyN")
    page.keyboard.type("Of both tabs")
    expect(other.locator("#text-note")).to_have_value("Of both tabs")
    page.keyboard.press("Control+Enter")
    expect(other.locator("#text-note")).to_have_value("")
    expect(other.locator(".msg.note")).to_have_count(1)
