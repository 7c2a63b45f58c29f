"""Clients that may be one: found when they are new or changed, settled by people.

`client.name_key` is NULL where somebody has to look; `scan` fills it and compares that client
by indexes with those who share a number, a mailbox or a name, so that it costs the same however
many clients there are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, or_, select, update
from sqlalchemy.orm import Session, aliased

from helpdesk.clients.mailboxes import domain_of_firm, mailbox_key
from helpdesk.clients.models import (
    Client,
    ClientKind,
    ContactKind,
    ContactPoint,
    DuplicatePair,
    Person,
)
from helpdesk.clients.names import is_full, name_key
from helpdesk.events import Actor, record
from helpdesk.ext import add_rows, lock, skip_locked
from helpdesk.lib.errors import Conflict, NotFound, _lazy
from helpdesk.lib.text import fold

BATCH = 50
SHARED = 8  # clients with one number or mailbox; more of them are a switchboard
COMMON = 50  # namesakes that are compared
RARE = 3  # namesakes among whom the name alone says something
POINTS = 30  # of a client that are compared
MOST = 20  # doubles kept of one client in one look
CAP = 999
REASONS = ("phone", "email", "name")


class Pair(NamedTuple):
    """Two clients that may be one, and why: phone, email or name."""

    row: DuplicatePair
    first: Client
    second: Client


@dataclass
class _Known:
    """A client as it is compared."""

    id: int
    key: str
    kind: ClientKind
    organisation_id: int | None
    profile: Mapping[str, Any]
    points: list[ContactPoint] = field(default_factory=list)

    @property
    def city(self) -> str:
        return fold(str(self.profile.get("residence") or "")).strip()

    @property
    def tails(self) -> set[str]:
        return {point.tail for point in self.points if point.tail}

    @property
    def firms(self) -> set[str]:
        keys = (point.key for point in self.points if point.kind == ContactKind.EMAIL)
        return {domain for key in keys if (domain := domain_of_firm(key))}

    @property
    def kinds(self) -> set[str]:
        return {point.kind for point in self.points}


def look_again(session: Session, client_id: int) -> None:
    """The name, an address or number of this client changed: `scan` compares it anew."""
    session.execute(update(Client).where(Client.id == client_id).values(name_key=None))


def waiting(session: Session) -> bool:
    """Whether there is anybody to compare."""
    return session.scalar(_to_scan().limit(1)) is not None


def scan(session: Session, limit: int = BATCH, *, at: datetime) -> int:
    """Compare clients that are new or changed; how many were looked at."""
    lock(session, "duplicates")
    query = _to_scan().limit(limit).with_for_update(**skip_locked(session))
    ids = list(session.scalars(query))
    names = select(Client.id, Client.name).where(Client.id.in_(ids))
    for client_id, name in session.execute(names).all():
        key = update(Client).where(Client.id == client_id).values(name_key=name_key(name))
        session.execute(key.execution_options(synchronize_session=False))
    for known in _known(session, ids).values():
        _name_mailboxes(session, known)
        _keep(session, known.id, _doubles(session, known), at)
    return len(ids)


def open_pairs(session: Session, *, before: int | None = None, limit: int = 20) -> list[Pair]:
    """Pairs that nobody settled, the newest first; `before`: the id of the last one seen."""
    first, second = aliased(Client), aliased(Client)
    query = (
        select(DuplicatePair, first, second)
        .join(first, first.id == DuplicatePair.first_id)
        .join(second, second.id == DuplicatePair.second_id)
        .where(DuplicatePair.settled_at.is_(None))
        .order_by(DuplicatePair.id.desc())
    )
    if before is not None:
        query = query.where(DuplicatePair.id < before)
    return [Pair(*row) for row in session.execute(query.limit(limit))]


def count_open(session: Session) -> int:
    """How many pairs nobody settled, at most CAP + 1."""
    some = select(literal(1)).where(DuplicatePair.settled_at.is_(None)).limit(CAP + 1)
    return int(session.scalar(select(func.count()).select_from(some.subquery())) or 0)


def doubles_of(session: Session, client_id: int, *, limit: int = MOST) -> list[Client]:
    """Clients that may be this one, in pairs that nobody settled."""
    mine = or_(DuplicatePair.first_id == client_id, DuplicatePair.second_id == client_id)
    other = or_(Client.id == DuplicatePair.first_id, Client.id == DuplicatePair.second_id)
    query = select(Client).join(DuplicatePair, other)
    query = query.where(mine, DuplicatePair.settled_at.is_(None), Client.id != client_id)
    return list(session.scalars(query.order_by(DuplicatePair.id.desc()).limit(limit)))


def pair_of(session: Session, pair_id: int) -> DuplicatePair:
    """The pair, locked for a change. Raises NotFound."""
    found = session.get(DuplicatePair, pair_id, with_for_update=True)
    if found is None:
        raise NotFound()
    return found


def dismiss(session: Session, pair: DuplicatePair, *, actor: Actor, at: datetime) -> None:
    """These are two: the pair is not offered again. Raises Conflict if it was settled already."""
    if pair.settled_at is not None:
        raise Conflict(_lazy("Somebody settled this pair already."))
    pair.settled_at, pair.settled_by = at, actor.user_id
    session.flush()
    _record(session, "duplicate.dismissed", pair, actor, at)


def offer_again(session: Session, pair: DuplicatePair, *, actor: Actor, at: datetime) -> None:
    """The undo of `dismiss`. Raises Conflict where one of the two lives on in another record."""
    ids = (pair.first_id, pair.second_id)
    gone = select(Client.id).where(Client.id.in_(ids), Client.merged_into_id.is_not(None))
    if session.scalar(gone) is not None:
        raise Conflict(_lazy("One of them was merged already."))
    if pair.settled_at is not None:
        pair.settled_at = pair.settled_by = None
        session.flush()
        _record(session, "duplicate.offered", pair, actor, at)


def _to_scan() -> Select[int]:
    return select(Client.id).where(Client.name_key.is_(None))


def _in(ids: Iterable[int]) -> Any:
    """Those of them that are still clients of their own."""
    return Client.id.in_(ids) & Client.merged_into_id.is_(None) & Client.erased_at.is_(None)


def _known(session: Session, ids: Sequence[int]) -> dict[int, _Known]:
    columns = (Client.id, Client.name_key, Client.kind, Client.organisation_id, Client.profile)
    rows = session.execute(select(*columns).where(_in(ids)).order_by(Client.id)).all()
    found = {row.id: _Known(row[0], row[1] or "", *row[2:]) for row in rows}
    points = select(Person.client_id, ContactPoint).join(
        ContactPoint, ContactPoint.person_id == Person.id
    )
    points = points.where(Person.client_id.in_(found), ContactPoint.removed_at.is_(None))
    for client_id, point in session.execute(points.order_by(ContactPoint.id)):
        if len(found[client_id].points) < POINTS:
            found[client_id].points.append(point)
    return found


def _name_mailboxes(session: Session, known: _Known) -> None:
    for point in known.points:
        if point.kind == ContactKind.EMAIL:
            point.alike = mailbox_key(point.key)
    session.flush()


def _doubles(session: Session, known: _Known) -> dict[int, str]:
    """Client -> reason; of several reasons the first of REASONS."""
    found: dict[int, str] = {}
    for id_ in _namesakes(session, known):
        found[id_] = "name"
    for reason in (ContactKind.EMAIL, ContactKind.PHONE):
        for point in known.points:
            if point.kind == reason:
                found |= dict.fromkeys(_sharers(session, known.id, point), reason.value)
    found.pop(known.organisation_id or 0, None)
    order = sorted(found, key=lambda id_: (REASONS.index(found[id_]), -id_))
    return {id_: found[id_] for id_ in order[:MOST]}


def _sharers(session: Session, client_id: int, point: ContactPoint) -> list[int]:
    """Other clients with this number or mailbox; none where everybody has it."""
    same = (ContactPoint.kind == point.kind) & (ContactPoint.key == point.key)
    found = _clients_by(session, client_id, same)
    if point.kind == ContactKind.EMAIL and point.alike is not None:
        found |= _clients_by(session, client_id, ContactPoint.alike == point.alike)
    return sorted(found) if len(found) <= SHARED else []


def _clients_by(session: Session, client_id: int, same: Any) -> set[int]:
    query = (
        select(Client.id)
        .join(Person, Person.client_id == Client.id)
        .join(ContactPoint, ContactPoint.person_id == Person.id)
        .where(
            same,
            ContactPoint.removed_at.is_(None),
            Client.id != client_id,
            or_(Client.organisation_id.is_(None), Client.organisation_id != client_id),
            Client.merged_into_id.is_(None),
        )
    )
    return set(session.scalars(query.limit(SHARED * 4)))


def _namesakes(session: Session, known: _Known) -> list[int]:
    """Clients of the same name of whom something else speaks for being the same."""
    if not known.key:
        return []
    query = select(Client.id).where(Client.name_key == known.key, Client.id != known.id)
    ids = list(session.scalars(query.order_by(Client.id.desc()).limit(COMMON)))
    others = _known(session, ids).values()
    rare = is_full(known.key) and len(ids) <= RARE
    return [other.id for other in others if _alike(known, other, rare=rare)]


def _alike(one: _Known, other: _Known, *, rare: bool) -> bool:
    """Whether two namesakes are likely to be one."""
    born = {known.profile.get("birthday") for known in (one, other)} - {None}
    if one.kind != other.kind or len(born) > 1:
        return False
    return bool(
        (born and one.profile.get("birthday") == other.profile.get("birthday"))
        or (one.city and one.city == other.city)
        or (one.organisation_id and one.organisation_id == other.organisation_id)
        or one.tails & other.tails
        or one.firms & other.firms
        or (rare and not one.kinds & other.kinds)  # called once, wrote once
    )


def _keep(session: Session, client_id: int, doubles: Mapping[int, str], at: datetime) -> None:
    """Write down the pairs that are not known yet; a settled one stays settled."""
    pairs = {tuple(sorted((client_id, id_))): reason for id_, reason in doubles.items()}
    if not pairs:
        return
    columns = (DuplicatePair.first_id, DuplicatePair.second_id)
    mine = or_(*((columns[0] == first) & (columns[1] == second) for first, second in pairs))
    known = {tuple(row) for row in session.execute(select(*columns).where(mine))}
    rows = [
        {"first_id": first, "second_id": second, "reason": reason, "found_at": at}
        for (first, second), reason in pairs.items()
        if (first, second) not in known
    ]
    add_rows(session, DuplicatePair, rows)


def _record(session: Session, kind: str, pair: DuplicatePair, actor: Actor, at: datetime) -> None:
    record(session, kind, actor=actor, at=at, client_id=pair.first_id, pair_id=pair.id)
