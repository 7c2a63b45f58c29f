"""`create_app`: settings, database, languages and every blueprint, in that order."""

import os
import time
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import structlog
from apiflask import APIFlask
from flask import Flask, Response, current_app, g, jsonify, request
from flask_babel import gettext
from sqlalchemy.exc import OperationalError

from config import Config, ConfigError
from helpdesk import api, ext
from helpdesk.intake import hook, sms, voice
from helpdesk.lib.secret_file import secret_key
from helpdesk.web.health import Health
from helpdesk.web.pages import init_pages
from helpdesk.web.site import wants_json

__all__ = ["ConfigError", "create_app"]

ROOT = Path(__file__).resolve().parent.parent
BODY_SLACK = 5 << 20  # what a form or a JSON body adds to its files
FORM_BYTES = 2 << 20

log = structlog.get_logger()


class Application(APIFlask):
    """Flask whose log of errors names the route, never the address with its tokens."""

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        log.error("http.failed", route=_route(), method=request.method, exc_info=exc_info)


def create_app(config: Config | None = None) -> Flask:
    """Make the application. Raises ConfigError if a setting is wrong."""
    config = config or Config.from_env()
    app = Application(
        "helpdesk",
        title="Helpdesk API",
        version="v1",
        root_path=str(ROOT),
        docs_path=None,
        spec_path="/api/v1/openapi.json",
        json_errors=False,
    )
    app.config.from_mapping(config.flask())
    app.config["MIGRATIONS_DIR"] = str(ROOT / "migrations")
    app.config["TRANSLATIONS_DIR"] = str(ROOT / "translations")
    app.config["MAX_CONTENT_LENGTH"] = config.max_mail_bytes + BODY_SLACK
    app.config["MAX_FORM_MEMORY_SIZE"] = FORM_BYTES
    app.config["SECRET_KEY"] = _secret(config)
    ext.init_database(app)
    ext.init_languages(app)
    _watch(app)
    app.before_request(_refuse_foreign_host)
    app.register_error_handler(OperationalError, _database_away)
    init_pages(app)
    app.register_blueprint(sms.blueprint)
    app.register_blueprint(hook.blueprint)
    api.register(app)
    voice.register(app)
    return app


def _secret(config: Config) -> str:
    """The secret key; on the way, whether the data folder can be written at all."""
    folder = config.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, "Permission denied")
        return secret_key(config.secret_key, folder)
    except OSError as error:
        raise ConfigError(
            f"HELPDESK_DATA_DIR: cannot write to {folder}: {error.strerror}."
        ) from error


def _refuse_foreign_host() -> Response | None:
    """Only by our own name or by number: a name of others that leads here is an attack.

    Links are never made from the Host header; this keeps cookies and forms from such names.
    """
    if request.path.startswith("/twilio/"):  # what is signed has no cookie, whatever led it here
        return None
    host = urlsplit(f"//{request.host}").hostname or ""
    ours = urlsplit(current_app.config["PUBLIC_URL"]).hostname
    if host == ours or host == "localhost" or host.endswith(".localhost") or _is_number(host):
        return None
    return Response("This is not HELPDESK_PUBLIC_URL.\n", 400, mimetype="text/plain")


def _database_away(error: OperationalError) -> Response:
    """Away, locked for too long, or the disk is full; said without asking the database.

    Nothing was changed: a transaction that could not end has not happened.
    """
    log.error("database.away", route=_route(), method=request.method, exc_info=error)
    text = gettext("The database does not answer. Nothing was changed. Try again in a moment.")
    response = jsonify(error=text) if wants_json() else Response(text + "\n", mimetype="text/plain")
    response.status_code = 503
    response.headers["Retry-After"] = "5"
    return response


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _watch(app: Flask) -> None:
    """Health, metrics and one log line a request."""
    health = Health(app, app.wsgi_app)
    app.wsgi_app = health  # type: ignore[method-assign]
    app.extensions["helpdesk_latency"] = health.latency

    def begin() -> None:
        g.began = time.perf_counter()

    def end(response: Response) -> Response:
        moment = time.perf_counter()
        seconds = moment - g.pop("began", moment)
        health.latency.add(response.status_code, seconds)
        log.info(
            "http",
            method=request.method,
            route=_route(),
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            user_id=getattr(g.get("viewer"), "user_id", None) or getattr(g.get("user"), "id", None),
        )
        return response

    app.before_request(begin)
    app.after_request(end)


def _route() -> str | None:
    """The pattern of the address; what stands in its places stays out of the logs."""
    return request.url_rule.rule if request.url_rule else None
