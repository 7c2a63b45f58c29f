"""What the pages' tests of the telephone share: Alice at the browser phone, Oksana who calls."""

from typing import Any

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Availability, Phone
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.models import Person
from helpdesk.lib.clock import now
from tests.calls import desk
from tests.cast import Cast

NUMBER = "+380671234567"


def on_duty(user: User, phone: Phone = Phone.BROWSER, number: str | None = None) -> None:
    """The user is available, at the browser or at a phone of their own."""
    with ext.write() as session:
        presence.set_phone(session, user.id, phone, number, country="UA", at=now())
        presence.set_state(session, user.id, Availability.AVAILABLE, at=now())
        presence.seen(session, user.id, now())


def has_number(person_id: int, number: str = NUMBER) -> None:
    with ext.write() as session:
        person = session.get_one(Person, person_id)
        about: dict[str, Any] = {"kind": "phone", "value": number, "country": "UA"}
        add_contact_point(session, person, at=now(), **about)


def rings_at(cast: Cast, user: User) -> desk.Caller:
    """A caller of Support, offered to this user."""
    caller = desk.waits(cast.support.id, NUMBER)
    desk.distribute()
    desk.rings(user.id)
    return caller


def talks_with(cast: Cast, user: User) -> desk.Caller:
    """A caller of Support who talks to this user."""
    caller = rings_at(cast, user)
    desk.talk(caller, user.id)
    return caller
