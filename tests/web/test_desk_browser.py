"""The desk in Chromium: keys, drafts, undo, live changes, a session that ends."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from helpdesk import ext
from helpdesk.app import create_app
from helpdesk.lib.clock import now
from helpdesk.server.asgi import Application
from helpdesk.tickets.models import NUMBER_OFFSET, Channel
from helpdesk.tickets.received import open_ticket
from tests.cast import PASSWORD, Cast, make_cast
from tests.conftest import Template, make_config
from tests.web.conftest import Desk

pytestmark = pytest.mark.browser


class _Server(uvicorn.Server):
    """uvicorn in a thread: it leaves signals alone."""

    def install_signal_handlers(self) -> None:
        return None


@pytest.fixture
def site(templates: dict[str, Template], tmp_path: Path) -> Iterator[tuple[str, Flask, Cast]]:
    """The product's pages and streams on a port, with the cast in the database."""
    (tmp_path / "helpdesk.db").write_bytes(Path(templates["sqlite"].source).read_bytes())
    app = create_app(make_config(tmp_path))
    with app.app_context():
        with ext.write() as session:
            cast = make_cast(session)
        application = Application(app)
        config = uvicorn.Config(application, port=0, log_config=None, lifespan="on")  # type: ignore[arg-type]
        server = _Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", app, cast
        server.should_exit = True
        application.hub.close()
        thread.join(10)
        ext.db.engine.dispose()


def log_in(context: BrowserContext, url: str, name: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{url}/login")
    page.fill("#f-email", f"{name}@example.com")
    page.fill("#f-password", PASSWORD)
    page.press("#f-password", "Enter")
    page.wait_for_url("**/desk*")
    return page


def test_an_agents_hour(site: tuple[str, Flask, Cast], chromium: Browser) -> None:
    """One long walk: each start of Chromium and the server costs seconds."""
    url, _app, cast = site
    number = Desk(cast).ticket("Kettle leaks")
    problems: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = log_in(context, url, "alice")
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if "Security Policy" in m.text else None)

    page.goto(f"{url}/desk?view=all")
    page.keyboard.press("KeyJ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/t/{number}*")
    expect(page.locator("h1", has_text="Kettle leaks")).to_be_visible()

    page.keyboard.press("KeyN")
    page.keyboard.type("For colleagues")
    page.keyboard.press("Escape")
    page.keyboard.press("KeyR")
    page.keyboard.type("Dear client")
    page.reload()  # as after a crash: nothing had time to reach the server
    expect(page.locator("#text-reply")).to_have_value("Dear client")
    expect(page.locator("#text-note")).to_have_value("For colleagues")

    context.set_offline(True)
    page.locator("#text-reply").fill("Dear client, soon")
    expect(page.locator("[data-state]")).to_contain_text("not on the server")
    context.set_offline(False)
    expect(page.locator("[data-state]")).to_contain_text("Draft saved", timeout=15_000)

    page.locator("#text-reply").press("Control+Enter")
    expect(page.locator("#undo")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("KeyZ")
    expect(page.locator("#text-reply")).to_have_value("Dear client, soon")
    page.locator("#text-reply").press("Control+Enter")
    page.goto(f"{url}/desk/me")  # leaving means yes
    page.goto(f"{url}/desk/t/{number}?view=all")
    expect(page.locator(".msg.out", has_text="Dear client, soon")).to_have_count(1)
    expect(page.locator("#text-reply")).to_have_value("")

    assert problems == []


def test_changes_appear_by_themselves(site: tuple[str, Flask, Cast], chromium: Browser) -> None:
    """A colleague's change, a new ticket that waits, and the end of the session."""
    url, _app, cast = site
    number = Desk(cast).ticket("Kettle leaks")
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = log_in(context, url, "alice")
    page.goto(f"{url}/desk/t/{number}?view=all")
    page.wait_for_timeout(500)  # the stream begins at what is new from now on

    other = log_in(chromium.new_context(), url, "sam")
    other.goto(f"{url}/desk/t/{number}")
    other.keyboard.press("KeyP")
    other.click("#p-priority button[value=urgent]")
    expect(page.locator("[data-key=priority]")).to_contain_text("Urgent")

    with ext.write() as session:
        new = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Another one",
            channel=Channel.WEB,
            language="uk",
            at=now(),
        )
    expect(page.locator("#fresh")).to_be_visible()
    expect(page.locator("#rows .row")).to_have_count(1)
    page.click("#fresh")
    expect(page.locator(f"#r{new} .row")).to_be_visible()
    assert new + NUMBER_OFFSET > int(number)

    context.clear_cookies()
    page.locator("#text-reply").fill("Typed while logged out")
    expect(page.locator(".composer [data-error]")).to_contain_text("session has ended")
    expect(page.locator("#text-reply")).to_have_value("Typed while logged out")


def test_a_tab_that_nobody_looks_at_rests_and_catches_up(
    site: tuple[str, Flask, Cast], chromium: Browser
) -> None:
    url, _app, cast = site
    number = Desk(cast).ticket("Kettle leaks")
    page = log_in(chromium.new_context(viewport={"width": 1440, "height": 900}), url, "alice")
    streams: list[str] = []
    page.on("request", lambda r: streams.append(r.url) if "/events" in r.url else None)
    page.clock.install()
    page.goto(f"{url}/desk/t/{number}?view=all")
    Desk(cast).writes(number, "Still leaks.")
    expect(page.locator("#thread")).to_contain_text("Still leaks.")
    streams.clear()

    look(page, away=True)
    page.clock.fast_forward("06:00")
    Desk(cast).writes(number, "Now it is dry.")
    page.wait_for_timeout(1_500)
    expect(page.locator("#thread")).not_to_contain_text("Now it is dry.")

    look(page, away=False)
    expect(page.locator("#thread")).to_contain_text("Now it is dry.")
    assert len(streams) == 1 and "after=" in streams[0]


def look(page: Page, *, away: bool) -> None:
    """Turn to another tab, or back."""
    page.evaluate(
        """away => {
            Object.defineProperty(document, "hidden", { value: away, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        away,
    )


def test_senders_html_is_styled_and_loads_nothing_else(
    site: tuple[str, Flask, Cast], chromium: Browser
) -> None:
    url, _app, cast = site
    hostile = (
        '<p>Hi <a href="https://x.example">there</a></p><img data-src="https://x.example/t.gif">'
    )
    number = Desk(cast).ticket("Kettle leaks", html=hostile)
    page = log_in(chromium.new_context(), url, "alice")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/desk/t/{number}")
    page.click("details summary")
    frame = page.frame_locator("iframe.mailview")
    expect(frame.locator("body")).to_have_css("margin", "12px")
    assert frame.locator("body").evaluate("origin") == "null"
    assert all(address.startswith(url) for address in asked)


def test_phone_has_one_pane_at_a_time(site: tuple[str, Flask, Cast], chromium: Browser) -> None:
    url, _app, cast = site
    number = Desk(cast).ticket("Kettle leaks")
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = log_in(context, url, "alice")
    page.goto(f"{url}/desk?view=all")
    page.click("#rows .row")
    page.wait_for_url(f"**/desk/t/{number}*")
    expect(page.locator("#list")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#thead a[href^='/desk/clients/']")).to_be_visible()
    expect(page.locator("[data-key=tags]")).to_be_hidden()
    page.get_by_title("Show all").click()
    expect(page.locator("[data-key=tags]")).to_be_visible()
    page.click("[data-key=back]")
    expect(page.locator("#list")).to_be_visible()
