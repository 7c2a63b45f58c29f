"""`create_app`: settings, database, languages and every blueprint, in that order."""

from pathlib import Path

from apiflask import APIFlask
from flask import Flask

from config import Config
from helpdesk import ext
from helpdesk.lib.secret_file import secret_key

ROOT = Path(__file__).resolve().parent.parent


def create_app(config: Config | None = None) -> Flask:
    """Make the application. Raises ConfigError if a setting is wrong."""
    config = config or Config.from_env()
    app = APIFlask(
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
    app.config["SECRET_KEY"] = secret_key(config.secret_key, config.data_dir)
    ext.init_database(app)
    ext.init_languages(app)
    return app
