"""Which language and time zone the reader of this request or email has."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, g, has_app_context
from flask_babel import Babel, force_locale

babel = Babel()

LANGUAGES = ("en", "ru", "uk")


def init_languages(app: Flask) -> None:
    babel.init_app(
        app,
        default_locale="en",
        default_translation_directories=app.config["TRANSLATIONS_DIR"],
        locale_selector=_language,
        timezone_selector=_timezone,
    )


def _language() -> str | None:
    return g.get("language") if has_app_context() else None


def _timezone() -> str | None:
    return g.get("timezone") if has_app_context() else None


@contextmanager
def in_language(language: str | None) -> Iterator[None]:
    """Everything inside is said in this language (English where it is unknown)."""
    with force_locale(language if language in LANGUAGES else "en"):
        yield
