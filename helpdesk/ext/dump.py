"""A whole database to one file and back, while others go on writing."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, func, inspect, select, text

from helpdesk.ext.database import Base, is_sqlite

POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")
OLD_SCHEMA = "before_restore"

Counts = Mapping[str, int]


class DumpError(Exception):
    """It did not work; the message is one plain sentence."""


def kind(engine: Engine) -> str:
    """Dumps go back into a database of the same kind only."""
    return engine.dialect.name


def dump(engine: Engine, target: Path) -> Counts:
    """Write one consistent state into a new file; returns the rows of each table in it."""
    if is_sqlite(engine):
        with closing(sqlite3.connect(_file(engine))) as source, closing(_new(target)) as copy:
            source.backup(copy)
        return _counts_in_file(target)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        options = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
        options += [f"--snapshot={snapshot}", f"--file={target}"]
        _program("pg_dump", engine.url, options)
        return _counts(connection)


def load(engine: Engine, source: Path, expected: Counts) -> None:
    """Replace everything by what the file holds.

    What was there before stays until the new rows are there and counted. Nobody else may be
    connected. Raises DumpError, and then nothing has changed.
    """
    engine.dispose()
    if is_sqlite(engine):
        _load_file(_file(engine), source, expected)
    else:
        _load_schema(engine, source, expected)


def is_empty(engine: Engine) -> bool:
    """Whether there are no tables, or no rows in them."""
    with engine.connect() as connection:
        return not any(_counts(connection).values())


def _load_file(path: Path, source: Path, expected: Counts) -> None:
    fresh = path.with_name(f".{path.name}.restored")
    shutil.copyfile(source, fresh)
    try:
        with closing(sqlite3.connect(fresh)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if answer != "ok":
            raise DumpError("The database in the backup is damaged.")
        _compare(_counts_in_file(fresh), expected)
        _sync(fresh)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    fresh.replace(path)
    _sync(path.parent)


def _load_schema(engine: Engine, source: Path, expected: Counts) -> None:
    _run(engine, f"DROP SCHEMA IF EXISTS {OLD_SCHEMA} CASCADE")
    _run(engine, f"ALTER SCHEMA public RENAME TO {OLD_SCHEMA}", "CREATE SCHEMA public")
    try:
        options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
        _program("pg_restore", engine.url, [*options, f"--dbname={_plain(engine.url)}", source])
        with engine.connect() as connection:
            _compare(_counts(connection), expected)
    except BaseException:
        _run(
            engine,
            "DROP SCHEMA IF EXISTS public CASCADE",
            f"ALTER SCHEMA {OLD_SCHEMA} RENAME TO public",
        )
        raise
    _run(engine, f"DROP SCHEMA {OLD_SCHEMA} CASCADE")


def _run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _compare(found: Counts, expected: Counts) -> None:
    wrong = [name for name, count in expected.items() if found.get(name) != count]
    if wrong:
        raise DumpError(f"The backup lacks rows of: {', '.join(sorted(wrong))}.")


def _counts(connection: Connection) -> Counts:
    there = set(inspect(connection).get_table_names())
    tables = [table for table in Base.metadata.sorted_tables if table.name in there]
    count = {t.name: connection.scalar(select(func.count()).select_from(t)) or 0 for t in tables}
    return dict(sorted(count.items()))


def _counts_in_file(path: Path) -> Counts:
    with _engine_of(path) as engine, engine.connect() as connection:
        return _counts(connection)


@contextmanager
def _engine_of(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path}")
    try:
        yield engine
    finally:
        engine.dispose()


def _file(engine: Engine) -> Path:
    return Path(engine.url.database or "")


def _new(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600, exist_ok=False)
    return sqlite3.connect(path)


def _plain(url: URL) -> str:
    """The address as libpq reads it; the password goes by the environment, not for all to see."""
    return url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _program(name: str, url: URL, options: Sequence[str | Path]) -> None:
    path = shutil.which(name) or next(
        (str(found) for found in sorted(POSTGRES_PROGRAMS.glob(f"*/bin/{name}"), reverse=True)), ""
    )
    if not path:
        raise DumpError(f"{name} is not installed: install the package postgresql-client.")
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    command = [path, *map(str, options)]
    if name == "pg_dump":
        command.append(_plain(url))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DumpError(f"{name} failed: {done.stderr.strip().splitlines()[-1:] or 'no reason'}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
