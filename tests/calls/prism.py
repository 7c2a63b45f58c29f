"""Prism: Twilio's own OpenAPI file as a referee of requests and answers, beside the tests.

`@stoplight/prism-cli` is fetched once from npm into the user's cache. Where npm or the file is
missing, the tests that need them are skipped and say so.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION = "5.14.2"
ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = ROOT.parent / "shared" / "telephony" / "twilio_api_v2010.strict.json"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "helpdesk-tests"
START = 90.0  # seconds; a start takes three on an idle machine
FETCH = 180.0


def program() -> list[str]:
    """The command that runs Prism, fetched if need be. Skips the test where that can't be."""
    if not SPEC.exists():
        pytest.skip(f"the contract file is missing: {SPEC}")
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node or npm is missing")
    folder = CACHE / f"prism-{VERSION}"
    script = folder / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    if not script.exists():
        _fetch(npm, folder)
    if not script.exists():
        pytest.skip("npm could not fetch @stoplight/prism-cli")
    return [node, str(script)]


def _fetch(npm: str, folder: Path) -> None:
    """One of several test processes fetches, the others wait for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / "prism.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        command = [npm, "install", "--prefix", str(folder), *flags]
        with_version = [*command, f"@stoplight/prism-cli@{VERSION}"]
        try:
            subprocess.run(with_version, check=False, capture_output=True, timeout=FETCH)
        except subprocess.TimeoutExpired:
            return


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """Prism with these arguments; gives its address and ends it afterwards."""
    command, port = program(), _free_port()
    call = [*command, *arguments, "-h", "127.0.0.1", "-p", str(port), "--errors"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(call, **quiet) as process:  # type: ignore[call-overload]
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """With the real clock: the test's may stand still."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        assert process.poll() is None, "Prism ended at its start"
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("Prism did not start")
