"""GET /reports/sla and the tables of the other reports: shape, numbers, pages, rights."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import ReportScope, User
from helpdesk.lib.clock import now
from helpdesk.reports.cuts import CUTS
from helpdesk.reports.names import REPORTS
from helpdesk.tickets.models import Channel, Metric, Ticket
from tests.api.conftest import Program
from tests.cast import Cast
from tests.reports.rows import place, promise, scatter
from tests.web.conftest import counted

ITEM = {"by", "metric", "met", "breached", "running", "median_seconds", "p90_seconds"}


@pytest.fixture
def some(cast: Cast) -> Cast:
    """Alice has two promises by email, one late; Bob one by phone; one of nobody runs."""
    at = now()
    with ext.write() as session:
        for values, metric, took in (
            ({"assignee_id": cast.alice.id}, Metric.FIRST_RESPONSE, 600),
            ({"assignee_id": cast.alice.id}, Metric.FIRST_RESPONSE, 7200),
            (
                {"assignee_id": cast.bob.id, "queue_id": cast.billing.id, "channel": Channel.PHONE},
                Metric.SPEED_OF_ANSWER,
                30,
            ),
            ({}, Metric.RESOLUTION, None),
        ):
            opened = at - timedelta(days=1)
            ticket = place(session, cast, at=opened, **values)
            promise(session, ticket, metric=metric, took=took, at=at)
    return cast


def test_the_numbers_as_they_are_asked(some: Cast, sam: Program) -> None:
    found = sam.get("/reports/sla", by="agent,channel")
    assert found["next_cursor"] is None
    assert all(item.keys() == ITEM for item in found["items"])
    alice = {"id": some.alice.id, "name": "Alice"}
    bob = {"id": some.bob.id, "name": "Bob"}
    assert found["items"] == [
        line({"agent": None, "channel": "email"}, "resolution", running=1),
        line({"agent": alice, "channel": "email"}, "first_response", 1, 1, 0, 600, 7200),
        line({"agent": bob, "channel": "phone"}, "speed_of_answer", 1, 0, 0, 30, 30),
    ]


def line(
    by: dict[str, Any],
    metric: str,
    met: int = 0,
    breached: int = 0,
    running: int = 0,
    median: int | None = None,
    p90: int | None = None,
) -> dict[str, Any]:
    numbers = {"met": met, "breached": breached, "running": running}
    return {"by": by, "metric": metric, "median_seconds": median, "p90_seconds": p90} | numbers


def test_without_a_word_by_queue_of_the_last_four_weeks(some: Cast, sam: Program) -> None:
    names = {item["by"]["queue"]["name"] for item in sam.get("/reports/sla")["items"]}
    assert names == {"Support", "Billing"}
    assert sam.get("/reports/sla", to="2026-11-21")["items"] == []


ASKED: list[tuple[dict[str, str], int]] = [
    ({"from": "2026-11-22", "to": "2026-11-22"}, 4),
    ({"from": "2026-11-23"}, 0),
    ({"from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:00:01Z"}, 4),
    ({"from": "2026-11-22T12:00:00+02:00", "to": "2026-11-22T12:00:01+02:00"}, 4),
    ({"to": "2026-11-22T10:00:00Z"}, 0),
    ({"queue": "Billing"}, 1),
    ({"agent": "alice@example.com"}, 2),
    ({"agent": "Alice", "channel": "phone"}, 0),
    ({"metric": "resolution"}, 1),
    ({"priority": "normal", "language": "uk"}, 0),
    ({"by": "day,day"}, 4),
]


def test_period_and_filters(some: Cast, sam: Program) -> None:
    for query, count in ASKED:
        items = sam.get("/reports/sla", **query)["items"]
        found = sum(item["met"] + item["breached"] + item["running"] for item in items)
        assert found == count, query


def test_days_are_those_of_the_company(cast: Cast, sam: Program) -> None:
    with ext.write() as session:
        opened = now().replace(hour=22) - timedelta(days=3)  # the next day in Kyiv
        promise(session, place(session, cast, at=opened), took=1, at=opened)
    (item,) = sam.get("/reports/sla", by="day,week,slot")["items"]
    assert item["by"] == {"day": "2026-11-21", "week": "2026-11-16", "slot": "sat-00"}


def test_every_cut_sums_to_the_same_and_pages_give_the_whole(cast: Cast, sam: Program) -> None:
    with ext.write() as session:
        scatter(session, cast, now(), 60)
    whole = totals(sam.get("/reports/sla", by="queue"))
    assert sum(whole) > 40
    several = "queue,priority,channel,agent,client,day"
    for by in ("agent", "priority", "organisation,language", "day,channel,team", several, "kind"):
        assert totals(sam.get("/reports/sla", by=by)) == whole, by
    found: list[Any] = []
    page = sam.get("/reports/sla", by="client,priority", limit=7)
    while True:
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
        page = sam.get("/reports/sla", by="client,priority", limit=7, cursor=cursor)
    assert found == sam.get("/reports/sla", by="client,priority")["items"]


def totals(answer: Any) -> list[int]:
    names = ("met", "breached", "running")
    return [sum(item[name] for item in answer["items"]) for name in names]


def test_rights_narrow_the_numbers(
    some: Cast, alice: Program, bob: Program, sam: Program, ada: Program
) -> None:
    assert totals(alice.get("/reports/sla")) == [1, 1, 0]
    assert totals(bob.get("/reports/sla")) == [1, 0, 0]
    assert totals(alice.get("/reports/sla", agent=str(some.bob.id))) == [0, 0, 0]
    bob.get("/reports/sla", 404, queue="Support")
    with ext.write() as session:
        session.get_one(User, some.sam.id).reports = ReportScope.NONE
    assert totals(sam.get("/reports/sla")) == [0, 0, 0]
    assert totals(ada.get("/reports/sla")) == [2, 1, 1]


WRONG: list[tuple[int, dict[str, str], str]] = [
    (400, {"by": "colour"}, "by"),
    (400, {"by": "queue,"}, "by"),
    (400, {"by": "queue,priority,channel,agent,client,day,week"}, "by"),
    (400, {"from": "soon"}, "from"),
    (400, {"metric": "speed"}, "metric"),
    (400, {"limit": "0"}, "limit"),
    (400, {"colour": "red"}, "colour"),
    (400, {"queue": "x" * 10_000}, "queue"),
    (404, {"queue": "Nowhere"}, "queue"),
    (404, {"reason": "nothing"}, "reason"),
    (404, {"agent": "Nobody"}, "agent"),
    (404, {"agent": "99999"}, "agent"),
    (400, {"by": ""}, "by"),
    (400, {"to": "2026-11-20T25:00"}, "to"),
    (400, {"to": "2026-11-20\0"}, "to"),
    (400, {"from": "2026-02-30"}, "from"),
    (400, {"from": "2026-11-20", "to": "2026-11-19"}, "to"),
    (400, {"from": "2020-01-01"}, "to"),
]


def test_what_does_not_fit_is_told(sam: Program) -> None:
    for status, query, field in WRONG:
        problem = sam.get("/reports/sla", status, **query)
        assert field in [error["field"] for error in problem["errors"]], query
        vague = problem["errors"][0]["message"] == "This value does not fit here."
        assert field not in ("by", "from", "to") or not vague, query


def test_a_stale_cursor_ends_the_list(some: Cast, sam: Program) -> None:
    assert sam.get("/reports/sla", cursor="zz")["items"] == []


def test_every_report_gives_its_tables(cast: Cast, ada: Program) -> None:
    with ext.write() as session:
        scatter(session, cast, now(), 20)
    for name in REPORTS.keys() - {"sla"}:
        found = ada.get(f"/reports/{name}")
        assert found["name"] == name and found["title"]
        assert found["period"] == {
            "from": "2026-10-26T22:00:00Z",
            "to": "2026-11-23T22:00:00Z",
            "timezone": "Europe/Kyiv",
        }
        for table in found["tables"]:
            for row in [*table["lines"], *filter(None, [table["total"]])]:
                assert len(row["values"]) == len(row["before"]) == len(table["measures"])
    ada.get("/reports/nothing", 404)
    other = next(cut for cut in CUTS if cut not in REPORTS["calls"].cuts)
    ada.get("/reports/calls", 400, by=other)


def test_it_costs_few_statements(some: Cast, sam: Program) -> None:
    with counted() as statements:
        sam.get("/reports/sla", by="queue,agent,client,team")
    assert len(statements) <= 12
    with ext.session() as session:
        assert len(session.scalars(select(Ticket.id)).all()) == 4
