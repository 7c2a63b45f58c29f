"""The ASGI application: `/events` as streams, all other paths to Flask in a thread pool."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast
from urllib.parse import parse_qs, quote

import structlog
from a2wsgi import WSGIMiddleware
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.server.body import Body, Gone, Message, Receive, TooLarge, drop, read_body
from helpdesk.server.streams import RETRY, Full, Hub, Stream
from helpdesk.web.guard import COOKIE

log = structlog.get_logger()

Scope = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_GUEST = re.compile(r"/t/(\d{1,18}-[A-Za-z2-7]{26})/events", re.A)

_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})

THREADS = 4
CARRIER = "/twilio/"
SEND_QUEUE = 4096  # chunks that wait for a slow reader, so that no thread has to

STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class Application:
    """One web process: answers HTTP, keeps the streams."""

    def __init__(self, app: Flask) -> None:
        self.hub = Hub(app)
        # Its own types name every message apart; ours are the plain ones of the specification.
        self.pages: Any = WSGIMiddleware(
            cast(Any, app), workers=THREADS, send_queue_size=SEND_QUEUE
        )
        # Callers are answered though everybody else waits, e.g. for a database that is locked.
        self.webhooks: Any = WSGIMiddleware(
            cast(Any, app), workers=THREADS, send_queue_size=SEND_QUEUE
        )
        self.limit = int(app.config["MAX_CONTENT_LENGTH"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/events":
            await self._events(scope, receive, send)
        elif scope["type"] == "http" and (found := _GUEST.fullmatch(scope["path"])):
            await self._events(scope, receive, send, found[1])
        elif scope["type"] == "http":
            await self._page(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        feeding = asyncio.create_task(self.hub.run())
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        feeding.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(scope["headers"], receive, self.limit)
        except TooLarge:
            await self._too_large(scope, receive, send)
            return
        except Gone:
            await _say(send, 408, "incomplete")
            return
        try:
            pages = self.webhooks if scope["path"].startswith(CARRIER) else self.pages
            await pages(_plain(scope), body.receive, send)
        finally:
            body.close()

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Flask refuses it by its length alone, in the reader's language or as the API does.

        A browser shows an answer only when its whole body was taken.
        """
        try:
            await drop(receive)
        except Gone:
            await _say(send, 413, "too large")
            return
        length = (b"content-length", str(self.limit + 1).encode())
        others = [one for one in scope["headers"] if one[0] not in _LENGTHS]
        body = Body()
        try:
            await self.pages(_plain({**scope, "headers": [*others, length]}), body.receive, send)
        finally:
            body.close()

    async def _events(
        self, scope: Scope, receive: Receive, send: Send, guest: str | None = None
    ) -> None:
        """Every refusal is a fixed text: nothing of the request comes back.

        `guest`: the token of a customer's page; else a log-in is asked for.
        """
        if scope["method"] != "GET":
            await _say(send, 405, "method not allowed", [(b"allow", b"GET")])
            return
        try:
            if guest is not None:
                stream = await self.hub.open_guest(guest)
            else:
                stream = await self.hub.open(
                    _cookie(scope),
                    _last_id(scope),
                    _has_phone(scope),
                    _has_board(scope),
                    _has_calls(scope),
                )
        except Full:
            await _say(send, 429, "too many streams", [(b"retry-after", b"30")])
            return
        except SQLAlchemyError:
            log.exception("events.not_opened")
            await _say(send, 503, "try again later", [(b"retry-after", b"5")])
            return
        if stream is None:
            await (_say(send, 404, "not found") if guest else _say(send, 401, "log in"))
            return
        await self._run(stream, receive, send)

    async def _run(self, stream: Stream, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_until_gone(receive, stream))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await _send(send, RETRY)
            while not stream.over:
                await stream.wake.wait()
                if not stream.over:
                    await _send(send, stream.message(self.hub.reader.safe))
            await _send(send, b"", more=False)
        finally:
            self.hub.streams.discard(stream)
            leaving.cancel()


async def _until_gone(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


async def _send(send: Send, body: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _say(send: Send, status: int, text: str, headers: Headers | None = None) -> None:
    body = text.encode() + b"\n"
    fixed = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send(
        {"type": "http.response.start", "status": status, "headers": fixed + (headers or [])}
    )
    await _send(send, body, more=False)


def _plain(scope: Scope) -> Scope:
    """The request without what would confuse the gateway.

    A name with an underscore would be read as the same name with a hyphen, which lets a client
    speak for the proxy; bytes outside ASCII in the query are quoted.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    query = scope["query_string"]
    if not query.isascii():
        query = quote(query, safe="%&=+;/?:@!$'()*,-._~").encode()
    return {**scope, "headers": headers, "query_string": query}


def _values(scope: Scope, wanted: bytes) -> Iterable[str]:
    return (value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def _cookie(scope: Scope) -> str:
    for header in _values(scope, b"cookie"):
        try:
            found = SimpleCookie(header).get(COOKIE)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return ""


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20)


def _has_phone(scope: Scope) -> bool:
    """Whether calls can come to this page: `?desk=1` says that another window is the telephone."""
    return "desk" not in _query(scope)


def _has_board(scope: Scope) -> bool:
    """Whether this page is a wallboard: it is told that anything at all has happened."""
    return "board" in _query(scope)


def _has_calls(scope: Scope) -> bool:
    """Whether this page lists calls or callbacks: it is told of each one at once."""
    return "calls" in _query(scope)


def _last_id(scope: Scope) -> int | None:
    """Where to go on: as the browser remembers it, else as the page says it (`?after=`)."""
    for value in (*_values(scope, b"last-event-id"), *_query(scope).get("after", [])):
        if value.isascii() and value.isdigit() and len(value) < 18:
            return int(value)
    return None
