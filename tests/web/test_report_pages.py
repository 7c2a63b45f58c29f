"""The pages of reports: filters in the address, numbers that lead on, files, whose numbers."""

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import ReportScope, Team, User
from helpdesk.events import Actor, Event
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.reports.names import REPORTS
from helpdesk.tickets.actions import assign
from helpdesk.tickets.models import NUMBER_OFFSET, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages, counted

SLA = "/supervisor/reports/sla"


@pytest.fixture
def sam(pages: Pages) -> Pages:
    """A browser in which the supervisor Sam is logged in."""
    pages.log_in("sam")
    return pages


@pytest.fixture
def worked(cast: Cast, desk: Desk, clock: time_machine.Traveller) -> list[str]:
    """Three tickets in Support, of which Alice has one, and one in Billing; half a day passed."""
    numbers = [desk.ticket(f"Kettle {number}") for number in range(3)]
    numbers.append(desk.ticket("Invoice", queue=cast.billing))
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(numbers[0]) - NUMBER_OFFSET)
        assign(session, ticket, session.merge(cast.alice), actor=Actor(), at=now())
    clock.shift(timedelta(hours=5))
    return numbers


def rows(page: Any, table: str = "all") -> dict[str, list[str]]:
    """The lines of a table: name → numbers."""
    (card,) = (one for one in page.all("section") if one.get("id") == f"t-{table}")
    found = {}
    for line in card.iter("tr"):
        cells = [" ".join("".join(cell.itertext()).split()) for cell in line]
        found[cells[0]] = cells[1:]
    return found


def links(page: Any, start: str) -> list[str]:
    return [a.get("href", "") for a in page.all("a") if a.get("href", "").startswith(start)]


def test_the_report_divides_its_numbers_and_each_leads_on(sam: Pages, worked: list[str]) -> None:
    page = sam.get(SLA)
    found = rows(page)
    assert found["Support"][0] == "3" and found["Billing"][0] == "1"
    assert found["Total"][0] == "4"
    for href in links(page, "/supervisor/list/"):
        asked = parse_qs(urlsplit(href).query)
        assert asked["from"] == ["2026-10-27"] and asked["to"] == ["2026-11-23"]
    lists = set(links(page, "/supervisor/list/"))
    assert lists
    for href in sorted(lists)[:3]:
        assert sam.get(href).status == 200
    (deeper, *_more) = [
        href for href in links(page, SLA) if "queue=" in href and "by=agent" in href
    ]
    narrowed = rows(sam.get(deeper))
    assert set(narrowed) >= {"Alice", "Nobody"}


def test_every_report_stands_for_every_reader_in_every_language(
    pages: Pages, cast: Cast, worked: list[str]
) -> None:
    for who, language in (("alice", "uk"), ("sam", "ru")):
        with ext.write() as session:
            session.get_one(User, getattr(cast, who).id).language = language
        pages.log_in(who)
        for name in REPORTS:
            page = pages.get(f"/supervisor/reports/{name}")
            assert page.status == 200, (who, name)
    for name in REPORTS:
        for cut in {"day", "slot", "client"} & {*REPORTS[name].cuts}:
            assert pages.get(f"/supervisor/reports/{name}?by={cut}&period=7d").status == 200


def test_filters_stay_in_the_address_and_can_be_taken_away(sam: Pages, worked: list[str]) -> None:
    page = sam.get(f"{SLA}?queue=1&channel=email&team=&by=agent")
    assert "team" not in page.place
    assert "Queue: Support" in page.text and "Channel: Email" in page.text
    form = page.form(SLA)
    assert form["queue"] == "1" and form["channel"] == "email" and form["by"] == "agent"
    (without,) = [
        a.get("href", "") for a in page.all("a[@class='chip']") if "Queue:" in "".join(a.itertext())
    ]
    assert "queue=" not in without and "channel=email" in without and "by=agent" in without
    assert rows(sam.get(without))["Total"][0] == "4"


WRONG = {
    "from=2026-13-01": "is no day",
    "from=2026-11-20&to=2026-11-01": "ends before it begins",
    "from=2001-01-01&to=2026-01-01": "at most 400 days",
    "period=century": "no such period",
    "queue=support": "has no value",
    "channel=pigeon": "has no value",
    "slot=mon-99": "has no value",
    "by=colour": "is not divided by",
    "by=" + "x" * 10_000: "too long",
    "queue=" + "9" * 5000: "too long",
    "from=%00x": "is no day",
}


def test_what_is_asked_wrong_is_said_above_the_bar(sam: Pages) -> None:
    for query, said in WRONG.items():
        page = sam.get(f"{SLA}?{query}")
        assert page.status == 400, query[:40]
        told = [p for p in page.all("p") if p.get("role") == "alert"]
        alerts = [text for p in told if (text := "".join(p.itertext()))]
        assert len(alerts) == 1 and said in alerts[0], (query[:40], alerts)
        assert page.form(SLA)
        assert sam.raw("GET", f"{SLA}.csv?{query}").status_code == 400


def test_ids_of_nothing_are_no_error_and_count_nothing(sam: Pages, worked: list[str]) -> None:
    for query in (
        "queue=999999999",
        "agent=999",
        "client=77777",
        "reason=4242",
        "only_reason=4242",
    ):
        page = sam.get(f"{SLA}?{query}")
        assert page.status == 200
        assert "Nothing was counted here" in page.text


def test_what_is_not_there_is_not_found(sam: Pages) -> None:
    for path in ("/supervisor/reports/nothing", "/supervisor/reports/sla.pdf"):
        assert sam.raw("GET", path).status_code == 404
    assert sam.raw("GET", f"{SLA}.csv?table=nothing").status_code == 404


def test_an_address_without_a_name_leads_to_the_first_report(sam: Pages) -> None:
    for asked, found in (("", ""), ("?period=7d&queue=", "?period=7d")):
        answer = sam.raw("GET", f"/supervisor/reports{asked}")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{SLA}{found}")


def test_an_agent_sees_their_own_numbers_only(alice: Pages, worked: list[str]) -> None:
    page = alice.get(SLA)
    assert rows(page)["Support"][0] == "1"
    assert "Your own numbers" in page.text
    form = page.form(SLA)
    assert "agent" not in form and "team" not in form
    assert not links(page, f"{SLA}.csv") and not links(page, "/supervisor/schedules")
    assert alice.raw("GET", f"{SLA}.csv").status_code == 404
    assert alice.raw("GET", f"{SLA}.xlsx").status_code == 404
    assert links(alice.get("/desk"), SLA)


def test_a_supervisor_of_a_team_sees_the_team(pages: Pages, cast: Cast, worked: list[str]) -> None:
    with ext.write() as session:
        team = Team(name="Kitchen", sort_key=sort_key("Kitchen"), created_at=now())
        session.add(team)
        session.flush()
        session.get_one(User, cast.sam.id).reports = ReportScope.TEAM
    pages.log_in("sam")
    page = pages.get(SLA)
    assert "You belong to no team" in page.text and "Nothing was counted here" in page.text
    with ext.write() as session:
        for user in (cast.sam, cast.alice):
            session.get_one(User, user.id).team_id = team.id
    page = pages.get(SLA)
    assert "Team Kitchen" in page.text and rows(page)["Support"][0] == "1"


def test_a_queue_that_is_not_open_to_an_agent_is_not_there(
    pages: Pages, cast: Cast, worked: list[str]
) -> None:
    pages.log_in("bob")
    page = pages.get(SLA)
    assert "Support" not in page.html
    assert pages.get(f"{SLA}?queue={cast.billing.id}").status == 200
    for query in (f"queue={cast.support.id}", "queue=99999"):
        page = pages.get(f"{SLA}?{query}")
        assert page.status == 404 and "Support" not in page.html


def sheet_of(answer: Any) -> list[list[str]]:
    text = answer.get_data().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_a_report_as_csv_has_the_numbers_of_the_page(
    sam: Pages, cast: Cast, worked: list[str]
) -> None:
    page = sam.get(SLA)
    answer = sam.raw("GET", f"{SLA}.csv?table=all")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    head, *lines = sheet_of(answer)
    assert head[0] == "Queue" and head[1] == "Tickets"
    assert {line[0]: line[1] for line in lines} == {
        name: numbers[0] for name, numbers in rows(page).items() if name != "Queue"
    }
    whole = sheet_of(sam.raw("GET", f"{SLA}.csv?queue=1"))
    assert ["Queue", "Support"] in whole and ["All promises"] in whole
    with ext.session() as session:
        kinds = session.execute(
            select(Event.kind, Event.data).where(Event.kind == "report.exported").order_by(Event.id)
        ).all()
    assert [data for _kind, data in kinds] == [{"report": "sla", "form": "csv"}] * 2


def test_a_formula_in_a_name_stays_a_text(sam: Pages, cast: Cast, worked: list[str]) -> None:
    evil = '=HYPERLINK("http://evil.example","x")'
    with ext.write() as session:
        session.get_one(type(cast.support), cast.support.id).name = evil
    lines = sheet_of(sam.raw("GET", f"{SLA}.csv?table=all"))
    assert f"'{evil}" in [line[0] for line in lines]
    book = openpyxl.load_workbook(io.BytesIO(sam.raw("GET", f"{SLA}.xlsx").get_data()))
    (cell,) = [row[0] for row in book["All promises"].iter_rows() if row[0].value == evil]
    assert cell.data_type == "s" and cell.hyperlink is None


def test_a_workbook_has_real_numbers_and_the_definitions(
    sam: Pages, cast: Cast, worked: list[str]
) -> None:
    book = openpyxl.load_workbook(io.BytesIO(sam.raw("GET", f"{SLA}.xlsx").get_data()))
    assert book.sheetnames[:2] == ["SLA", "All promises"] and "Definitions" in book.sheetnames
    sheet = book["All promises"]
    heads = [cell.value for cell in sheet[1]]
    total = dict(zip(heads, list(sheet.rows)[-1], strict=True))
    assert total["Queue"].value == "Total"
    assert total["Tickets"].value == 4 and total["Tickets"].data_type == "n"
    assert total["SLA attainment"].number_format == "0.0%"
    by_day = sam.raw("GET", f"{SLA}.xlsx?by=day").get_data()
    days = openpyxl.load_workbook(io.BytesIO(by_day))["All promises"]
    assert days["A2"].is_date


def test_a_report_asks_the_database_little(sam: Pages, worked: list[str]) -> None:
    found = {}
    for name in REPORTS:
        sam.get(f"/supervisor/reports/{name}")
        with counted() as statements:
            sam.get(f"/supervisor/reports/{name}?queue=1")
        found[name] = len(statements)
    assert max(found.values()) <= 18, found  # nothing is kept between requests here
