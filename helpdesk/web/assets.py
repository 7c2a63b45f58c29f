"""Static files: addresses with a content hash, far-future caching, compression of text."""

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, g, request

HASH_CHARS = 8
TEXT_SUFFIXES = (".css", ".js", ".svg")
FOREVER = "public, max-age=31536000, immutable"


def init_assets(app: Flask) -> None:
    """Make `asset(name)` and `sprite` known to templates and cache what is asked with a hash."""
    app.jinja_env.globals["asset"] = asset
    with app.app_context():
        signs = _Signs(asset("sprite.svg"), asset("portal.svg"))
    app.jinja_env.globals["sprite"] = signs
    app.before_request(signs.choose)
    app.after_request(_cache)


def asset(name: str) -> str:
    """The address of a static file; it changes with the content. Raises FileNotFoundError."""
    path = Path(str(current_app.static_folder)) / name
    return f"/static/{name}?v={_digest(path, path.stat().st_mtime_ns)}"


class _Signs:
    """The address of the sheet of signs; customers' pages have a small one of their own.

    Written hundreds of times a page, so that it is chosen once a request.
    """

    def __init__(self, all_: str, portal: str) -> None:
        self._all, self._portal = all_, portal

    def choose(self) -> None:
        g.signs = self._portal if (request.blueprint or "").startswith("portal_") else self._all

    def __html__(self) -> str:
        signs: str = g.get("signs") or self._all
        return signs

    __str__ = __html__


@lru_cache(maxsize=256)
def _digest(path: Path, _modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_CHARS]


def _cache(response: Response) -> Response:
    if request.endpoint != "static" or response.status_code != 200:
        return response
    # The frame of an email has no origin of its own and needs its style sheet.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.args.get("v"):
        response.headers["Cache-Control"] = FOREVER
    name = (request.view_args or {}).get("filename", "")
    if name.endswith(TEXT_SUFFIXES):
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"]:
            _compress(response, Path(str(current_app.static_folder)) / name)
    return response


def _compress(response: Response, path: Path) -> None:
    opened = response.response
    response.direct_passthrough = False
    response.set_data(_gzipped(path, path.stat().st_mtime_ns))
    if hasattr(opened, "close"):
        opened.close()
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("ETag", None)
    response.headers.pop("Accept-Ranges", None)


@lru_cache(maxsize=64)
def _gzipped(path: Path, _modified: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)
