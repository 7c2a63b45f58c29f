"""REST API v1, for programs: tickets, messages, clients, deliveries, events and the set-up."""

from apiflask import APIFlask

from helpdesk import ext
from helpdesk.api import (
    calendars,
    calls,
    client_facts,
    client_items,
    clients,
    deliveries,
    events,
    kb,
    merges,
    messages,
    policies,
    products,
    queues,
    reasons,
    reports,
    tickets,
    users,
)
from helpdesk.api.document import SECURITY, finish
from helpdesk.api.missing import add_rules
from helpdesk.api.operation import PERMISSION_OF, api

__all__ = ["PERMISSION_OF", "register"]

# Importing them publishes their operations.
NOUNS = (
    calendars,
    calls,
    client_facts,
    client_items,
    clients,
    deliveries,
    events,
    kb,
    merges,
    messages,
    policies,
    products,
    queues,
    reasons,
    reports,
    tickets,
    users,
)


def register(app: APIFlask) -> None:
    """Publish the API and its OpenAPI document on `app`."""
    app.config |= {
        "SECURITY_SCHEMES": SECURITY,
        "AUTO_TAGS": False,
        "AUTO_SERVERS": False,
        "AUTO_200_RESPONSE": False,
        "AUTO_404_RESPONSE": False,
        "AUTO_AUTH_ERROR_RESPONSE": False,
        "AUTO_VALIDATION_ERROR_RESPONSE": False,
    }
    app.servers = [{"url": "/"}]
    app.spec_processor(finish)  # type: ignore[arg-type]
    ext.csrf.exempt(api)
    app.register_blueprint(api)
    add_rules(app)
