"""The whole product as a person starts it: free ports, an own folder, a process group to end."""

import json
import os
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.spawn import Spawned, Spawner

ROOT = Path(__file__).resolve().parent.parent
# A test run that is killed takes the products it has started with it.
TIED = ("setpriv", "--pdeathsig", "TERM")
SECONDS = 30.0  # more than any wait here should take on a busy machine


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Product:
    """`helpdesk COMMAND…`, or another module, on its own ports and folder.

    What it prints goes to `product.log` in the folder: a pipe that nobody reads would stop it.
    With a spawner it begins as a fork of a process that has imported everything already.
    """

    def __init__(
        self,
        folder: Path,
        url: str | None = None,
        *,
        module: str = "helpdesk",
        spawner: Spawner | None = None,
        **env: str,
    ) -> None:
        self.folder, self.module, self.spawner = folder, module, spawner
        self.http, self.smtp = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | Spawned | None = None
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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def log(self) -> Path:
        return self.folder / "product.log"

    def command(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end."""
        if self.spawner is not None:
            return self.spawner.run(self.module, arguments, self.env, stdin)
        command = [sys.executable, "-m", self.module, *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.env,
            input=stdin,
            capture_output=True,
            timeout=2 * SECONDS,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes] | Spawned:
        """Start a command, `run` if none is named; it is not ready yet."""
        if self.spawner is not None:
            words = arguments or ("run",)
            self.process = self.spawner.start(self.module, words, self.env, self.log)
            return self.process
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*TIED, sys.executable, "-m", self.module, *(arguments or ("run",))],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes] | Spawned]:
        """The product, started; killed with all its children at the end."""
        process = self.start(*arguments)
        try:
            yield process
        finally:
            end(process)

    def kill(self) -> None:
        """SIGKILL to every process of the product at once."""
        assert self.process is not None
        end(self.process)

    def stop(self) -> float:
        """SIGTERM to the supervisor; returns the seconds it took to end."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(SECONDS)
        return time.monotonic() - began

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body; (0, "") while nobody answers."""
        request = urllib.request.Request(self.url + path, headers=headers)
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

    def takes_email(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.smtp, "t.example", timeout=2):
                return True
        except (OSError, smtplib.SMTPException):
            return False

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What its SQLite database answers."""
        with closing(sqlite3.connect(self.folder / "helpdesk.db", timeout=20)) as connection:
            return connection.execute(sql).fetchall()


def until(true: Callable[[], object], seconds: float = SECONDS) -> float:
    """Wait until the callable says true; returns the seconds it took. Fails after `seconds`."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not come true in time"
        time.sleep(0.02)
    return time.monotonic() - began


def end(leader: subprocess.Popen[bytes] | Spawned) -> None:
    """SIGKILL to all of a process group; afterwards their ports are free."""
    for pid in group(leader.pid):
        os.kill(pid, signal.SIGKILL)
    leader.wait(SECONDS)
    until(lambda: not group(leader.pid))


def group(leader: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        dead = fields[0] == "Z" and int(fields[17]) <= 1  # else its other threads are still dying
        if int(fields[2]) == leader and not dead:
            found.append(int(stat.parent.name))
    return found


def children(parent: int) -> dict[int, str]:
    """Living children: process id and when it was started (to tell a new one from an old)."""
    found = {pid: started(pid) for pid in group(parent) if pid != parent}
    return {pid: moment for pid, moment in found.items() if moment}


def started(pid: int) -> str:
    """ "" of a process that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""
