"""The twin as a server of its own: REST and control over HTTP, and the thread that drives it."""

import base64
import binascii
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.rest.routes import handle
from helpdesk.calls.providers.twin.rest.wire import Answer, Incoming

LARGEST = 1 << 20  # bytes of a request
IDLE_SECONDS = 60.0


def incoming(
    method: str, target: str, body: bytes, authorization: str, content_type: str = ""
) -> Incoming:
    """A request as the table of routes reads it."""
    parts = urlsplit(target)
    is_json = content_type.startswith("application/json")
    form = [] if is_json else _pairs(body.decode("utf-8", "replace"))
    user, password = _login(authorization)
    return Incoming(method, parts.path, _pairs(parts.query), form, user, password, body)


def serve(twin: Twin, listening: socket.socket, stopped: threading.Event) -> None:
    """Serve on a listening socket, and let happen what is due, until `stopped` is set."""
    threading.Thread(target=twin.driver.serve, name="twin", daemon=True).start()
    serve_http(twin, listening, stopped)
    twin.driver.stop()


def serve_http(twin: Twin, listening: socket.socket, stopped: threading.Event) -> None:
    """Only answer requests; somebody else drives the twin."""
    server = _Server(twin, listening)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="http", daemon=True)
    thread.start()
    stopped.wait()
    server.shutdown()
    server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, twin: Twin, listening: socket.socket) -> None:
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.twin = twin


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def _handle(self) -> None:
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdecimal() else LARGEST + 1
        if size > LARGEST:
            self.close_connection = True
            self._send(Answer(413))
            return
        authorization = self.headers.get("Authorization", "")
        kind = self.headers.get("Content-Type", "")
        body = self.rfile.read(size)
        request = incoming(self.command, self.path, body, authorization, kind)
        self._send(handle(self.server.twin, request))

    def _send(self, answer: Answer) -> None:
        if not answer.status:
            self.close_connection = True
            return
        self.send_response(answer.status)
        if answer.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="Twilio API"')
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "twin"

    def log_message(self, format: str, *args: object) -> None:
        """The twin keeps a log of its own."""

    do_GET: Callable[..., None] = _handle
    do_HEAD = do_POST = do_DELETE = do_GET


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=500)
    except ValueError:
        return []


def _login(authorization: str) -> tuple[str | None, str | None]:
    """User and password of Basic authentication (RFC 7617)."""
    kind, _, text = authorization.partition(" ")
    if kind.lower() != "basic":
        return None, None
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None, None
    return user, password
