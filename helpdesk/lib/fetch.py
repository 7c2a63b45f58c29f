"""Fetching a picture from an address that a stranger wrote, without reaching what isn't public.

The name is resolved once and the connection goes to that very address, so that a name server that
changes its mind (DNS rebinding) gains nothing; each redirect is looked at anew. No cookies, no
referrer, no log-in go along. Source of the rules: OWASP, Server-Side Request Forgery Prevention.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

REDIRECTS = 2
ADDRESS_LIMIT = 4_000  # characters
AGENT = "Mozilla/5.0 (compatible; picture proxy)"
_BLOCK = 1 << 16
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address inside an IPv6 one

Resolve = Callable[[str, int], Sequence[str]]
Allowed = Callable[[str], bool]


class NotFetched(Exception):
    """The picture is not to be had from there."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet (IANA special-purpose registries)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not (found.is_multicast or found.is_reserved)


def picture(
    url: str,
    *,
    limit: int,
    seconds: float,
    resolve: Resolve = resolve,
    allowed: Allowed = is_public,
) -> tuple[str, bytes]:
    """The content type and octets of a PNG, JPEG, GIF or WebP picture at an http(s) address.

    At most `limit` octets within `seconds` in all. Raises NotFetched for everything else: another
    scheme or port, an address that is not public, too large, too slow, no picture.
    """
    end = time.monotonic() + seconds
    for _turn in range(REDIRECTS + 1):
        try:
            status, place, body = _get(url, limit, end, resolve, allowed)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NotFetched(type(error).__name__) from error
        if status in (301, 302, 303, 307, 308) and place:
            url = urljoin(url, place)
            continue
        if status != 200:
            raise NotFetched(str(status))
        return _type_of(body), body
    raise NotFetched("redirects")


def _get(
    url: str, limit: int, end: float, resolve: Resolve, allowed: Allowed
) -> tuple[int, str | None, bytes]:
    parts = urlsplit(url)
    port = _PORTS.get(parts.scheme)
    host = parts.hostname or ""
    named = parts.port or port
    is_plain = parts.username is None and "\\" not in url and url.isascii()
    if port is None or not host or named != port or not is_plain or len(url) > ADDRESS_LIMIT:
        raise NotFetched("address")
    addresses = resolve(host, port)
    if not addresses or not all(map(allowed, addresses)):
        raise NotFetched("not public")
    connection = _connect(parts.scheme, host, addresses[0], port, end)
    try:
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("GET", path, headers={"User-Agent": AGENT, "Accept": "image/*"})
        answer = connection.getresponse()
        if answer.status != 200:
            return answer.status, answer.getheader("Location"), b""
        return 200, None, _read(connection, answer, limit, end)
    finally:
        connection.close()


def _connect(
    scheme: str, host: str, address: str, port: int, end: float
) -> http.client.HTTPConnection:
    """A connection to this very address; the certificate must be that of the name."""
    connection = http.client.HTTPConnection(host, port, timeout=_left(end))
    sock: Any = socket.create_connection((address, port), timeout=_left(end))
    if scheme == "https":
        try:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except (OSError, ValueError):
            sock.close()
            raise
    connection.sock = sock
    return connection


def _read(
    connection: http.client.HTTPConnection,
    answer: http.client.HTTPResponse,
    limit: int,
    end: float,
) -> bytes:
    body = bytearray()
    while block := answer.read1(_BLOCK):
        body += block
        if len(body) > limit:
            raise NotFetched("too large")
        if connection.sock is not None:
            connection.sock.settimeout(_left(end))
        else:
            _left(end)
    return bytes(body)


def _left(end: float) -> float:
    """The time that is left. Raises NotFetched when it is over."""
    left = end - time.monotonic()
    if left <= 0:
        raise NotFetched("too slow")
    return left


def _type_of(body: bytes) -> str:
    """What it is by its first octets; what its server says of it counts for nothing."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    for magic, kind in _MAGIC:
        if body.startswith(magic):
            return kind
    raise NotFetched("no picture")
