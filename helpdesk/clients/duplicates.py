"""Clients that may be one: found when they are new or changed, settled by people.

`client.name_key` is NULL where somebody has to look; `scan` fills it and compares that client
by indexes with those who share a number, a mailbox or a name, so that it costs the same however
many clients there are.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, Table, bindparam, func, literal, or_, select, update
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

BATCH = 25
SHARED = 8  # clients with one number or mailbox; more of them are a switchboard
COMMON = 12  # namesakes that are compared; a town says nothing where there are more
RARE = 3  # namesakes among whom the name alone says something
POINTS = 30  # of a client that are compared
MOST = 10  # doubles kept of one client in one look
CAP = 999
REASONS = ("phone", "email", "name")


_CLIENT, _PERSON = cast(Table, Client.__table__).c, cast(Table, Person.__table__).c
_POINT = cast(Table, ContactPoint.__table__).c
# Made once, over tables: building a statement costs more than running it.
_SHARERS = (
    select(_CLIENT.id)
    .distinct()
    .select_from(
        cast(Table, ContactPoint.__table__)
        .join(cast(Table, Person.__table__), _PERSON.id == _POINT.person_id)
        .join(cast(Table, Client.__table__), _CLIENT.id == _PERSON.client_id)
    )
    .where(
        _POINT.removed_at.is_(None),
        _CLIENT.id != bindparam("client_id"),
        or_(_CLIENT.organisation_id.is_(None), _CLIENT.organisation_id != bindparam("client_id")),
        _CLIENT.merged_into_id.is_(None),
    )
    .limit(SHARED + 1)
)
_BY_KEY = _SHARERS.where(_POINT.kind == bindparam("kind"), _POINT.key == bindparam("key"))
_BY_MAILBOX = _SHARERS.where(_POINT.alike == bindparam("alike"))
_BY_NAME = (
    select(_CLIENT.id)
    .where(_CLIENT.name_key == bindparam("key"), _CLIENT.id != bindparam("client_id"))
    .limit(COMMON + 1)  # whichever: an order would make PostgreSQL walk all clients
)
_POINTS = (
    select(_PERSON.client_id, _POINT.id, _POINT.kind, _POINT.key, _POINT.tail, _POINT.alike)
    .join_from(
        cast(Table, Person.__table__),
        cast(Table, ContactPoint.__table__),
        _POINT.person_id == _PERSON.id,
    )
    .where(_PERSON.client_id.in_(bindparam("ids", expanding=True)), _POINT.removed_at.is_(None))
    .order_by(_POINT.id)
)
_NAME = (
    update(cast(Table, Client.__table__))
    .where(_CLIENT.id == bindparam("client_id"))
    .values(name_key=bindparam("found"))
)
_MAILBOX = (
    update(cast(Table, ContactPoint.__table__))
    .where(_POINT.id == bindparam("point_id"))
    .values(alike=bindparam("mailbox"))
)


class Pair(NamedTuple):
    """Two clients that may be one, and why: phone, email or name."""

    row: DuplicatePair
    first: Client
    second: Client


class _Point(NamedTuple):
    id: int
    kind: ContactKind
    key: str
    tail: str | None
    alike: str | None


@dataclass
class _Known:
    """A client as it is compared."""

    id: int
    key: str
    kind: ClientKind
    organisation_id: int | None
    profile: Mapping[str, Any]
    points: list[_Point] = field(default_factory=list)

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
    if not ids:
        return 0
    names = session.execute(select(Client.id, Client.name).where(Client.id.in_(ids)))
    keys = [{"client_id": id_, "found": name_key(name)} for id_, name in names]
    session.execute(_NAME, keys)
    known = _known(session, ids)
    mailboxes = _name_mailboxes(session, known.values())
    namesakes = {one.id: _namesakes(session, one) for one in known.values()}
    others = _known(session, {id_ for found in namesakes.values() for id_ in found})
    for one in known.values():
        found = _sharers(session, one, mailboxes)
        alike = _alike_of(one, [others[id_] for id_ in namesakes[one.id] if id_ in others])
        _keep(session, one, dict.fromkeys(alike, "name") | found, at)
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


def _known(session: Session, ids: Collection[int]) -> dict[int, _Known]:
    """Those of them that are still clients of their own. Two statements."""
    columns = (Client.id, Client.name_key, Client.kind, Client.organisation_id, Client.profile)
    here = Client.merged_into_id.is_(None), Client.erased_at.is_(None)
    rows = session.execute(select(*columns).where(Client.id.in_(ids), *here).order_by(Client.id))
    found = {row.id: _Known(row[0], row[1] or "", *row[2:]) for row in rows}
    for client_id, *point in session.execute(_POINTS, {"ids": list(found)}):
        if len(found[client_id].points) < POINTS:
            found[client_id].points.append(_Point(*point))
    return found


def _name_mailboxes(session: Session, clients: Iterable[_Known]) -> dict[int, str]:
    """Fill `alike`, where it differs; contact point -> its mailbox at a large provider."""
    emails = [p for one in clients for p in one.points if p.kind == ContactKind.EMAIL]
    found = {point.id: mailbox_key(point.key) for point in emails}
    new = [p for p in emails if found[p.id] != p.alike]
    if new:
        session.execute(_MAILBOX, [{"point_id": p.id, "mailbox": found[p.id]} for p in new])
    return {id_: key for id_, key in found.items() if key is not None}


def _sharers(session: Session, known: _Known, mailboxes: Mapping[int, str]) -> dict[int, str]:
    """Client -> "email" or "phone", which it shares; none where everybody has it."""
    found: dict[int, str] = {}
    for reason in (ContactKind.EMAIL, ContactKind.PHONE):
        for point in known.points:
            if point.kind != reason:
                continue
            values = {"client_id": known.id, "kind": point.kind, "key": point.key}
            query = _BY_KEY
            if point.id in mailboxes:  # it leads to the same spelling too
                query, values = _BY_MAILBOX, {"client_id": known.id, "alike": mailboxes[point.id]}
            ids = session.scalars(query, values).all()
            if len(ids) <= SHARED:
                found |= dict.fromkeys(ids, reason.value)
    return found


def _namesakes(session: Session, known: _Known) -> list[int]:
    if not known.key:
        return []
    return list(session.scalars(_BY_NAME, {"key": known.key, "client_id": known.id}))


def _alike_of(known: _Known, namesakes: Sequence[_Known]) -> list[int]:
    """Those namesakes of whom something else speaks for being the same."""
    common = len(namesakes) > COMMON
    rare = is_full(known.key) and len(namesakes) <= RARE
    return [
        other.id
        for other in namesakes
        if _is_alike(known, other) or (not common and _may_be(known, other, rare=rare))
    ]


def _is_alike(one: _Known, other: _Known) -> bool:
    """Whether two namesakes are one: a day of birth, a firm, a number say so."""
    if _contradict(one, other):
        return False
    born = one.profile.get("birthday")
    return bool(
        (born and born == other.profile.get("birthday"))
        or (one.organisation_id and one.organisation_id == other.organisation_id)
        or one.tails & other.tails
        or one.firms & other.firms
    )


def _may_be(one: _Known, other: _Known, *, rare: bool) -> bool:
    """Whether a town, or one having called and the other written, makes two namesakes one."""
    if _contradict(one, other):
        return False
    return bool((one.city and one.city == other.city) or (rare and not one.kinds & other.kinds))


def _contradict(one: _Known, other: _Known) -> bool:
    born = {known.profile.get("birthday") for known in (one, other)} - {None}
    return one.kind != other.kind or len(born) > 1


def _keep(session: Session, known: _Known, doubles: Mapping[int, str], at: datetime) -> None:
    """Write down the pairs that are not there yet; a settled one stays settled."""
    order = sorted(doubles, key=lambda id_: (REASONS.index(doubles[id_]), -id_))
    pairs = {
        (min(known.id, id_), max(known.id, id_)): doubles[id_]
        for id_ in order[:MOST]
        if id_ != known.organisation_id
    }
    if not pairs:
        return
    columns = (DuplicatePair.first_id, DuplicatePair.second_id)
    mine = or_(*((columns[0] == first) & (columns[1] == second) for first, second in pairs))
    there = {tuple(row) for row in session.execute(select(*columns).where(mine))}
    rows = [
        {"first_id": first, "second_id": second, "reason": reason, "found_at": at}
        for (first, second), reason in pairs.items()
        if (first, second) not in there
    ]
    add_rows(session, DuplicatePair, rows)


def _record(session: Session, kind: str, pair: DuplicatePair, actor: Actor, at: datetime) -> None:
    record(session, kind, actor=actor, at=at, client_id=pair.first_id, pair_id=pair.id)
