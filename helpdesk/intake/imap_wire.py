"""The wire of an IMAP connection: every wait has an end, and no answer is larger than it may be."""

import imaplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CONNECT_SECONDS = 10.0
DIAL_SECONDS = 30.0  # to the greeting, however slowly the server speaks
COMMAND_SECONDS = 300.0
ANSWER_BYTES = 8 << 20  # of one command that fetches no email


class Wire(imaplib.IMAP4):
    """What speaks to the server below IMAPClient; encrypted from the first octet if there is a
    context."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._socket: socket.socket | None = None
        self._left = ANSWER_BYTES
        with self.bounded(DIAL_SECONDS):
            super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        """Encrypted step by step, so that a handshake can be broken off as well."""
        self._socket = plain = socket.create_connection((self.host, self.port), CONNECT_SECONDS)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._context is None:
            return plain
        try:
            self._socket = tls = self._context.wrap_socket(
                plain, server_hostname=self.host, do_handshake_on_connect=False
            )
            tls.do_handshake()
        except BaseException:
            self._socket.close()
            raise
        return tls

    def hang_up(self) -> None:
        """From any thread; whoever reads finds the end."""
        for one in (self._socket, getattr(self, "sock", None)):
            with suppress(OSError):
                if one is not None:
                    one.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def bounded(self, seconds: float = 0.0, limit: int = ANSWER_BYTES) -> Iterator[None]:
        """What is done inside ends after so long, and reads at most so many octets."""
        self._left = limit
        watchdog = threading.Timer(seconds or COMMAND_SECONDS, self.hang_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def read(self, size: int) -> bytes:
        self._take(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._take(len(line))
        return line

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort("the answer is too large")
