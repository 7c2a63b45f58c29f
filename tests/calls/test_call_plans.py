"""What callbacks and missed calls ask often is found by an index, however many there were."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.permissions import viewer_of
from helpdesk.calls import callbacks, unattended
from helpdesk.events import Event
from helpdesk.planner import reminders
from helpdesk.planner.planning import open_callback
from helpdesk.planner.queries import open_tasks
from helpdesk.reactions.callbacks import drop_callbacks
from helpdesk.tickets.models import Status
from tests.calls.story import NUMBER, ring
from tests.cast import Cast
from tests.test_query_plans import PG_SCAN, SQLITE_SCAN, caught, plans

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TABLES = {"task", "call", "call_leg", "clock", "event", "ticket", "contact_point", "person"}
READS: dict[str, tuple[Callable[[Session], object], str]] = {
    "callbacks to be dialled": (lambda s: callbacks.due(s, MONDAY), "ix_task_next"),
    "reminders": (lambda s: reminders.remind(s, MONDAY), "ix_task_next"),
    "callers without anybody": (lambda s: unattended.watch(s, MONDAY), "ix_call_waiting"),
    "a number's callback": (lambda s: open_callback(s, NUMBER, 1), "ix_task_number"),
    "a done ticket's callbacks": (
        lambda s: drop_callbacks(s, Event(ticket_id=1, data={"new": Status.CLOSED.value}), MONDAY),
        "ix_task_ticket",
    ),
}


def scans(statements: list[tuple[str, object]]) -> list[str]:
    pattern = SQLITE_SCAN if ext.is_sqlite(ext.db.engine) else PG_SCAN
    return [
        f"{statement}\n{plan}"
        for statement, plan in plans(statements)
        if {match["table"] for match in pattern.finditer(plan)} & TABLES
    ]


@pytest.mark.parametrize("name", READS)
def test_what_is_asked_often_has_an_index(app: Flask, cast: Cast, name: str) -> None:
    read, index = READS[name]
    with ext.write() as session, caught() as statements:
        read(session)
    if ext.is_sqlite(ext.db.engine):
        assert any(index in plan for _statement, plan in plans(statements))
    assert scans(statements) == []


@pytest.mark.parametrize("view", ["mine", "all", "overdue", "queue:1"])
@pytest.mark.parametrize("cursor", [None, "1700000000000000-5"])
def test_a_list_of_tasks_reads_no_whole_table(
    app: Flask, cast: Cast, view: str, cursor: str | None
) -> None:
    with ext.session() as session, caught() as statements:
        for user in (cast.sam, cast.bob):
            open_tasks(session, viewer_of(session, user), view, at=MONDAY, cursor=cursor)
    assert scans(statements) == []


def test_joining_the_queue_and_leaving_it_costs_few_statements(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ring(session, cast, MONDAY).queue(MONDAY)  # what is read once a transaction
        story = ring(session, cast, MONDAY, "+380501112233")
        with caught() as joining:
            story.queue(MONDAY)
        with caught() as leaving:
            story.over(datetime(2026, 11, 23, 10, 5, tzinfo=UTC))
        with caught() as talking:
            ring(session, cast, MONDAY).queue(MONDAY).talk(MONDAY)
    assert scans(joining + leaving + talking) == []
    costs = [len(joining), len(leaving), len(talking)]
    assert all(cost <= most for cost, most in zip(costs, (30, 35, 60), strict=True)), costs
