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


class Body:
    """A whole body; close it when the request is answered."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self.close = self._file.close

    async def receive(self) -> Message:
        """The next piece, as ASGI hands it out."""
        chunk = self._file.read(CHUNK)
        return {"type": "http.request", "body": chunk, "more_body": len(chunk) == CHUNK}

    async def fill(self, receive: Receive, limit: int) -> None:
        """Take everything from the client. Raises TooLarge or Gone."""
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise Gone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise TooLarge
            self._file.write(chunk)
            more = message.get("more_body", False)
        self._file.seek(0)


async def read_body(headers: Iterable[tuple[bytes, bytes]], receive: Receive, limit: int) -> Body:
    """The whole body of a request. Raises TooLarge or Gone.

    Slow senders cost a file handle so, not one of the few threads; half a body never reaches
    the application as if it were whole.
    """
    declared = next((value for name, value in headers if name == b"content-length"), b"0")
    if len(declared) > 12 or (declared.isdigit() and int(declared) > limit):
        raise TooLarge
    body = Body()
    try:
        async with asyncio.timeout(SECONDS):
            await body.fill(receive, limit)
    except BaseException as error:
        body.close()
        if isinstance(error, TimeoutError):
            raise Gone from error
        raise
    return body


async def drop(receive: Receive) -> None:
    """Take the rest of a body that nobody wants, and keep nothing of it. Raises Gone."""
    try:
        async with asyncio.timeout(SECONDS):
            while await _more(receive):
                pass
    except TimeoutError as error:
        raise Gone from error


async def _more(receive: Receive) -> bool:
    """Take one piece of a body; whether another follows. Raises Gone."""
    message = await receive()
    if message["type"] != "http.request":
        raise Gone
    return bool(message.get("more_body", False))
