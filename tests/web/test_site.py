"""What holds for all pages: vendored files, headers, caching, permissions, words."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import flask_babel
import pytest
from flask import Flask

from helpdesk.web.guard import permission_of
from helpdesk.web.words import forget_words
from tests.cast import Cast
from tests.web.conftest import Desk, Page, Pages

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
CSS_BUDGET = 40_000
CSS_OF_A_PAGE = 8_000  # what only some pages load besides
EVERYWHERE = ("tokens", "app", "telephone")
SHOWN = ("title", "aria-label", "placeholder", "alt", "data-going", "data-line")


def test_vendored_files_are_what_was_taken() -> None:
    listed = dict(reversed(line.split()) for line in (VENDOR / "HASHES").read_text().splitlines())
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "HASHES"
    }
    assert found == listed
    assert all((path / "LICENSE").is_file() for path in VENDOR.iterdir() if path.is_dir())


def test_fonts_are_asked_for_by_their_content() -> None:
    css = (STATIC / "css" / "tokens.css").read_text()
    fonts = re.findall(r"url\(\.\./(\S+?)\?v=(\w+)\)", css)
    assert len(fonts) == 4
    for name, version in fonts:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest().startswith(version)


def test_css_stays_small_and_every_sign_exists() -> None:
    sizes = {path.stem: path.stat().st_size for path in (STATIC / "css").glob("*.css")}
    assert sum(sizes[name] for name in EVERYWHERE) <= CSS_BUDGET
    assert all(size <= CSS_OF_A_PAGE for name, size in sizes.items() if name not in EVERYWHERE)
    known = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "sprite.svg").read_text()))
    used = set()
    for path in (ROOT / "templates").rglob("*.html"):
        used |= set(re.findall(r'\bicon\("([a-z0-9-]+)"', path.read_text()))
    assert used <= known


def test_static_files_are_kept_for_ever_and_compressed(pages: Pages) -> None:
    page = pages.get("/login")
    link = next(x for x in page.all("link") if "app.css" in x.get("href", ""))
    answer = pages.raw("GET", link.get("href", ""), headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    plain = pages.raw("GET", "/static/css/app.css")
    assert "immutable" not in plain.headers["Cache-Control"]
    plain.close()


def test_pages_are_not_kept_and_not_framed(alice: Pages) -> None:
    headers = alice.raw("GET", "/desk").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "microphone=()" in headers["Permissions-Policy"]


def test_every_page_says_who_may_see_it(pages: Pages, app: Flask) -> None:
    names = app.extensions["helpdesk_pages"]
    silent = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in names and permission_of(rule.endpoint) is None
    ]
    assert silent == []


def test_staff_pages_ask_to_log_in(pages: Pages, app: Flask) -> None:
    for path in ("/desk", "/desk/t/10001", "/desk/clients", "/desk/notices", "/desk/me"):
        page = pages.get(path)
        assert page.status == 401 and "Log in to" in page.text


def test_missing_page_is_plain_and_in_the_readers_language(pages: Pages) -> None:
    page = pages.get("/nowhere", headers={"Accept-Language": "uk"})
    assert page.status == 404
    assert next(page.tree.iter("html")).get("lang") == "uk"


class Marked:
    """Translations that put brackets around whatever is translated."""

    def ugettext(self, text: str) -> str:
        return f"⟦{text}⟧"

    gettext = ugettext

    def ungettext(self, one: str, many: str, n: int) -> str:
        return f"⟦{one if n == 1 else many}⟧"

    ngettext = ungettext

    def upgettext(self, context: str, text: str) -> str:
        return f"⟦{text}⟧"

    pgettext = upgettext


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that goes through gettext is in brackets."""
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda self: Marked())
    forget_words()
    yield
    forget_words()


def join_at_breaks(element: ElementTree.Element) -> None:
    """A word that may be broken (wbr) is one word."""
    before: ElementTree.Element | None = None
    for child in list(element):
        if child.tag != "wbr":
            before = child
            continue
        if before is None:
            element.text = (element.text or "") + (child.tail or "")
        else:
            before.tail = (before.tail or "") + (child.tail or "")
        element.remove(child)


def bare_words(page: Page, data: tuple[str, ...]) -> list[str]:
    """Words in sight that did not go through gettext and are nobody's data."""
    texts = []
    for element in page.tree.iter():
        join_at_breaks(element)
        if element.tag in ("script", "style", "kbd", "textarea", "option", "time"):
            texts.append(element.tail or "")
            continue
        texts += [element.text or "", element.tail or ""]
        texts += [element.get(name) or "" for name in SHOWN]
    whole = "\n".join(texts)
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", whole)) != whole:
        whole = shorter
    for known in sorted(data, key=len, reverse=True):
        whole = whole.replace(known, " ")
    return re.findall(r"[^\W\d_]{2,}", whole)


def test_every_word_in_sight_is_translatable(
    marked: None, alice: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket("Kettle", "Leaks", html="<p>x</p>", visible_text="Le")
    alice.get(f"/desk/t/{number}")
    alice.post(f"/desk/t/{number}/messages", outbound="Photo")
    alice.get(f"/desk/t/{number}")
    alice.post(f"/desk/t/{number}/priority", priority="urgent")
    data = (
        *(
            "Kettle",
            "Leaks",
            "Photo",
            "Оксана Литвиненко",
            "oksana@client.example",
            "oksana@",
            "client",
            ".example",
            "Alice",
        ),
        *("Bob", "Sam", "Ada", "Support", "Billing", "Helpdesk", "українська", "русский"),
        *("English", "alice@example.com", "Standard", "Office", "ОЛ", "Nov", "Monday"),
        *("November", "stranger@elsewhere.example", "Mon", "Le"),
    )
    paths = ("/desk?view=all", f"/desk/t/{number}", f"/desk/t/{number}/clocks", "/desk/clients")
    more = (f"/desk/clients/{cast.oksana.client_id}", "/desk/me", "/desk/keys", "/desk/notices")
    for path in (*paths, *more, "/desk/t/1", "/desk?view=breached", "/desk?q=zzz"):
        page = alice.get(path)
        assert bare_words(page, data) == [], path


def test_a_number_that_no_column_holds_is_the_address_of_nothing(alice: Pages) -> None:
    for path in ("/desk/call/", "/desk/clients/", "/desk/files/"):
        assert alice.get(f"{path}{10**20}").status == 404, path


def test_hostile_language_and_theme_do_not_reach_the_page(pages: Pages) -> None:
    pages.client.set_cookie("language", '"><script>')
    page = pages.get("/login", headers={"Accept-Language": "xx;q=y,,,"})
    assert next(page.tree.iter("html")).get("lang") in ("en", "ru", "uk")
