"""Starts the whole product as a person would, on free ports and an own folder; stops it after."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 30.0  # more than any wait here should take on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Product:
    """`helpdesk COMMAND…` in a process group of its own."""

    def __init__(self, folder: Path, url: str | None = None, **env: str) -> None:
        self.http, self.smtp = free_port(), free_port()
        self.env = {name: value for name, value in os.environ.items() if "HELPDESK" not in name}
        self.env |= {
            "HELPDESK_DATA_DIR": str(folder),
            "HELPDESK_HTTP_BIND": f"127.0.0.1:{self.http}",
            "HELPDESK_SMTP_BIND": f"127.0.0.1:{self.smtp}",
            "HELPDESK_WEB_WORKERS": "2",
            "SECRET_KEY": "k" * 32,
            **({"HELPDESK_DATABASE_URL": url} if url else {}),
            **env,
        }

    def command(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end."""
        command = [sys.executable, "-m", "helpdesk", *arguments]
        return subprocess.run(
            command, env=self.env, input=stdin, capture_output=True, timeout=SECONDS, check=False
        )

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The product, ready; killed with all its children at the end."""
        process = subprocess.Popen(
            [sys.executable, "-m", "helpdesk", *(arguments or ("run",))],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            for pid in group(process.pid):
                os.kill(pid, signal.SIGKILL)
            process.wait(SECONDS)
            assert process.stdout is not None
            process.stdout.close()

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body; (0, "") while nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def unready(self) -> dict[str, str]:
        return {k: v for k, v in json.loads(self.get("/readyz")[1]).items() if v != "ok"}


def until(true: object, seconds: float = SECONDS) -> float:
    """Wait until the callable says true; returns the seconds it took. Fails after `seconds`."""
    assert callable(true)
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not come true in time"
        time.sleep(0.02)
    return time.monotonic() - began


def group(leader: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def children(parent: int) -> dict[int, str]:
    """Living children: process id and when it was started (to tell a new one from an old)."""
    return {pid: started(pid) for pid in group(parent) if pid != parent}


def started(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
