"""Suspicious email read in a child process with bounded time and memory.

The child is a fresh interpreter (a fork of a process with threads isn't safe). It starts with an
empty environment, reads the email from its standard input and writes the Inbound to its
standard output. Starting it takes some 0.15–0.3 s of CPU, so only unusual email goes there.
"""

import io
import os
import pickle
import resource
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any

from helpdesk.intake import guard, inbound, mail, mail_fallback, mime

SECONDS = 10
MEMORY_MB = 512
START_SECONDS = 5
"""Wall time on top for starting the interpreter."""
_ROOT = Path(__file__).resolve().parents[2]
_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "helpdesk.intake.sandbox")
_CLASSES: dict[str, Any] = {
    f"{cls.__module__}.{cls.__name__}": cls
    for cls in (
        inbound.Address,
        inbound.Bounce,
        inbound.Inbound,
        inbound.InboundFile,
        datetime,
        timedelta,
        timezone,
    )
}


def understand(
    raw: bytes,
    *,
    envelope_from: str | None,
    own_addresses: guard.Own = (),
    authserv_id: str | None = None,
) -> inbound.Inbound:
    """Read an email here if its shape is ordinary, in a child if it isn't. Never raises."""
    try:
        layout = mime.split(raw)
    except Exception as error:  # as in mail.parse
        return mail_fallback.rescue(raw, f"parser_error:{type(error).__name__}")
    if mail.unusual(layout):
        return parse_in_child(
            raw,
            envelope_from=envelope_from,
            own_addresses=own_addresses,
            authserv_id=authserv_id,
        )
    return mail.parse_layout(
        layout,
        envelope_from=envelope_from,
        own_addresses=own_addresses,
        authserv_id=authserv_id,
    )


def parse_in_child(
    raw: bytes,
    *,
    envelope_from: str | None,
    own_addresses: guard.Own = (),
    authserv_id: str | None = None,
    seconds: float = SECONDS,
    memory_mb: int = MEMORY_MB,
) -> inbound.Inbound:
    """`mail.parse` in a child with a limit of CPU seconds, wall time and address space.

    When the child dies or takes too long, what can be had without parsing comes back, with the
    error "parser_died". Safe to call from any thread.
    """
    asked = guard.candidates(mime.split(raw).root.headers, envelope_from)
    own = {address for address in asked if guard.owned(address, own_addresses)}
    call = pickle.dumps((max(1, round(seconds)), memory_mb, envelope_from, own, authserv_id))
    answer = _run(_COMMAND, len(call).to_bytes(4, "big") + call + raw, seconds + START_SECONDS)
    try:
        read = _Reader(io.BytesIO(answer)).load()
    except Exception:  # a cut or foreign answer, whatever it is
        read = None
    if isinstance(read, inbound.Inbound):
        return read
    return mail_fallback.rescue(raw, "parser_died")


class _Reader(pickle.Unpickler):
    """Unpickles an Inbound and nothing else, in case the child was taken over."""

    def find_class(self, module: str, name: str) -> Any:
        """The few classes an Inbound is made of."""
        try:
            return _CLASSES[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name}") from None


def _run(command: tuple[str, ...], fed: bytes, seconds: float) -> bytes:
    """Start the child, feed it, return what it wrote; b"" if it failed."""
    try:
        done = subprocess.run(
            command,
            input=fed,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(_ROOT), "LC_ALL": "C.UTF-8"},
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _limit(seconds: int, memory_mb: int) -> None:
    """Bound this process: CPU seconds, address space, no files, no core."""
    memory = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def serve(stdin: IO[bytes], stdout: IO[bytes]) -> None:
    """The child: read the call and the email, write the Inbound."""
    size = int.from_bytes(stdin.read(4), "big")
    seconds, memory_mb, envelope_from, own, authserv_id = pickle.loads(stdin.read(size))
    _limit(seconds, memory_mb)
    raw = stdin.read()
    result = mail.parse(
        raw, envelope_from=envelope_from, own_addresses=own, authserv_id=authserv_id
    )
    del raw
    pickle.dump(result, stdout, protocol=5)
    stdout.flush()


if __name__ == "__main__":
    os.nice(5)
    serve(sys.stdin.buffer, sys.stdout.buffer)
