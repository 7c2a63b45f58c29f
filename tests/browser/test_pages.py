"""Every main page: nothing for axe to find, nothing refused, nothing wider than the screen."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from helpdesk.tickets.models import NUMBER_OFFSET
from tests.browser.conftest import DESKTOP, PHONE, House, Visitor, text_of

pytestmark = pytest.mark.browser

AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js").read_text()
RUN = """options => axe.run(document, options).then(found => found.violations.map(
  rule => `${rule.id}: ${rule.nodes.map(node => node.html.slice(0, 160)).join(" | ")}`))"""
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": ["color-contrast", "link-in-text-block"]}

STAFF = {
    "queue": "/desk?view=all",
    "breached": "/desk?view=breached",
    "search": "/desk?q=холодильник",
    "nothing found": "/desk?q=zzzzzz",
    "notices": "/desk/notices",
    "keys": "/desk/keys",
    "me": "/desk/me",
    "clients": "/desk/clients",
    "client": "/desk/clients/5",
    "clocks": "/desk/t/{number}/clocks",
    "supervisor": "/supervisor",
    "admin": "/admin",
    "staff": "/admin/staff",
    "member": "/admin/staff/1",
    "queues": "/admin/queues",
    "queue edit": "/admin/queues/1",
    "calendars": "/admin/calendars",
    "calendar edit": "/admin/calendars/1",
    "holidays": "/admin/calendars/1/holidays",
    "policies": "/admin/policies",
    "policy edit": "/admin/policies/{policy}",
    "deliveries": "/admin/deliveries",
    "settings": "/admin/settings",
    "tokens": "/admin/tokens",
    "outbox": "/outbox",
    "nothing here": "/desk/nothing/here",
}
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def inspect(page: Page) -> None:
    """Fails with the rules that are broken and where, in light and in dark."""
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light")
    assert page.evaluate(RUN, EVERYTHING) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(RUN, COLOURS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="session")
def numbers(house: House) -> dict[str, str]:
    """What is shown: a late ticket that is open, and the policy with the most steps."""
    (ticket,) = house.product.rows(
        "SELECT id FROM ticket WHERE sla = 'breached' AND status = 'open' ORDER BY id DESC LIMIT 1"
    )
    (policy,) = house.product.rows(
        "SELECT policy_id FROM policy_step GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    return {"number": str(int(str(ticket[0])) + NUMBER_OFFSET), "policy": str(policy[0])}


@SIZES
@pytest.mark.parametrize("name", STAFF)
def test_page_of_staff(
    visit: Visitor, numbers: dict[str, str], name: str, size: tuple[int, int]
) -> None:
    page = visit("admin", size)
    page.goto(STAFF[name].format(**numbers))
    expect(page.locator("h1")).to_be_visible()
    inspect(page)
    if name == "nothing here":
        visit.watch.forgive("404")


@SIZES
def test_ticket_with_its_reply_its_note_and_its_popovers(
    visit: Visitor, numbers: dict[str, str], size: tuple[int, int]
) -> None:
    page = visit("denys", size)
    page.goto(f"/desk/t/{numbers['number']}?view=all")
    expect(page.locator("#text-reply")).to_be_visible()
    inspect(page)
    page.keyboard.press("KeyN")
    expect(page.locator("#text-note")).to_be_focused()
    inspect(page)
    page.keyboard.press("Escape")
    page.locator("[popovertarget=p-clocks]").first.click()
    expect(page.locator("#clocks table").first).to_be_visible()
    inspect(page)
    page.keyboard.press("Escape")
    page.locator("[data-key=priority]").click()
    expect(page.locator("#p-priority")).to_be_visible()
    inspect(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Slash")
    expect(page.locator("#keys")).to_be_visible()
    inspect(page)


@SIZES
def test_pages_of_everybody(visit: Visitor, house: House, size: tuple[int, int]) -> None:
    who = f"visitor{size[0]}@client.example"
    house.email("It is broken.", From=who, To="support@helpdesk.localhost", Subject="Kettle")
    link = next(word for word in text_of(house.outgoing(who)).split() if "/t/" in word)
    page = visit(None, size)
    for address in ("/", "/login", link):
        page.goto(address)
        inspect(page)
    page.goto("/t/not-a-token")
    inspect(page)
    visit.watch.forgive("404")
