"""The one list of page blueprints, in the order of readers."""

from flask import Flask

from helpdesk.web.desk import (
    changes,
    client,
    composer,
    files,
    keys,
    login,
    me,
    notices,
    queue,
    sending,
    ticket,
)
from helpdesk.web.site import init_site

DESK = (login, queue, ticket, changes, composer, sending, files, client, notices, me, keys)


def init_pages(app: Flask) -> None:
    """Prepare `app` for pages and register all of them."""
    init_site(app, [module.blueprint for module in DESK])
