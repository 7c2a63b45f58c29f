"""The streams of open browsers in one web process: who listens, what is pending for whom."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.live.changes import Change, Reader, lately, since
from helpdesk.live.people import Guest, Watcher, still_in, there, watcher
from helpdesk.web.portal import link

log = structlog.get_logger()

READ_SECONDS = 0.2
CHECK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
SEE_SECONDS = 10.0
CALLS_SECONDS = 30.0  # numbers of calls are told to everybody at most so often
AWAY_SECONDS = 2.0  # between tries while the database does not answer
LOOK_BACK = timedelta(seconds=2)
PER_USER = 8
PER_PROCESS = 2000
PER_TICKET, MOST_GUESTS = 8, 1500
"""Streams of customers: of one ticket, and in one process, so that some are left for the staff."""
MOST_PENDING = 5000  # ids that one slow browser may have waiting

HEARTBEAT = b":\n\n"
RETRY = b"retry: 3000\n\n"


class Full(Exception):
    """No more streams for this user or in this process."""


@dataclass(eq=False)
class Stream:
    """One open browser. What happens while it is slow is merged into one message."""

    who: Watcher | Guest
    phone_here: bool = False  # calls can come to this page: while it is open, its user is there
    board_here: bool = False  # a wallboard, which any change may concern
    calls_here: bool = False  # a list of calls or callbacks: it hears of each one
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    tickets: set[int] = field(default_factory=set)
    clients: set[int] = field(default_factory=set)
    lists: bool = False
    notices: bool = False
    phone: bool = False  # this user's own offer, call or availability
    calls: bool = False
    board: bool = False
    everything: bool = False
    beat: bool = False
    over: bool = False

    def take(self, changes: Iterable[Change] | None) -> None:
        """Note what this viewer may know of the changes; None: more than can be named."""
        if changes is None:
            self.everything = True
            self.wake.set()
            return
        for change in changes:
            self.board = self.board_here
            self.calls = self.calls or (self.calls_here and change.calls)
            if change.phone_id is not None and change.phone_id == self.who.user_id:
                self.phone = True  # whatever queue it came from
            if not self.who.sees(change):
                continue
            if change.ticket_id is not None:
                self.tickets.add(change.ticket_id)
                self.lists = self.lists or change.rows
            if change.client_id is not None:
                self.clients.add(change.client_id)
        if len(self.tickets) + len(self.clients) > MOST_PENDING:
            self.over = True
        if self.tickets or self.clients or self.phone or self.board or self.calls:
            self.wake.set()

    def tell(self, *, notices: bool = False, calls: bool = False, beat: bool = False) -> None:
        self.notices, self.beat = self.notices or notices, self.beat or beat
        self.calls = self.calls or calls
        self.wake.set()

    def end(self) -> None:
        self.over = True
        self.wake.set()

    def message(self, last_id: int) -> bytes:
        """What is pending, as it goes over the line; afterwards nothing is."""
        self.wake.clear()
        named = self.tickets or self.clients or self.lists or self.notices
        if not (named or self.phone or self.calls or self.board or self.everything):
            self.beat = False
            return HEARTBEAT
        if isinstance(self.who, Guest):  # ids and lists are the staff's
            self._forget()
            return b"event: change\ndata: {}\n\n"
        data: dict[str, Any] = {
            "tickets": sorted(self.tickets),
            "clients": sorted(self.clients),
            "lists": self.lists,
            "notices": self.notices,
        }
        if self.phone:
            data["phone"] = True
        if self.calls:
            data["calls"] = True
        if self.board:
            data["board"] = True
        if self.everything:
            data["all"] = True
        self._forget()
        body = json.dumps(data, separators=(",", ":"))
        return f"id: {last_id}\nevent: change\ndata: {body}\n\n".encode()

    def _forget(self) -> None:
        self.tickets, self.clients = set(), set()
        self.lists = self.notices = self.phone = self.calls = self.board = False
        self.everything = self.beat = False


class Hub:
    """All streams of this process, fed by one reader of the log."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.streams: set[Stream] = set()
        self.reader = Reader()
        self.reading = False
        self.beginning = asyncio.Lock()
        self.closing = False
        self.calls_changed = False
        self.calls_told = 0.0  # monotonic seconds

    async def open(
        self,
        token: str,
        last_id: int | None,
        phone_here: bool = False,
        board_here: bool = False,
        calls_here: bool = False,
    ) -> Stream | None:
        """A stream for the holder of this cookie, or None.

        It begins with what happened after `last_id`, or else in the last seconds: the page
        was read before its stream opens. Raises Full, or SQLAlchemyError.
        """
        who = await asyncio.to_thread(self._who, token)
        if who is None:
            return None
        users = Counter(stream.who.user_id for stream in self.streams)
        if self.closing or users.total() >= PER_PROCESS or users[who.user_id] >= PER_USER:
            raise Full
        stream = Stream(who, phone_here, board_here, calls_here)
        self.streams.add(stream)
        try:
            await self._begin()
            # Rights taken away before the stream could hear of it.
            fresh = await asyncio.to_thread(self._who, token)
            if fresh is None:
                self.streams.discard(stream)
                return None
            stream.who = fresh
            stream.take(await asyncio.to_thread(self._missed, last_id))
        except BaseException:
            self.streams.discard(stream)
            raise
        return stream

    async def open_guest(self, token: str) -> Stream | None:
        """A stream for the page behind this link, or None. Raises Full, or SQLAlchemyError.

        The page looks by itself once its stream is open, for what came before.
        """
        ticket_id = await asyncio.to_thread(self._ticket_of, token)
        if ticket_id is None:
            return None
        guests = [one.who.ticket_id for one in self.streams if isinstance(one.who, Guest)]
        if self.closing or len(self.streams) >= PER_PROCESS or len(guests) >= MOST_GUESTS:
            raise Full
        if guests.count(ticket_id) >= PER_TICKET:
            raise Full
        stream = Stream(Guest(ticket_id))
        self.streams.add(stream)
        try:
            await self._begin()
        except BaseException:
            self.streams.discard(stream)
            raise
        return stream

    async def _begin(self) -> None:
        """Follow the log from here on, before anything of it is handed out."""
        async with self.beginning:
            if not self.reading:
                await asyncio.to_thread(self._start)
                self.reading = True

    def close(self) -> None:
        """End all streams; no new one begins."""
        self.closing = True
        for stream in self.streams:
            stream.end()

    async def run(self) -> None:
        """Feed the streams until cancelled; costs nothing while there are none."""
        await asyncio.gather(self._read(), self._check(), self._beat(), self._see())

    async def _read(self) -> None:
        while True:
            await asyncio.sleep(READ_SECONDS)
            if not self.streams:
                self.reading = False
                continue
            try:
                await self._begin()
                changes, told = await asyncio.to_thread(self._news)
            except SQLAlchemyError:
                log.exception("events.not_read")
                await asyncio.sleep(AWAY_SECONDS)
                continue
            self._spread(changes, told)

    def _spread(self, changes: list[Change], told: set[int]) -> None:
        changed = {change.user_id for change in changes if change.user_id}
        calls = self._calls_due(changes)
        for stream in self.streams:
            stream.take(changes)
            if stream.who.user_id in told:
                stream.tell(notices=True)
            if calls and isinstance(stream.who, Watcher):
                stream.tell(calls=True)
            if stream.who.user_id in changed:
                stream.end()  # it comes back at once, with the new rights

    def _calls_due(self, changes: list[Change]) -> bool:
        """Whether it is time to say that numbers of calls changed: a thousand desks ask then."""
        self.calls_changed = self.calls_changed or any(change.calls for change in changes)
        if not self.calls_changed or time.monotonic() - self.calls_told < CALLS_SECONDS:
            return False
        self.calls_changed, self.calls_told = False, time.monotonic()
        return True

    async def _check(self) -> None:
        """End the streams whose log-in has ended."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            ids = {stream.who.session_id for stream in self.streams} - {0}
            if not ids:
                continue
            try:
                alive = await asyncio.to_thread(self._alive, ids)
            except SQLAlchemyError:
                await asyncio.sleep(AWAY_SECONDS)
                continue
            for stream in self.streams:
                if stream.who.session_id in ids - alive:
                    stream.end()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            for stream in self.streams:
                stream.tell(beat=True)

    async def _see(self) -> None:
        """Tell who is there to take calls: one statement for all, not one for each browser."""
        while True:
            await asyncio.sleep(SEE_SECONDS)
            ids = {stream.who.user_id for stream in self.streams if stream.phone_here}
            if not ids:
                continue
            try:
                await asyncio.to_thread(self._seen, ids)
            except SQLAlchemyError:
                await asyncio.sleep(AWAY_SECONDS)

    def _seen(self, ids: set[int]) -> None:
        with self.app.app_context(), ext.write() as session:
            there(session, ids, now())

    def _who(self, token: str) -> Watcher | None:
        with self.app.app_context(), ext.session() as session:
            return watcher(session, token, now())

    def _ticket_of(self, token: str) -> int | None:
        with self.app.app_context(), ext.session() as session:
            found = link.read(session, token)
            return found[0] if found else None

    def _missed(self, last_id: int | None) -> list[Change] | None:
        with self.app.app_context(), ext.session() as session:
            if last_id is None:
                return lately(session, now() - LOOK_BACK)
            return since(session, last_id)

    def _start(self) -> None:
        with self.app.app_context(), ext.session() as session:
            self.reader.start(session)

    def _news(self) -> tuple[list[Change], set[int]]:
        with self.app.app_context(), ext.session() as session:
            changes = self.reader.read(session, time.monotonic())
            return changes, self.reader.read_notices(session)

    def _alive(self, ids: set[int]) -> set[int]:
        with self.app.app_context(), ext.session() as session:
            return still_in(session, ids, now())
