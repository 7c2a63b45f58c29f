"""What surrounds every page: the reader, security headers, errors, names templates know."""

import logging
from collections.abc import Iterable
from http import HTTPStatus

import flask_babel
from flask import Blueprint, Flask, Response, current_app, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.ext import LANGUAGES
from helpdesk.lib.errors import HelpdeskError, NotFound, TooMany
from helpdesk.web import again
from helpdesk.web.assets import init_assets
from helpdesk.web.cached import brand, notice_count, setting
from helpdesk.web.formats import init_formats
from helpdesk.web.guard import (
    PUBLIC,
    SAFE_METHODS,
    SignedOut,
    check,
    may,
    permission_of,
    recognise,
    said,
    stop_reading,
)
from helpdesk.web.squeeze import init_squeeze
from helpdesk.web.words import keys_help, words

log = logging.getLogger(__name__)

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; form-action 'self'; frame-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
PROGRAMS = ("/api/", "/twilio/", "/hooks/")  # what answers programs speaks for itself


class _Id(IntegerConverter):
    """A whole number that a column can hold: what is longer is the address of nothing."""

    regex = r"\d{1,18}"


def init_site(app: Flask, blueprints: Iterable[Blueprint]) -> None:
    """Prepare `app` for pages and register their blueprints."""
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # the token lives as long as the session
    app.config.setdefault("SESSION_COOKIE_SAMESITE", "Lax")
    if hops := int(app.config["TRUSTED_PROXIES"]):
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    app.before_request(_enter)
    ext.csrf.init_app(app)
    app.after_request(_headers)
    app.teardown_request(_leave)
    app.register_error_handler(HelpdeskError, _refused)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _http)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {
        "brand": brand,
        "keys_help": keys_help,
        "may": may,
        "notice_count": notice_count,
        "words": words,
    }
    init_squeeze(app)
    init_assets(app)
    init_formats(app)
    app.url_map.converters["int"] = _Id
    names = app.extensions.setdefault("helpdesk_pages", set())
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
        names.add(blueprint.name)


def wants_json() -> bool:
    """Whether a script of ours asks, which shows errors in the page it is on."""
    best = request.accept_mimetypes.best_match(("text/html", "application/json"))
    return "HX-Request" in request.headers or best == "application/json"


def _enter() -> BaseResponse | None:
    for name in ("csrf_token", "masked_token", "csrf_valid", "telephone"):
        g.pop(name, None)
    stop_reading()
    g.user = g.viewer = g.presence = g.timezone = g.login_session_id = None
    g.theme, g.language = "system", "en"
    if request.endpoint == "static":
        return None
    if not _is_page():
        _speak()
        return None
    recognise()
    _speak()
    try:
        check()
    except SignedOut:
        return _signed_out()
    return None


def _is_page() -> bool:
    return request.blueprint in current_app.extensions["helpdesk_pages"]


def _speak() -> None:
    if g.user is not None:
        g.language, g.timezone, g.theme = g.user.language, g.user.timezone, g.user.theme
    else:
        g.language = guest_language()
    flask_babel.refresh()


def guest_language() -> str:
    """The stored choice, then by rule the browser's or the primary language."""
    chosen = request.cookies.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    primary = str(setting("primary_language"))
    if setting("language_rule") == "primary_first":
        return primary
    return request.accept_languages.best_match(LANGUAGES) or primary


def _leave(_error: BaseException | None) -> None:
    stop_reading()


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "frame-ancestors http" in response.headers["Content-Security-Policy"]:
        response.headers.pop("X-Frame-Options", None)  # it knows no list of sites
    if _is_page() and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if _is_page():
        response.vary.add("HX-Request")
    return response


def _signed_out() -> BaseResponse:
    if wants_json():
        return _json(SignedOut())
    return again.ask_to_log_in()


def _refused(error: HelpdeskError) -> BaseResponse:
    if wants_json():
        return _json(error)
    return error_page(error.status, None if type(error) is NotFound else said(error))


def _json(error: HelpdeskError) -> BaseResponse:
    response = jsonify(error=said(error), field=error.field)
    response.status_code = error.status
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _stale(error: CSRFError) -> BaseResponse:
    """The form's token is from an older session: show its text again with a new token."""
    if not _is_page():
        return BaseResponse(str(error.description), 400, mimetype="text/plain")
    if "X-Quiet" in request.headers:  # no new token: it would spoil that of a log-in page
        return BaseResponse(status=400)
    if wants_json():
        response = jsonify(error=flask_babel.gettext("The page was open for long. Send it again."))
        response.status_code = 400
        response.headers["X-CSRFToken"] = ext.csrf_token()
        return response
    return again.show(request.form, status=400)


def _http(error: HTTPException) -> BaseResponse | HTTPException:
    if request.path.startswith(PROGRAMS) or error.response is not None or not error.code:
        return error
    if "language" not in g:
        return error
    if isinstance(error, InternalServerError):
        log.error("page failed", exc_info=error.original_exception)
    if wants_json():
        response = jsonify(error=_short(error.code))
        response.status_code = error.code
        return response
    response = error_page(error.code)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _short(status: int) -> str:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return str(flask_babel.gettext("Choose a smaller file and send it again."))
    return str(flask_babel.gettext("That did not work. Try again."))


def error_page(status: int, text: str | None = None) -> Response:
    """A plain page that says what is so and where to go on."""
    kind = {404: "missing", 405: "missing", 410: "missing", 413: "large", 429: "often"}.get(status)
    page = render_template(
        "errors/error.html",
        kind=kind or ("broken" if status >= 500 else "refused"),
        status=status,
        text=text,
    )
    return current_app.make_response((page, status))


__all__ = ["PUBLIC", "SAFE_METHODS", "error_page", "guest_language", "init_site", "permission_of"]
