"""Verbs on contact points: correct, verify, prefer, mark as bad, remove and put back."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.clients.checks import check_free, read_contact
from helpdesk.clients.duplicates import look_again
from helpdesk.clients.models import ContactKind, ContactPoint, Person
from helpdesk.clients.search import reindex_client
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.lib import phone
from helpdesk.lib.errors import NotFound


def point_of(
    session: Session, client_id: int, point_id: int, *, removed: bool = False
) -> ContactPoint:
    """A contact point of this client, with `removed` also one that was removed. Raises NotFound."""
    query = select(ContactPoint).join(Person, Person.id == ContactPoint.person_id)
    query = query.where(ContactPoint.id == point_id, Person.client_id == client_id)
    point = session.scalar(query)
    if point is None or (point.removed_at is not None and not removed):
        raise NotFound()
    return point


def change_point(
    session: Session, point: ContactPoint, value: str, *, country: str, actor: Actor, at: datetime
) -> None:
    """Correct an address or number: what was known of the old one (verified, bad) is forgotten.

    Raises HelpdeskError if it cannot be read or is there already.
    """
    key, shown = read_contact(point.kind, value, country)
    if (key, shown) == (point.key, point.value):
        return
    check_free(session, point.person_id, point.kind, key, shown, but=point.id)
    if key != point.key:
        point.verified = point.bad = False
        point.soft_bounces = 0
    point.value, point.key, point.tail = shown, key, _tail(point.kind, key)
    point.alike = None
    session.flush()
    _record(session, "contact_point.changed", point, actor, at, fields=["value"])
    _found_anew(session, point)


def set_verified(
    session: Session, point: ContactPoint, verified: bool, *, actor: Actor, at: datetime
) -> None:
    """A colleague made sure that this is the person's own, or takes that back."""
    _set(session, point, "verified", verified, actor, at)


def set_preferred(
    session: Session, point: ContactPoint, preferred: bool, *, actor: Actor, at: datetime
) -> None:
    """The one to use first; of each kind a person has at most one."""
    if preferred:
        session.execute(
            update(ContactPoint)
            .where(
                ContactPoint.person_id == point.person_id,
                ContactPoint.kind == point.kind,
                ContactPoint.id != point.id,
            )
            .values(preferred=False)
        )
    _set(session, point, "preferred", preferred, actor, at)


def set_bad(
    session: Session, point: ContactPoint, bad: bool, *, actor: Actor, at: datetime
) -> None:
    """Nothing is sent to a bad one by itself; a good one begins without returned mail."""
    if not bad:
        point.soft_bounces = 0
    _set(session, point, "bad", bad, actor, at)


def wish_sms(session: Session, point_id: int, stopped: bool, *, at: datetime) -> bool:
    """Whoever has this number wants no SMS any more, or wants them again; whether that is new.

    The wish is the telephone's: it holds for all people with this number.
    """
    mine = session.get_one(ContactPoint, point_id)
    query = select(ContactPoint).where(
        ContactPoint.kind == ContactKind.PHONE, ContactPoint.key == mine.key
    )
    points = session.scalars(query.order_by(ContactPoint.id).with_for_update()).all()
    changed = [point for point in points if (point.sms_stopped_at is not None) != stopped]
    for point in changed:
        point.sms_stopped_at = at if stopped else None
    session.flush()
    for point in changed:
        _record(session, "contact_point.sms", point, SYSTEM, at, stopped=stopped)
    return bool(changed)


def remove_point(session: Session, point: ContactPoint, *, actor: Actor, at: datetime) -> None:
    """Take it out: nothing finds the person by it any more, and nothing is sent there."""
    if point.removed_at is not None:
        return
    # Keys of addresses never begin with a space, so that nothing finds this one.
    point.key, point.tail = f" {point.id}", None
    point.removed_at = at
    session.flush()
    _record(session, "contact_point.removed", point, actor, at)
    reindex_client(session, _client_id(session, point))


def restore_point(session: Session, point: ContactPoint, *, actor: Actor, at: datetime) -> None:
    """Put a removed one back as it was. Raises HelpdeskError if it was added again meanwhile."""
    if point.removed_at is None:
        return
    key, shown = read_contact(point.kind, point.value, "")
    check_free(session, point.person_id, point.kind, key, shown, but=point.id)
    point.key, point.tail, point.removed_at = key, _tail(point.kind, key), None
    session.flush()
    _record(session, "contact_point.added", point, actor, at)
    _found_anew(session, point)


def _found_anew(session: Session, point: ContactPoint) -> None:
    client_id = _client_id(session, point)
    reindex_client(session, client_id)
    look_again(session, client_id)


def _set(
    session: Session, point: ContactPoint, name: str, value: bool, actor: Actor, at: datetime
) -> None:
    if getattr(point, name) == value:
        return
    setattr(point, name, value)
    session.flush()
    _record(session, "contact_point.changed", point, actor, at, fields=[name])


def _tail(kind: ContactKind, key: str) -> str | None:
    return phone.tail(key) if kind == ContactKind.PHONE else None


def _client_id(session: Session, point: ContactPoint) -> int:
    return session.scalars(select(Person.client_id).where(Person.id == point.person_id)).one()


def _record(
    session: Session, kind: str, point: ContactPoint, actor: Actor, at: datetime, **data: Any
) -> None:
    client_id = _client_id(session, point)
    record(
        session, kind, actor=actor, at=at, client_id=client_id, contact_point_id=point.id, **data
    )
