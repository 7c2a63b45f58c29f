"""A browser for page tests: every page it gets is inspected, every form it sends is a real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from helpdesk import ext
from helpdesk.accounts import sessions
from helpdesk.accounts.models import User
from helpdesk.clients.match import Known
from helpdesk.lib.clock import now
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import NUMBER_OFFSET, Channel, Priority
from helpdesk.tickets.received import add_message, open_ticket
from helpdesk.web.cached import forget
from helpdesk.web.guard import COOKIE
from tests.cast import PASSWORD, Cast
from tests.web.inspection import inspect, inspect_csp, parse, text_of
from tests.web.knowledge import shelf  # noqa: F401 (a fixture)


@dataclass
class Page:
    """An answer, inspected."""

    response: TestResponse
    tree: ElementTree.Element

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return text_of(self.tree)

    @property
    def html(self) -> str:
        return self.response.text

    @property
    def place(self) -> str:
        """The path and query of the address."""
        request = self.response.request
        query = request.query_string.decode()
        return f"{request.path}?{query}" if query else request.path

    def all(self, path: str) -> list[ElementTree.Element]:
        """Elements by ElementTree path, e.g. `a[@class='row']`."""
        return self.tree.findall(f".//{path}")

    def one(self, path: str) -> ElementTree.Element:
        found = self.all(path)
        assert len(found) == 1, f"{len(found)} of {path}"
        return found[0]

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that goes to `action`, as a browser would send them."""
        (form,) = [f for f in self.all("form") if f.get("action", "").split("?")[0] == action]
        fields: dict[str, str] = {}
        for box in form.iter("input"):
            ticked = box.get("type") not in ("radio", "checkbox") or "checked" in box.attrib
            if box.get("name") and ticked and box.get("type") != "file":
                fields[box.get("name", "")] = box.get("value", "")
        for area in form.iter("textarea"):
            fields[area.get("name", "")] = "".join(area.itertext())
        for select in form.iter("select"):
            options = list(select.iter("option"))
            chosen = [o for o in options if "selected" in o.attrib] or options[:1]
            fields[select.get("name", "")] = chosen[0].get("value", "") if chosen else ""
        return fields


@dataclass
class Pages:
    """A browser without scripts. `post` sends a form of the page that was got last."""

    app: Flask
    client: Any
    headers: dict[str, str] = field(default_factory=dict)
    begun: bool = False  # somebody has logged in: the first page is the desk, once it is asked for
    got: Page | None = None

    @property
    def page(self) -> Page | None:
        """The page that was got last."""
        if self.got is None and self.begun:
            self.get("/desk")
        return self.got

    def get(self, path: str, **more: Any) -> Page:
        forget()
        return self._take(self.client.get(path, follow_redirects=True, **self._more(more)))

    def post(self, action: str, /, **values: Any) -> Page:
        """Fill in the form for `action` on the current page and send it."""
        page = self.page
        assert page is not None
        fields = page.form(action.split("?")[0]) | values
        return self.send(action, fields)

    def send(self, path: str, fields: dict[str, Any], **more: Any) -> Page:
        """Send these fields, whatever the page has."""
        forget()
        return self._take(
            self.client.post(path, data=fields, follow_redirects=True, **self._more(more))
        )

    def raw(self, method: str, path: str, **more: Any) -> TestResponse:
        """An answer that is no page."""
        forget()
        response: TestResponse = self.client.open(path, method=method, **self._more(more))
        return response

    def script(self, path: str, **fields: Any) -> TestResponse:
        """What a module of ours sends: a form, answered as JSON."""
        return self.raw(
            "POST",
            path,
            data={"csrf_token": self.token, **fields},
            headers={"Accept": "application/json"},
        )

    @property
    def token(self) -> str:
        page = self.page
        assert page is not None
        found = [i for i in page.all("input") if i.get("name") == "csrf_token"]
        return found[0].get("value", "")

    def log_in(self, name: str) -> None:
        """What the log-in form comes to; the form itself has tests of its own."""
        with ext.write() as session:
            user = session.query(User).filter_by(email=f"{name}@example.com").one()
            token = sessions.log_in(
                session, user, PASSWORD, old_token=self._cookie(COOKIE), agent="", at=now()
            )
            language = user.language
        self.client.delete_cookie("session")
        self.client.set_cookie(COOKIE, token)
        self.client.set_cookie("language", language)
        self.begun, self.got = True, None

    def log_in_by_form(self, name: str) -> Page:
        self.get("/login")
        return self.post("/login", email=f"{name}@example.com", password=PASSWORD)

    def _cookie(self, name: str) -> str | None:
        cookie = self.client.get_cookie(name)
        return cookie.value if cookie else None

    def _more(self, more: dict[str, Any]) -> dict[str, Any]:
        return more | {"headers": self.headers | more.get("headers", {})}

    def _take(self, response: TestResponse) -> Page:
        if response.mimetype != "text/html":
            return Page(response, ElementTree.Element("none"))
        whole = "<!doctype" in response.text[:200].lower()
        tree = parse(response.text)
        assert not inspect(tree, whole=whole)
        assert not inspect_csp(response.headers["Content-Security-Policy"])
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        self.got = Page(response, tree)
        return self.got


@pytest.fixture
def pages(app: Flask, cast: Cast) -> Iterator[Pages]:
    """A browser that is not logged in."""
    with app.test_client() as client:
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        yield Pages(app, client)


@pytest.fixture
def alice(pages: Pages) -> Pages:
    """A browser in which the agent Alice is logged in."""
    pages.log_in("alice")
    return pages


@dataclass
class Desk:
    """What happens around the pages: clients write."""

    cast: Cast

    def ticket(self, subject: str = "Kettle leaks", text: str = "It leaks.", **more: Any) -> str:
        """A client's email opens a ticket; its number."""
        who: Known = more.pop("who", self.cast.oksana)
        queue = more.pop("queue", self.cast.support)
        priority = more.pop("priority", Priority.NORMAL)
        with ext.write() as session:
            ticket_id = open_ticket(
                session,
                queue_id=queue.id,
                who=who,
                subject=subject,
                channel=Channel.EMAIL,
                language="uk",
                at=now(),
                priority=priority,
            )
            content = Content(text=text, subject=subject, **more)
            add_message(
                session,
                ticket_id,
                content,
                who=who,
                channel=Channel.EMAIL,
                at=now(),
                first=True,
            )
        return str(ticket_id + NUMBER_OFFSET)

    def writes(self, number: str, text: str, **more: Any) -> None:
        """The client writes again."""
        with ext.write() as session:
            add_message(
                session,
                int(number) - NUMBER_OFFSET,
                Content(text=text, **more),
                who=self.cast.oksana,
                channel=Channel.EMAIL,
                at=now(),
            )


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return Desk(cast)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent to the database inside."""
    found: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.append(statement)

    event.listen(ext.db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(ext.db.engine, "before_cursor_execute", note)
