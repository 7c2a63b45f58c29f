"""How the twin's webhooks reach the product: over HTTP to where it listens on this machine."""

import http.client
import time
from urllib.parse import urlsplit

from helpdesk.calls.providers.twin.engine.requests import NO_ANSWER, NO_CONNECTION, Reply, Request

LARGEST = 1 << 20
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Http:
    """Sends requests to host and port, whatever PUBLIC_URL they are signed for."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = ANYWHERE.get(host, host), port

    def __call__(self, request: Request) -> Reply:
        began, wishes = time.monotonic(), request.overrides
        link = http.client.HTTPConnection(self.host, self.port, timeout=wishes.connect)
        try:
            link.connect()
        except OSError:
            link.close()
            return Reply(0, seconds=time.monotonic() - began, error=NO_CONNECTION)
        try:
            link.sock.settimeout(min(wishes.read, wishes.total))
            link.request(request.method, _target(request.target), request.body, request.headers)
            answer = link.getresponse()
            body, kind = answer.read(LARGEST), answer.headers.get("Content-Type", "")
            return Reply(answer.status, body, kind, time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            return Reply(0, seconds=time.monotonic() - began, error=NO_ANSWER)
        finally:
            link.close()


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
