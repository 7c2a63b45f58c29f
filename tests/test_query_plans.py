"""Every list, sweep and delivery finds its rows by an index, on both databases.

The statements are caught while the product runs them and explained afterwards. PostgreSQL is
told to avoid reading whole tables, so one that is still read has no index that would do.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from helpdesk import ext, jobs, notices
from helpdesk.accounts import sessions
from helpdesk.accounts.models import Role
from helpdesk.accounts.permissions import Viewer, viewer_of
from helpdesk.intake import archive, receive
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.lib.clock import now
from helpdesk.live import changes
from helpdesk.tickets import escalation, queries, search, sla, views
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.tickets.views import View
from helpdesk.web.guard import COOKIE
from tests.cast import PASSWORD, Cast

BIG = (
    "article_feedback",
    "article_reading",
    "article_version",
    "attachment",
    "citation",
    "client",
    "client_note",
    "clock",
    "contact_point",
    "delivery",
    "document",
    "duplicate_pair",
    "event",
    "failed_reaction",
    "invoice",
    "item",
    "kb_example",
    "kb_miss",
    "kb_search",
    "login_session",
    "message",
    "notice",
    "outgoing",
    "person",
    "portal_code",
    "portal_session",
    "promise",
    "purchase",
    "rating",
    "report_file",
    "stored_file",
    "ticket",
    "ticket_spell",
)
SQLITE_SCAN = re.compile(r"\bSCAN (?P<table>\w+)(?! USING| VIRTUAL)", re.M)
PG_SCAN = re.compile(r"\bSeq Scan on \"?(?P<table>\w+)")
SORTS = re.compile(r"USE TEMP B-TREE FOR ORDER BY|^\s*(?:->\s*)?(?:Incremental )?Sort\b", re.M)

Statement = tuple[str, Any]


@contextmanager
def caught() -> Iterator[list[Statement]]:
    """The statements that are run meanwhile, with their parameters."""
    found: list[Statement] = []

    def catch(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        one = parameters[0] if isinstance(parameters, list) else parameters
        found.append((statement, one))

    event.listen(ext.db.engine, "before_cursor_execute", catch)
    try:
        yield found
    finally:
        event.remove(ext.db.engine, "before_cursor_execute", catch)


def plan_of(statement: str, parameters: Any) -> str:
    """How the database would find the rows of a statement."""
    sqlite = ext.is_sqlite(ext.db.engine)
    with ext.db.engine.connect() as connection:
        if sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row[-1] for row in rows)
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(row[0] for row in rows)


def plans(statements: list[Statement]) -> Iterator[tuple[str, str]]:
    """(statement, plan) of each different one that reads or changes rows."""
    seen = set()
    for statement, parameters in statements:
        kind = statement.lstrip().split(None, 1)[0].upper()
        if kind in ("SELECT", "UPDATE", "DELETE") and statement not in seen:
            seen.add(statement)
            yield statement, plan_of(statement, parameters)


def whole_tables(statements: list[Statement]) -> list[str]:
    """Statements that read a whole table that grows, with their plans."""
    pattern = SQLITE_SCAN if ext.is_sqlite(ext.db.engine) else PG_SCAN
    return [
        f"{statement}\n{plan}"
        for statement, plan in plans(statements)
        if {match["table"] for match in pattern.finditer(plan)} & set(BIG)
    ]


def letter(number: int, answers: str = "") -> RawEmail:
    """An email of Oksana's; `answers` is the Message-ID of an earlier one."""
    fields = [
        "From: Oksana <oksana@client.example>",
        "To: support@example.com",
        f"Subject: Lamp {number}",
        f"Message-ID: <{number}@client.example>",
        *([f"In-Reply-To: <{answers}>"] if answers else []),
    ]
    raw = "\r\n".join([*fields, "", "The lamp does not work.", ""]).encode()
    return RawEmail(raw, "oksana@client.example", ("support@example.com",), now())


def take(*letters: RawEmail) -> None:
    with ext.write() as session:
        accept(session, letters)
    receive.process_new()


LISTS: dict[str, tuple[View, str]] = {
    "mine": (View("mine"), "ix_ticket_assignee"),
    "unassigned": (View("unassigned"), "ix_ticket_assignee"),
    "a queue's": (View("queue", 1), "ix_ticket_queue"),
    "at risk": (View("risk"), "ix_ticket_sla"),
    "breached": (View("breached"), "ix_ticket_sla"),
    "all": (View("all"), "ix_ticket_active"),
    "done": (View("done"), "ix_ticket_recent"),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("cursor", [None, "1700000000000000-5"])
def test_a_list_walks_its_index_in_order(cast: Cast, name: str, cursor: str | None) -> None:
    view, index = LISTS[name]
    with ext.session() as session, caught() as statements:
        views.list_page(session, viewer_of(session, cast.sam), view, cursor=cursor)
    (plan,) = (plan for _statement, plan in plans(statements))
    if ext.is_sqlite(ext.db.engine):
        assert f"USING INDEX {index}" in plan
        assert not SORTS.search(plan)
    assert whole_tables(statements) == []


@pytest.mark.parametrize("name", sorted(LISTS.keys() - {"done"}))
def test_a_count_walks_the_index_of_its_list(cast: Cast, name: str) -> None:
    view, index = LISTS[name]
    with ext.session() as session, caught() as statements:
        views.counts(session, viewer_of(session, cast.sam), [view])
    (plan,) = (plan for _statement, plan in plans(statements))
    if ext.is_sqlite(ext.db.engine):
        assert f"INDEX {index}" in plan
    assert whole_tables(statements) == []


def test_an_agent_of_some_queues_reads_no_whole_table(cast: Cast) -> None:
    with ext.session() as session, caught() as statements:
        viewer = viewer_of(session, cast.bob)
        for view, _index in LISTS.values():
            views.list_page(session, viewer, view)
        active = [view for view, _index in LISTS.values() if view.name != "done"]
        views.counts(session, viewer, active)
        views.tickets_of_client(session, viewer, cast.oksana.client_id)
    assert whole_tables(statements) == []


ANYONE = Viewer(user_id=1, role=Role.SUPERVISOR, queue_ids=None)
READS: dict[str, tuple[Callable[[Session], object], str]] = {
    "clocks that are due": (lambda s: escalation.sweep(s, now()), "ix_clock_next"),
    "clocks to recount": (lambda s: sla.recount_due(s, now()), "ix_clock_policy"),
    "tickets of a client": (
        lambda s: views.tickets_of_client(s, ANYONE, 1),
        "ix_ticket_client",
    ),
    "messages of a ticket": (lambda s: queries.messages_of(s, 1), "ix_message_ticket"),
    "a Message-ID": (lambda s: search.ticket_of_message_id(s, "a@b"), "ix_message_rfc"),
    "unread notices": (lambda s: notices.unread(s, 1), "ix_notice_unread"),
}


@pytest.mark.parametrize("name", READS)
def test_what_the_desk_and_the_worker_ask_often_has_an_index(cast: Cast, name: str) -> None:
    read, index = READS[name]
    with ext.write() as session, caught() as statements:
        read(session)
    if ext.is_sqlite(ext.db.engine):
        assert any(index in plan for _statement, plan in plans(statements))
    assert whole_tables(statements) == []


def test_a_browser_that_opens_its_stream_reads_the_end_of_the_log(cast: Cast) -> None:
    with ext.session() as session, caught() as statements:
        changes.lately(session, now() - timedelta(seconds=2))
        changes.since(session, 5)
    assert whole_tables(statements) == []


JOBS: dict[str, tuple[Callable[[], object], str]] = {
    "intake": (jobs.process_mail, "ix_delivery_todo"),
    "archive": (archive.archive_raw, "ix_delivery_unpacked"),
    "clocks": (jobs.sweep_clocks, "ix_clock_next"),
    "duplicates": (jobs.find_duplicates, "ix_client_name"),
    "kb embeddings": (jobs.embed_kb, "ix_article_text_embedding"),
    **{
        job.name: (job.step, index)
        for job in jobs.QUICK
        for name, index in {"reactions": "ix_event_todo", "outbox": "ix_outgoing_due"}.items()
        if job.name == name
    },
}


@pytest.mark.parametrize("name", JOBS)
def test_an_idle_job_asks_by_a_partial_index(cast: Cast, name: str) -> None:
    step, index = JOBS[name]
    with caught() as statements:
        step()
    if ext.is_sqlite(ext.db.engine):
        assert any(index in plan for _statement, plan in plans(statements))
    assert whole_tables(statements) == []


def test_mail_from_the_door_to_the_outbox_reads_no_whole_table(cast: Cast) -> None:
    with caught() as statements:
        take(letter(1), letter(2))
        take(letter(3, answers="1@client.example"))
        for job in jobs.QUICK:
            if job.name in ("reactions", "outbox", "clocks", "recount"):
                job.step()
    assert len(statements) > 50
    assert whole_tables(statements) == []


def test_the_main_pages_read_no_whole_table(app: Flask, cast: Cast) -> None:
    take(letter(1), letter(2, answers="1@client.example"))
    with ext.write() as session:
        user = session.merge(cast.sam)
        token = sessions.log_in(
            session, user, PASSWORD, old_token=None, agent="", at=now() - timedelta(minutes=1)
        )
    client = app.test_client(use_cookies=False)
    with caught() as statements:
        for path in (
            "/desk?view=all",
            f"/desk/t/{1 + NUMBER_OFFSET}",
            f"/desk/clients/{cast.oksana.client_id}",
            "/desk?q=lamp",
        ):
            assert client.get(path, headers={"Cookie": f"{COOKIE}={token}"}).status_code == 200
    assert whole_tables(statements) == []
