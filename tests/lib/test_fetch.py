"""Pictures that strangers name: public addresses only, pictures only, small and quick only."""

import contextlib
import http.server
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib import fetch
from helpdesk.lib.fetch import NotFetched, is_public, picture

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
WEBP = b"RIFF\x10\0\0\0WEBPVP8 "


@dataclass
class Canary:
    """A server on this machine that tells who asked it."""

    port: int
    hits: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    known: list[Canary] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known[0].hits.append(self.path)
            status, headers, body = known[0].answers.get(self.path, (200, {}, PNG))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    known.append(Canary(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield known[0]
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_port(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> Canary:
    """The canary stands where http has its port, and may be asked."""
    monkeypatch.setattr(fetch, "_PORTS", {"http": canary.port, "https": 443})
    canary.hits.clear()
    return canary


def here(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def get(url: str, limit: int = 10_000, seconds: float = 3.0) -> tuple[str, bytes]:
    return picture(url, limit=limit, seconds=seconds, resolve=here, allowed=lambda _ip: True)


INSIDE = (
    "127.0.0.1 localhost 127.1 2130706433 0x7f000001 0177.0.0.1 0.0.0.0 [::1] [::] "
    "[::ffff:127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] 169.254.169.254 10.0.0.1 192.168.1.1 "
    "172.16.0.1 100.64.0.1 224.0.0.1 255.255.255.255 [fe80::1] [fd00::1]"
)


@pytest.mark.parametrize("host", INSIDE.split())
def test_nothing_inside_is_ever_asked(open_port: Canary, host: str) -> None:
    with pytest.raises(NotFetched):
        picture(f"http://{host}/secret", limit=100, seconds=2)
    assert open_port.hits == []


def test_a_name_that_changes_its_mind_gains_nothing(open_port: Canary) -> None:
    asked = iter([["93.184.216.34"], ["127.0.0.1"]])
    looks: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        looks.append(host)
        return next(asked)

    with pytest.raises(NotFetched):
        picture("http://rebind.example/x", limit=100, seconds=0.3, resolve=rebinding)
    assert looks == ["rebind.example"], "resolved once"
    assert open_port.hits == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(open_port: Canary) -> None:
    def mixed(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.216.34", "127.0.0.1"]

    with pytest.raises(NotFetched, match="not public"):
        picture("http://mixed.example/x", limit=100, seconds=1, resolve=mixed)


def test_pictures_come_as_what_they_are(open_port: Canary) -> None:
    open_port.answers = {
        "/a": (200, {"Content-Type": "text/html"}, PNG),
        "/b?c=1": (200, {"Content-Type": "image/svg+xml"}, WEBP),
        "/page": (200, {"Content-Type": "image/png"}, b"<html>"),
        "/svg": (200, {"Content-Type": "image/png"}, b"<svg onload='alert(1)'>"),
        "/gone": (404, {}, PNG),
    }
    assert get("http://shop.example/a") == ("image/png", PNG)
    assert get("http://shop.example/b?c=1") == ("image/webp", WEBP)
    for path in ("page", "svg", "gone"):
        with pytest.raises(NotFetched):
            get(f"http://shop.example/{path}")


def test_redirects_are_looked_at_anew(open_port: Canary) -> None:
    open_port.answers = {
        "/on": (302, {"Location": "/a"}, b""),
        "/round": (301, {"Location": "/round"}, b""),
        "/file": (302, {"Location": "file:///etc/passwd"}, b""),
        "/in": (307, {"Location": "http://inside.example/secret"}, b""),
        "/port": (302, {"Location": "http://shop.example:22/"}, b""),
    }
    assert get("http://shop.example/on")[0] == "image/png"
    for path in ("round", "file", "port"):
        with pytest.raises(NotFetched):
            get(f"http://shop.example/{path}")
    open_port.hits.clear()

    def names(host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"] if host == "inside.example" else ["127.0.0.2"]

    with pytest.raises(NotFetched, match="not public"):
        picture(
            "http://shop.example/in",
            limit=100,
            seconds=2,
            resolve=names,
            allowed=lambda address: address == "127.0.0.2",
        )
    assert "/secret" not in open_port.hits


def test_what_is_too_large_or_too_slow_is_left(open_port: Canary) -> None:
    open_port.answers = {"/big": (200, {}, PNG + b"\0" * 50_000)}
    with pytest.raises(NotFetched, match="too large"):
        get("http://shop.example/big", limit=10_000)
    with pytest.raises(NotFetched, match="too slow"):
        get("http://shop.example/a", seconds=-1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "ftp://shop.example/a",
        "http://shop.example:8080/a",
        "http://me:secret@shop.example/a",
        "http://shop.example\\@127.0.0.1/a",
        "http://пример.example/a",
        "http://shop.example/" + "a" * 5_000,
        "http://shop.example/a b\r\nHost: inside",
        "http://[::1/a",
        "http://shop.example:port/",
        "//shop.example/a",
    ],
)
def test_odd_addresses_are_refused(open_port: Canary, url: str) -> None:
    with pytest.raises(NotFetched):
        get(url)
    assert open_port.hits == []


@settings(deadline=None, max_examples=300)
@given(st.ip_addresses())
def test_public_means_public_however_it_is_written(address: object) -> None:
    public = is_public(str(address))
    assert not (public and (address.is_private or address.is_loopback))  # type: ignore[attr-defined]
    if getattr(address, "version", 0) == 4:
        assert is_public(f"::ffff:{address}") == public
