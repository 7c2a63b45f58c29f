"""The measured product as real processes, started the way an administrator starts it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import machine
from benchmarks.place import ROOT

START_SECONDS = 30.0
STOP_SECONDS = 15.0


class Part:
    """One running command of the product."""

    def __init__(self, process: "subprocess.Popen[bytes]", role: str) -> None:
        self.process, self.role = process, role

    def family(self) -> list[int]:
        """The supervisor and its children."""
        return machine.family(self.process.pid)

    def stop(self) -> float:
        """Ask it to end and return how long that took, in seconds."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOP_SECONDS)
        return time.monotonic() - began


def start(role: str, environment: dict[str, str]) -> Part:
    """Start `helpdesk ROLE`; what it says goes to a file in its data folder."""
    folder = Path(environment["HELPDESK_DATA_DIR"])
    with (folder / f"{role}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "helpdesk", role],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Part(process, role)


@contextmanager
def running(environment: dict[str, str], *roles: str) -> Iterator[dict[str, Part]]:
    """These parts of the product, ready to serve; stopped at the end."""
    parts: dict[str, Part] = {}
    try:
        for role in roles:
            parts[role] = start(role, environment)
        ports = {"smtp": "HELPDESK_SMTP_BIND", "web": "HELPDESK_HTTP_BIND"}
        for role in roles:
            if role in ports:
                wait_for_port(environment[ports[role]], parts[role])
        yield parts
    finally:
        for part in parts.values():
            part.stop()


def wait_for_port(bind: str, part: Part) -> None:
    """Until somebody listens. Raises RuntimeError if the process ends or takes too long."""
    host, _, port = bind.rpartition(":")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and part.process.poll() is None:
        try:
            with socket.create_connection((host, int(port)), timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"helpdesk {part.role} did not start: see its log in the data folder")
