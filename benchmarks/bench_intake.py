"""Email in: SMTP to 250, and on to the ticket that people see.

Real `smtp` and `worker` processes on a copy of the kept database; every write the product makes
is in: ticket or reply, events, clocks, full text, files, receipts into the outbox.
"""

import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine, product
from benchmarks.generate import SEED, kept
from benchmarks.place import SIZES, environment, scratch
from benchmarks.report import Report, percentile
from benchmarks.rows import TICKETS_PER_CLIENT
from benchmarks.senders import SENDERS, Fleet, Plan
from benchmarks.vocabulary import Vocabulary, vocabularies

SECONDS = 20.0
WARM_SECONDS = 3.0
OFFERED = 50.0  # letters a second
DRAIN_SECONDS = 120.0
LOOK_SECONDS = 0.02


@dataclass
class Watcher:
    """Looks into the database for messages that became visible, and notes when."""

    path: Path
    seen: dict[str, float] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        (last,) = connection.execute("SELECT max(id) FROM message").fetchone()
        query = "SELECT id, message_id FROM message WHERE id > ? ORDER BY id"
        while not self.stop.wait(LOOK_SECONDS):
            rows = connection.execute(query, (last or 0,)).fetchall()
            at = time.monotonic()
            for id_, message_id in rows:
                self.seen[message_id] = at
                last = id_
        connection.close()


@dataclass(frozen=True)
class Run:
    """What one run gave; moments are monotonic seconds."""

    began: float
    ended: float
    accepted: Mapping[str, float]
    refused: int
    visible: Mapping[str, float]
    cpu: Mapping[str, float]  # seconds by part

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def lags(self) -> list[float]:
        """Milliseconds from the 250 to the ticket; what is seen before its 250 counts as 0."""
        pairs = (
            (self.visible[id_], at) for id_, at in self.accepted.items() if id_ in self.visible
        )
        return [max(seen - at, 0.0) * 1000 for seen, at in pairs]

    def rate_visible(self) -> float:
        return sum(at <= self.ended for at in self.visible.values()) / self.seconds


def measure(size: str, report: Report, seconds: float | None = None) -> None:
    """Flat out, then at an offered rate."""
    kept(size)
    known = vocabularies(SEED)
    people = SIZES[size] // TICKETS_PER_CLIENT
    seconds = seconds or SECONDS
    with scratch(size) as folder:
        settings = environment(folder)
        port = int(settings["HELPDESK_SMTP_BIND"].rpartition(":")[2])
        with product.running(settings, "smtp", "worker") as parts:
            _run(folder, parts, Plan(port, "warm", WARM_SECONDS, None, people), known)
            offered = _run(folder, parts, Plan(port, "offered", seconds, OFFERED, people), known)
            _add_offered(report, offered)
            flood = _run(folder, parts, Plan(port, "flood", seconds, None, people), known)
            _add_flood(report, flood)
            segments = _segments(folder / "helpdesk.db")
            report.add("segments of the full-text index afterwards", segments, "")


def _run(
    folder: Path, parts: Mapping[str, product.Part], plan: Plan, known: Mapping[str, Vocabulary]
) -> Run:
    watcher = Watcher(folder / "helpdesk.db")
    thread = threading.Thread(target=watcher.run)
    fleet = Fleet(plan, known)
    families = {name: part.family() for name, part in parts.items()}
    began = fleet.start()
    thread.start()
    before = {name: machine.cpu_seconds(pids) for name, pids in families.items()}
    accepted, refused, senders = fleet.accepted()
    ended = max(accepted.values(), default=time.monotonic())
    deadline = time.monotonic() + DRAIN_SECONDS
    while len(watcher.seen) < len(accepted) and time.monotonic() < deadline:
        time.sleep(0.05)
    cpu = {name: machine.cpu_seconds(pids) - before[name] for name, pids in families.items()}
    watcher.stop.set()
    thread.join()
    return Run(began, ended, accepted, refused, watcher.seen, cpu | {"senders": senders})


def _add_offered(report: Report, run: Run) -> None:
    lags = run.lags()
    name = f"time to visible at {OFFERED:g}/s"
    report.add(f"{name}: offered and accepted", len(run.accepted) / run.seconds, "/s")
    report.add(f"{name}: p50", percentile(lags, 50), "ms")
    report.add(f"{name}: p95", percentile(lags, 95), "ms")
    report.add(f"{name}: p99", percentile(lags, 99), "ms")
    report.add(f"{name}: longest", max(lags, default=0.0), "ms", at_most=1000)
    report.add(f"{name}: not accepted or not seen", run.refused + _unseen(run), "", at_most=0)


def _add_flood(report: Report, run: Run) -> None:
    name = f"{SENDERS} senders for {run.seconds:.0f} s"
    count = max(len(run.accepted), 1)
    report.add(f"{name}: accepted", len(run.accepted) / run.seconds, "/s", at_least=100)
    report.add(f"{name}: visible", run.rate_visible(), "/s", at_least=100)
    backlog = sum(at > run.ended for at in run.visible.values())
    report.add(f"{name}: not yet visible at the end", backlog + _unseen(run), "")
    report.add(f"{name}: time to visible p95", percentile(run.lags(), 95), "ms")
    report.add(f"{name}: refused or lost", run.refused + _unseen(run), "", at_most=0)
    for part, seconds in run.cpu.items():
        report.add(f"CPU a letter: {part}", seconds / count * 1000, "ms")


def _unseen(run: Run) -> int:
    return len(run.accepted.keys() - run.visible.keys())


def _segments(path: Path) -> int:
    """Segments of the index: its structure record counts them (FTS5 file format)."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    query = "SELECT count(DISTINCT segid) FROM message_fts_idx"
    (count,) = connection.execute(query).fetchone()
    connection.close()
    return int(count)
