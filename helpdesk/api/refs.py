"""Things that a request names: queues, users, calendars by id or name; versions."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Viewer
from helpdesk.api.problems import Refused
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean
from helpdesk.products import Product, product_named
from helpdesk.tickets.models import Calendar, ContactReason, Queue
from helpdesk.tickets.queries import queue_named, user_named
from helpdesk.tickets.reasons import reason_named

T = TypeVar("T")

_NOT_IN_AN_ID = re.compile(r"[\s<>]")


def queue_of(session: Session, viewer: Viewer, ref: str | int, *, unknown: int = 409) -> Queue:
    """The queue; one that isn't the viewer's looks like none.

    Raises Refused with the status `unknown`, which is 404 where a parameter named it.
    """
    queue = _found(lambda: queue_named(session, _clean(ref)), "queue", unknown)
    if viewer.queue_ids is not None and queue.id not in viewer.queue_ids:
        raise Refused(unknown, _lazy("There is no queue %(ref)s."), field="queue", ref=ref)
    return queue


def user_of(session: Session, ref: str | int, field: str) -> User:
    """An active user. Raises Refused (409)."""
    return _found(lambda: user_named(session, _clean(ref)), field, 409)


def calendar_of(session: Session, ref: str | int) -> Calendar:
    """The calendar. Raises Refused (409)."""
    ref = _clean(ref)
    by_id = isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 18)
    found = session.get(Calendar, int(ref)) if by_id else None
    found = found or session.scalar(select(Calendar).where(Calendar.name == str(ref)))
    if found is None:
        raise Refused(409, _lazy("There is no calendar %(ref)s."), field="calendar", ref=ref)
    return found


def reason_of(session: Session, ref: str | int, *, unknown: int = 409) -> ContactReason:
    """The contact reason by id or key. Raises Refused with the status `unknown`."""
    return _found(lambda: reason_named(session, _clean(ref)), "reason", unknown)


def product_of(session: Session, ref: str | int, *, unknown: int = 409) -> Product:
    """The product by id, sku or name. Raises Refused with the status `unknown`."""
    return _found(lambda: product_named(session, _clean(ref)), "product", unknown)


def day_of(text: str | None, field: str) -> date | None:
    """The day of an ISO date, None for null. Raises Refused (409) for a day that no month has."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        message = _lazy("There is no such day: %(day)s")
        raise Refused(409, message, field=field, day=text) from error


def etag(version: int) -> dict[str, str]:
    """The header that names this version of a thing."""
    return {"ETag": f'"{version}"'}


def check_match(header: str | None, version: int) -> None:
    """Compare If-Match (RFC 9110 §13.1.1) with the version. Raises Refused (412)."""
    if header is None or header.strip() == "*":
        return
    known = [part.strip() for part in header.split(",")]
    if f'"{version}"' not in known:
        raise Refused(412, _lazy("Somebody changed this in the meantime. Read it and try again."))


def bare_message_id(text: str) -> str:
    """A Message-ID as it is stored: without angle brackets and white space."""
    return _NOT_IN_AN_ID.sub("", text)


def given(value: Any, default: Any = None) -> Any:
    """The value, or the default where the field was left out."""
    return default if value is MISSING else value


def _clean(ref: str | int) -> str | int:
    return clean(ref) if isinstance(ref, str) else ref


def _found(look: Callable[[], T], field: str, unknown: int) -> T:
    try:
        return look()
    except HelpdeskError as error:
        raise Refused(unknown, error.message, field=field, **error.params) from error
