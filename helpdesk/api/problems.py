"""Errors of the API: application/problem+json (RFC 9457) in the language of the token's user."""

import logging
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from apiflask import APIBlueprint, HTTPError
from flask import Response, current_app
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException, default_exceptions

from helpdesk.api.shapes.base import FieldError, Problem
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy

log = logging.getLogger(__name__)

MIMETYPE = "application/problem+json"
MAX_SHOWN = 20  # field errors of one request
RETRY_SECONDS = 2


class Refused(HelpdeskError):
    """The request itself is wrong; `status` says how."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(message, field=field, **params)
        self.status = status
        self.headers = headers or {}


def register(blueprint: APIBlueprint) -> None:
    """Let all errors inside the blueprint be answered as problems."""
    for code in default_exceptions:
        blueprint.register_error_handler(code, _http)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(HTTPError, _invalid)
    blueprint.register_error_handler(HelpdeskError, _helpdesk)
    blueprint.register_error_handler(OperationalError, _database)
    blueprint.register_error_handler(IntegrityError, _raced)
    blueprint.register_error_handler(Exception, _unexpected)


def answer(
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Iterable[tuple[str, str]] = (),
) -> Response:
    """A problem response."""
    problem = Problem(
        type="about:blank",
        title=_title(status),
        status=status,
        detail=detail,
        errors=list(errors),
    )
    response = Response(problem.model_dump_json(), status, mimetype=MIMETYPE)
    response.headers.extend(dict(headers))
    response.headers["Cache-Control"] = "no-store"
    return response


def _helpdesk(error: HelpdeskError) -> Response:
    said = str(_(error.message, **error.params))
    errors = [FieldError(field=error.field, message=said)] if error.field else []
    headers = dict(error.headers) if isinstance(error, Refused) else {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    # A verb says 400 for what contradicts its rules; what does not fit the shape is a 422 before.
    plain = error.status == 400 and not isinstance(error, Refused)
    return answer(409 if plain else error.status, said, errors, headers.items())


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    kept = [(name, value) for name, value in error.get_headers() if name in ("Allow",)]
    if status >= 500:
        log.error("api failed", exc_info=error)
    return answer(status, _detail(status), headers=kept)


def _invalid(error: HTTPError) -> Response:
    """What APIFlask raises when a body or the parameters don't fit their model."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return answer(error.status_code, _detail(error.status_code))
    found = cause.errors(include_url=False, include_input=False)[:MAX_SHOWN]
    said: dict[str, str] = {}  # of the variants that a field may have, the first one speaks
    for one in found:
        said.setdefault(_field(one["loc"]), _message(one))
    errors = [FieldError(field=field, message=message) for field, message in said.items()]
    in_body = "json" in (error.detail or {})
    return answer(422 if in_body else 400, _("The request does not fit."), errors)


def _database(error: OperationalError) -> Response:
    log.error("database busy or away", exc_info=error)
    detail = _("The database is busy. Try again in a moment.")
    return answer(503, detail, headers=[("Retry-After", str(RETRY_SECONDS))])


def _raced(error: IntegrityError) -> Response:
    error.hide_parameters = True
    log.warning("two requests met", exc_info=error)
    return answer(409, _("Somebody else did the same at this moment. Look and try again."))


def _unexpected(error: Exception) -> Response:
    # Values of a statement may be personal: the log gets the statement's error without them.
    if isinstance(error, DBAPIError):
        error.hide_parameters = True
    log.error("api failed", exc_info=error)
    return answer(500, _detail(500))


def _title(status: int) -> str:
    return {
        400: _("Bad request"),
        401: _("Not signed in"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Method not allowed"),
        409: _("Conflict"),
        412: _("Changed in the meantime"),
        413: _("Too large"),
        415: _("Wrong content type"),
        422: _("Does not fit"),
        429: _("Too many requests"),
        500: _("Something broke here"),
        503: _("Not available now"),
    }.get(status) or HTTPStatus(status).phrase


def _detail(status: int) -> str:
    return {
        400: _("The request could not be read."),
        404: _("There is nothing here, or it is not for this token."),
        405: _("This address does not know this method."),
        413: _("Too large: at most %(most)s MB.", most=_most_megabytes()),
        415: _("The body must be JSON: send Content-Type: application/json."),
        500: _("That is a fault on our side; it has been logged."),
    }.get(status) or _title(status)


def _most_megabytes() -> int:
    return int(current_app.config["MAX_MAIL_BYTES"]) // 1_048_576


_TAGS = ("email", "phone", "messenger")  # names of variants that pydantic puts into the path


def _field(loc: Sequence[str | int]) -> str:
    parts = [
        str(part)
        for n, part in enumerate(loc)
        if not (part in _TAGS and n and isinstance(loc[n - 1], int))
        and not (isinstance(part, str) and part.startswith(("constrained", "function-")))
    ]
    path = ".".join(parts) or "body"
    return path.encode("utf-8", "replace").decode()[:200].replace("\x00", "\ufffd")


# Under another name, so that the texts' extraction does not take the key for a text.
translated = _

_NUMBERS = ("greater_than_equal", "less_than_equal", "greater_than", "less_than")


def _message(error: Any) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "said":
        return str(translated(error["msg"], **context))
    if kind == "missing":
        return str(_("This field is needed."))
    if kind == "extra_forbidden":
        return str(_("There is no such field."))
    if kind in ("literal_error", "union_tag_invalid"):
        expected = context.get("expected") or context.get("expected_tags")
        return str(_("One of these is expected: %(expected)s.", expected=expected))
    if kind in ("string_too_long", "too_long"):
        return str(_("Too long: at most %(limit)s.", limit=context.get("max_length")))
    if kind in ("string_too_short", "too_short"):
        return str(_("Too short: at least %(limit)s.", limit=context.get("min_length")))
    if kind in _NUMBERS:
        return str(_("A number from the allowed range is expected."))
    if kind == "string_pattern_mismatch":
        return _pattern(str(context.get("pattern", "")))
    return str(_("This value does not fit here."))


def _pattern(pattern: str) -> str:
    if r"[^\x00]" not in pattern:
        return str(_("This value does not fit here."))
    return str(_("There must be something to read, and no NUL character."))


NOT_YOURS = _lazy("This token may not do that: it lacks %(permission)s.")
