"""HTTP for the measured load, cheaper than what it measures: kept connections, both ways."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

TIMEOUT = 20.0  # seconds


class Answer(NamedTuple):
    """`status` 0: none came."""

    status: int
    body: bytes = b""
    headers: str = ""


class Asked(NamedTuple):
    """A request to our own server."""

    method: str
    path: str
    form: dict[str, str]


Handler = Callable[[Asked], Awaitable[Answer]]


class Links:
    """Connections to one place; as many as are needed at one time."""

    def __init__(self, port: int, host: str) -> None:
        self.port, self.host = port, host
        self.free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, method: str, target: str, body: str, headers: str) -> Answer:
        """One request; a kept connection that was closed meanwhile is replaced."""
        head = f"{method} {target} HTTP/1.1\r\nHost: {self.host}\r\n{headers}"
        if method == "POST":
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
            head += f"Content-Length: {len(body)}\r\n"
        raw = f"{head}\r\n{body}".encode()
        while self.free:
            answer = await self._ask(*self.free.pop(), raw)
            if answer.status:
                return answer
        try:
            link = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return Answer(0)
        return await self._ask(*link, raw)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes
    ) -> Answer:
        """No answer on a connection that was closed meanwhile: nobody has read the request."""
        try:
            writer.write(raw)
            async with asyncio.timeout(TIMEOUT):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                body = await reader.readexactly(_length(head))
        except TimeoutError:
            writer.close()
            return Answer(504)
        except (OSError, EOFError):
            writer.close()
            return Answer(0)
        if "connection: close" in head.lower():
            writer.close()
        else:
            self.free.append((reader, writer))
        return Answer(int(head.split(" ", 2)[1]), body, head)


async def listen(handler: Handler) -> tuple[asyncio.Server, int]:
    """A server on a free port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                body = (await reader.readexactly(_length(head))).decode()
                method, target, _ = head.split(" ", 2)
                form = dict(parse_qsl(body) + parse_qsl(urlsplit(target).query))
                answer = await handler(Asked(method, urlsplit(target).path, form))
                size = f"Content-Length: {len(answer.body)}"
                kind = f"Content-Type: {answer.headers or 'application/json'}"
                head = f"HTTP/1.1 {answer.status} OK\r\n{size}\r\n{kind}\r\n\r\n"
                writer.write(head.encode() + answer.body)
                await writer.drain()
        except (OSError, EOFError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, int(server.sockets[0].getsockname()[1])


def as_json(shape: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(shape).encode())


def _length(head: str) -> int:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0
