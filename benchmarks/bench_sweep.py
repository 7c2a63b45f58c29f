"""What clocks cost: starting them, sweeping the due ones, recounting after a calendar's change.

Run `python -m benchmarks.bench_sweep [--running 100000] [--due 1000] [--recount 10000]`; without
`--database` it makes a SQLite file in a temporary folder.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from config import Config
from helpdesk import ext
from helpdesk.app import create_app
from helpdesk.clients.match import find_or_create
from helpdesk.events import SYSTEM, Event
from helpdesk.lib.collate import sort_key
from helpdesk.tickets import calendars, policies, sla
from helpdesk.tickets.escalation import sweep
from helpdesk.tickets.models import (
    Calendar,
    Channel,
    Clock,
    ClockState,
    Metric,
    Policy,
    Priority,
    Queue,
    Status,
    Ticket,
)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FAR = START + timedelta(days=30)
WEEK = {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in ("mon", "tue", "wed", "thu")}
CHUNK = 10_000
OPENED = 2_000


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"HELPDESK_DATA_DIR": folder, "SECRET_KEY": "k" * 32}
        if asked.database:
            settings["HELPDESK_DATABASE_URL"] = asked.database
        app = create_app(Config.from_env(settings))
        with app.app_context():
            upgrade(directory=str(Path(__file__).parent.parent / "migrations"))
            print(f"load {os.getloadavg()[0]:.2f}, {asked.running} running clocks")
            _fill(asked.running)
            _bench_opened()
            _bench_sweep(asked.due)
            _bench_recount(asked.recount)
            ext.db.engine.dispose()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--running", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=1_000)
    parser.add_argument("--recount", type=int, default=10_000)
    parser.add_argument("--database")
    return parser.parse_args()


def _fill(running: int) -> None:
    """One policy on an office calendar, and that many tickets with a clock far from due."""
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
    for first in range(1, running + 1, CHUNK):
        ids = range(first, min(first + CHUNK, running + 1))
        with ext.write() as session:
            session.execute(insert(Ticket), [ticket | {"id": id_} for id_ in ids])
            session.execute(insert(Clock), [clock | {"ticket_id": id_} for id_ in ids])


def _bench_opened() -> None:
    def run(session: Session) -> None:
        for ticket_id in range(1, OPENED + 1):
            values: dict[str, Any] = {"priority": Priority.NORMAL, "queue_id": 1}
            sla.opened(session, ticket_id, at=START, client_tags=[], **values)
        session.rollback()

    cpu = process_time()
    took = _timed(run, commit=False) / OPENED * 1e6
    cpu = (process_time() - cpu) / OPENED * 1e6
    print(f"opened: {took:.0f} µs, {cpu:.0f} µs CPU a ticket (two clocks, one transaction)")


def _bench_sweep(due: int) -> None:
    empty = _timed(lambda session: sweep(session, START))
    print(f"empty sweep: {empty * 1e3:.2f} ms with begin and commit")
    with ext.write() as session:
        ids = select(Clock.id).order_by(Clock.id).limit(due)
        for clock in session.scalars(select(Clock).where(Clock.id.in_(ids))):
            clock.next_at = START + timedelta(minutes=1)
    took, longest, fired, cpu = 0.0, 0.0, 0, process_time()
    while True:
        before = perf_counter()
        with ext.write() as session:
            done = sweep(session, START + timedelta(minutes=2))
        part = perf_counter() - before
        if not done:
            break
        took, longest, fired = took + part, max(longest, part), fired + done
    cpu = (process_time() - cpu) / fired * 1e6
    print(
        f"sweep of {fired} due: {took * 1e3:.0f} ms, {cpu:.0f} µs CPU each, "
        f"longest transaction {longest * 1e3:.0f} ms"
    )


def _bench_recount(wanted: int) -> None:
    with ext.write() as session:
        office = session.scalars(select(Calendar)).one()
        before = perf_counter()
        calendars.change(session, office, holidays=["2026-11-24"], actor=SYSTEM, at=START)
    print(f"change of the calendar: {(perf_counter() - before) * 1e3:.1f} ms")
    took, longest, counted, cpu = 0.0, 0.0, 0, process_time()
    while counted < wanted:
        before = perf_counter()
        with ext.write() as session:
            done = sla.recount_due(session, START + timedelta(hours=1))
        part = perf_counter() - before
        took, longest, counted = took + part, max(longest, part), counted + done
    cpu = (process_time() - cpu) / counted * 1e6
    print(
        f"recount of {counted}: {took:.2f} s, {cpu:.0f} µs CPU each, "
        f"longest transaction {longest * 1e3:.0f} ms"
    )
    with ext.session() as session:
        stale = session.scalar(
            select(func.count())
            .select_from(Clock)
            .join(Policy)
            .where(Clock.counted < Policy.generation)
        )
        events = session.scalar(select(func.count()).select_from(Event))
        print(f"{stale} clocks still to recount, {events} events")


def _timed(run: Callable[[Session], object], commit: bool = True) -> float:
    before = perf_counter()
    with ext.write() as session:
        run(session)
        if commit:
            session.flush()
    return perf_counter() - before


if __name__ == "__main__":
    main()
