"""The pages of portal, supervisor and admin for a test's browser."""

from helpdesk.web.admin import (
    calendars,
    deliveries,
    index,
    outbox,
    policies,
    queues,
    settings,
    staff,
    tokens,
)
from helpdesk.web.portal import files, home, ticket
from helpdesk.web.supervisor import promises as supervisor
from tests.web.conftest import Pages

ROOMS = (
    *(home, ticket, files, supervisor, index, staff, queues),
    *(calendars, policies, deliveries, outbox, settings, tokens),
)


def enter(pages: Pages, name: str | None = None) -> Pages:
    """The browser with all rooms open; `name` is who logs in."""
    app = pages.app
    for room in ROOMS:
        if room.blueprint.name not in app.blueprints:
            app.register_blueprint(room.blueprint)
            app.extensions["helpdesk_pages"].add(room.blueprint.name)
    if name is not None:
        pages.log_in(name)
    return pages
