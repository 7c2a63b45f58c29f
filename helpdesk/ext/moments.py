"""Moments counted in SQL: the quarter of an hour a moment falls into, on both databases."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

QUARTER = 900
"""Seconds. The local days and hours of all time zones in use begin at such a quarter in UTC."""


class quarter_of(FunctionElement[int]):
    """The number of the quarter of an hour, since 1970, in which a moment of a column lies.

    Grouping by it lets a database add up what a time zone must part.
    """

    inherit_cache = True
    type = BigInteger()

    def __init__(self, column: ColumnElement[datetime] | Any) -> None:
        super().__init__(column)


@compiles(quarter_of, "sqlite")
def _sqlite(element: Any, compiler: Any, **more: Any) -> str:
    column = compiler.process(element.clauses, **more)
    return f"CAST(strftime('%s', {column}) AS INTEGER) / {QUARTER}"


@compiles(quarter_of, "postgresql")
def _postgresql(element: Any, compiler: Any, **more: Any) -> str:
    column = compiler.process(element.clauses, **more)
    return f"CAST(floor(extract(epoch FROM {column}) / {QUARTER}) AS BIGINT)"


def quarter_begins(number: int) -> datetime:
    """The first moment of a quarter, UTC."""
    return datetime.fromtimestamp(number * QUARTER, UTC)
