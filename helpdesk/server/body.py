"""Reads a request's body before a thread is spent on it, within a size and a time."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import IO, Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

IN_MEMORY = 1 << 20
CHUNK = 256 << 10
SECONDS = 120.0


class TooLarge(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The client left, or sent too slowly: what came is not a whole request."""


async def read_body(
    headers: Iterable[tuple[bytes, bytes]], receive: Receive, limit: int
) -> Receive:
    """The whole body as a new `receive`. Raises TooLarge or Gone.

    Slow senders cost a file handle so, not one of the few threads; half a body never reaches
    the application as if it were whole.
    """
    declared = next((value for name, value in headers if name == b"content-length"), b"0")
    if len(declared) > 12 or int(declared) > limit:
        raise TooLarge
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed below)
    try:
        async with asyncio.timeout(SECONDS):
            await _fill(file, receive, limit)
    except BaseException as error:
        file.close()
        if isinstance(error, TimeoutError):
            raise Gone from error
        raise
    file.seek(0)
    return _reader(file)


async def _fill(file: IO[bytes], receive: Receive, limit: int) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge
        file.write(chunk)
        more = message.get("more_body", False)


def _reader(file: IO[bytes]) -> Receive:
    async def receive() -> Message:
        chunk = b"" if file.closed else file.read(CHUNK)
        if len(chunk) < CHUNK:
            file.close()
        return {"type": "http.request", "body": chunk, "more_body": len(chunk) == CHUNK}

    return receive
