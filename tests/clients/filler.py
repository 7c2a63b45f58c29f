"""Rows of any table, made from its columns alone: for tests that must cover later tables too."""

from datetime import date
from typing import Any

from sqlalchemy import Boolean, Column, Date, LargeBinary, Table, insert, select
from sqlalchemy.orm import Session

from helpdesk.ext import Base, EnumText, UTCDateTime
from helpdesk.lib.clock import now


class Filler:
    """Inserts rows; what a column points to is made first."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.made = 0

    def row(self, table: Table, **given: Any) -> Any:
        """A row with every column filled that must be; its id, if it has one."""
        self.made += 1
        values = {
            column.name: self._value(column)
            for column in table.columns
            if column.name not in given and self._needed(column)
        }
        result = self.session.execute(insert(table).values({**values, **given}))
        key = result.inserted_primary_key
        return key[0] if key else None

    def _needed(self, column: Column[Any]) -> bool:
        counted = column.primary_key and not column.foreign_keys and column.name == "id"
        return not (column.nullable or counted)

    def _value(self, column: Column[Any]) -> Any:
        for key in column.foreign_keys:
            target = key.column.table
            found = self.session.scalar(select(key.column).limit(1))
            return found if found is not None else self.row(target)
        kind = column.type
        if isinstance(kind, EnumText):
            return next(iter(kind.kind))
        if isinstance(kind, UTCDateTime):
            return now()
        if isinstance(kind, Date):
            return date(2026, 11, 23)
        if isinstance(kind, Boolean):
            return False
        if isinstance(kind, LargeBinary):
            return b"x"
        python = kind.python_type
        if python is dict or python is list:
            return []
        return self.made if python is int else f"x{self.made}"


def dump(session: Session, but: frozenset[str] = frozenset()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, to be compared."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in but:
            rows = session.execute(select(table))
            found[table.name] = sorted(tuple(map(repr, row)) for row in rows)
    return found
