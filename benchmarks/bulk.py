"""Rows straight into a fresh SQLite file: no journal, indexes last, defaults as the tables have."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from helpdesk import ext
from helpdesk.ext import Base

Chunk = Mapping[str, Sequence[Sequence[Any]]]
Columns = Mapping[str, Sequence[str]]


def columns_of(texts: Mapping[str, str]) -> Columns:
    """Names of columns by table, from lines of words."""
    return {table: names.split() for table, names in texts.items()}


def moment(at: datetime) -> str:
    """As the product's column type writes it on SQLite."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


@contextmanager
def loading(path: Path) -> Iterator[sqlite3.Connection]:
    """The file without its indexes; they are made, and the tables looked through, at the end."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA cache_size=-200000")
    indexes = _take_indexes(connection)
    yield connection
    for statement in indexes:
        connection.execute(statement)
    for name in ext.fulltext.TABLES:
        connection.execute(f"INSERT INTO {name}({name}) VALUES('optimize')")
    connection.execute("PRAGMA analysis_limit=1000")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def write(connection: sqlite3.Connection, columns: Columns, rows: Chunk) -> None:
    """All rows in one transaction."""
    connection.execute("BEGIN")
    for name, values in rows.items():
        named, defaults = _columns(name, columns[name])
        places = ", ".join(["?"] * len(columns[name]) + [repr(one) for one in defaults])
        names = ", ".join(f'"{column}"' for column in named)
        connection.executemany(f'INSERT INTO "{name}" ({names}) VALUES ({places})', values)
    connection.execute("COMMIT")


def copy(connection: sqlite3.Connection, source: Path, tables: Sequence[str]) -> None:
    """The rows of these tables from another file of the same migrations."""
    connection.execute("ATTACH ? AS source", (str(source),))
    for name in tables:
        connection.execute(f'INSERT INTO main."{name}" SELECT * FROM source."{name}"')
    connection.execute("DETACH source")


def _take_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes and return the statements that make them again."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    found = connection.execute(query).fetchall()
    for name, _statement in found:
        connection.execute(f'DROP INDEX "{name}"')
    return [statement for _name, statement in found]


def _columns(name: str, given: Sequence[str]) -> tuple[list[str], list[Any]]:
    """The columns to write, and the defaults of those that the generator does not name."""
    if name not in Base.metadata.tables:
        return list(given), []
    missing = [
        column
        for column in Base.metadata.tables[name].columns
        if column.name not in given and column.default is not None and not column.nullable
    ]
    return [*given, *(column.name for column in missing)], list(_defaults(missing))


def _defaults(columns: Iterable[Any]) -> Iterable[Any]:
    for column in columns:
        value = column.default.arg
        if callable(value):  # list or dict, for a column of JSON
            yield json.dumps(value(None))
        else:
            yield str(value) if isinstance(value, str) else int(value)
