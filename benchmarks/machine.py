"""What the machine says of itself and of processes: load, CPU time, memory. Linux only."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def cpu_seconds(pids: list[int]) -> float:
    """CPU time of these processes so far, user and system."""
    return sum(_cpu(pid) for pid in pids)


def pss_megabytes(pids: list[int], part: str = "Pss") -> float:
    """Memory of these processes, shared pages counted once among them.

    `part` may be "Pss_File": programs, libraries and the mapped pages of the database, which the
    kernel takes back when it needs them.
    """
    return sum(_pss(pid, part) for pid in pids) / 1024


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _pss(pid: int, part: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{part}:"))
