"""Cursors of lists: where the next page begins, checked when they come back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import MISSING

from helpdesk.api.problems import Refused
from helpdesk.api.shapes.base import MAX_ID
from helpdesk.lib.errors import _lazy
from helpdesk.reports.client.timeline import Mark

T = TypeVar("T")

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def id_of(cursor: Any, default: int) -> int:
    """The id that a cursor stands for; `default` where there is none. Raises Refused (400)."""
    if cursor is MISSING:
        return default
    return _number(cursor)


def cut(found: Sequence[T], limit: int) -> tuple[list[T], T | None]:
    """The page out of `limit + 1` rows, and its last row if another page follows."""
    page = list(found[:limit])
    return page, (page[-1] if page and len(found) > limit else None)


def id_cursor(id_: int | None) -> str | None:
    """The cursor after the thing with this id."""
    return None if id_ is None else _text(id_)


def mark_of(cursor: Any) -> Mark | None:
    """The place in a timeline that a cursor stands for. Raises Refused (400)."""
    if cursor is MISSING:
        return None
    try:
        at, rank, id_ = cursor.split("-")
        moment = _EPOCH + _number(at) * _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise _bad() from error
    return Mark(moment, int(rank), _number(id_))


def mark_cursor(mark: Mark | None) -> str | None:
    if mark is None:
        return None
    return f"{_text((mark.at - _EPOCH) // _MICROSECOND)}-{mark.rank}-{_text(mark.id)}"


def _number(text: str) -> int:
    value = int(text, 36)
    if not 0 <= value <= MAX_ID:
        raise _bad()
    return value


def _text(value: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _bad() -> Refused:
    return Refused(400, _lazy("This cursor is not one of ours."), field="cursor")
