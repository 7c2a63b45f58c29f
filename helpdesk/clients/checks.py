"""What values of a client's record must be like; every verb and form asks here."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, ClientKind, ContactKind, ContactPoint, Relation
from helpdesk.ext import LANGUAGES
from helpdesk.lib import phone
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, email_key, valid_email

ABOUT_LIMIT = 5000
EXTERNAL_ID_LIMIT = 80
MAX_TAGS = 20


def clean_tags(tags: list[str]) -> list[str]:
    """Tags in their order, one line each, without repeats and empty ones. At most 20."""
    return _tags(tags)[:MAX_TAGS]


def checked_tags(tags: list[str]) -> list[str]:
    """The same of what somebody typed: more than fit raise HelpdeskError."""
    found = _tags(tags)
    if len(found) > MAX_TAGS:
        raise HelpdeskError(_lazy("At most %(limit)s tags fit."), field="tags", limit=MAX_TAGS)
    return found


def _tags(tags: list[str]) -> list[str]:
    cleaned = (clean_line(tag, 40).replace(",", " ").strip().lower() for tag in tags)
    return list(dict.fromkeys(tag for tag in cleaned if tag))


def checked_language(language: str | None) -> str | None:
    """The language code, None for an empty one. Raises HelpdeskError for another one."""
    if language and language not in LANGUAGES:
        raise HelpdeskError(_lazy("The language must be en, ru or uk."), field="language")
    return language or None


def checked_timezone(timezone: str | None) -> str | None:
    """The name of an IANA time zone, None for an empty one. Raises HelpdeskError."""
    if timezone and timezone not in _zones():
        raise HelpdeskError(
            _lazy("There is no time zone %(zone)s."), field="timezone", zone=timezone
        )
    return timezone or None


def read_contact(kind: ContactKind, value: str, country: str) -> tuple[str, str]:
    """(key, value as people read it) of what was typed. Raises HelpdeskError."""
    value = clean_line(value, 254)
    if kind == ContactKind.EMAIL:
        if not valid_email(value):
            raise HelpdeskError(
                _lazy("This is not an email address: %(email)s"), field="value", email=value
            )
        return email_key(value), value
    if kind == ContactKind.PHONE:
        key = phone.normalize(value, country)
        if key is None:
            raise HelpdeskError(
                _lazy("This is not a phone number: %(number)s"), field="value", number=value
            )
        return key, phone.display(key)
    if not value:
        raise HelpdeskError(_lazy("Write an address or number here."), field="value")
    return value.lower(), value


def check_free(
    session: Session, person_id: int, kind: ContactKind, key: str, shown: str, but: int = 0
) -> None:
    """Raises HelpdeskError if the person has this address already, in another row than `but`."""
    known = session.scalar(
        select(ContactPoint.id).where(
            ContactPoint.kind == kind,
            ContactPoint.key == key,
            ContactPoint.person_id == person_id,
            ContactPoint.id != but,
        )
    )
    if known:
        raise HelpdeskError(_lazy("This person has %(value)s already."), field="value", value=shown)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def checked_name(name: str) -> str:
    """The name as one clean line. Raises HelpdeskError for an empty one."""
    name = clean_line(name)
    if not name:
        raise HelpdeskError(_lazy("A client needs a name."), field="name")
    return name


def _relation(relation: str) -> Relation:
    if relation not in set(Relation):
        message = _lazy("The relation must be client, partner or supplier.")
        raise HelpdeskError(message, field="relation")
    return Relation(relation)


def _external_id(external_id: str | None) -> str | None:
    return clean_line(external_id, EXTERNAL_ID_LIMIT) or None if external_id else None


def _about(text: str) -> str:
    if len(text) > ABOUT_LIMIT:
        message = _lazy("The text is too long: at most %(limit)s characters.")
        raise HelpdeskError(message, field="about", limit=ABOUT_LIMIT)
    return text.strip()


# What else is changed is stored as it comes: owner_id, organisation_id and potential.
CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "name": checked_name,
    "tags": clean_tags,
    "language": checked_language,
    "timezone": checked_timezone,
    "relation": _relation,
    "external_id": _external_id,
    "about": _about,
}


def check_organisation(session: Session, client: Client, organisation_id: int) -> None:
    """Raises HelpdeskError unless the client may belong to this organisation."""
    found = session.get(Client, organisation_id)
    gone = found is None or found.erased_at is not None or found.merged_into_id is not None
    if found is None or gone or found.kind != ClientKind.ORGANISATION:
        raise HelpdeskError(_lazy("Choose an organisation."), field="organisation")
    if found.id == client.id or found.organisation_id == client.id:
        message = _lazy("An organisation cannot belong to itself.")
        raise HelpdeskError(message, field="organisation")


def check_external_id(session: Session, client: Client, external_id: str) -> None:
    """Raises HelpdeskError if another client has this id of another system."""
    query = select(Client.id).where(Client.external_id == external_id, Client.id != client.id)
    if session.scalar(query) is not None:
        message = _lazy("Another client has the number %(number)s already.")
        raise HelpdeskError(message, field="external_id", number=external_id)
