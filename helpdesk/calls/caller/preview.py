"""What callers of a menu hear at its main places, to be read before it is heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.calls import prompts
from helpdesk.calls.caller import lines
from helpdesk.calls.caller.main import labels_of
from helpdesk.calls.hours import hours_for
from helpdesk.calls.models import PhoneMenu
from helpdesk.calls.script import Say

EXAMPLE_WAIT, EXAMPLE_PLACE = 240, 3


@dataclass(frozen=True)
class Place:
    """A place in the call: "menu", "closed", "consent", "wait" or "later", and what is said."""

    name: str
    says: Sequence[Say]


def preview(
    session: Session, menu: PhoneMenu, queue_id: int | None, language: str, at: datetime
) -> list[Place]:
    """The places in the order in which a caller may come to them, heard in `language`."""
    labels = labels_of(session, menu, language)
    brand = str(settings.get(session, "brand_name"))
    greeting = lines.greeting(menu.greetings, language, brand)
    hours = hours_for(session, queue_id, menu)
    found = [Place("menu", [greeting, *lines.menu(menu.choices, labels, language, is_open=True)])]
    if menu.recording:
        found.append(Place("consent", lines.consent(menu.consent, language)))
    wait = [lines.place(EXAMPLE_PLACE, language), prompts.wait(EXAMPLE_WAIT, language)]
    found.append(Place("wait", [*wait, *lines.while_waiting(menu, language)]))
    if hours.calendar is not None:
        found.append(Place("closed", [lines.closed(hours, language, at)]))
    if menu.callbacks and menu.voicemail:
        found.append(Place("later", lines.later(language)))
    return found
