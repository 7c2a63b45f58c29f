"""Translations for templates: flask-babel looks its catalogue up anew for each of a page's phrases,
which is a twentieth of the page; here it is found once a language.
"""

from typing import Any

from flask import Flask
from flask_babel import get_locale, get_translations


def init_phrases(app: Flask) -> None:
    """Give the templates of `app` their `_`, `ngettext`, `pgettext` and `npgettext`."""
    known: dict[str, Any] = {}

    def catalogue() -> Any:
        language = get_locale().language
        found = known.get(language)
        if found is None:
            found = known[language] = get_translations()
        return found

    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # made by jinja2.ext.i18n
        gettext=lambda text: catalogue().ugettext(text),
        ngettext=lambda one, many, number: catalogue().ungettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, text: catalogue().upgettext(context, text),
        npgettext=lambda context, one, many, number: catalogue().unpgettext(
            context, one, many, number
        ),
    )
