"""What answers under the API where no operation does: 404 or 405 as a problem."""

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import PathConverter, Rule

from helpdesk.api.operation import PREFIX, api

ENDPOINT = f"{api.name}.nothing_here"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class _Anything(PathConverter):
    """The rest of a path, whatever it holds: that of werkzeug ends at a line feed (%0A)."""

    regex = "(?s:.*?)"
    part_isolating = False


def add_rules(app: Flask) -> None:
    """Catch every path and method under the prefix, so that errors there belong to the API."""
    app.view_functions[ENDPOINT] = _nothing_here
    app.url_map.converters["anything"] = _Anything
    for path in ("", "/", "/<anything:_rest>"):
        app.url_map.add(Rule(PREFIX + path, endpoint=ENDPOINT, strict_slashes=False))


def _nothing_here(_rest: str = "") -> Response:
    allowed = [method for method in METHODS if _known(method)]
    if allowed:
        raise MethodNotAllowed(valid_methods=allowed)
    raise NotFound()


def _known(method: str) -> bool:
    """Whether an operation answers this path by that method."""
    adapter = current_app.url_map.bind("localhost")
    try:
        endpoint, _ = adapter.match(request.path, method)
    except HTTPException:
        return False
    return bool(endpoint != ENDPOINT)
