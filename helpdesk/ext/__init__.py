"""Base, sessions, column types, full text, babel and csrf: the only place that knows dialects."""

from flask import Flask
from flask_migrate import Migrate

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
    "migrate",
    "partial_index",
    "quarter_begins",
    "quarter_of",
    "session",
    "skip_locked",
    "write",
]

csrf = MaskedCSRF()
migrate = Migrate(compare_type=True)


def init_database(app: Flask) -> None:
    """Bind the engine of `app`: one pool, seen once for reading and once for writing."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(app.config["SQLALCHEMY_DATABASE_URI"])
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
        app.extensions["helpdesk_write_engine"] = db.engine.execution_options(immediate=True)
    migrate.init_app(app, db, directory=app.config["MIGRATIONS_DIR"])
