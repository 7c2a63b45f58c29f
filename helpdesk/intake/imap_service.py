"""The process that fetches mailboxes: a thread for each, begun and ended as administrators wish."""

import random
import socket
import threading
import time
from dataclasses import dataclass, field

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import ext
from helpdesk.intake import imap_state as state
from helpdesk.intake.imap import IDLE_SECONDS, Refused, Trouble
from helpdesk.intake.imap_fetch import Fetcher
from helpdesk.intake.models import ImapTrouble
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import new_token
from helpdesk.live import heartbeat

log = structlog.get_logger()

RENEW_SECONDS = 4.0  # a third of what a claim holds
LOOK_SECONDS = 1.0  # how soon a new or changed mailbox is noticed
MOST = 200  # mailboxes of one process; the rest is for others
FIRST_DELAY, LONGEST_DELAY = 1.0, 300.0
LAST_SECONDS = 2.0  # for threads, at the end


@dataclass
class Running:
    """A mailbox that a thread of ours fetches; `stop` ends it."""

    fetcher: Fetcher
    stop: threading.Event
    thread: threading.Thread


@dataclass
class Service:
    """Keeps a thread for every mailbox that nobody else fetches."""

    app: Flask
    name: str = field(default_factory=lambda: f"{socket.gethostname()[:24]}-{new_token(8)}")
    running: dict[int, Running] = field(default_factory=dict)
    started: int = 0
    next_beat: float = 0.0  # monotonic, as the next one
    next_renewal: float = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what is being fetched then is fetched again by the next one."""
        while not stop.is_set():
            try:
                with self.app.app_context():
                    self._look()
            except SQLAlchemyError:
                log.exception("imap.database_away")
            stop.wait(LOOK_SECONDS)
        for one in self.running.values():
            one.stop.set()
        for one in self.running.values():
            one.thread.join(LAST_SECONDS)

    def _look(self) -> None:
        """Give a sign of life, end what is no longer wanted, begin what nobody fetches."""
        at = now()
        with ext.session() as session:
            wanted = state.wanted(session)
            free = state.free(session, at)
        for box_id, one in list(self.running.items()):
            if not one.thread.is_alive() or wanted.get(box_id) != one.fetcher.version:
                one.stop.set()
                del self.running[box_id]
        self._beat()
        for box_id in free:
            if box_id not in self.running and len(self.running) < MOST:
                self._begin(box_id, wanted.get(box_id, 0))

    def _beat(self) -> None:
        moment = time.monotonic()
        names = [one.fetcher.me for one in self.running.values()]
        if moment < (self.next_renewal if names else self.next_beat):
            return
        with ext.write() as session:
            if names:
                state.renew(session, names, now())
            if moment >= self.next_beat:
                heartbeat.beat(session, "imap", now(), [])
        self.next_renewal = moment + RENEW_SECONDS
        if moment >= self.next_beat:
            self.next_beat = moment + heartbeat.EVERY_SECONDS

    def _begin(self, box_id: int, version: int) -> None:
        self.started += 1
        me = f"{self.name}-{self.started}"
        with ext.write() as session:
            if not state.claim(session, box_id, me, now()):
                return
        stop = threading.Event()
        fetcher = Fetcher(self.app, box_id, version, me, stop.is_set)
        thread = threading.Thread(target=keep, args=(fetcher, stop), name="imap", daemon=True)
        self.running[box_id] = Running(fetcher, stop, thread)
        thread.start()


@dataclass
class Pause:
    """Seconds until the next attempt: longer each time, somewhat by chance."""

    seconds: float = 0.0

    def grow(self) -> None:
        self.seconds = min(self.seconds * 2 or FIRST_DELAY, LONGEST_DELAY)

    def reset(self) -> None:
        self.seconds = 0.0

    def drawn(self) -> float:
        return self.seconds * random.uniform(0.5, 1.0)


def keep(fetcher: Fetcher, stop: threading.Event) -> None:
    """Fetch one mailbox until `stop` is set or it is no longer ours; trouble only delays it."""
    pause = Pause()
    try:
        while not stop.is_set():
            taken = fetcher.taken
            _try(fetcher, pause)
            if fetcher.taken > taken:
                pause.reset()
            pause.grow()
            stop.wait(pause.drawn())
    except state.Lost:
        pass
    finally:
        _release(fetcher)


def _try(fetcher: Fetcher, pause: Pause) -> None:
    """One connection, to its end. Raises Lost."""
    try:
        with fetcher.connect() as connection:
            while not fetcher.stopped():
                fetcher.fetch(connection)
                pause.reset()
                connection.wait(IDLE_SECONDS, fetcher.stopped)
    except Trouble as trouble:
        _note(fetcher, trouble)
    except Refused as error:
        _note(fetcher, Trouble(ImapTrouble.PROTOCOL, str(error)))
    except (SQLAlchemyError, OSError):
        log.exception("imap.not_stored", box_id=fetcher.box_id)


def _note(fetcher: Fetcher, trouble: Trouble) -> None:
    log.warning("imap.trouble", box_id=fetcher.box_id, trouble=trouble.kind.value)
    try:
        fetcher.note(trouble)
    except SQLAlchemyError:
        log.exception("imap.database_away")


def _release(fetcher: Fetcher) -> None:
    try:
        with fetcher.app.app_context(), ext.write() as session:
            state.release(session, fetcher.box_id, fetcher.me)
    except SQLAlchemyError:
        log.exception("imap.database_away")
