"""Who holds a mailbox: where a one-time code goes, and whom it shows to be who they are."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from helpdesk.clients.match import contact_key
from helpdesk.clients.models import ContactKind, ContactPoint, Person

_TAKES_MAIL = (
    ContactPoint.kind == ContactKind.EMAIL,
    ContactPoint.bad.is_(False),
    ContactPoint.removed_at.is_(None),
    Person.erased_at.is_(None),
    Person.removed_at.is_(None),
)


@dataclass(frozen=True)
class Holder:
    """The people who have one mailbox; several share it, e.g. office@."""

    client_id: int  # of the first of them
    person_ids: tuple[int, ...]
    point_ids: tuple[int, ...]

    @property
    def shared(self) -> bool:
        return len(set(self.person_ids)) > 1


def mailbox_of(session: Session, email: str | None, number: str | None, country: str) -> int | None:
    """The contact point of the mailbox that this address names, or that whoever has this number
    reads; None where there is none, or where the number is of several people.

    One statement, whether it finds anything or not.
    """
    found = contact_key(email, number, country)
    if found is None:
        return None
    kind, key = found
    named = aliased(ContactPoint)
    same = (
        named.id == ContactPoint.id if kind == ContactKind.EMAIL else named.person_id == Person.id
    )
    order = (ContactPoint.verified.desc(), ContactPoint.preferred.desc(), ContactPoint.id)
    rows = session.execute(
        select(ContactPoint.id, Person.id)
        .join(Person, Person.id == ContactPoint.person_id)
        .join(named, same)
        .where(named.kind == kind, named.key == key, *_TAKES_MAIL)
        .order_by(*order)
    ).all()
    people = {person_id for _id, person_id in rows}
    if not rows or (kind != ContactKind.EMAIL and len(people) > 1):
        return None
    return int(rows[0][0])


def holder_of(session: Session, contact_point_id: int) -> Holder | None:
    """Everybody with the mailbox of this contact point; None once it is nobody's."""
    mine = aliased(ContactPoint)
    same = (mine.kind == ContactPoint.kind) & (mine.key == ContactPoint.key)
    rows = session.execute(
        select(Person.client_id, Person.id, ContactPoint.id)
        .join(Person, Person.id == ContactPoint.person_id)
        .join(mine, same)
        .where(mine.id == contact_point_id, *_TAKES_MAIL)
        .order_by(ContactPoint.id)
    ).all()
    if not rows:
        return None
    return Holder(rows[0][0], tuple(row[1] for row in rows), tuple(row[2] for row in rows))
