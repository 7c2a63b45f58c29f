"""Contract statements as people see them: read, agreed on, closed, printed for the client."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from playwright.sync_api import Browser, Route
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import ReportScope, User
from helpdesk.clients.merge import merge
from helpdesk.clients.models import Client, ClientKind
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.reports.contracts import closing
from helpdesk.reports.contracts.statements import Subject
from helpdesk.reports.models import Exclusion, Statement
from helpdesk.tickets import actions, policies
from helpdesk.tickets.models import NUMBER_OFFSET, Clock, Policy, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages, counted

HOUR = 3600
LIST = "/supervisor/statements?month=2026-11"
SITE = "http://helpdesk.localhost"
AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js").read_text()
RUN = "options => axe.run(document, options).then(found => found.violations.map(one => one.id))"


@pytest.fixture
def broken(cast: Cast, desk: Desk, clock: time_machine.Traveller) -> str:
    """The number of a ticket of an organisation that was answered an hour too late."""
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        client.kind, client.name, client.language = ClientKind.ORGANISATION, "Ромашка", "uk"
        policy = session.scalars(select(Policy)).one()
        actor, targets = Actor(user_id=cast.ada.id), {"first_response": 4 * HOUR}
        policies.change(session, policy, actor=actor, at=now(), targets=targets)
    number = desk.ticket()
    clock.shift(5 * HOUR)
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actions.reply(session, ticket, "x", user_id=cast.alice.id, at=now())
    return number


@pytest.fixture
def path(cast: Cast, broken: str) -> str:
    with ext.session() as session:
        policy_id = session.scalars(select(Policy.id)).one()
    return f"/supervisor/statements/2026-11/{cast.oksana.client_id}/{policy_id}"


def clock_id() -> int:
    with ext.session() as session:
        return session.scalars(select(Clock.id).where(Clock.breached_at.is_not(None))).one()


def exclusion_id() -> int:
    with ext.session() as session:
        return session.scalars(select(Exclusion.id)).one()


def test_a_breach_is_excluded_agreed_on_and_the_month_is_closed(
    pages: Pages, path: str, broken: str, cast: Cast, clock: time_machine.Traveller
) -> None:
    pages.log_in("sam")
    page = pages.get(LIST)
    assert [a.get("href") for a in page.all("th/a")] == [path]
    with counted() as statements:
        page = pages.get(path)
    assert len(statements) <= 12, statements
    assert "Breached" in page.text
    assert f"№ {broken}" in page.text
    assert "Close the month" not in page.text  # that is for administrators
    ask = f"/supervisor/exclusions/clock/{clock_id()}"
    pages.get(ask)
    assert "Say why" in pages.post(ask, reason=" ").text
    assert "Asked." in pages.post(ask, reason="Their server was down").text
    decide = f"/supervisor/exclusions/{exclusion_id()}/decide"
    assert pages.send(decide, {"csrf_token": pages.token, "approved": "1"}).status == 404

    pages.log_in("ada")
    page = pages.get("/supervisor/exclusions")
    assert "Their server was down" in page.text
    assert "Approved." in pages.post(decide, approved="1").text
    page = pages.get(path)
    assert "A month can be closed when it is over." in page.text
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    pages.log_in("ada")
    pages.get(path)
    assert pages.post(f"{path}/close").status == 400  # without the tick
    page = pages.post(f"{path}/close", sure="1")
    assert "The month is closed." in page.text
    assert page.place == pages.get(path).place  # the address of the draft leads to it
    assert "approved by Ada" in page.text
    with ext.write() as session:
        seal = session.scalars(select(Statement)).one().data["seal"]
        closing.forget_names(session, [cast.oksana.client_id])
    assert seal in page.text
    erased = pages.get(page.place).text
    assert "(erased)" in erased
    assert seal in erased
    assert "Changed after it was closed" not in erased
    assert page.place in [a.get("href") for a in pages.get(LIST).all("th/a")]


def test_who_asked_withdraws_and_a_colleague_cannot(
    pages: Pages, path: str, cast: Cast, broken: str
) -> None:
    pages.log_in("ada")
    ask = f"/supervisor/exclusions/clock/{clock_id()}"
    pages.get(ask)
    pages.post(ask, reason="Their server was down")
    withdraw = f"/supervisor/exclusions/{exclusion_id()}/withdraw"
    pages.log_in("sam")
    assert withdraw not in pages.get(path).html
    pages.get(ask)
    assert pages.send(withdraw, {"csrf_token": pages.token}).status == 404
    pages.log_in("ada")
    pages.get(path)
    assert "Approve" not in pages.get(path).text  # nobody approves what they asked for
    assert "Withdrawn" in pages.post(withdraw).text


def test_the_print_speaks_the_language_of_the_client(
    pages: Pages, path: str, cast: Cast, broken: str
) -> None:
    pages.log_in("sam")
    for language, other in (("uk", "ru"), ("en", "uk")):
        with ext.write() as session:
            session.get_one(Client, cast.oksana.client_id).language = language
        page = pages.get(f"{path}/print")
        assert f'<html lang="{language}"' in page.html
        assert "Ромашка" in page.text
        assert f'<html lang="{other}"' in pages.get(f"{path}/print?lang={other}").html


def test_every_number_of_a_draft_leads_to_the_promises_it_counts(
    pages: Pages, path: str, broken: str
) -> None:
    pages.log_in("sam")
    links = [a for a in pages.get(path).all("td/a") if "/supervisor/list/" in a.get("href", "")]
    assert len(links) == 4  # counted and breached, of the metric and of all
    for link in links:
        page = pages.get(link.get("href", ""))
        assert page.status == 200
        assert f"№ {broken}" in page.text
        assert len(page.all("tbody/tr")) == int("".join(link.itertext()))


@pytest.mark.browser
def test_the_print_becomes_a_pdf_of_its_own(
    pages: Pages, path: str, broken: str, chromium: Browser
) -> None:
    """Chromium gets what the test's browser got; no server is needed for that."""
    pages.log_in("sam")
    html = pages.get(f"{path}/print").html
    there = [f"{path}/print", *re.findall(r'(?:href|src)="(/static/[^"#]+)', html)]
    known = {}
    for one in there:
        with pages.raw("GET", one) as response:
            known[f"{SITE}{one}"] = (dict(response.headers), response.data)
    page = chromium.new_context(color_scheme="dark").new_page()

    def answer(route: Route) -> None:
        found = known.get(route.request.url)
        if found is None:
            route.abort()
        else:
            route.fulfill(headers=found[0], body=found[1])

    page.route("**/*", answer)
    page.goto(f"{SITE}{path}/print")
    page.evaluate(AXE)
    assert page.evaluate(RUN, {"resultTypes": ["violations"]}) == []
    assert page.get_by_role("button").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".tools").is_visible()
    assert "Ромашка" in page.inner_text("main")
    pdf = page.pdf(prefer_css_page_size=True)
    page.context.close()
    assert pdf.startswith(b"%PDF-")
    boxes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf)
    assert {(round(float(wide)), round(float(high))) for wide, high in boxes} == {(595, 842)}  # A4


def test_statements_are_for_who_sees_all_numbers(pages: Pages, path: str, cast: Cast) -> None:
    pages.log_in("alice")
    assert pages.get(path).status == 404
    with ext.write() as session:
        session.get_one(User, cast.sam.id).reports = ReportScope.TEAM
    pages.log_in("sam")
    for address in (LIST, path, f"{path}/print", "/supervisor/exclusions"):
        assert pages.get(address).status == 404


def test_wrong_addresses_say_what_is_wrong(pages: Pages, path: str, cast: Cast) -> None:
    pages.log_in("ada")
    assert pages.get("/supervisor/statements?month=2026-13").status == 400
    assert pages.get(f"/supervisor/statements?month={'9' * 10_000}").status == 400
    assert pages.get(path.replace("2026-11", "november")).status == 400
    assert pages.get(f"{path}9999").status == 404
    assert pages.get("/supervisor/statements/999").status == 404
    assert pages.get("/supervisor/statements?month=2026-10").status == 200


def test_the_pages_of_a_merged_client_lead_to_every_statement(
    pages: Pages, path: str, cast: Cast, desk: Desk, clock: time_machine.Traveller
) -> None:
    kept, theirs = cast.oksana.client_id, desk.ticket("Lamp", who=cast.stranger)
    with ext.write() as session:
        gone = session.get_one(Client, session.get_one(Ticket, number_id(theirs)).client_id)
        gone.kind, gone_id = ClientKind.ORGANISATION, gone.id
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    ours = close_month(cast, path)
    with ext.write() as session:
        merge(session, kept, gone_id, actor=Actor(user_id=cast.ada.id), at=now())
    pages.log_in("sam")
    assert {a.get("href") for a in pages.get(LIST).all("th/a")} == {path, ours}
    page = pages.get(path.replace(f"/{kept}/", f"/{gone_id}/"))
    assert page.place == path, "an address of before the merge leads on"
    assert ours in page.html
    behind = next(
        a.get("href", "") for a in page.all("a") if "/list/statement" in a.get("href", "")
    )
    assert "Lamp" in pages.get(behind).text and "Kettle" not in pages.get(behind).text
    newest = close_month(cast, path)
    page = pages.get(path)
    assert page.place == newest
    assert ours in page.html and newest in pages.get(ours).html
    assert f"№ {ours.rpartition('/')[2]}" in pages.get(f"{newest}/print").text


def close_month(cast: Cast, path: str) -> str:
    """The address of the statement."""
    month, client_id, policy_id = path.rsplit("/", 3)[1:]
    with ext.write() as session:
        subject = Subject(int(client_id), int(policy_id), month)
        done = closing.close(session, subject, actor=Actor(user_id=cast.ada.id), at=now())
        return f"/supervisor/statements/{done.id}"


def number_id(number: str) -> int:
    return int(number) - NUMBER_OFFSET
