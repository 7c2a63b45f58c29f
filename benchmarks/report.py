"""Tables of figures with their budgets, and one line of JSON for each run."""

import json
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.machine import load
from benchmarks.place import BENCH, ROOT
from helpdesk.lib.clock import now


@dataclass(frozen=True)
class Figure:
    """One measured value; `load` is the machine's when it was noted."""

    name: str
    value: float
    unit: str
    budget: float | None
    at_least: bool
    load: float

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        met = self.value >= self.budget if self.at_least else self.value <= self.budget
        return "met" if met else "MISSED"

    def cells(self) -> Sequence[str]:
        sign = "≥" if self.at_least else "≤"
        budget = "" if self.budget is None else f"{sign} {self.budget:g} {self.unit}"
        return (
            self.name,
            f"{shown(self.value)} {self.unit}",
            budget,
            self.verdict,
            f"{self.load:.1f}",
        )


class Report:
    """The figures of one measurement."""

    def __init__(self, title: str, size: str) -> None:
        self.title, self.size = title, size
        self.figures: list[Figure] = []

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """Note a figure, with what it should be."""
        budget = at_most if at_least is None else at_least
        self.figures.append(Figure(name, value, unit, budget, at_least is not None, load()))

    def show(self) -> None:
        """Print the table."""
        rows = [("", "measured", "budget", "", "load"), *(one.cells() for one in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        print(f"\n{self.title}, {self.size} tickets")
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))

    def save(self) -> None:
        """Append one line to var/bench/results.jsonl."""
        BENCH.mkdir(parents=True, exist_ok=True)
        line = {
            "at": now().isoformat(timespec="seconds"),
            "commit": _commit(),
            "python": platform.python_version(),
            "title": self.title,
            "size": self.size,
            "figures": [asdict(figure) | {"verdict": figure.verdict} for figure in self.figures],
        }
        with (BENCH / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def shown(value: float) -> str:
    """Three digits that count."""
    if value == int(value) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values don't exceed; 0 where there are none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
