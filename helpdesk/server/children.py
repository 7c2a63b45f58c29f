"""What each kind of child process does: web, smtp, imap, worker, twin."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import structlog
import uvicorn
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import ext, jobs
from helpdesk.calls.providers.twilio import checker
from helpdesk.calls.providers.twin import server as twin_server
from helpdesk.calls.providers.twin.account import account
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.transport import Http
from helpdesk.intake import imap_service, smtp
from helpdesk.kb import memory
from helpdesk.lib.clock import now
from helpdesk.live import heartbeat
from helpdesk.server import checks
from helpdesk.server.asgi import Application
from helpdesk.server.sharing import Loads, Shared

log = structlog.get_logger()

GRACE_SECONDS = 3
HEADER_BYTES = 64 << 10
LOADS = Loads()  # made at import, which is before forking
PROBE_SECONDS = 5.0


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or []:
            sock.listen(checks.BACKLOG)  # see `backlog` below

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def web(app: Flask, sock: socket.socket, slot: int) -> None:
    """Serve pages and streams on a listening socket until SIGTERM."""
    app.extensions["helpdesk_latency"].slot = slot
    app.extensions["helpdesk_webhooks"].set_slot(slot)
    threading.Thread(target=_warm, args=(app,), name="warm", daemon=True).start()
    asyncio.run(_web(app, Shared(sock, LOADS, slot)))


def _warm(app: Flask) -> None:
    """Read what search knows while pages are served already; the first search waits for no more
    than is still missing.
    """
    try:
        with app.app_context():
            memory.warm()
    except SQLAlchemyError:
        log.exception("search.not_read")


async def _web(app: Flask, sock: socket.socket) -> None:
    application = Application(app)
    server = _Server(
        uvicorn.Config(
            application,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            backlog=1,  # asyncio takes so many connections at once: the next one may be another's
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=GRACE_SECONDS,
            h11_max_incomplete_event_size=HEADER_BYTES,
        )
    )

    def stop() -> None:
        application.hub.close()
        server.should_exit = True

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await server.serve(sockets=[sock])


def email(app: Flask, sock: socket.socket) -> None:
    """Accept email on a listening socket until SIGTERM; what was accepted is finished."""
    asyncio.run(_email(app, sock))


async def _email(app: Flask, sock: socket.socket) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    address = sock.getsockname()[:2]
    beating = asyncio.create_task(_beat(app, address))
    try:
        await smtp.serve(app, sock, stop)
    finally:
        beating.cancel()


async def _beat(app: Flask, address: tuple[str, int]) -> None:
    """A sign of life whenever our own port greets us."""
    while True:
        if await _greets(address):
            await asyncio.to_thread(_write_beat, app)
        await asyncio.sleep(heartbeat.EVERY_SECONDS)


async def _greets(address: tuple[str, int]) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(host, address[1])
            greeting = await reader.readline()
            writer.write(b"QUIT\r\n")
            await reader.readline()
            writer.close()
    except OSError:
        return False
    return bool(greeting)


def _write_beat(app: Flask) -> None:
    try:
        with app.app_context(), ext.write() as session:
            heartbeat.beat(session, "smtp", now(), [])
    except SQLAlchemyError:
        log.exception("heartbeat.not_written")


def worker(app: Flask) -> None:
    """Run the timed jobs until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    jobs.run(app, stop)


def imap(app: Flask) -> None:
    """Fetch the mailboxes that are set up until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    _beside(imap_service.Service(app).run, stop)


def _beside(run: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Run in a thread, which gets memory of its own: the main thread's lies in gaps between what
    processes share, and each page that it writes to is one more."""
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            run(stop)
        except BaseException as error:
            failed.append(error)
        stop.set()

    thread = threading.Thread(target=guarded, name="main")
    thread.start()
    stop.wait()
    thread.join()
    if failed:
        raise failed[0]


def twin(app: Flask, sock: socket.socket) -> None:
    """Be the telephone company until SIGTERM: answer on the socket, ring at our own pages."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    bind, public = app.config["HTTP_BIND"], app.config["PUBLIC_URL"]
    login = account(app.config["SECRET_KEY"])
    exchange = Twin(login, public, Http(bind.host, bind.port), checker.check)
    log.info("twin.listening", url=app.config["TWIN_URL"])
    twin_server.serve(exchange, sock, stop)
