"""Every main page: nothing for axe to find, nothing refused, nothing wider than the screen."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from helpdesk.tickets.models import NUMBER_OFFSET
from tests.browser.conftest import DESKTOP, DOMAIN, PHONE, House, Visitor, Watch, text_of
from tests.product import until

pytestmark = pytest.mark.browser

AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js").read_text()
RUN = """options => axe.run(document, options).then(found => found.violations.map(
  rule => `${rule.id}: ${rule.nodes.map(node => node.html.slice(0, 160)).join(" | ")}`))"""
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": ["color-contrast", "link-in-text-block"]}

DESK = (
    "/desk?view=all",
    "/desk?view=breached",
    "/desk?q=холодильник",
    "/desk?q=zzzzzz",
    "/desk/notices",
    "/desk/keys",
    "/desk/me",
    "/desk/clients",
    "/desk/clients/5",
    "/desk/clients/5/edit",
    "/desk/clients/5/items/new",
    "/desk/clients/5/people/new",
    "/desk/clients/5/ticket",
    "/desk/t/{number}/clocks",
    "/desk/nothing/here",
    "/supervisor",
    "/supervisor/reports/sla?channel=email",
    "/supervisor/reports/satisfaction",
)
ADMIN = (
    "/admin",
    "/admin/staff",
    "/admin/staff/1",
    "/admin/fields",
    "/admin/fields/new",
    "/admin/queues",
    "/admin/queues/1",
    "/admin/calendars",
    "/admin/calendars/1",
    "/admin/calendars/1/holidays",
    "/admin/policies",
    "/admin/policies/{policy}",
    "/admin/deliveries",
    "/admin/deliveries/{delivery}",
    "/admin/brand",
    "/admin/settings",
    "/admin/tokens",
    "/outbox",
    "/outbox/{email}",
)
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def inspect(page: Page) -> list[str]:
    """The rules that are broken and where, in light and in dark; too wide counts as one."""
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light")
    found = page.evaluate(RUN, EVERYTHING)
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(RUN, COLOURS)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the screen")
    return [str(one) for one in found]


@pytest.fixture(scope="session")
def numbers(house: House) -> dict[str, str]:
    """What is shown: a late ticket that is open, the policy with the most steps, emails."""
    (ticket,) = house.product.rows(
        "SELECT id FROM ticket WHERE sla = 'breached' AND status = 'open' ORDER BY id DESC LIMIT 1"
    )
    (policy,) = house.product.rows(
        "SELECT policy_id FROM policy_step GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    house.email("Where is it?", From="a@page.example", To=f"support@{DOMAIN}", Subject="Parcel")
    until(lambda: house.product.rows("SELECT id FROM delivery WHERE state = 'done'"))
    (delivery,) = house.product.rows("SELECT max(id) FROM delivery")
    (email,) = house.product.rows("SELECT max(id) FROM outgoing")
    return {
        "number": str(int(str(ticket[0])) + NUMBER_OFFSET),
        "policy": str(policy[0]),
        "email": str(email[0]),
        "delivery": str(delivery[0]),
    }


@SIZES
@pytest.mark.parametrize("pages", [DESK, ADMIN], ids=["desk", "admin"])
def test_pages_of_staff(
    visit: Visitor, numbers: dict[str, str], pages: tuple[str, ...], size: tuple[int, int]
) -> None:
    page = visit("admin", size)
    found = {}
    for address in pages:
        page.goto(address.format(**numbers))
        expect(page.locator("h1")).to_be_visible()
        found[address] = inspect(page)
    assert {address: broken for address, broken in found.items() if broken} == {}
    nowhere = "/nothing/here"
    visit.watch.problems = [p for p in visit.watch.problems if nowhere not in p]


@SIZES
def test_ticket_with_its_reply_its_note_and_its_popovers(
    visit: Visitor, numbers: dict[str, str], size: tuple[int, int]
) -> None:
    page = visit("denys", size)
    page.goto(f"/desk/t/{numbers['number']}?view=all")
    expect(page.locator("#text-reply")).to_be_visible()
    assert inspect(page) == []
    page.keyboard.press("KeyN")
    expect(page.locator("#text-note")).to_be_focused()
    assert inspect(page) == []
    page.keyboard.press("Escape")
    page.locator("[popovertarget=p-clocks]").first.click()
    expect(page.locator("#clocks table").first).to_be_visible()
    assert inspect(page) == []
    page.keyboard.press("Escape")
    page.locator("[data-key=priority]").click()
    expect(page.locator("#p-priority")).to_be_visible()
    assert inspect(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Slash")
    expect(page.locator("#keys")).to_be_visible()
    assert inspect(page) == []


@SIZES
def test_pages_of_everybody(visit: Visitor, house: House, size: tuple[int, int]) -> None:
    who = f"visitor{size[0]}@client.example"
    house.email("It is broken.", From=who, To="support@helpdesk.localhost", Subject="Kettle")
    link = next(word for word in text_of(house.outgoing(who)).split() if "/t/" in word)
    page = visit(None, size)
    for address in ("/", "/login", link):
        page.goto(address)
        assert inspect(page) == []
    page.goto("/t/not-a-token")
    assert inspect(page) == []
    visit.watch.forgive("404")


def test_the_watch_has_teeth(visit: Visitor) -> None:
    """What all tests here would stumble over is found: a flaw, a foreign address, a dialog."""
    page = visit()
    page.goto("/login")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=//evil.example/x>')")
    page.evaluate("alert(1)")
    page.evaluate("location.assign('http://evil.example/')")
    page.wait_for_timeout(500)
    assert visit.watch.dialogs == ["1"]
    assert visit.watch.foreign == ["http://evil.example/"]
    assert any(problem.startswith("CSP img-src") for problem in visit.watch.problems)
    page.goto("/login")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/icon.svg>')")
    page.evaluate("document.body.style.width = '200vw'")
    found = "".join(inspect(page))
    assert "image-alt" in found and "wider than the screen" in found
    visit.watch = Watch()
