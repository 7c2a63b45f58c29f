"""A thousand open desks: what they cost, how soon they hear of a change, what pages take meanwhile.

`helpdesk web` on a copy of the kept database with a hundred more queues of ten agents each, all of
whose streams are open. Twenty changes a second by the product's own verb; each concerns the desks
of one queue. One reader asks for queue pages, before there are streams and beside the changes.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from benchmarks import machine, pages, product
from benchmarks.bench_pages import ONE_CLIENT, load_pages
from benchmarks.generate import SEED, kept
from benchmarks.place import MAIL_DOMAIN, application, environment, scratch
from benchmarks.report import Report, percentile
from helpdesk import ext
from helpdesk.accounts import sessions
from helpdesk.accounts.actions import add_user, change_user
from helpdesk.accounts.models import QueueMember, Role
from helpdesk.events import SYSTEM
from helpdesk.lib.clock import now
from helpdesk.tickets.actions import set_tags
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queues import create_queue
from helpdesk.web.guard import COOKIE

QUEUES, AGENTS, TICKETS = 100, 10, 5  # of each queue: agents, tickets
RATE = 20.0  # changes a second
SECONDS, CALM, WARM = 30.0, 5.0, 3.0
AT_ONCE = 50  # streams that are being opened
EXTRA_MB, HEARD_MS = 150.0, 500.0

Queue = Sequence[int]  # its tickets


@dataclass
class Heard:
    """When changes were committed and when browsers heard of them, in monotonic seconds."""

    committed: dict[int, float] = field(default_factory=dict)  # by ticket, the latest
    delays: list[float] = field(default_factory=list)
    opened: int = 0
    changes: int = 0

    def take(self, line: bytes) -> None:
        """A line of a stream."""
        if not line.startswith(b'data: {"tickets"'):
            return
        at = time.monotonic()
        for ticket_id in json.loads(line[6:])["tickets"]:
            self.delays.append((at - self.committed[ticket_id]) * 1000)


def measure(size: str, report: Report) -> None:
    """Pages alone; streams opened; changes, and pages beside them."""
    kept(size)
    with scratch(size) as folder:
        app = application(folder)
        header = pages.enter(app).headers("")
        queues, cookies = _staff(app)
        settings = environment(folder)
        paths = [f"/desk?view=queue:{n}" for n in (1, 2)] + ["/desk?view=all"]
        with product.running(settings, "web") as parts:
            port = int(settings["HELPDESK_HTTP_BIND"].rpartition(":")[2])
            load_pages(port, paths, header, 4, WARM)
            alone = load_pages(port, paths, header, 1, WARM)
            web, heard = parts["web"], Heard()
            before = machine.pss_megabytes(web.family())
            line = _Line(port, cookies, heard)
            line.start()
            time.sleep(CALM)
            extra = machine.pss_megabytes(web.family()) - before
            report.add("streams open", heard.opened, "", at_least=len(cookies))
            report.add("memory of the streams (PSS)", extra, "MB", at_most=EXTRA_MB)
            cpu = machine.cpu_seconds(web.family())
            time.sleep(CALM)
            idle = machine.cpu_seconds(web.family()) - cpu
            report.add("CPU of `helpdesk web` while nothing happens", idle / CALM * 100, "%")
            _beside(report, app, queues, heard, lambda: load_pages(port, paths, header, 1, SECONDS))
            line.stop()
        report.add("queue page before the streams: p95", percentile(alone, 95), "ms")


def _beside(
    report: Report,
    app: Flask,
    queues: Sequence[Queue],
    heard: Heard,
    read: Callable[[], Sequence[float]],
) -> None:
    writer = threading.Thread(target=_change, args=(app, queues, heard))
    writer.start()
    times = read()
    writer.join()
    time.sleep(1)
    expected = heard.changes * AGENTS
    report.add("changes", heard.changes / SECONDS, "/s")
    report.add("heard of, of all that should", len(heard.delays) / expected * 100, "%", at_least=99)
    report.add("from commit to the browser: p50", percentile(heard.delays, 50), "ms")
    report.add(
        "from commit to the browser: p99", percentile(heard.delays, 99), "ms", at_most=HEARD_MS
    )
    report.add("queue page meanwhile: p50", percentile(times, 50), "ms")
    report.add("queue page meanwhile: p95", percentile(times, 95), "ms", at_most=ONE_CLIENT)


def _staff(app: Flask) -> tuple[list[Queue], list[str]]:
    """Queues with agents who have logged in, and tickets moved there: their ids, the cookies."""
    queues: list[Queue] = []
    cookies: list[str] = []
    with app.app_context():
        with ext.write() as session:
            free = iter(session.scalars(select(Ticket.id).limit(QUEUES * TICKETS)).all())
            for n in range(QUEUES):
                address = f"desk{n}@{MAIL_DOMAIN}"
                queue = create_queue(
                    session, name=f"Desk {n}", address=address, country="UA", at=now()
                )
                ids = [next(free) for _ in range(TICKETS)]
                session.execute(update(Ticket).where(Ticket.id.in_(ids)).values(queue_id=queue.id))
                queues.append(ids)
                cookies += [_agent(session, queue.id, f"{n}.{m}") for m in range(AGENTS)]
        ext.db.engine.dispose()
    return queues, cookies


def _agent(session: Session, queue_id: int, name: str) -> str:
    """An agent of this queue alone; the cookie of the log-in."""
    user = add_user(
        session, email=f"agent{name}@{MAIL_DOMAIN}", name=f"Agent {name}", role=Role.AGENT, at=now()
    )
    change_user(session, user, actor=SYSTEM, all_queues=False)
    session.add(QueueMember(user_id=user.id, queue_id=queue_id))
    return sessions.log_in(session, user, None, old_token=None, agent="bench", at=now())


def _change(app: Flask, queues: Sequence[Queue], heard: Heard) -> None:
    """Changes at a steady rate, queue after queue, each in a transaction of its own."""
    draw, began = random.Random(SEED), time.monotonic()
    with app.app_context():
        while (due := began + heard.changes / RATE) < began + SECONDS:
            time.sleep(max(due - time.monotonic(), 0))
            ticket_id = draw.choice(queues[heard.changes % len(queues)])
            with ext.write() as session:
                ticket = session.get_one(Ticket, ticket_id)
                tags = [f"change{heard.changes}"]
                set_tags(session, ticket, tags, actor=SYSTEM, at=now())
                heard.committed[ticket_id] = time.monotonic()  # a moment before it is
            heard.changes += 1
        ext.db.engine.dispose()


class _Line(threading.Thread):
    """The browsers: a stream each, read in a thread of their own."""

    def __init__(self, port: int, cookies: Sequence[str], heard: Heard) -> None:
        super().__init__()
        self.port, self.cookies, self.heard = port, cookies, heard
        self.over = threading.Event()

    def run(self) -> None:
        asyncio.run(self._all())

    def stop(self) -> None:
        self.over.set()
        self.join()

    async def _all(self) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        streams = [asyncio.create_task(self._one(cookie, gate)) for cookie in self.cookies]
        while not self.over.is_set():
            await asyncio.sleep(0.2)
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)

    async def _one(self, cookie: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            request = f"GET /events HTTP/1.1\r\nHost: bench\r\nCookie: {COOKIE}={cookie}\r\n\r\n"
            writer.write(request.encode())
            while not (line := await reader.readline()).startswith(b"retry:"):
                if not line:
                    return
            self.heard.opened += 1
        try:
            while line := await reader.readline():
                self.heard.take(line)
        finally:
            writer.close()
