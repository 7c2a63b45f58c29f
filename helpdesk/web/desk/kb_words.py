"""Words of the knowledge base's pages."""

from collections.abc import Mapping

from flask_babel import pgettext

from helpdesk.kb.models import State


def states() -> Mapping[State, str]:
    """What the states of a text are called."""
    return {
        State.DRAFT: pgettext("article", "Draft"),
        State.INTERNAL: pgettext("article", "Internal"),
        State.PUBLIC: pgettext("article", "Public"),
    }
