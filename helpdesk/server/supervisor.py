"""Starts the processes, starts again what dies, and stops all of them."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from helpdesk.server.processes import STOP_SIGNALS, WATCHED, Lifeline, fork

log = structlog.get_logger()

STOP_SECONDS = 4.0
FIRST_DELAY = 0.25
LONGEST_DELAY = 30.0
STEADY_SECONDS = 30.0  # who lived so long starts again at once


def always() -> bool:
    return True


@dataclass
class Process:
    """One child to keep alive: what it runs, whether anybody needs it yet, and how it fares."""

    name: str
    target: Callable[[], None]
    needed: Callable[[], bool] = always
    pid: int | None = None
    started: float = 0.0
    start_at: float = 0.0  # monotonic seconds
    delay: float = FIRST_DELAY

    def died(self, moment: float) -> None:
        """Plan the next start; who keeps dying waits longer each time."""
        steady = moment - self.started >= STEADY_SECONDS
        self.delay = FIRST_DELAY if steady else min(self.delay * 2, LONGEST_DELAY)
        self.pid, self.start_at = None, moment + self.delay


class Supervisor:
    """Keeps processes running until SIGINT, SIGTERM or SIGHUP; the second one kills."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.processes = processes
        self.lifeline = Lifeline()

    def run(self, started: Callable[[], None]) -> int:
        """Fork and watch; `started` is called once all were forked. Returns the exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        self._start_due()
        started()
        while True:
            received = signal.sigtimedwait(WATCHED, self._until_next())
            if received and received.si_signo in STOP_SIGNALS:
                return self._stop()
            self._reap()
            self._start_due()

    def _until_next(self) -> float:
        down = [p for p in self.processes if p.pid is None and p.needed()]
        waiting = [p.start_at - time.monotonic() for p in down]
        return max(min([*waiting, 1.0]), 0.0)

    def _start_due(self) -> None:
        for process in self.processes:
            due = process.pid is None and process.start_at <= time.monotonic()
            if due and process.needed():
                process.started = time.monotonic()
                process.pid = fork(process.name, process.target, self.lifeline)

    def _reap(self) -> None:
        for process in self.processes:
            if process.pid is None:
                continue
            pid, status = os.waitpid(process.pid, os.WNOHANG)
            if pid:
                process.died(time.monotonic())
                log.error(
                    "process.died",
                    process=process.name,
                    pid=pid,
                    code=os.waitstatus_to_exitcode(status),
                    again_in=round(process.delay, 2),
                )

    def _stop(self) -> int:
        """Ask all to finish; kill what has not after a few seconds, or at a second signal."""
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self._alive() and (left := deadline - time.monotonic()) > 0:
            received = signal.sigtimedwait(WATCHED, min(left, 0.2))
            if received and received.si_signo in STOP_SIGNALS:
                break
        late = [process.name for process in self._alive()]
        if late:
            log.warning("process.killed", processes=late)
            self._signal_all(signal.SIGKILL)
        return 0

    def _alive(self) -> list[Process]:
        for process in self.processes:
            if process.pid is not None and os.waitpid(process.pid, os.WNOHANG)[0]:
                process.pid = None
        return [process for process in self.processes if process.pid is not None]

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, number)
