"""What every process would otherwise make for itself: made once, before they fork."""

import logging

from flask import Flask
from flask_babel import get_translations
from sqlalchemy import func, select
from sqlalchemy.orm import configure_mappers

from helpdesk import ext
from helpdesk.kb import embedding, memory
from helpdesk.kb.models import Indexed

PAGES = ("/", "/login")
"""Their templates are those that all pages begin with."""
MOST_ROWS = 1000
"""Of the index of search: more would hold up the start by over a second."""


def make(app: Flask, *, pages: bool) -> None:
    """Make it in this process; with `pages`, also what only processes that serve pages need."""
    configure_mappers()
    embedding.available()
    _languages(app)
    with app.app_context():
        memory.prepare(texts=pages)
    if pages:
        _search(app)
        _serve(app)
    with app.app_context():
        ext.db.engine.dispose()  # an open connection that processes share mixes up its answers


def _languages(app: Flask) -> None:
    for language in ext.LANGUAGES:
        with app.test_request_context(), ext.in_language(language):
            get_translations()


def _search(app: Flask) -> None:
    """A small base is read now; a larger one by each process, with pauses, beside its pages."""
    with app.app_context(), ext.session() as session:
        rows = session.scalar(select(func.count()).select_from(Indexed)) or 0
        if rows <= MOST_ROWS:
            with memory.bases(session):
                pass


def _serve(app: Flask) -> None:
    """Ask ourselves for pages that anybody may see; nobody did, so no log tells of it."""
    logging.disable(logging.INFO)
    try:
        with app.test_client() as reader:
            for page in PAGES:
                reader.get(page, base_url=app.config["PUBLIC_URL"])
    finally:
        logging.disable(logging.NOTSET)
