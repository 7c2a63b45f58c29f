"""Forked children that die with their parent, however it dies."""

import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()

STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
WATCHED = STOP_SIGNALS | {signal.SIGCHLD}
LAST_SECONDS = 4.0  # what an orphan gets to finish its work
PR_SET_PDEATHSIG = 1
M_MMAP_THRESHOLD = -3
LARGE = 1 << 20
SORTS = 100_000


class Lifeline:
    """A pipe whose other end only the parent holds: it closes when the parent is gone."""

    def __init__(self) -> None:
        self.parent = os.getpid()
        self._read, self._write = os.pipe()

    def follow(self) -> None:
        """In a child: ask for a signal at the parent's death, and watch the pipe as well."""
        os.close(self._write)
        _signal_at_parents_death()
        if os.getppid() != self.parent:
            os._exit(1)
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def close(self) -> None:
        """In the parent, when there is no child any more."""
        os.close(self._read)
        os.close(self._write)

    def _watch(self) -> None:
        os.read(self._read, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST_SECONDS)
        os._exit(1)


def _signal_at_parents_death() -> None:
    """Linux only; elsewhere the pipe alone must do."""
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def freeze() -> None:
    """Before forking: keep the garbage collector and `malloc` off the pages that children share."""
    gc.collect()
    _tidy()
    gc.freeze()


def _tidy() -> None:
    """Give free memory back, and see to it that children do; glibc only.

    Blocks of a megabyte always come from the system: else the 19 MB that a password's hash takes
    would stay with each process from the second one on (mallopt(3), M_MMAP_THRESHOLD). What has
    just been freed lies unsorted until a larger block is asked for: one here, not one in each
    child, that would write to 5 MB for it.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim"):
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
        libc.malloc_trim(0)
        bytearray(SORTS)


def fork(name: str, target: Callable[[], object], lifeline: Lifeline) -> int:
    """Run `target` in a child process and return its id.

    The child leaves SIGINT to the supervisor: a terminal sends it to the whole group.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        lifeline.follow()
        structlog.contextvars.bind_contextvars(process=name)
        target()
        code = 0
    except BaseException:
        log.exception("process.failed", process=name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
