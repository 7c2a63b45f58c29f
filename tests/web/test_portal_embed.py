"""The form inside other sites: only where the administrator allows it, without cookies."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from helpdesk import ext, settings
from helpdesk.intake.models import Delivery
from helpdesk.lib.errors import HelpdeskError
from helpdesk.settings import read_origins
from helpdesk.tickets.models import NUMBER_OFFSET, Channel, Ticket
from tests.cast import Cast
from tests.web.conftest import Page, Pages

SHOP = "https://shop.example"
FILLED = {"text": "The kettle leaks.", "name": "Olena", "contact": "olena@new.example"}


@pytest.fixture
def shop(pages: Pages) -> Pages:
    """A browser, and a shop that may hold the form."""
    with ext.write() as session:
        settings.put(session, "embed_origins", [SHOP])
    return pages


def send(pages: Pages, clock: time_machine.Traveller, **values: str) -> Page:
    pages.get(f"/embed/ask?lang=en&from={SHOP}")
    clock.shift(timedelta(seconds=20))
    return pages.post(f"/embed/ask?from={SHOP}", **(FILLED | values))


def test_form_opens_a_ticket_and_stays_in_the_frame(
    shop: Pages, clock: time_machine.Traveller
) -> None:
    page = send(shop, clock)
    assert page.status == 200
    with ext.session() as session:
        ticket = session.scalars(select(Ticket)).one()
    assert ticket.channel == Channel.WEB
    assert str(ticket.id + NUMBER_OFFSET) in page.text
    assert page.place.startswith("/embed/t/")
    (link,) = [a for a in page.all("a") if a.get("target") == "_blank"]
    assert link.get("rel") == "noopener"
    assert "The kettle leaks." in shop.get(link.get("href", "")).text


def test_the_frame_needs_and_leaves_no_cookie(shop: Pages, clock: time_machine.Traveller) -> None:
    shop.client = shop.app.test_client(use_cookies=False)
    page = send(shop, clock)
    assert page.place.startswith("/embed/t/")
    for path in ("/embed/ask?lang=uk", "/embed/kept?lang=ru", "/embed.js"):
        assert "Set-Cookie" not in shop.raw("GET", path).headers


def test_the_same_form_twice_is_one_request(shop: Pages, clock: time_machine.Traveller) -> None:
    shop.get("/embed/ask?lang=en")
    assert shop.page is not None
    fields = shop.page.form("/embed/ask") | FILLED
    clock.shift(timedelta(seconds=20))
    places = {shop.send("/embed/ask", dict(fields)).place for _ in range(2)}
    assert len(places) == 1
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_what_is_wrong_is_said_in_the_frame_and_nothing_is_lost(
    shop: Pages, clock: time_machine.Traveller
) -> None:
    page = send(shop, clock, contact="olena@", text="The kettle leaks.")
    assert (page.status, page.place) == (400, f"/embed/ask?from={SHOP}")
    assert page.form("/embed/ask")["text"] == "The kettle leaks."
    assert page.one("main").get("data-holder") == SHOP


def test_a_form_without_our_token_is_not_taken(shop: Pages) -> None:
    page = shop.send("/embed/ask", dict(FILLED, lang="en", csrf_token="1700000000.x.y"))
    assert page.status == 400
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert shop.raw("POST", "/embed/ask", data=FILLED, headers=foreign).status_code == 403
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0


@pytest.mark.parametrize("path", ["/embed/ask", "/embed/kept"])
def test_only_the_sites_of_the_setting_may_hold_it(shop: Pages, path: str) -> None:
    headers = shop.raw("GET", path).headers
    assert f"frame-ancestors {SHOP}" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers
    for other in ("/ask", "/my", "/login", "/en/"):
        headers = shop.raw("GET", other).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"


def test_nobody_may_hold_it_before_a_site_is_named(pages: Pages) -> None:
    headers = pages.raw("GET", f"/embed/ask?from={SHOP}").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("from_", ["https://evil.example", "*", "null", f"{SHOP}.evil.example"])
def test_the_frame_speaks_to_no_other_site(shop: Pages, from_: str) -> None:
    page = shop.get("/embed/ask", query_string={"from": from_, "lang": "en"})
    assert page.one("main").get("data-holder") == ""


def test_script_is_small_and_says_our_words(shop: Pages) -> None:
    with ext.write() as session:
        settings.put(session, "brand_name", "</script><b>")
    answer = shop.raw("GET", "/embed.js")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.mimetype == "text/javascript"
    assert len(answer.data) <= 3_000
    said = json.loads(re.search(r"said = (\{.*\});", answer.text)[1])  # type: ignore[index]
    assert set(said["words"]) == {"en", "ru", "uk"}
    assert "</" not in answer.text.replace("`", "")
    for forbidden in ("eval", "innerHTML", "cookie", "insertAdjacentHTML", ".style ="):
        assert forbidden not in answer.text
    again = shop.raw("GET", "/embed.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_an_article_that_solved_it_is_thanked_for_in_the_frame(shop: Pages) -> None:
    shop.get(f"/embed/ask?lang=en&from={SHOP}")
    assert shop.page is not None
    token = shop.page.form("/embed/ask")["csrf_token"]
    page = shop.send("/embed/solved", {"csrf_token": token, "article": "1", "lang": "en"})
    assert "Nothing was sent" in page.text
    page = shop.send("/embed/solved", {"csrf_token": "x", "article": "1", "lang": "en"})
    assert page.status == 400
    assert page.form("/embed/ask")["csrf_token"] != "x"


def test_a_link_that_is_not_ours_opens_nothing(shop: Pages) -> None:
    assert shop.raw("GET", "/embed/t/1-aaaaaaaaaaaaaaaaaaaaaaaaaa").status_code == 404


def test_administrator_names_the_sites(pages: Pages, cast: Cast) -> None:
    pages.log_in("ada")
    pages.get("/admin/embed")
    lines = "https://Shop.Example/contact\n\nhttps://крамниця.укр\nhttps://shop.example:443\nhttps://shop.example:8443"
    page = pages.post("/admin/embed", embed_origins=lines)
    assert page.form("/admin/embed")["embed_origins"].split() == [
        "https://shop.example",
        "https://xn--80aqejfp0c4d.xn--j1amh",
        "https://shop.example:8443",
    ]
    assert "/embed.js" in page.text
    page = pages.post("/admin/embed", embed_origins="https://shop.example\nshop")
    assert page.status == 400
    assert "“shop” is no site" in page.text
    assert page.form("/admin/embed")["embed_origins"] == "https://shop.example\nshop"


@pytest.mark.parametrize(
    "line",
    [
        *("shop.example", "*", "https://*", "https://*.example", "javascript:alert(1)", "null"),
        *("https://", "https://a;script-src *", "https://a b", "https://a:x", "https://[::1]"),
        *("https://-", "https://a..b", "data:text/html,x", "https://a'b", "https://" + "a" * 300),
    ],
)
def test_what_is_no_site_never_reaches_the_header(line: str) -> None:
    with pytest.raises(HelpdeskError):
        read_origins(line)


def test_sites_are_not_endless() -> None:
    with pytest.raises(HelpdeskError):
        read_origins("\n".join(f"https://s{n}.example" for n in range(51)))
