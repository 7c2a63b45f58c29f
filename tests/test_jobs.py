"""The worker: jobs go on while there is work, rest otherwise, and survive what fails."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from helpdesk import ext, jobs
from helpdesk.accounts import limits
from helpdesk.accounts.models import LimitHit
from helpdesk.ext import fulltext, upkeep
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.jobs import Job, Runner, Worker
from helpdesk.lib.clock import now
from helpdesk.live import heartbeat
from helpdesk.tickets.models import Ticket
from tests.cast import Cast, make_cast


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_job_goes_on_at_once_while_there_is_work(app: Flask) -> None:
    left = [3]

    def step() -> int:
        left[0] -= 1
        return left[0]

    runner = Runner(app, Job("a", step, 7.0))
    assert [runner.once() for _ in range(3)] == [0.0, 0.0, 7.0]


def test_a_failing_job_waits_longer_each_time_and_stops_nobody(app: Flask) -> None:
    done = threading.Event()

    def fails() -> int:
        raise ValueError("canary")

    def works() -> int:
        done.set()
        return 0

    runner = Runner(app, Job("a", fails, 0.01))
    pauses = [runner.once() for _ in range(9)]
    assert pauses[:3] == [0.5, 1.0, 2.0]
    assert pauses[-1] == jobs.LONGEST_DELAY
    with working(Worker(app, [Job("a", fails, 0.01), Job("b", works, 0.01)], [])):
        assert done.wait(5)


def test_a_resting_job_asks_again_when_somebody_commits_and_not_before(app: Flask) -> None:
    asked: list[float] = []

    def ask() -> int:
        asked.append(time.monotonic())
        return 0

    worker = Worker(app, [Job("a", ask, 0.01, idle=60.0)], [])
    with working(worker):
        until(lambda: worker.commits.number > 0 and bool(asked))
        time.sleep(0.3)
        before = len(asked)
        if ext.is_sqlite(ext.db.engine):  # PostgreSQL hears of its other databases too
            assert before <= 3  # at the start, and at the first look
        with ext.write() as session:
            heartbeat.beat(session, "somebody", now(), [])
        until(lambda: len(asked) > before)


def test_a_job_that_does_not_come_back_is_named(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STUCK_SECONDS", 0.05)
    free = threading.Event()
    worker = Worker(app, [Job("hangs", lambda: int(free.wait(10)) * 0, 0.01)], [])

    def said() -> str | None:
        with ext.session() as session:
            return heartbeat.problems(session, ("worker",), now()).get("worker")

    with working(worker):
        until = time.monotonic() + 10
        while not (said() or "").startswith("stuck: hangs"):
            assert time.monotonic() < until
            time.sleep(0.05)
            with app.app_context():
                worker.beat()
        free.set()


def test_an_email_becomes_a_ticket_by_the_worker(app: Flask) -> None:
    with ext.write() as session:
        make_cast(session)
        raw = b"From: oksana@client.example\r\nSubject: Hi\r\n\r\nIt is broken.\r\n"
        accept(session, [RawEmail(raw, "oksana@client.example", ("support@example.com",), now())])

    def done() -> bool:
        with ext.session() as session:
            return session.scalar(select(Delivery.state)) == DeliveryState.DONE

    with working(Worker(app)):
        until(done)
    with ext.session() as session:
        assert session.scalar(select(Ticket.subject)) == "Hi"
        assert not heartbeat.problems(session, ("worker",), now())


def test_what_no_longer_counts_is_forgotten(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        at = now()
        limits.allow(session, "login", "a", most=5, seconds=60, at=at - timedelta(hours=1))
        limits.allow(session, "login", "b", most=5, seconds=60, at=at)
    jobs.sweep_accounts()
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(LimitHit)) == 1


def test_a_slow_job_goes_on_until_nothing_is_left(app: Flask) -> None:
    left = [3]

    def step() -> int:
        left[0] -= 1
        return left[0]

    Runner(app, Job("slow", step, 60)).turn(threading.Event())
    assert left == [0]


def test_every_job_runs_on_an_empty_database(app: Flask) -> None:
    for job in (*jobs.QUICK, *jobs.SLOW):
        assert job.step() == 0


def test_merging_ends_when_the_index_is_merged(app: Flask) -> None:
    for number in range(40):
        with ext.write() as session:
            fulltext.index(session, "message_fts", [(number, ["word", f"w{number}"])])

    def steps() -> int:
        for count in range(500):
            with ext.write() as session:
                if not upkeep.merge(session, "message_fts", 16):
                    return count
        raise AssertionError("it never ends")

    steps()
    assert steps() == 0
    with ext.session() as session:
        found = session.scalars(fulltext.matching(session, "message_fts", [["word"]]))
        assert len(found.all()) == 40


@pytest.mark.parametrize("flood", [True, False])
def test_merging_goes_on_during_a_flood_a_step_a_turn(
    app: Flask, monkeypatch: pytest.MonkeyPatch, flood: bool
) -> None:
    """No segments gather while mail comes in without a pause (SQLite)."""
    steps: list[str] = []
    merge = upkeep.merge

    def counted(session: Session, name: str, pages: int) -> bool:
        steps.append(name)
        return merge(session, name, pages)

    monkeypatch.setattr(upkeep, "merge", counted)
    worker = Worker(app)
    most = 0
    for number in range(60):
        with ext.write() as session:
            fulltext.index(session, "message_fts", [(number, ["word", f"w{number}"])])
        if number % 6 == 5:
            worker.quick[0].did = time.monotonic() if flood else 0.0
            steps.clear()
            worker.merge()
            assert set(steps) == set(fulltext.TABLES)
            assert not flood or len(steps) == len(fulltext.TABLES)
            most = max(most, segments())
    assert most < 12
    with ext.session() as session:
        found = session.scalars(fulltext.matching(session, "message_fts", [["word"]]))
        assert len(found.all()) == 60


def segments() -> int:
    """Of the full-text index of messages; 0 on PostgreSQL, which has none."""
    with ext.session() as session:
        if not ext.is_sqlite(ext.db.engine):
            return 0
        query = text("SELECT count(DISTINCT segid) FROM message_fts_idx")
        return int(session.scalar(query) or 0)


def test_upkeep_works_while_others_read(app: Flask) -> None:
    with ext.session() as session:
        session.scalar(select(func.count()).select_from(Ticket))
        upkeep.checkpoint()
        upkeep.statistics()


def test_a_large_base_gets_statistics_and_a_small_one_none(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are needed for tables that this connection never asked, too."""
    if not ext.is_sqlite(ext.db.engine):
        assert upkeep.statistics() is False
        return
    assert upkeep.statistics() is False
    monkeypatch.setattr(upkeep, "LEAST_PAGES", 1)
    assert upkeep.statistics() is True
    with ext.session() as session:
        known = set(session.scalars(text("SELECT DISTINCT tbl FROM sqlite_stat1")))
    assert {"client", "contact_point", "user"} <= known
