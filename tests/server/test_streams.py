"""The live stream tells a browser what changed, to whom it may be told, and ends in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any

import pytest
from flask import Flask

from helpdesk import ext, notices
from helpdesk.accounts import sessions
from helpdesk.accounts.actions import change_user, set_password
from helpdesk.accounts.models import User
from helpdesk.events import SYSTEM, Actor, Event, record
from helpdesk.lib.clock import now
from helpdesk.live import changes
from helpdesk.server import asgi, streams
from helpdesk.tickets.actions import move
from helpdesk.tickets.models import Channel, Queue, Ticket
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast, make_cast

SECONDS = 10.0


@pytest.fixture
def people(app: Flask) -> Cast:
    """The cast in real time: the event loop needs a clock that goes."""
    with ext.write() as session:
        return make_cast(session)


def log_in(user: User) -> str:
    with ext.write() as session:
        return sessions.log_in(
            session, session.get_one(User, user.id), "", old_token=None, agent="", at=now()
        )


def scope(path: str, method: str = "GET", query: str = "", **headers: str) -> dict[str, Any]:
    names = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), *names],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }


class Browser:
    """One request against the ASGI application; collects what comes back."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.over = False
        self.asks: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.news = asyncio.Event()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message.get("body", b"")
            self.over = not message.get("more_body", False)
        self.news.set()

    async def until(self, true: Callable[[], bool], seconds: float = SECONDS) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self.news.clear()
                await self.news.wait()

    def told(self) -> list[dict[str, Any]]:
        lines = self.body.decode().splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]

    def tickets(self) -> set[int]:
        return {id_ for message in self.told() for id_ in message["tickets"]}

    def last_id(self) -> str:
        return [ln[4:] for ln in self.body.decode().splitlines() if ln.startswith("id: ")][-1]


class Site:
    """The application with its feeding tasks."""

    def __init__(self, app: Flask) -> None:
        self.application = asgi.Application(app)
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, scope: dict[str, Any], *messages: dict[str, Any]) -> Browser:
        browser = Browser()
        for message in messages or ({"type": "http.request", "body": b""},):
            browser.asks.put_nowait(message)
        serving = self.application(scope, browser.asks.get, browser.send)
        self.tasks.append(asyncio.create_task(serving))
        return browser

    async def listen(self, token: str, query: str = "", **headers: str) -> Browser:
        cookie = f"language=en; helpdesk_login={token}"
        browser = await self.ask(scope("/events", cookie=cookie, query=query, **headers))
        await browser.until(lambda: bool(browser.body))
        return browser


@asynccontextmanager
async def site(app: Flask) -> AsyncIterator[Site]:
    opened = Site(app)
    feeding = asyncio.create_task(opened.application.hub.run())
    try:
        yield opened
    finally:
        opened.application.hub.close()
        done = (await asyncio.wait(opened.tasks, timeout=SECONDS))[0]
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await asyncio.gather(*done)


def play(app: Flask, scene: Callable[[Site], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with site(app) as opened:
            await scene(opened)

    run(whole())


def run(scene: Coroutine[Any, Any, None]) -> None:
    """In a thread: the browser tests of this worker may hold the main thread's loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, asyncio.run, scene).result()


def new_ticket(people: Cast, queue_id: int) -> int:
    with ext.write() as session:
        return open_ticket(
            session,
            who=people.oksana,
            queue_id=queue_id,
            subject="Hello",
            channel=Channel.EMAIL,
            language="en",
            at=now(),
        )


def test_a_stranger_gets_a_fixed_text(app: Flask) -> None:
    async def scene(site: Site) -> None:
        for cookie in ("", "x" * 5000, 'helpdesk_login="\\303', "helpdesk_login=a\x00b", ";;;="):
            browser = await site.ask(scope("/events", cookie=cookie))
            await browser.until(lambda b=browser: b.over)
            assert (browser.status, browser.body) == (401, b"log in\n")
        posted = await site.ask(scope("/events", "POST"))
        await posted.until(lambda: posted.over)
        assert posted.status == 405

    play(app, scene)


def test_a_change_reaches_those_who_may_see_it(app: Flask, people: Cast) -> None:
    async def scene(site: Site) -> None:
        alice = await site.listen(log_in(people.alice))
        bob = await site.listen(log_in(people.bob))  # Billing only
        assert alice.headers[b"content-type"].startswith(b"text/event-stream")
        support = await asyncio.to_thread(in_context, app, new_ticket, people, people.support.id)
        billing = await asyncio.to_thread(in_context, app, new_ticket, people, people.billing.id)
        await alice.until(lambda: {support, billing} <= alice.tickets(), 2)
        await bob.until(lambda: billing in bob.tickets(), 2)
        assert support not in bob.tickets()
        assert b"Hello" not in alice.body
        assert alice.told()[-1]["lists"] is True
        assert alice.told()[-1]["clients"]

    play(app, scene)


def in_context(app: Flask, act: Callable[..., Any], *arguments: Any) -> Any:
    with app.app_context():
        return act(*arguments)


def test_a_ticket_that_moves_away_tells_the_queue_it_left(app: Flask, people: Cast) -> None:
    billing = new_ticket(people, people.billing.id)

    def take_away() -> None:
        with ext.write() as session:
            ticket = session.get_one(Ticket, billing)
            support = session.get_one(Queue, people.support.id)
            move(session, ticket, support, actor=Actor(user_id=people.alice.id), at=now())

    async def scene(site: Site) -> None:
        bob = await site.listen(log_in(people.bob), query="after=99999999")
        await asyncio.to_thread(in_context, app, take_away)
        await bob.until(lambda: billing in bob.tickets(), 2)

    play(app, scene)


@pytest.mark.parametrize("how", ["log out", "password", "leaves", "expires"])
def test_an_ended_log_in_ends_its_stream_within_a_second(
    app: Flask, people: Cast, how: str
) -> None:
    token = log_in(people.alice)

    def end() -> None:
        with ext.write() as session:
            user = session.get_one(User, people.alice.id)
            if how == "log out":
                sessions.log_out(session, token)
            elif how == "password":
                set_password(session, user, "another long battery", actor=SYSTEM)
            elif how == "leaves":
                change_user(session, user, actor=SYSTEM, active=False)
            else:
                found = sessions.find_viewer(session, token, now())
                assert found is not None
                found[0].expires_at = now()

    async def scene(site: Site) -> None:
        alice = await site.listen(token)
        other = await site.listen(log_in(people.sam))
        await asyncio.to_thread(in_context, app, end)
        await alice.until(lambda: alice.over, 1.5)
        assert not other.over

    play(app, scene)


def test_a_browser_that_comes_back_hears_what_it_missed(app: Flask, people: Cast) -> None:
    async def scene(site: Site) -> None:
        token = log_in(people.alice)
        first = new_ticket(people, people.support.id)
        alice = await site.listen(token)  # what happened just before belongs to it
        await alice.until(lambda: first in alice.tickets(), 2)
        last = alice.last_id()
        alice.asks.put_nowait({"type": "http.disconnect"})
        await alice.until(lambda: alice.over)
        second = await asyncio.to_thread(in_context, app, new_ticket, people, people.support.id)
        again = await site.listen(token, last_event_id=last)
        await again.until(lambda: second in again.tickets(), 2)
        assert first not in again.tickets()
        by_page = await site.listen(token, query=f"after={last}")
        await by_page.until(lambda: second in by_page.tickets(), 2)

    play(app, scene)


def test_who_missed_more_than_can_be_named_is_told_to_look_at_everything(
    app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "BATCH", 3)

    async def scene(site: Site) -> None:
        for _ in range(2):
            new_ticket(people, people.support.id)
        alice = await site.listen(log_in(people.alice), query="after=1")
        await alice.until(lambda: bool(alice.told()), 2)
        assert alice.told()[0] == {
            **{"tickets": [], "clients": [], "lists": False, "notices": False},
            "all": True,
        }

    play(app, scene)


@pytest.mark.parametrize("last", ["", "-1", "x", "9" * 400, "1e3", "\xb2", "1;DROP"])
def test_a_malformed_last_id_is_as_none(app: Flask, people: Cast, last: str) -> None:
    async def scene(site: Site) -> None:
        alice = await site.listen(log_in(people.alice), last_event_id=last)
        assert alice.status == 200

    play(app, scene)


def test_one_user_may_open_so_many_and_the_next_is_refused(
    app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PER_USER", 2)

    async def scene(site: Site) -> None:
        token = log_in(people.alice)
        opened = [await site.listen(token) for _ in range(2)]
        third = await site.listen(token)
        assert third.status == 429
        assert (await site.listen(log_in(people.sam))).status == 200
        opened[0].asks.put_nowait({"type": "http.disconnect"})
        await opened[0].until(lambda: opened[0].over)
        assert (await site.listen(token)).status == 200

    play(app, scene)


def test_a_notice_is_told_to_its_user_alone(app: Flask, people: Cast) -> None:
    ticket = new_ticket(people, people.support.id)

    def tell() -> None:
        with ext.write() as session:
            event = session.query(Event).filter_by(ticket_id=ticket).first()
            assert event is not None
            notices.tell(session, people.sam.id, event, ticket_id=ticket, kind=event.kind, at=now())

    async def scene(site: Site) -> None:
        sam = await site.listen(log_in(people.sam), query="after=99999999")
        alice = await site.listen(log_in(people.alice), query="after=99999999")
        await asyncio.to_thread(in_context, app, tell)
        await sam.until(lambda: any(message["notices"] for message in sam.told()), 2)
        assert not alice.told()

    play(app, scene)


def test_an_idle_stream_has_a_heartbeat(
    app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert streams.HEARTBEAT_SECONDS <= 25
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.1)

    async def scene(site: Site) -> None:
        alice = await site.listen(log_in(people.alice), query="after=99999999")
        await alice.until(lambda: alice.body.count(streams.HEARTBEAT) >= 2, 3)

    play(app, scene)


def test_changed_rights_end_the_stream_so_that_it_comes_back_with_them(
    app: Flask, people: Cast
) -> None:
    def change() -> None:
        with ext.write() as session:
            record(session, "user.changed", user_id=people.alice.id, fields=["queues"])

    async def scene(site: Site) -> None:
        alice = await site.listen(log_in(people.alice))
        await asyncio.to_thread(in_context, app, change)
        await alice.until(lambda: alice.over, 2)

    play(app, scene)
