"""Pages for everybody that a browser may keep: what is unchanged is not sent again."""

from typing import TypeVar

from flask import current_app, g, request, session
from werkzeug.wrappers import Response as BaseResponse

SHORT = "public, max-age=60"
"""Of what an editor changes: a minute old at most."""
ASK_ALWAYS = "public, no-cache"
"""Of what changes by itself, such as whether we are open."""

R = TypeVar("R", bound=BaseResponse)


def keep(response: R, rule: str) -> R:
    """Let guests' browsers keep this page by `rule` (Cache-Control), with a weak ETag, so that a
    repeated request is answered by 304 (RFC 9110 §13). A page for somebody known is not kept.
    """
    if response.status_code != 200 or g.user is not None or session.modified:
        return response
    response.headers["Cache-Control"] = rule
    response.vary.update(("Accept-Language", "Cookie"))
    response.add_etag(weak=True)
    response.make_conditional(request.environ)
    return response


def public_url(path: str) -> str:
    """The whole address of a path of ours, never from the Host header."""
    return f"{current_app.config['PUBLIC_URL']}{path}"
