"""Emails that try to run, to load or to ask: Chromium shows them and nothing happens."""

import base64
import smtplib
from email.header import Header

import pytest
from playwright.sync_api import expect

from helpdesk.tickets.models import NUMBER_OFFSET
from tests.browser.conftest import DOMAIN, House, Visitor
from tests.lib.test_html import ATTACKS
from tests.product import until

pytestmark = pytest.mark.browser

PROBE = "<img src=//evil.example/p.gif><script>top.owned=1;alert(1)</script>"
MORE = [
    "<svg><set attributeName=href to=javascript:alert(1)><a id=x>y</a></svg>",
    "<svg><style>{}*{background:url(//evil.example/s)}</style></svg>",
    "<img src=x onerror=top.owned=1><video poster=//evil.example/v.png>",
    "<body onpageshow=alert(1)><iframe src=//evil.example></iframe>",
    "<object data='data:text/html,<script>parent.owned=1</script>'></object>",
    "<div style='background-image:image-set(url(//evil.example/i) 1x)'>x</div>",
    "<link rel=dns-prefetch href=//evil.example><link rel=preload as=image href=//evil.example/l>",
    "<style>@font-face{font-family:x;src:url(//evil.example/f)}*{font-family:x}</style>",
    "<input autofocus onfocus=top.owned=1><button autofocus popovertarget=keys>x</button>",
    "<p hx-get=/logout hx-trigger=load data-live=lists data-key=take>x</p>",
]
EMAILS = [*ATTACKS, *MORE]
HALVES = 2
FRAMED = 4  # one in so many is also looked at in the frame of its ticket


def hostile(attack: str, n: int) -> bytes:
    """The attack in the body, the subject and the sender's name."""
    line = " ".join(attack.replace("\0", "").split())
    name = Header(f"{line[:60]} {PROBE}", "utf-8", maxlinelen=60).encode(linesep="\r\n")
    subject = Header(f"attack {n} {line[:120]} {PROBE}", "utf-8").encode(linesep="\r\n")
    body = base64.encodebytes(f"<div>body {n}</div>{attack}<p>{PROBE}</p>".encode())
    return (
        f"From: {name} <attacker{n}@hostile.example>\r\nTo: support@{DOMAIN}\r\n"
        f"Subject: {subject}\r\nMessage-ID: <attack-{n}@hostile.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{body.decode()}"
    ).encode()


@pytest.fixture(scope="module", params=range(HALVES))
def shown(request: pytest.FixtureRequest, house: House) -> list[tuple[int, str]]:
    """Messages of this half of the attacks, and the numbers of the tickets they opened."""
    mine = list(enumerate(EMAILS))[request.param :: HALVES]
    with smtplib.SMTP("127.0.0.1", house.product.smtp, timeout=20) as client:
        for n, attack in mine:
            raw = hostile(attack, n)
            client.sendmail(f"attacker{n}@hostile.example", [f"support@{DOMAIN}"], raw)
    ids = ", ".join(f"'attack-{n}@hostile.example'" for n, _attack in mine)
    query = f"SELECT id, ticket_id + {NUMBER_OFFSET} FROM message WHERE message_id IN ({ids})"
    until(lambda: len(house.product.rows(query)) == len(mine), 60)
    return [(int(str(message)), str(number)) for message, number in house.product.rows(query)]


def test_there_are_enough_attacks() -> None:
    assert len(EMAILS) >= 100


def test_hostile_emails_do_nothing_on_the_desk(
    visit: Visitor, shown: list[tuple[int, str]]
) -> None:
    """In lists, in the ticket, in the sender's own design, and in that design on its own."""
    page = visit("denys")
    for message, _number in shown:
        page.goto(f"/desk/messages/{message}/html")
        assert page.evaluate("document.body.textContent.includes('body')")
        assert page.evaluate("[origin, window.owned]") == ["null", None]
    for message, number in shown[::FRAMED]:
        page.goto(f"/desk/t/{number}?view=mine")
        page.locator(f"#h{message} summary").click()
        frame = page.locator(f"#h{message} iframe")
        frame.scroll_into_view_if_needed()
        expect(frame.content_frame.locator("body")).to_contain_text("body")
        assert page.evaluate("window.owned") is None
    seen = 0
    page.goto("/desk?view=all")
    while seen < len(shown):
        seen += page.locator("#rows .row", has_text="owned=1").count()
        assert page.evaluate("window.owned") is None
        page.locator("#list a[rel=next]").click()
        page.wait_for_load_state()
    for address in ("/desk?q=attack", "/desk/clients?q=owned"):
        page.goto(address)
        assert page.evaluate("window.owned") is None
    page.wait_for_timeout(500)
    assert visit.watch.dialogs == visit.watch.foreign == []
