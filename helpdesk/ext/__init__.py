"""Base, sessions, column types, full text, babel and csrf: the only place that knows dialects."""

import os
from typing import Any

from flask import Flask
from werkzeug.local import LocalProxy

from helpdesk.ext import fulltext
from helpdesk.ext.database import (
    Base,
    add_missing,
    add_row,
    add_rows,
    compact,
    db,
    engine_options,
    is_sqlite,
    lock,
    may_succeed_again,
    partial_index,
    prepare,
    session,
    skip_locked,
    write,
)
from helpdesk.ext.form_tokens import MaskedCSRF, csrf_token
from helpdesk.ext.languages import LANGUAGES, babel, in_language, init_languages
from helpdesk.ext.moments import QUARTER, quarter_begins, quarter_of
from helpdesk.ext.types import CleanText, EnumText, SortKey, UTCDateTime
from helpdesk.lib.late import library

__all__ = [
    "Base",
    "CleanText",
    "EnumText",
    "LANGUAGES",
    "QUARTER",
    "SortKey",
    "UTCDateTime",
    "add_missing",
    "add_row",
    "add_rows",
    "babel",
    "compact",
    "csrf",
    "csrf_token",
    "db",
    "fulltext",
    "in_language",
    "init_database",
    "init_languages",
    "is_sqlite",
    "lock",
    "may_succeed_again",
    "partial_index",
    "quarter_begins",
    "quarter_of",
    "session",
    "skip_locked",
    "write",
]

csrf = MaskedCSRF()


def init_database(app: Flask) -> None:
    """Bind the engine of `app`: one pool, seen once for reading and once for writing."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(app.config["SQLALCHEMY_DATABASE_URI"])
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
        app.extensions["helpdesk_write_engine"] = db.engine.execution_options(immediate=True)
    app.extensions["migrate"] = LocalProxy(lambda: _migrations(app))
    if "FLASK_RUN_FROM_CLI" in os.environ:
        _migrations(app)  # `flask db` is a command of its own


def _migrations(app: Flask) -> Any:
    """What Flask-Migrate keeps with `app`, in the place of this function from now on."""
    migrate = library("flask_migrate").Migrate(compare_type=True)
    migrate.init_app(app, db, directory=app.config["MIGRATIONS_DIR"])
    return app.extensions["migrate"]
