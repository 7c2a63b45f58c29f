"""Rows as they are made: values by column, ids given in order; written table by table."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from helpdesk.ext import Base

ORDER = (
    *("client", "person", "contact_point", "article", "article_text", "ticket", "message"),
    *("clock", "task", "call", "offer", "ticket_spell", "rating", "voice_answer"),
    *("kb_search", "kb_miss", "article_reading", "article_feedback", "event"),
)
"""Tables, those that others point to first."""

Row = dict[str, Any]


class Sheet:
    """Rows by table, and the last id of each table."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.ids: Counter[str] = Counter()

    def next_id(self, table: str) -> int:
        self.ids[table] += 1
        return self.ids[table]

    def add(self, table: str, **values: Any) -> None:
        """A row whose id, if it needs none, the database gives."""
        self.rows[table].append(values)

    def event(self, kind: str, at: Any, **values: Any) -> None:
        """An Event that has been reacted to."""
        known = {"user_id": None, "person_id": None, "ticket_id": None, "client_id": None}
        self.add("event", kind=kind, at=at, **(known | {"data": {}, "key": None} | values))

    def take(self) -> dict[str, list[Row]]:
        """The rows since the last time, to be written."""
        taken, self.rows = self.rows, defaultdict(list)
        return taken


def table(name: str) -> Table:
    """The table of this name, as the product declares it."""
    return Base.metadata.tables[name]


def store(session: Session, rows: Mapping[str, Sequence[Row]]) -> None:
    """Write rows into either database; flushes, and leaves the commit to the caller."""
    for name in ORDER:
        if rows.get(name):
            session.execute(insert(table(name)), list(rows[name]))


def store_raw(
    connection: sqlite3.Connection, dialect: Dialect, rows: Mapping[str, Sequence[Row]]
) -> None:
    """The same into a file that is being loaded, in one transaction."""
    connection.execute("BEGIN")
    for name in ORDER:
        if rows.get(name):
            _store_raw(connection, dialect, table(name), rows[name])
    connection.execute("COMMIT")


def _store_raw(
    connection: sqlite3.Connection, dialect: Dialect, into: Table, rows: Sequence[Row]
) -> None:
    columns = [one for one in into.columns if one.name in rows[0] or _default(one) is not None]
    makers = [_maker(one, dialect) for one in columns]
    names = ", ".join(f'"{one.name}"' for one in columns)
    places = ", ".join("?" * len(columns))
    connection.executemany(
        f'INSERT INTO "{into.name}" ({names}) VALUES ({places})',
        [[make(row) for make in makers] for row in rows],
    )


def _maker(column: Any, dialect: Dialect) -> Callable[[Row], Any]:
    """What makes of a row the value of a column, as the driver takes it."""
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    name, fallback = column.name, _default(column)

    def make(row: Row) -> Any:
        value = row.get(name, fallback)
        value = value(None) if callable(value) else value
        value = bind(value) if bind is not None else value
        return int(value) if isinstance(value, bool) else value

    return make


def _default(column: Any) -> Any:
    return column.default.arg if column.default is not None else None
