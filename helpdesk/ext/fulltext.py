"""Full-text tables: the same encoded tokens in FTS5 and in tsvector columns.

The tables are made by migrations and are no part of the metadata. `name` is one of TABLES;
rows have the id of the thing they index.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache

from sqlalchemy import (
    ColumnClause,
    Connection,
    Engine,
    TextClause,
    column,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from helpdesk.ext.database import is_sqlite

TABLES = ("message_fts", "client_fts")


def create(bind: Connection) -> None:
    """Make the full-text tables (called by the first migration)."""
    for name in TABLES:
        if is_sqlite(bind):
            bind.exec_driver_sql(
                f"CREATE VIRTUAL TABLE {name} USING fts5(words, detail=none, tokenize='ascii')"
            )
            # Small transactions must not pay for merging; the worker merges when idle.
            bind.exec_driver_sql(f"INSERT INTO {name}({name}, rank) VALUES('automerge', 0)")
            bind.exec_driver_sql(f"INSERT INTO {name}({name}, rank) VALUES('crisismerge', 128)")
        else:
            bind.exec_driver_sql(f"CREATE TABLE {name} (id bigint PRIMARY KEY, words tsvector)")
            bind.exec_driver_sql(f"CREATE INDEX ix_{name}_words ON {name} USING gin (words)")
            # Without this the planner walks the primary key backwards for rare words.
            bind.exec_driver_sql(f"ALTER TABLE {name} ALTER COLUMN words SET STATISTICS 3000")


def drop(bind: Connection) -> None:
    for name in TABLES:
        bind.exec_driver_sql(f"DROP TABLE {name}")


def index(session: Session, name: str, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Index (id, tokens) pairs that are not indexed yet."""
    sqlite = is_sqlite(_bind(session))
    values: list[dict[str, object]]
    if sqlite:
        values = [{"id": id_, "words": " ".join(tokens)} for id_, tokens in rows]
    else:
        values = [{"id": id_, "words": sorted(set(tokens))} for id_, tokens in rows]
    if values:
        session.execute(_insert(_known(name), sqlite), values)


@cache
def _insert(name: str, sqlite: bool) -> TextClause:
    """Made once: building a statement costs more than running it."""
    if sqlite:
        return text(f"INSERT INTO {name}(rowid, words) VALUES (:id, :words)")
    return text(f"INSERT INTO {name}(id, words) VALUES (:id, array_to_tsvector(:words))")


def unindex(session: Session, name: str, ids: Iterable[int]) -> None:
    """Take rows out of the index; unknown ids are ignored."""
    key = "rowid" if is_sqlite(_bind(session)) else "id"
    values = [{"id": id_} for id_ in ids]
    if values:
        session.execute(text(f"DELETE FROM {_known(name)} WHERE {key} = :id"), values)


def matching(
    session: Session, name: str, groups: Sequence[Sequence[str]], prefixes: Sequence[str] = ()
) -> Select[int]:
    """Ids of rows that hold one token of every group, newest id first.

    `prefixes` are beginnings that satisfy the last group as well. Newest first and no total is
    what keeps the cost flat.
    """
    sqlite = is_sqlite(_bind(session))
    key: ColumnClause[int] = column("rowid" if sqlite else "id")
    rows = select(key).select_from(table(_known(name), key, column("words")))
    if sqlite:
        words = _expression(groups, prefixes, " AND ", " OR ", '"%s"', '"%s"*')
        rows = rows.where(text(f"{name} MATCH :words").bindparams(words=words))
    else:
        words = _expression(groups, prefixes, " & ", " | ", "'%s'", "'%s':*")
        rows = rows.where(text("words @@ CAST(:words AS tsquery)").bindparams(words=words))
    return rows.order_by(key.desc())


def among(
    session: Session,
    name: str,
    ids: Collection[int],
    groups: Sequence[Sequence[str]],
    prefixes: Sequence[str] = (),
) -> set[int]:
    """Which of these rows hold one token of every group. Costs what these rows hold, however many
    others hold it too: FTS5 asked for single rows of a frequent word reads the word anew for each.
    """
    if not is_sqlite(_bind(session)):
        key: ColumnClause[int] = column("id")
        return set(session.scalars(matching(session, name, groups, prefixes).where(key.in_(ids))))
    key = column("rowid")
    words: ColumnClause[str] = column("words")
    rows = select(key, words).select_from(table(_known(name), key, words)).where(key.in_(ids))
    found = ((id_, held.split()) for id_, held in session.execute(rows))
    return {id_ for id_, held in found if _holds(held, groups, tuple(prefixes))}


def _holds(
    tokens: Sequence[str], groups: Sequence[Sequence[str]], prefixes: tuple[str, ...]
) -> bool:
    held, last = set(tokens), len(groups) - 1
    return all(
        not held.isdisjoint(group)
        or (place == last and any(token.startswith(prefixes) for token in tokens))
        for place, group in enumerate(groups)
    )


def merge(session: Session, name: str, pages: int = 16) -> None:
    """One small step of merging the index; does nothing on PostgreSQL."""
    if is_sqlite(_bind(session)):
        session.execute(
            text(f"INSERT INTO {_known(name)}({name}, rank) VALUES('merge', {int(pages)})")
        )


def purge(session: Session) -> None:
    """Rewrite the indexes so that no trace of deleted tokens stays on the disk."""
    if is_sqlite(_bind(session)):
        for name in TABLES:
            session.execute(text(f"INSERT INTO {name}({name}) VALUES('optimize')"))


def _bind(session: Session) -> Engine | Connection:
    return session.get_bind()


def _known(name: str) -> str:
    if name not in TABLES:
        raise ValueError(f"no full-text table {name}")
    return name


def _expression(
    groups: Sequence[Sequence[str]],
    prefixes: Sequence[str],
    and_: str,
    or_: str,
    exact: str,
    beginning: str,
) -> str:
    terms = [[exact % _safe(token) for token in group] for group in groups]
    terms[-1] += [beginning % _safe(token) for token in prefixes]
    return and_.join(f"({or_.join(group)})" for group in terms)


def _safe(token: str) -> str:
    if not (token.isascii() and token.isalnum()):
        raise ValueError("tokens must be encoded as ASCII letters and digits")
    return token
