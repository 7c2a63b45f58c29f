"""The books after a run of calls: what became of each, double offers, how wrong estimates were."""

import sqlite3
from collections import Counter
from pathlib import Path

from benchmarks.report import Report

ENDS = {
    "served": ("talked",),
    "abandoned": ("abandoned_menu", "abandoned_queue", "abandoned_ring", "no_message"),
    "callback promised": ("callback",),
    "voicemail": ("voicemail",),
    "contained in the menu": ("contained",),
}
DOUBLE = (
    "SELECT count(*) FROM offer a JOIN offer b ON a.{0} = b.{0} AND a.id < b.id"
    " AND b.offered_at < coalesce(a.closed_at, '9') AND a.offered_at < coalesce(b.closed_at, '9')"
)
TWO_TALKS = (
    "SELECT count(*) FROM call_leg a JOIN call_leg b ON a.user_id = b.user_id AND a.id <> b.id"
    " WHERE a.role = 'agent' AND b.role = 'agent'"
    " AND a.answered_at < b.answered_at AND b.answered_at < coalesce(a.ended_at, '9')"
)
LOST = "SELECT id, state, provider_id, facts FROM call WHERE end_reason IS NULL LIMIT 5"
WAITS = (
    "SELECT estimated_seconds,"
    " (julianday(answered_at) - julianday(queued_at)) * 86400 FROM call"
    " WHERE direction = 'inbound' AND answered_at IS NOT NULL AND queued_at IS NOT NULL"
)


def add(report: Report, database: Path, offered: int, doubled: int) -> None:
    """`offered`: calls that the carrier brought; `doubled`: telephones rung while in a call."""
    base = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    query = "SELECT end_reason, count(*) FROM call WHERE direction = 'inbound' GROUP BY end_reason"
    counts = Counter(dict(base.execute(query).fetchall()))
    report.add("calls offered", offered, "")
    left = offered
    for name, reasons in ENDS.items():
        became = sum(counts.pop(reason, 0) for reason in reasons)
        report.add(f"of them {name}", became, "")
        left -= became
    report.add("of them lost, or counted twice", abs(left), "", at_most=0)
    for line in base.execute(LOST).fetchall():
        print("   lost:", *line)
    (offers,) = base.execute("SELECT count(*) FROM offer").fetchone()
    report.add("offers to agents", offers, "")
    for column, whose in (("user_id", "an agent"), ("call_id", "a call")):
        (double,) = base.execute(DOUBLE.format(column)).fetchone()
        report.add(f"double offers of {whose}", double, "", at_most=0)
    (talks,) = base.execute(TWO_TALKS).fetchone()
    report.add("agents with two talks at one time", talks, "", at_most=0)
    report.add("telephones rung while in a call", doubled, "", at_most=0)
    _add_waits(report, base)
    base.close()


def _add_waits(report: Report, base: sqlite3.Connection) -> None:
    waits = base.execute(WAITS).fetchall()
    told = [(estimate, real) for estimate, real in waits if estimate is not None]
    if not told:
        return
    errors = [abs(estimate - real) for estimate, real in told]
    report.add("wait of who was served, mean", sum(real for _, real in waits) / len(waits), "s")
    report.add("estimated wait, mean", sum(estimate for estimate, _ in told) / len(told), "s")
    report.add("estimated wait: mean absolute error", sum(errors) / len(errors), "s")
