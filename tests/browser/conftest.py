"""A running product with demo data and a relay for each worker, and Chromium to look at it."""

import fcntl
import re
import shutil
import smtplib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Route,
    expect,
)

from helpdesk.demo import DEMO_PASSWORD
from tests.product import Product, until
from tests.relay import Relay, Taken
from tests.spawn import Spawner

expect.set_options(timeout=20_000)  # a busy machine
DOMAIN = "helpdesk.localhost"
DESKTOP, PHONE = (1440, 900), (390, 844)
TELL = """
addEventListener("securitypolicyviolation",
  event => console.error("CSP", event.violatedDirective, event.blockedURI));
"""


@dataclass
class Watch:
    """What a browser complained of, and what it wanted from elsewhere."""

    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext, url: str) -> Self:
        context.add_init_script(TELL)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("console", self._hear)
        context.on("dialog", self._dismiss)
        context.route(re.compile(rf"^(?!{re.escape(url)}/)"), self._refuse)
        return self

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.problems.append(f"{said.text} ({said.location['url']})")

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _refuse(self, route: Route) -> None:
        self.foreign.append(route.request.url)
        route.abort()

    def forgive(self, *expected: str) -> None:
        """Forget the complaints that have these words in them."""
        self.problems = [p for p in self.problems if not any(word in p for word in expected)]

    @property
    def all(self) -> list[str]:
        return [*self.problems, *self.foreign, *self.dialogs]


@dataclass
class House:
    """The product, its relay, and what people do around them."""

    product: Product
    relay: Relay

    @property
    def url(self) -> str:
        return self.product.url

    def email(self, text: str, **fields: str) -> None:
        """Send an email by SMTP; `_` in a keyword stands for a hyphen in the field's name."""
        message = EmailMessage()
        for name, value in fields.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        self.send(message)

    def send(self, *messages: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.product.smtp, timeout=20) as client:
            for message in messages:
                client.send_message(message)

    def outgoing(self, to: str, what: str = "") -> Taken:
        """The last email to this address with these words in it, as soon as the relay has it."""

        def found() -> list[Taken]:
            mine = (taken for taken in list(self.relay.taken) if taken.recipients == [to])
            return [taken for taken in mine if what in text_of(taken)]

        until(found)
        return found()[-1]

    def token(self) -> str:
        made = self.product.command(
            "token", "create", "--user", f"admin@{DOMAIN}", "--name", "Tests"
        )
        return made.stdout.decode().splitlines()[-1]


def text_of(taken: Taken) -> str:
    body = taken.parsed.get_body(("plain",))
    return str(body.get_content()) if body else ""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str, spawner: Spawner) -> Path:
    """A folder with demo data; made by the first worker that asks, for all of them."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "demo"
    root.mkdir(exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "done").exists():
            product = Product(root / "data", spawner=spawner)
            assert product.command("upgrade").returncode == 0
            assert product.command("demo").returncode == 0
            (root / "done").touch()
    return root / "data"


@pytest.fixture(scope="session")
def house(
    demo: Path, tmp_path_factory: pytest.TempPathFactory, spawner: Spawner
) -> Iterator[House]:
    """One for all tests of a worker: each makes its own tickets."""
    folder = tmp_path_factory.mktemp("house") / "data"
    shutil.copytree(demo, folder)
    with Relay() as relay:
        product = Product(
            folder,
            spawner=spawner,
            HELPDESK_SMTP_RELAY=relay.address,
            HELPDESK_TIMEZONE="Europe/Kyiv",
        )
        product.start()
        try:
            until(product.ready)
            yield House(product, relay)
        finally:
            product.kill()


@pytest.fixture(scope="session")
def cookies(house: House, chromium: Browser) -> Callable[[str], Any]:
    """What a browser keeps after a member of staff has logged in: (login) → storage state."""
    kept: dict[str, Any] = {}

    def of(login: str) -> Any:
        if login not in kept:
            context = chromium.new_context()
            log_in(context.new_page(), house.url, login)
            kept[login] = context.storage_state()
            context.close()
        return kept[login]

    return of


def log_in(page: Page, url: str, login: str) -> None:
    """Log in where the page asks for it, else at /login."""
    if not page.locator("#f-email").is_visible():
        page.goto(f"{url}/login")
    page.fill("#f-email", f"{login}@{DOMAIN}")
    page.fill("#f-password", DEMO_PASSWORD)
    page.press("#f-password", "Enter")
    page.locator("#f-email").wait_for(state="detached")


@dataclass
class Visitor:
    """Opens pages as somebody, in a browser of its own, and keeps an eye on it."""

    house: House
    chromium: Browser
    cookies: Callable[[str], Any]
    stack: ExitStack
    watch: Watch = field(default_factory=Watch)

    def __call__(self, login: str | None = None, size: tuple[int, int] = DESKTOP) -> Page:
        context = self.chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            storage_state=self.cookies(login) if login else None,
            base_url=self.house.url,
            locale="en-GB",
            reduced_motion="reduce",
            has_touch=size == PHONE,
        )
        self.stack.callback(context.close)
        self.watch.over(context, self.house.url)
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page


@pytest.fixture
def visit(house: House, chromium: Browser, cookies: Callable[[str], Any]) -> Iterator[Visitor]:
    """visit(login) → a page of a new browser; at the end nothing may have gone wrong in any."""
    with ExitStack() as stack:
        visitor = Visitor(house, chromium, cookies, stack)
        yield visitor
        assert visitor.watch.all == []


def open_ticket(page: Page, number: str) -> None:
    """The ticket's page, its stream running: what happens from now on is shown."""
    with page.expect_response(lambda answer: answer.url.endswith("/events")):
        page.goto(f"/desk/t/{number}?view=all")
