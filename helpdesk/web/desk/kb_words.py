"""Words of the knowledge base's pages: states, fields, sources."""

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import pgettext

from helpdesk.kb.models import Source, State


def states() -> Mapping[State, str]:
    """What the states of a text are called."""
    return {
        State.DRAFT: pgettext("article", "Draft"),
        State.INTERNAL: pgettext("article", "Internal"),
        State.PUBLIC: pgettext("article", "Public"),
    }


def acts() -> Mapping[State, str]:
    """What brings a text into a state."""
    return {
        State.DRAFT: _("Make it a draft again"),
        State.INTERNAL: _("Show it to colleagues only"),
        State.PUBLIC: _("Publish"),
    }


def sources() -> Mapping[Source, str]:
    """Where readers searched or read."""
    return {
        Source.PORTAL: _("Portal"),
        Source.FORM: _("Contact form"),
        Source.EMAIL: _("Email"),
        Source.DESK: _("Desk"),
        Source.API: _("API"),
        Source.PHONE: _("Phone"),
    }
