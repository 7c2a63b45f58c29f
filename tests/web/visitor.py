"""A browser without JavaScript: keeps cookies, sends the forms it was shown, checks each page."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from helpdesk import ext
from helpdesk.accounts import sessions
from helpdesk.accounts.models import User
from helpdesk.lib.clock import now
from helpdesk.web.admin import (
    calendars,
    deliveries,
    index,
    outbox,
    policies,
    queues,
    settings,
    staff,
    tokens,
)
from helpdesk.web.desk import login
from helpdesk.web.guard import COOKIE
from helpdesk.web.portal import files, home, ticket
from helpdesk.web.site import init_site
from helpdesk.web.supervisor import home as supervisor

PAGES = (
    home,
    ticket,
    files,
    supervisor,
    index,
    staff,
    queues,
    calendars,
    policies,
    deliveries,
    outbox,
    settings,
    tokens,
    login,
)
XHTML = "{http://www.w3.org/1999/xhtml}"
NAMED = {"hidden", "submit"}


def with_pages(app: Flask) -> Flask:
    """The app with its pages, if it has none yet."""
    if "helpdesk_pages" not in app.extensions:
        init_site(app, [page.blueprint for page in PAGES])
    return app


@dataclass
class Visitor:
    """One browser."""

    app: Flask
    user: User | None = None
    page: str = ""
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = with_pages(self.app).test_client()
        if self.user is not None:
            with ext.write() as session:
                user = session.get_one(User, self.user.id)
                token = sessions.log_in(session, user, "", old_token=None, agent="", at=now())
            self.client.set_cookie(COOKIE, token)

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        return self._seen(self.client.get(path, headers=headers), status)

    def raw(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, status: int = 200, **values: Any) -> str:
        """Send a form with the token of the last page; redirects are followed."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.page)
        data = {"csrf_token": found[1] if found else "", **values}
        multipart = {"content_type": "multipart/form-data"} if "files" in values else {}
        response = self.client.post(path, data=data, follow_redirects=True, **multipart)
        return self._seen(response, status)

    def _seen(self, response: TestResponse, status: int) -> str:
        assert response.status_code == status, (response.status_code, response.text[:2000])
        self.page = response.text
        if response.mimetype == "text/html":
            inspect(self.page)
            assert "unsafe" not in response.headers["Content-Security-Policy"]
        return self.page


def inspect(html: str) -> None:
    """Valid HTML with one h1, unique ids, named fields, tokens in forms, nothing inline."""
    root = html5lib.HTMLParser(strict=True).parse(html)
    elements = list(root.iter())
    assert len([e for e in elements if e.tag == f"{XHTML}h1"]) == 1
    ids = [e.attrib["id"] for e in elements if "id" in e.attrib]
    assert not [id_ for id_, count in Counter(ids).items() if count > 1]
    assert not [e for e in elements if any(n == "style" or n.startswith("on") for n in e.attrib)]
    labels = {e.attrib.get("for") for e in elements if e.tag == f"{XHTML}label"}
    for element in _fields(elements):
        assert element.attrib.get("id") in labels or "aria-label" in element.attrib, element.attrib
    for form in (e for e in elements if e.tag == f"{XHTML}form"):
        if form.attrib.get("method", "").lower() == "post":
            assert any(e.attrib.get("name") == "csrf_token" for e in form.iter())


def _fields(elements: Iterable[Element]) -> Sequence[Element]:
    tags = {f"{XHTML}{name}" for name in ("input", "select", "textarea")}
    return [e for e in elements if e.tag in tags and e.attrib.get("type") not in NAMED]
