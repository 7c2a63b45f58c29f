"""What clocks cost: starting them, sweeping the due ones, recounting after a calendar's change.

A fresh database of its own with 100,000 running clocks on an office calendar with a lunch break;
the verbs run in this process, each transaction as the worker opens it.
"""

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from benchmarks.place import BENCH, application
from benchmarks.report import Report
from helpdesk import ext
from helpdesk.clients.match import find_or_create
from helpdesk.events import SYSTEM
from helpdesk.lib.collate import sort_key
from helpdesk.tickets import calendars, policies, sla
from helpdesk.tickets.escalation import sweep
from helpdesk.tickets.models import (
    Calendar,
    Channel,
    Clock,
    ClockState,
    Metric,
    Priority,
    Queue,
    Status,
    Ticket,
)

RUNNING = 100_000
DUE = (10, 1_000, 10_000)
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FAR = START + timedelta(days=30)
WEEK = {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in ("mon", "tue", "wed", "thu")}
CHUNK = 10_000
OPENED = 2_000


def measure(_size: str, report: Report) -> None:
    """All of it; the size is always the same."""
    folder = BENCH / "clocks"
    shutil.rmtree(folder, ignore_errors=True)
    app = application(folder)
    try:
        with app.app_context():
            upgrade()
            _fill(RUNNING)
            _opened(report)
            _empty(report)
            for due in DUE:
                _sweep(report, due)
            _recount(report)
            ext.db.engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(running: int) -> None:
    """One policy on an office calendar, and that many tickets with a clock far from due."""
    ticket, clock = _templates()
    for first in range(1, running + 1, CHUNK):
        ids = range(first, min(first + CHUNK, running + 1))
        with ext.write() as session:
            session.execute(insert(Ticket), [ticket | {"id": id_} for id_ in ids])
            session.execute(insert(Clock), [clock | {"ticket_id": id_} for id_ in ids])


def _templates() -> tuple[dict[str, Any], dict[str, Any]]:
    with ext.write() as session:
        queue = Queue(name="Support", sort_key=sort_key("Support"), numbers=[], created_at=START)
        session.add(queue)
        office = calendars.create(
            session, name="Office", timezone="Europe/Kyiv", weekly=WEEK, at=START
        )
        targets = {"first_response": 4 * 3600, "resolution": 40 * 3600}
        policy = policies.create(
            session, name="Standard", targets=targets, calendar_id=office.id, at=START
        )
        who = find_or_create(session, email="a@example.com", name="A", at=START)
        ticket = {
            "subject": "x",
            "status": Status.OPEN,
            "priority": Priority.NORMAL,
            "channel": Channel.EMAIL,
            "queue_id": queue.id,
            "client_id": who.client_id,
            "person_id": who.person_id,
            "tags": [],
            "created_at": START,
            "updated_at": START,
            "last_message_at": START,
            "link_nonce": "n",
            "version": 1,
        }
        clock = {
            "metric": Metric.RESOLUTION,
            "policy_id": policy.id,
            "counted": policy.generation,
            "state": ClockState.RUNNING,
            "target_seconds": 40 * 3600,
            "started_at": START,
            "due_at": FAR,
            "next_at": FAR,
            "next_step": "warn",
            "paused_spans": [],
            "stepped": [],
        }
    return ticket, clock


def _opened(report: Report) -> None:
    def run(session: Session) -> int:
        for ticket_id in range(1, OPENED + 1):
            values: dict[str, Any] = {"priority": Priority.NORMAL, "queue_id": 1}
            sla.opened(session, ticket_id, at=START, client_tags=[], **values)
        session.rollback()
        return 0

    (took,) = _until_done(run)
    report.add("start the two clocks of a ticket", took * 1e6 / OPENED, "µs")


def _empty(report: Report) -> None:
    times = [_until_done(lambda session: sweep(session, START))[0] for _ in range(20)]
    report.add("sweep with nothing due, begin to commit", min(times) * 1e3, "ms")


def _sweep(report: Report, due: int) -> None:
    """Clocks that were not yet warned reach their mark: an event and the ticket's mark each."""
    with ext.write() as session:
        ids = select(Clock.id).where(Clock.warned_at.is_(None)).order_by(Clock.id).limit(due)
        session.execute(
            update(Clock).where(Clock.id.in_(ids)).values(next_at=START + timedelta(minutes=1))
        )
    times = _until_done(lambda session: sweep(session, START + timedelta(minutes=2)))
    report.add(f"sweep with {due:,} due", sum(times) * 1e3, "ms")
    report.add(f"sweep with {due:,} due: a clock", sum(times) * 1e6 / due, "µs")
    report.add(f"sweep with {due:,} due: longest transaction", max(times) * 1e3, "ms")


def _recount(report: Report) -> None:
    with ext.write() as session:
        office = session.scalars(select(Calendar)).one()
        before = perf_counter()
        calendars.change(session, office, holidays=["2026-11-24"], actor=SYSTEM, at=START)
    report.add("change a calendar", (perf_counter() - before) * 1e3, "ms")
    times = _until_done(lambda session: sla.recount_due(session, START + timedelta(hours=1)))
    report.add(f"recount of {RUNNING:,} clocks", sum(times), "s")
    report.add("recount: a clock", sum(times) * 1e6 / RUNNING, "µs")
    report.add("recount: longest transaction", max(times) * 1e3, "ms")


def _until_done(step: Callable[[Session], int]) -> Sequence[float]:
    """Seconds of each transaction until one finds nothing to do."""
    times = []
    while True:
        before = perf_counter()
        with ext.write() as session:
            done = step(session)
        times.append(perf_counter() - before)
        if not done:
            return times
