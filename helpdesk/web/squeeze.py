"""Compression of texts on their way out, where their size gives no secret away.

Whoever can make a browser ask for a page that holds a secret beside text of their choice, and
sees how long the answers are, learns the secret (BREACH). So over HTTPS nothing is compressed
that another site may have asked for, the tokens of forms change with every answer, and the
length of an answer is blurred. See docs/decisions/0009-compression.md.
"""

import gzip
import secrets

from flask import Flask, Response, current_app, request

LEAST = 1024  # smaller answers fit one packet anyway
MOST = 4 << 20  # larger ones are not texts that people read
LEVEL = 4  # 37 kB become 8.7 in half a millisecond; zstd does no better at this size
BLUR = 32  # octets
TYPES = ("text/", "image/svg+xml")
PARTS = ("json", "xml", "javascript")


def init_squeeze(app: Flask) -> None:
    app.after_request(_squeeze)


def _squeeze(response: Response) -> Response:
    if not _is_text(response.mimetype or "") or response.is_streamed or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or not _may_be_squeezed(response):
        return response
    if not _asked_by_our_pages():
        return response
    response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.headers["X-Blur"] = secrets.token_hex(secrets.randbelow(BLUR))
    return response


def _is_text(mimetype: str) -> bool:
    return mimetype.startswith(TYPES) or mimetype.rpartition("/")[2].rpartition("+")[2] in PARTS


def _may_be_squeezed(response: Response) -> bool:
    return (
        request.method != "HEAD"
        and response.status_code not in (204, 206, 304)
        and LEAST <= (response.content_length or 0) <= MOST
        and "Content-Encoding" not in response.headers
        and response.headers.get("ETag", "W/").startswith("W/")  # a strong one is of the octets
        and not response.cache_control.no_transform
    )


def _asked_by_our_pages() -> bool:
    """Whether no other site can have asked, in the name of somebody who is logged in.

    Browsers say so by themselves and let no page change it (Fetch Metadata, `Sec-Fetch-Site`),
    but only over HTTPS; without HTTPS whoever sees sizes sees everything.
    """
    if not current_app.config["SESSION_COOKIE_SECURE"]:
        return True
    site = request.headers.get("Sec-Fetch-Site")
    return site in ("same-origin", "none") if site is not None else not request.cookies
