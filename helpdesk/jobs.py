"""The one list of timed jobs, and the loop of the worker that runs them.

Quick jobs have a thread each and go on at once while there is work; slow ones are started by
a ticker. A job that fails is logged and tried again, later each time; the others go on.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask, current_app
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from helpdesk import ext, privacy, reactions
from helpdesk.accounts import limits, sessions
from helpdesk.calls import (
    callbacks,
    commands,
    distribution,
    reconcile,
    recordings,
    unattended,
    watch,
)
from helpdesk.clients import duplicates
from helpdesk.clients.importing import run as import_run
from helpdesk.ext import fulltext, upkeep
from helpdesk.ext.commits import Commits
from helpdesk.intake import receive, sms
from helpdesk.intake.archive import archive_raw
from helpdesk.intake.models import Delivery
from helpdesk.kb import embedder, embedding, index
from helpdesk.lib.clock import now
from helpdesk.live import heartbeat
from helpdesk.outbox import sending, sms_sending
from helpdesk.planner import reminders
from helpdesk.reactions.alarms import tell_of_lasting
from helpdesk.reports.alarms import sweep as alarms
from helpdesk.tickets import escalation, sla
from helpdesk.tickets.models import Clock
from helpdesk.web.supervisor import alarm_mail, mailing

log = structlog.get_logger()

FIRST_DELAY = 0.5  # seconds, after a failure
LONGEST_DELAY = 30.0
STUCK_SECONDS = 120.0
STOP_SECONDS = 3.0
SWEEP = 500  # clocks in one transaction
RECOUNT = 200  # dearer, and beside mail that comes in
MERGE_PAGES = 16
BUSY_PAGES = 64  # the one step of a turn while mail comes in: some 20 ms for 250 emails
MERGE_STEPS = 20  # a turn
MERGE_PAUSE = 0.05  # seconds between steps, for those who wait for the lock
QUIET_SECONDS = 2.0
KB_REFRESH = 20  # texts in one transaction
KB_EMBED = 8  # texts; each takes some 50 ms of CPU


@dataclass(frozen=True)
class Job:
    """What to do and how often; `step` says how much it did, 0 means it may rest.

    It rests `seconds`; with `idle`, as long as nobody commits anything, for so long.
    `linger` is the rest after work, in seconds: what arrives meanwhile makes one batch, and a
    batch of forty costs half of forty single ones.
    """

    name: str
    step: Callable[[], int]
    seconds: float
    linger: float = 0.0
    idle: float | None = None


def process_mail() -> int:
    if not _any(Delivery, Delivery.todo.is_not(None)):
        return 0
    return receive.process_new(limit=200)


def missed_sms() -> int:
    """Look once a turn, however many there were: they are known by their id."""
    sms.fetch_missed()
    return 0


def distribute_calls() -> int:
    return _if_due(distribution.due, distribution.assign)


def watch_agents() -> int:
    return _if_due(watch.due, watch.sweep)


def call_back() -> int:
    return _if_due(callbacks.waiting, callbacks.due)


def watch_queues() -> int:
    return _if_due(unattended.due, unattended.watch)


def remind_planned() -> int:
    return _if_due(reminders.due, reminders.remind)


def reconcile_calls() -> int:
    """One round a turn: what it finds is known by then."""
    reconcile.run()
    return 0


def _if_due(
    look: Callable[[Session, datetime], bool], do: Callable[[Session, datetime], int]
) -> int:
    """An idle worker should not take the write lock. Who waited for it works by the time it is."""
    with ext.session() as session:
        if not look(session, now()):
            return 0
    with ext.write() as session:
        return do(session, now())


def sweep_clocks() -> int:
    at = now()
    if not _any(Clock, Clock.next_at.is_not(None) & (Clock.next_at <= at)):
        return 0
    with ext.write() as session:
        return escalation.sweep(session, at, SWEEP)


def watch_alarms() -> int:
    """What the rules look at is read before the write lock is taken."""
    at = now()
    with ext.session() as session:
        if not alarms.due(session, at):
            return 0
        seen = alarms.look(session, at=at, zone=ZoneInfo(current_app.config["TIMEZONE"]))
    with ext.write() as session:
        changed = alarms.sweep(session, seen, at)
        alarm_mail.tell_of_begun(session, seen, at)
        tell_of_lasting(session, seen, at)
        return changed


def recount_clocks() -> int:
    with ext.write() as session:
        return sla.recount_due(session, now(), RECOUNT)


def _any(model: type[Delivery] | type[Clock], condition: ColumnElement[bool]) -> bool:
    """A look before the leap: an idle worker should not take the write lock."""
    with ext.session() as session:
        return session.scalar(select(model.id).where(condition).limit(1)) is not None


def import_rows() -> int:
    chunk = import_run.next_chunk()
    if chunk is None:
        return 0
    with ext.write() as session:
        return import_run.take(session, chunk)


def find_duplicates() -> int:
    with ext.session() as session:
        if not duplicates.waiting(session):
            return 0
    with ext.write() as session:
        return duplicates.scan(session, at=now())


def checkpoint() -> int:
    upkeep.checkpoint()
    return 0


def statistics() -> int:
    upkeep.statistics()
    return 0


def sweep_accounts() -> int:
    """Forget limits and log-ins that no longer count; a storm leaves many of them."""
    at = now()
    with ext.write() as session:
        limits.sweep(session, at)
        sessions.sweep(session, at)
    return 0


def refresh_kb() -> int:
    """Index articles anew after an update of the product changed how."""
    with ext.session() as session:
        if not index.is_stale(session):
            return 0
    with ext.write() as session:
        return index.refresh(session, KB_REFRESH)


def embed_kb() -> int:
    """Find out what new articles and solved questions are about; how many that were."""
    if not embedding.available():
        return 0
    with ext.session() as session:
        due = embedder.waiting(session, KB_EMBED)
    if not due:
        return 0
    vectors = embedder.embedded(due)
    with ext.write() as session:
        return embedder.keep(session, due, vectors)


QUICK: Sequence[Job] = (
    Job("intake", process_mail, 0.05, linger=0.05, idle=5.0),
    Job("reactions", lambda: reactions.react(limit=200), 0.1, idle=2.0),
    Job("outbox", lambda: sending.send_due(limit=50), 0.5, idle=1.0),
    Job("sms", lambda: sms_sending.send_due(limit=20), 0.5, idle=2.0),
    Job("sms media", lambda: sms.fetch_media(limit=5), 1.0, idle=2.0),
    Job("recordings", lambda: recordings.fetch_due(limit=20), 1.0, idle=2.0),
    Job("commands", commands.run_due, 0.1, idle=1.0),
    Job("distribution", distribute_calls, 0.25, idle=1.0),
    Job("agents", watch_agents, 1.0, idle=2.0),
    Job("callbacks", call_back, 1.0, idle=2.0),
    Job("reminders", remind_planned, 5.0),
    Job("unattended", watch_queues, 5.0),
    Job("clocks", sweep_clocks, 1.0),
    Job("alarms", watch_alarms, 3.0),
    Job("recount", recount_clocks, 2.0, idle=30.0),
    Job("duplicates", find_duplicates, 3.0, linger=0.1, idle=30.0),
    Job("kb embeddings", embed_kb, 1.0, idle=30.0),
    # It lingers for those who wait for the lock.
    Job("import", import_rows, 1.0, linger=0.02, idle=5.0),
)
SLOW: Sequence[Job] = (
    Job("accounts", sweep_accounts, 300),
    Job("reconcile", reconcile_calls, 60),
    Job("sms missed", missed_sms, 60),
    Job("archive", archive_raw, 60),
    Job("retention", lambda: privacy.retain(now()), 24 * 3600),
    Job("checkpoint", checkpoint, 60),
    Job("statistics", statistics, 3600),
    Job("kb index", refresh_kb, 300),
    Job("schedules", mailing.send_due, 30),
)


@dataclass
class Runner:
    """One job: runs it now and again, and knows since when it has been running."""

    app: Flask
    job: Job
    commits: Commits = field(default_factory=Commits)
    began: float | None = None
    delay: float = FIRST_DELAY
    did: float = 0.0  # monotonic seconds of the last time there was work
    resting: bool = False  # the last time there was none

    def loop(self, stop: threading.Event) -> None:
        seen = self.commits.number
        while not stop.is_set():
            pause = self.once()
            stop.wait(pause)
            if self.resting and self.job.idle is not None:
                self.commits.wait(seen, self.job.idle - pause)
            seen = self.commits.number

    def turn(self, stop: threading.Event) -> None:
        """One turn of a slow job: until there is nothing more to do, or it fails."""
        while not stop.is_set() and self.once() == 0.0:
            pass

    def once(self) -> float:
        """Run the job and return for how long to rest, in seconds."""
        self.began, self.resting = time.monotonic(), False
        try:
            with self.app.app_context():
                done = self.job.step()
        except Exception:
            log.exception("job.failed", job=self.job.name, again_in=self.delay)
            pause, self.delay = self.delay, min(self.delay * 2, LONGEST_DELAY)
            return pause
        finally:
            self.began = None
        self.delay = FIRST_DELAY
        self.resting = not done
        if done:
            self.did = time.monotonic()
        return self.job.linger if done else self.job.seconds

    @property
    def stuck(self) -> bool:
        began = self.began
        return began is not None and time.monotonic() - began > STUCK_SECONDS


class Worker:
    """All jobs of one worker process."""

    def __init__(
        self, app: Flask, quick: Sequence[Job] = QUICK, slow: Sequence[Job] = SLOW
    ) -> None:
        self.app = app
        self.commits = Commits()
        self.quick = [Runner(app, job, self.commits) for job in quick]
        own = (Job("heartbeat", self.beat, heartbeat.EVERY_SECONDS), Job("merge", self.merge, 2))
        self.slow = [Runner(app, job) for job in (*own, *slow)]

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set; then let what is running finish."""
        threads = [
            threading.Thread(target=runner.loop, args=(stop,), name=runner.job.name, daemon=True)
            for runner in self.quick
        ]
        threads.append(threading.Thread(target=self._follow, args=(stop,), name="commits"))
        ticker = self._ticker(stop)
        for thread in threads:
            thread.start()
        stop.wait()
        ticker.shutdown(wait=False)
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        while any(runner.began for runner in self.slow) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _follow(self, stop: threading.Event) -> None:
        with self.app.app_context():
            self.commits.follow(stop)

    def _ticker(self, stop: threading.Event) -> BackgroundScheduler:
        pool = ThreadPoolExecutor(3, {"thread_name_prefix": "slow"})
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        ticker = BackgroundScheduler(
            timezone=UTC, executors={"default": pool}, job_defaults=defaults, daemon=True
        )
        for runner in self.slow:
            ticker.add_job(
                runner.turn,
                "interval",
                args=(stop,),
                seconds=runner.job.seconds,
                id=runner.job.name,
                next_run_time=now(),
            )
        ticker.start()
        return ticker

    def beat(self) -> int:
        """Say that this worker lives, and which of its jobs don't come back."""
        stuck = [r.job.name for r in (*self.quick, *self.slow) if r.stuck]
        with ext.write() as session:
            heartbeat.beat(session, "worker", now(), stuck)
        return 0

    def merge(self) -> int:
        """Merge the full-text indexes in small steps, one a turn while other work wants the lock.

        Without that one a long flood would gather segments until SQLite merges them all at once.
        """
        for name in fulltext.TABLES:
            for _ in range(MERGE_STEPS):
                pages = BUSY_PAGES if self.busy() else MERGE_PAGES
                if not self._merge_step(name, pages) or self.busy():
                    break
                time.sleep(MERGE_PAUSE)
        return 0

    def _merge_step(self, name: str, pages: int) -> bool:
        with ext.write() as session:
            return upkeep.merge(session, name, pages)

    def busy(self) -> bool:
        """Whether there was mail or anything else to do a moment ago."""
        latest = max(runner.did for runner in self.quick)
        return time.monotonic() - latest < QUIET_SECONDS


def run(app: Flask, stop: threading.Event) -> None:
    """Be the worker until `stop` is set."""
    Worker(app).run(stop)
