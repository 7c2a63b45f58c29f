"""Starts products quickly: a process that has imported everything once, and forks.

`python -m tests.spawn` reads orders, a line each, and answers each with a number. What it starts
dies with it, and it with the test run.
"""

import ctypes
import json
import os
import random
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import configure_mappers

import helpdesk.cli  # noqa: F401 (with it the whole product)
from config import Config
from helpdesk.app import create_app
from tests.speed import remember_addresses

ROOT = Path(__file__).resolve().parent.parent
TIED = ("setpriv", "--pdeathsig", "TERM")
PR_SET_PDEATHSIG = 1
RUNS = -1000  # said of a process that has not ended
NOTHING = Path(os.devnull)
SECONDS = 180.0  # that a command may take on a busy machine


class Spawner:
    """Runs modules as `python -m` would, in processes that need not import them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [*TIED, sys.executable, "-m", __name__],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        out: Path,
        *,
        err: Path | None = None,
        stdin: Path = NOTHING,
    ) -> "Spawned":
        """A new process, the leader of a group; what it prints goes to the end of these files."""
        files = [str(stdin), str(out), str(err or out)]
        argv = [module, *arguments]
        return Spawned(self.ask({"argv": argv, "env": dict(env), "files": files}), self)

    def run(
        self, module: str, arguments: Sequence[str], env: Mapping[str, str], stdin: bytes
    ) -> "subprocess.CompletedProcess[bytes]":
        """What `subprocess.run` does."""
        with tempfile.TemporaryDirectory() as name:
            given, out, err = (Path(name) / kind for kind in ("in", "out", "err"))
            given.write_bytes(stdin)
            process = self.start(module, arguments, env, out, err=err, stdin=given)
            code = process.wait()
            return subprocess.CompletedProcess(
                process.pid, code, out.read_bytes(), err.read_bytes()
            )

    def ask(self, order: dict[str, Any]) -> int:
        writing, reading = self._process.stdin, self._process.stdout
        assert writing is not None and reading is not None
        writing.write(json.dumps(order) + "\n")
        writing.flush()
        return int(reading.readline())

    def close(self) -> None:
        """Its processes end as well."""
        self._process.kill()
        self._process.communicate()


@dataclass
class Spawned:
    """A process that was spawned, with what is used of `subprocess.Popen`."""

    pid: int
    spawner: Spawner

    def poll(self) -> int | None:
        code = self.spawner.ask({"pid": self.pid})
        return None if code == RUNS else code

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def wait(self, seconds: float = SECONDS) -> int:
        end = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), seconds)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def main() -> None:
    """Until there are no more orders."""
    with tempfile.TemporaryDirectory() as folder:
        remember_addresses()
        create_app(Config.from_env({"HELPDESK_DATA_DIR": folder, "SECRET_KEY": "k" * 32}))
    configure_mappers()
    for line in sys.stdin:
        order = json.loads(line)
        if "pid" in order:
            print(_code_of(order["pid"]), flush=True)
        elif pid := os.fork():
            print(pid, flush=True)
        else:
            _become(**order)


_codes: dict[int, int] = {}


def _code_of(pid: int) -> int:
    """Its exit code, as `subprocess` gives it."""
    if pid not in _codes:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return RUNS
        _codes[pid] = os.waitstatus_to_exitcode(status)
    return _codes[pid]


def _become(argv: list[str], env: dict[str, str], files: list[str]) -> None:
    """In the new process: forget where it comes from, and run the module."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    for number, name in enumerate(files):
        with Path(name).open("ab" if number else "rb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(env)
    random.seed()
    sys.argv = argv
    runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
