"""The gateway to Flask: only whole requests of a bounded size, and none that forge the proxy."""

import tracemalloc
from typing import Any

import pytest
from flask import Flask, Response, request

from helpdesk.server import body
from tests.server.test_streams import Site, play, scope


@pytest.fixture
def app(app: Flask) -> Flask:
    """With a page that tells what it got. It has no language, so nothing is looked up for it."""

    def echo() -> Response:
        seen = [request.headers.get("X-Forwarded-For", ""), str(len(request.get_data()))]
        return Response(" ".join([*seen, request.args.get("q", "")]))

    app.before_request_funcs.clear()
    app.view_functions["echo"] = echo
    app._got_first_request = False
    app.add_url_rule("/echo", "echo", echo, methods=["GET", "POST"])
    return app


def more(data: bytes, last: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": not last}


def test_a_body_in_pieces_arrives_whole(app: Flask) -> None:
    async def scene(site: Site) -> None:
        pieces = [b"x" * 300_000] * 5
        asked = scope("/echo", "POST", content_length="1500000")
        browser = await site.ask(asked, *(more(p) for p in pieces), more(b"", last=True))
        await browser.until(lambda: browser.over)
        assert browser.body.split() == [b"1500000"]

    play(app, scene)


def test_half_a_body_never_reaches_a_page(app: Flask) -> None:
    async def scene(site: Site) -> None:
        browser = await site.ask(
            scope("/echo", "POST", content_length="100"), more(b"x"), {"type": "http.disconnect"}
        )
        await browser.until(lambda: browser.over)
        assert browser.status == 408

    play(app, scene)


def test_a_slow_body_is_given_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "SECONDS", 0.1)

    async def scene(site: Site) -> None:
        browser = await site.ask(scope("/echo", "POST"), more(b"x"))
        await browser.until(lambda: browser.over)
        assert browser.status == 408

    play(app, scene)


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_refused_without_being_kept(app: Flask, declared: bool) -> None:
    async def scene(site: Site) -> None:
        limit = site.application.limit
        length = {"content_length": str(limit + 1)} if declared else {}
        piece = more(b"x" * (1 << 20))
        tracemalloc.start()
        pieces = [piece] * (limit // (1 << 20) + 2) + [more(b"", last=True)]
        browser = await site.ask(scope("/echo", "POST", **length), *pieces)
        await browser.until(lambda: browser.over, 20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert browser.status == 413 and b"Too Large" in browser.body
        assert peak < 8 << 20

    play(app, scene)


def test_odd_headers_and_queries_do_no_harm(app: Flask) -> None:
    async def scene(site: Site) -> None:
        asked = scope("/echo", content_length="")
        asked["headers"] = [(b"host", b"localhost"), (b"x_forwarded_for", b"6.6.6.6")]
        asked["query_string"] = "q=привіт".encode()
        browser = await site.ask(asked)
        await browser.until(lambda: browser.over)
        assert browser.body.decode() == " 0 привіт"

    play(app, scene)
