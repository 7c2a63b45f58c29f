"""Runs the measurements: `python -m benchmarks [--size 100k] [--seconds 20] [names…]`."""

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial

from benchmarks import (
    bench_desks,
    bench_import,
    bench_intake,
    bench_kb,
    bench_memory,
    bench_pages,
    bench_portal,
    bench_reports,
    bench_sweep,
    bench_telephone,
)
from benchmarks.generate import kept
from benchmarks.place import BENCH, SIZES
from benchmarks.report import Report
from helpdesk.lib import logs

REPORTS = "reports"
Measure = Callable[[str, Report], None]


def main() -> int:
    """Run what was asked for, print tables, keep the figures."""
    asked = _arguments()
    BENCH.mkdir(parents=True, exist_ok=True)
    logs.configure((BENCH / "bench.log").open("a", encoding="utf-8"))
    if asked.names != [REPORTS]:  # which have a desk of their own
        kept(asked.size)
    for name, (title, measure) in _measures(asked.seconds).items():
        if asked.names and name not in asked.names:
            continue
        report = Report(title, asked.size)
        measure(asked.size, report)
        report.show()
        report.save()
    return 0


def _measures(seconds: float) -> Mapping[str, tuple[str, Measure]]:
    return {
        "pages": ("Pages of the desk", bench_pages.measure),
        "portal": ("Pages of customers", bench_portal.measure),
        "desks": ("A thousand open desks", bench_desks.measure),
        "sweep": ("Clocks", bench_sweep.measure),
        "kb": ("Search in the knowledge base", bench_kb.measure),
        "import": ("Clients from files", bench_import.measure),
        "memory": ("The whole product", bench_memory.measure),
        "intake": ("Email in", partial(bench_intake.measure, seconds=seconds)),
        REPORTS: ("Reports and the wallboard", bench_reports.measure),
        "telephone": ("The telephone", bench_telephone.measure),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="100k")
    parser.add_argument("--seconds", type=float, default=bench_intake.SECONDS)
    parser.add_argument("names", nargs="*", choices=[*_measures(0), []])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
