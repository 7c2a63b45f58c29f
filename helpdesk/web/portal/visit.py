"""One visit of a reader, so that a search, what was opened and whether it helped come together.

A random number in a cookie that ends with the browser's session; none for readers who ask not to be
tracked (DNT, Sec-GPC), and nothing of it leads to a person.
"""

import re

from flask import g, request
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.lib.tokens import new_token

COOKIE = "visit"
_VISIT = re.compile(r"[A-Za-z0-9_-]{16,32}")
_PROGRAM = re.compile(r"bot|crawl|spider|slurp|preview|fetch|monitor|curl|wget|python", re.I)


def may_follow() -> bool:
    """Whether the reader lets us tie what they do in one visit together."""
    return request.headers.get("DNT") != "1" and request.headers.get("Sec-GPC") != "1"


def present() -> str | None:
    """The visit, if the browser has one."""
    found = request.cookies.get(COOKIE, "")
    return found if may_follow() and _VISIT.fullmatch(found) else None


def begin() -> str | None:
    """The visit; a new one is told to the browser by `keep`. None where it may not be followed."""
    found = present()
    if found is None and may_follow():
        found = g.new_visit = new_token(18)
    return found


def keep(response: BaseResponse) -> BaseResponse:
    """Give a new visit to the browser."""
    if "new_visit" in g:
        secure = request.is_secure
        response.set_cookie(COOKIE, g.new_visit, samesite="Lax", secure=secure, httponly=True)
    return response


def is_person() -> bool:
    """Whether a person reads, and a customer: neither a program nor one of our staff."""
    agent = request.headers.get("User-Agent", "")
    return g.user is None and bool(agent) and not _PROGRAM.search(agent)
