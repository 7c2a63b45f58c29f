"""The declarative base, the engine's settings and the two ways to open a session."""

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, cast

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Engine,
    Index,
    Insert,
    Integer,
    MetaData,
    Table,
    event,
    insert,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.pool import ConnectionPoolEntry

from helpdesk.ext.types import CleanText, UTCDateTime

BUSY_TIMEOUT_MS = 15_000
LOOK_AGAIN = 0.002  # seconds between looks whether the write lock is free

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables; `datetime` columns are UTC, `str` columns are cleaned."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            datetime: UTCDateTime,
            str: CleanText,
            int: BigInteger().with_variant(Integer, "sqlite"),
            dict[str, Any]: JSON,
            list[str]: JSON,
            list[dict[str, Any]]: JSON,
        },
    )


db = SQLAlchemy(model_class=Base)


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows where `where` holds; write it as IS NULL or IS NOT NULL.

    Conditions with values are not used by SQLite when the query binds them as parameters.
    """
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def is_sqlite(bind: Engine | Connection) -> bool:
    return bind.dialect.name == "sqlite"


def engine_options(url: str) -> dict[str, Any]:
    """What `SQLALCHEMY_ENGINE_OPTIONS` must be for this database."""
    common = {"pool_size": 16, "hide_parameters": True}  # values may be personal: not into logs
    if url.startswith("sqlite"):
        recent = {"pool_recycle": 3600}  # seconds; a new connection reads the statistics anew
        return common | recent | {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}}
    return common | {"max_overflow": 8, "pool_pre_ping": True}


def prepare(engine: Engine) -> None:
    """Install the connection settings of this engine; call once after it is made."""
    if is_sqlite(engine):
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        event.listen(engine, "connect", _postgresql_connect)


def _sqlite_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own transaction control would begin too late; `_sqlite_begin` does it.
    cast(Any, connection).isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # erased means overwritten, not just unlinked
        "temp_store=MEMORY",
        "cache_size=-16000",
        "mmap_size=8589934592",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("immediate", False):
        _wait_for_write_lock(connection, options.get("patience", BUSY_TIMEOUT_MS / 1000))
    else:
        connection.exec_driver_sql("BEGIN")


def _wait_for_write_lock(connection: Connection, patience: float) -> None:
    """Begin to write as soon as nobody else does. Raises OperationalError after the timeout.

    SQLite's own waiting sleeps for up to 100 ms at a time: with a few busy writers the lock lies
    idle while all of them sleep. Asking every few milliseconds lets twice as much mail through.
    """
    deadline = time.monotonic() + patience
    cursor = cast(Any, connection.connection).cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < deadline and _is_busy(cursor):
            time.sleep(LOOK_AGAIN)
        if not cursor.connection.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # now the error is raised
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()


def _is_busy(cursor: sqlite3.Cursor) -> bool:
    """Try to take the write lock; whether somebody else holds it."""
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False


def _postgresql_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    pg = cast(Any, connection)
    with pg.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SET lock_timeout = '15s'")
    pg.commit()


@contextmanager
def session() -> Iterator[Session]:
    """A session for reading. What is changed in it is thrown away."""
    with Session(db.engine, autoflush=False, expire_on_commit=False) as reading:
        yield reading


@contextmanager
def write(patience: float | None = None) -> Iterator[Session]:
    """A session for writing: takes the write lock at once, commits at the end. What time it is
    should be asked inside: there may have been a wait.

    Only entry points open it. An exception rolls everything back. Who can't wait says for how
    many seconds at most, for the lock and for each statement; then OperationalError is raised.
    """
    engine = _write_engine()
    if patience is not None:
        engine = engine.execution_options(patience=patience)
    with Session(engine, expire_on_commit=False) as writing, writing.begin():
        writing.connection()
        if patience is not None and not is_sqlite(engine):
            _hurry(writing, patience)
        yield writing


def _hurry(writing: Session, patience: float) -> None:
    """PostgreSQL: for this transaction only."""
    query = text("SELECT set_config(:name, :value, true)")
    for name in ("lock_timeout", "statement_timeout"):
        writing.execute(query, {"name": name, "value": f"{int(patience * 1000)}ms"})


def may_succeed_again(error: DBAPIError) -> bool:
    """Whether two transactions were in each other's way, and one of them had to be undone."""
    state = getattr(error.orig, "sqlstate", None)
    return state in ("40001", "40P01")  # serialization failure, deadlock


def _write_engine() -> Engine:
    return cast(Engine, current_app.extensions["helpdesk_write_engine"])


def add_row(session: Session, model: type[Base], **values: Any) -> int:
    """Insert one row by a Core statement and return its id.

    Intake writes this way: adding and flushing an object costs four times as much.
    """
    result = session.execute(_insert(model), values)
    return int(cast(Any, result).inserted_primary_key[0])


def add_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns, in their order, by one statement."""
    if rows:
        session.execute(_insert(model), list(rows))


@cache
def _insert(model: type[Base]) -> Insert:
    """Made once: building a statement costs more than running it, and the ORM's more than that."""
    return insert(cast(Table, model.__table__))


def add_missing(
    session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], *, unique: str
) -> None:
    """Insert the rows whose `unique` column holds a value that isn't there yet."""
    dialect = sqlite if is_sqlite(session.get_bind()) else postgresql
    statement = dialect.insert(model).on_conflict_do_nothing(index_elements=[unique])
    session.execute(statement, list(rows))


def compact(fulltext: Sequence[str], pages: int = 64) -> bool:
    """Take the remains of deleted rows off the disk; call it outside any transaction.

    SQLite keeps deleted words in old segments of the full-text tables until they are merged into
    one, here in small transactions of `pages`; then the journal is emptied. PostgreSQL cleans
    the pages up. Returns False where a long reader kept the journal from being emptied.
    """
    engine = _write_engine()
    if is_sqlite(engine):
        for name in fulltext:
            _merge_all(name, pages)
        return _empty_journal(engine)
    names = [
        engine.dialect.identifier_preparer.quote(n) for n in (*Base.metadata.tables, *fulltext)
    ]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM {', '.join(names)}")
    return True


def _merge_all(name: str, pages: int) -> None:
    """A negative number begins to merge everything, positive ones go on; SQLite, FTS5 §6.7."""
    step, changes = -pages, 2
    while changes >= 2:
        with write() as merging:
            count = text("SELECT total_changes()")
            before = merging.scalar(count)
            merging.execute(text(f"INSERT INTO {name}({name}, rank) VALUES('merge', {step})"))
            changes = int(merging.scalar(count)) - int(before)
        step = pages


def _empty_journal(engine: Engine) -> bool:
    with contextlib.closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (busy, _pages, _moved) = cursor.fetchall()[0]
        return int(busy) == 0


def lock(session: Session, name: str) -> bool:
    """Hold the named lock until the end of this write transaction.

    Returns whether somebody else may have written meanwhile. On SQLite a write transaction is
    alone already.
    """
    if is_sqlite(session.get_bind()):
        return False
    key = zlib.crc32(name.encode("utf-8", "surrogatepass"))
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    return True


def skip_locked(session: Session) -> dict[str, Any]:
    """Arguments of `with_for_update` with which several workers share one queue of rows."""
    return {} if is_sqlite(session.get_bind()) else {"skip_locked": True}
