"""Sends letters to the SMTP adapter from several processes, a new connection for each letter."""

import multiprocessing
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier

from benchmarks.letters import Letter, Writer
from benchmarks.place import SUPPORT
from benchmarks.vocabulary import Vocabulary
from helpdesk.lib.clock import now

SENDERS = 8
TIMEOUT = 30.0


@dataclass(frozen=True)
class Plan:
    """How long to send, and at which rate together (None: as fast as the door answers)."""

    port: int
    run: str
    seconds: float
    rate: float | None
    people: int


class Fleet:
    """The running senders; `accepted` collects when each letter got its 250."""

    def __init__(self, plan: Plan, known: Mapping[str, Vocabulary]) -> None:
        self.plan = plan
        context = multiprocessing.get_context("fork")
        self.ready = context.Barrier(SENDERS + 1)
        self.results = context.SimpleQueue()
        self.processes = [
            context.Process(target=_send, args=(n, plan, known, self.ready, self.results))
            for n in range(SENDERS)
        ]

    def start(self) -> float:
        """Let all begin together; returns the monotonic moment."""
        for process in self.processes:
            process.start()
        self.ready.wait()
        return time.monotonic()

    def accepted(self) -> tuple[dict[str, float], int, float]:
        """Wait for the end: moments of the 250 by Message-ID, refusals, the senders' CPU time."""
        found: dict[str, float] = {}
        refused, cpu = 0, 0.0
        for _process in self.processes:
            moments, failures, seconds = self.results.get()
            found |= moments
            refused, cpu = refused + failures, cpu + seconds
        for process in self.processes:
            process.join()
        return found, refused, cpu


def _send(
    number: int,
    plan: Plan,
    known: Mapping[str, Vocabulary],
    ready: Barrier,
    results: "multiprocessing.SimpleQueue[tuple[dict[str, float], int, float]]",
) -> None:
    writer = Writer(number, plan.run, known, SUPPORT, plan.people)
    moments: dict[str, float] = {}
    refused, sent = 0, 0
    ready.wait()
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() < began + plan.seconds:
        if plan.rate is not None:
            _sleep_until(began + (number + SENDERS * sent) / plan.rate)
        letter = writer.letter(now())
        sent += 1
        if deliver(plan.port, letter):
            moments[letter.message_id] = time.monotonic()
        else:
            refused += 1
    results.put((moments, refused, time.process_time() - cpu))


def deliver(port: int, letter: Letter) -> bool:
    """Send one letter; whether it was accepted."""
    stuffed = letter.raw.replace(b"\r\n.", b"\r\n..")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ok = _answer(sock) == b"2"
            commands = (
                b"EHLO client.example",
                f"MAIL FROM:<{letter.sender}>".encode(),
                f"RCPT TO:<{SUPPORT}>".encode(),
                b"DATA",
                stuffed.removesuffix(b"\r\n") + b"\r\n.",
            )
            for command in commands:
                sock.sendall(command + b"\r\n")
                ok = ok and _answer(sock) in (b"2", b"3")
            sock.sendall(b"QUIT\r\n")
    except OSError:
        return False
    return ok


def _answer(sock: socket.socket) -> bytes:
    """The first digit of the answer, read to its last line."""
    seen = b""
    while not (seen.endswith(b"\n") and seen.splitlines()[-1][3:4] != b"-"):
        part = sock.recv(4096)
        if not part:
            raise ConnectionError("the connection was closed")
        seen += part
    return seen[:1]


def _sleep_until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0:
        time.sleep(left)
