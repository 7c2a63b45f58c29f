"""Starts a private PostgreSQL for one test run and stops it afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def server_binaries() -> Path | None:
    """The newest installed server's folder, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1] if found else None


class PostgresServer:
    """A server on a socket in a temporary folder, without durability: tests don't need it."""

    def __init__(self) -> None:
        binaries = server_binaries()
        if binaries is None:
            raise RuntimeError("PostgreSQL is not installed: run `make install-test`.")
        self.folder = Path(tempfile.mkdtemp(prefix="helpdesk-pg-"))
        # initdb and postgres refuse to run as root.
        self.drop = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            if os.geteuid() == 0
            else []
        )
        if self.drop:
            shutil.chown(self.folder, "postgres", "postgres")
        data = self.folder / "data"
        self._run([binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8"])
        options = ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=200"]
        command = [binaries / "postgres", "-D", data, "-k", self.folder]
        for option in [*options, "synchronous_commit=off", "shared_buffers=64MB", "jit=off"]:
            command += ["-c", option]
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [*self.drop, *map(str, command)], stdout=subprocess.DEVNULL, stderr=log
            )
        self._wait()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, command: list[object]) -> None:
        subprocess.run([*self.drop, *map(str, command)], check=True, stdout=subprocess.DEVNULL)

    def _wait(self) -> None:
        for _ in range(200):
            if (self.folder / ".s.PGSQL.5432").exists() and self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def _answers(self) -> bool:
        ready = ["pg_isready", "-q", "-h", str(self.folder)]
        return subprocess.run(ready, check=False).returncode == 0
