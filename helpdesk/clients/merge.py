"""Makes two clients one, and takes that back exactly.

Every column of every table that points to a client, person or contact point is moved, found by
its foreign key: tables that come later are covered by themselves. What was moved is written down
by value, and undoing touches only what still is as the merge left it; of tags and profile one by
one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, or_, select, update
from sqlalchemy.orm import Session

from helpdesk.clients.models import (
    Client,
    ClientKind,
    ContactPoint,
    DuplicatePair,
    Merge,
    MergeChange,
    Person,
)
from helpdesk.clients.search import FTS, reindex_client
from helpdesk.events import Actor, record
from helpdesk.ext import Base, UTCDateTime, add_rows, fulltext
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy

# What the merged client may take from the one that goes; the others are joined or stay.
FIELDS = (
    "kind",
    "name",
    "relation",
    "language",
    "timezone",
    "owner_id",
    "organisation_id",
    "external_id",
)
ABOUT_LIMIT = 5000
TAG_LIMIT = 20
CHUNK = 1000
# These speak of the two clients themselves.
KEPT_APART = (Merge.__tablename__, DuplicatePair.__tablename__)


def merge(
    session: Session,
    kept_id: int,
    gone_id: int,
    *,
    take: Iterable[str] = (),
    actor: Actor,
    at: datetime,
) -> Merge:
    """Move everything of one client to another; `take` names the FIELDS whose value it brings,
    and fields of the profile as "profile.KEY".

    Empty fields are filled, tags and profile joined, people who share an address or number become
    one. Raises NotFound, and HelpdeskError where one of them is erased, merged already, or the
    same.
    """
    kept, gone = _both(session, kept_id, gone_id)
    done = Merge(kept_id=kept_id, gone_id=gone_id, user_id=actor.user_id, at=at)
    session.add(done)
    session.flush()
    log = _Log(session, done.id)
    old_tags = list(kept.tags)
    twins = _twins(session, kept_id, gone_id)
    _join_fields(log, kept, gone, frozenset(take))
    _settle_pairs(log, gone_id, at)
    _move(log, Client.__table__, gone_id, kept_id)
    for theirs, ours in twins.items():
        _join_people(log, theirs, ours, at)
    log.change(gone, "merged_into_id", kept_id)
    log.write()
    session.expire_all()
    _reindex(session, kept_id, gone_id)
    _tell(session, "client.merged", done, old_tags, actor, at)
    return done


def undo_merge(session: Session, merge_id: int, *, actor: Actor, at: datetime) -> Merge:
    """Put back what a merge changed, except what somebody changed since.

    Raises NotFound, Conflict where it is undone already or a newer merge of one of the two has to
    be undone first.
    """
    done = session.get(Merge, merge_id, with_for_update=True)
    if done is None:
        raise NotFound()
    if done.undone_at is not None:
        raise Conflict(_lazy("This merge has been undone already."))
    kept, gone = (session.get_one(Client, id_) for id_ in (done.kept_id, done.gone_id))
    if kept.erased_at is not None or gone.erased_at is not None:
        raise Conflict(_lazy("Personal data was erased since: this merge cannot be undone."))
    _check_newest(session, done)
    old_tags = list(kept.tags)
    query = select(MergeChange).where(MergeChange.merge_id == merge_id)
    for change in session.scalars(query.order_by(MergeChange.id.desc())).all():
        _put_back(session, change)
    done.undone_at = at
    kept.version += 1  # a form that was opened meanwhile holds what came from the other
    session.flush()
    session.expire_all()
    _reindex(session, done.kept_id, done.gone_id)
    _tell(session, "client.unmerged", done, old_tags, actor, at)
    return done


def merges_of(session: Session, client_id: int, *, limit: int = 20) -> list[Merge]:
    """Merges into this client that are not undone, the newest first."""
    query = select(Merge).where(Merge.kept_id == client_id, Merge.undone_at.is_(None))
    return list(session.scalars(query.order_by(Merge.id.desc()).limit(limit)))


def survivor(session: Session, client: Client) -> Client:
    """The client that this one lives on in; itself if it was never merged."""
    while client.merged_into_id is not None:
        client = session.get_one(Client, client.merged_into_id)
    return client


class _Log:
    """Changes rows and writes down what they were."""

    def __init__(self, session: Session, merge_id: int) -> None:
        self.session = session
        self.merge_id = merge_id
        self.rows: list[dict[str, Any]] = []

    def change(self, row: Base, column: str, value: Any) -> None:
        """Change one value of one row, where it differs."""
        old = getattr(row, column)
        if old == value:
            return
        setattr(row, column, value)
        self.session.flush()
        self._add(row.__tablename__, column, [_id(row)], old, value)

    def move(self, column: Column[Any], old: int, new: int, but: Sequence[int] = ()) -> None:
        """Let every row whose column points to `old` point to `new`."""
        key = column.table.c.id
        ids = [
            id_
            for id_ in self.session.scalars(select(key).where(column == old).order_by(key))
            if id_ not in but
        ]
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            self.session.execute(
                update(column.table).where(key.in_(part)).values({column.name: new})
            )
            self._add(column.table.name, column.name, part, old, new)

    def write(self) -> None:
        add_rows(self.session, MergeChange, self.rows)

    def _add(self, table: str, column: str, ids: list[int], old: Any, new: Any) -> None:
        self.rows.append(
            {
                "merge_id": self.merge_id,
                "table": table,
                "column": column,
                "ids": ids,
                "old": {"value": _plain(old)},
                "new": {"value": _plain(new)},
            }
        )


def pointing_at(table: Table) -> list[Column[Any]]:
    """The columns of all tables that point to this one and are moved by a merge."""
    found = []
    for other in Base.metadata.sorted_tables:
        if other.name in KEPT_APART:
            continue
        found += [c for c in other.columns if any(k.column.table is table for k in c.foreign_keys)]
    return found


def _both(session: Session, kept_id: int, gone_id: int) -> tuple[Client, Client]:
    if kept_id == gone_id:
        raise HelpdeskError(_lazy("Choose two different clients."), field="other")
    query = select(Client).where(Client.id.in_([kept_id, gone_id])).order_by(Client.id)
    found = {client.id: client for client in session.scalars(query.with_for_update())}
    if len(found) < 2:
        raise NotFound()
    for client in found.values():
        if client.erased_at is not None:
            raise HelpdeskError(_lazy("The data of one of them was erased."), field="other")
        if client.merged_into_id is not None:
            raise Conflict(_lazy("One of them was merged already."), field="other")
    return found[kept_id], found[gone_id]


def _join_fields(log: _Log, kept: Client, gone: Client, take: frozenset[str]) -> None:
    """The kept client's values win, unless they are empty or the other's are chosen."""
    brought: dict[str, Any] = {}
    for name in FIELDS:
        theirs = getattr(gone, name)
        if theirs is not None and (name in take or getattr(kept, name) is None):
            brought[name] = theirs
    if "name" in brought:
        brought |= {"sort_key": gone.sort_key, "name_key": gone.name_key}
    if brought.get("organisation_id") == kept.id:
        del brought["organisation_id"]
    if "external_id" in brought:
        log.change(gone, "external_id", None)
    if kept.organisation_id == gone.id:
        log.change(kept, "organisation_id", None)
    brought["tags"] = list(dict.fromkeys([*kept.tags, *gone.tags]))[:TAG_LIMIT]
    chosen = {key: value for key, value in gone.profile.items() if f"profile.{key}" in take}
    brought["profile"] = {**gone.profile, **kept.profile, **chosen}
    brought["potential"] = kept.potential and gone.potential
    texts = dict.fromkeys(text for text in (kept.about, gone.about) if text)
    brought["about"] = "\n\n".join(texts)[:ABOUT_LIMIT]
    brought["created_at"] = min(kept.created_at, gone.created_at)
    for name, value in brought.items():
        log.change(kept, name, value)
    kept.version += 1


def _settle_pairs(log: _Log, gone_id: int, at: datetime) -> None:
    """Nothing is likely to be this client's double any more."""
    theirs = or_(DuplicatePair.first_id == gone_id, DuplicatePair.second_id == gone_id)
    query = select(DuplicatePair).where(theirs, DuplicatePair.settled_at.is_(None))
    for pair in log.session.scalars(query):
        log.change(pair, "settled_at", at)


def _twins(session: Session, kept_id: int, gone_id: int) -> dict[int, int]:
    """Person of the client that goes -> person of the other with the same address or number."""
    ours: dict[tuple[str, str], int] = {}
    for point in _points(session, kept_id):
        ours.setdefault((point.kind, point.key), point.person_id)
    twins: dict[int, int] = {}
    for point in _points(session, gone_id):
        twin = ours.get((point.kind, point.key))
        if twin is not None and point.removed_at is None:
            twins.setdefault(point.person_id, twin)
    return twins or _same_human(session, kept_id, gone_id)


def _same_human(session: Session, kept_id: int, gone_id: int) -> dict[int, int]:
    """Two private clients with one person each: that is one person."""
    people = select(Person.client_id, Person.id).join(Client, Client.id == Person.client_id)
    people = people.where(
        Client.id.in_([kept_id, gone_id]),
        Client.kind == ClientKind.PERSON,
        Person.removed_at.is_(None),
        Person.erased_at.is_(None),
    )
    found = [(client_id, id_) for client_id, id_ in session.execute(people)]
    if sorted(client_id for client_id, _ in found) != sorted([kept_id, gone_id]):
        return {}
    by_client = dict(found)
    return {by_client[gone_id]: by_client[kept_id]}


def _points(session: Session, client_id: int) -> Sequence[ContactPoint]:
    query = select(ContactPoint).join(Person, Person.id == ContactPoint.person_id)
    query = query.where(
        Person.client_id == client_id, Person.removed_at.is_(None), Person.erased_at.is_(None)
    )
    return session.scalars(query.order_by(ContactPoint.id)).all()


def _move(log: _Log, table: Any, old: int, new: int, but: Mapping[str, Sequence[int]] = {}) -> None:
    for column in pointing_at(table):
        apart = [old, new] if column.table is Client.__table__ else but.get(column.table.name, ())
        log.move(column, old, new, apart)


def _join_people(log: _Log, theirs: int, ours: int, at: datetime) -> None:
    """Everything of one person to another; an address that both have stays with the second."""
    session = log.session
    mine = _of_person(session, ours)
    known = {(point.kind, point.key): point.id for point in mine}
    preferred = {point.kind for point in mine if point.preferred}
    doubled = []
    for point in _of_person(session, theirs):
        same = known.get((point.kind, point.key))
        if same is None:
            if point.preferred and point.kind in preferred:
                log.change(point, "preferred", False)
            continue
        doubled.append(point.id)
        _move(log, ContactPoint.__table__, point.id, same)
        log.change(point, "key", f" {point.id}")  # as a removed one: nothing finds it
        log.change(point, "tail", None)
        log.change(point, "removed_at", at)
    _move(log, Person.__table__, theirs, ours, {ContactPoint.__tablename__: doubled})
    log.change(session.get_one(Person, theirs), "removed_at", at)


def _of_person(session: Session, person_id: int) -> Sequence[ContactPoint]:
    query = select(ContactPoint).where(ContactPoint.person_id == person_id)
    return session.scalars(query.order_by(ContactPoint.id)).all()


def _check_newest(session: Session, done: Merge) -> None:
    ids = (done.kept_id, done.gone_id)
    query = select(Merge).where(
        Merge.id > done.id,
        Merge.undone_at.is_(None),
        or_(Merge.kept_id.in_(ids), Merge.gone_id.in_(ids)),
    )
    newer = session.scalar(query.order_by(Merge.id.desc()).limit(1))
    if newer is not None:
        other = session.get_one(Client, newer.gone_id)
        message = _lazy("Undo the later merge with %(name)s first.")
        raise Conflict(message, name=other.name)


def _put_back(session: Session, change: MergeChange) -> None:
    table = Base.metadata.tables[change.table]
    column, key = table.c[change.column], table.c.id
    old, new = (_value(column, one["value"]) for one in (change.old, change.new))
    there = session.execute(select(key, column).where(key.in_(change.ids))).all()
    ids = [id_ for id_, value in there if value == new]
    if ids:
        session.execute(update(table).where(key.in_(ids)).values({column.name: old}))
    for id_, value in there:
        if id_ not in ids and isinstance(value, list | dict):
            values = {column.name: _without(value, old, new)}
            session.execute(update(table).where(key == id_).values(values))


def _without(value: Any, old: Any, new: Any) -> Any:
    """Tags or a profile without what the merge brought, with what somebody changed since."""
    if isinstance(value, list):
        kept = [one for one in value if one not in new or one in old]
        return kept + [one for one in old if one not in new and one not in value]
    names = [name for name in {**old, **value} if value.get(name) == new.get(name)]
    back = {name: old[name] for name in names if name in old}
    return {name: one for name, one in value.items() if name not in names} | back


def _reindex(session: Session, *client_ids: int) -> None:
    """A client that lives on in another is not found itself."""
    for id_ in client_ids:
        if session.get_one(Client, id_).merged_into_id is None:
            reindex_client(session, id_)
        else:
            fulltext.unindex(session, FTS, [id_])


def _tell(
    session: Session, kind: str, done: Merge, old_tags: list[str], actor: Actor, at: datetime
) -> None:
    """Both in the history; and SLA policies choose by tags."""
    id_ = done.kept_id
    record(
        session, kind, actor=actor, at=at, client_id=id_, merge_id=done.id, other_id=done.gone_id
    )
    if session.get_one(Client, id_).tags != old_tags:
        record(session, "client.changed", actor=actor, at=at, client_id=id_, fields=["tags"])


def _id(row: Any) -> int:
    return int(row.id)


def _plain(value: Any) -> Any:
    """As JSON keeps it: a moment in ISO 8601."""
    return value.isoformat() if isinstance(value, datetime) else value


def _value(column: Column[Any], value: Any) -> Any:
    """What `_plain` was given."""
    if isinstance(value, str) and isinstance(column.type, UTCDateTime):
        return datetime.fromisoformat(value)
    return value
