"""One line of a client's timeline, its place in the order, and the order as conditions."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Date, and_, bindparam, or_

from helpdesk.ext import UTCDateTime

_MAX_ID = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MARK = re.compile(r"([0-9]{1,17})-([0-9])-([0-9]{1,18})")


class Mark(NamedTuple):
    """The place of an item in the order: give the last one to read on after it."""

    at: datetime
    rank: int  # of the source: 0 events, then as in timeline_facts
    id: int


_NEWEST = Mark(datetime(9999, 12, 31, tzinfo=UTC), 99, _MAX_ID)


@dataclass(frozen=True)
class TimelineItem:
    """One line of a client's history.

    `kind`: message, note, call, system, purchase, invoice, article, client.note, document, or the
    kind of an event such as "ticket.status". `direction`: inbound, outbound or None. `title` and
    `more` are in the reader's language; `by` is a name. `thing_id`: of the message, the document,
    the article. `whole_day`: only the day is known, `at` is its noon in UTC.
    """

    at: datetime
    kind: str
    channel: str | None
    direction: str | None
    title: str
    by: str | None
    ticket_id: int | None
    call_id: int | None
    mark: Mark
    more: str = ""
    thing_id: int | None = None
    whole_day: bool = False


class Found(NamedTuple):
    """An entry that was read and is not in words yet: words cost more than reading, and most of
    what is read to find the newest of all sources is not shown.
    """

    mark: Mark
    channel: str | None
    words: Callable[[], TimelineItem]


def noon(day: date) -> datetime:
    """The moment that stands for a day."""
    return datetime.combine(day, time(12), UTC)


def older(at: Any, id_: Any, rank: int) -> ColumnElement[bool]:
    """What comes after a mark in a source of this rank, as a condition with parameters: a
    statement with it is made once, `place` gives the values.
    """
    last = bindparam("before", type_=UTCDateTime())
    return and_(at <= last, or_(at < last, id_ < bindparam(f"id_{rank}", type_=BigInteger())))


def older_day(day: Any, id_: Any, rank: int) -> ColumnElement[bool]:
    """The same for a source of which only the day is known."""
    last = bindparam("before_day", type_=Date())
    return and_(day <= last, or_(day < last, id_ < bindparam(f"id_{rank}", type_=BigInteger())))


def place(before: Mark | None, ranks: Iterable[int], day_ranks: Iterable[int]) -> dict[str, Any]:
    """Values of the parameters for these sources; None: from the newest on."""
    if before is None:
        before = _NEWEST
    at = before.at.astimezone(UTC)
    values: dict[str, Any] = {"before": at, "before_day": at.date()}
    for rank in ranks:
        values[f"id_{rank}"] = _ids_below((at, rank), before)
    for rank in day_ranks:
        values[f"id_{rank}"] = _ids_below((noon(at.date()), rank), before)
    return values


def _ids_below(here: tuple[datetime, int], before: Mark) -> int:
    """The id from which on rows of the mark's own moment are left out."""
    if here == (before.at, before.rank):
        return before.id
    return _MAX_ID if here < (before.at, before.rank) else 0


def mark_text(mark: Mark) -> str:
    """A mark as an address holds it."""
    return f"{(mark.at - _EPOCH) // _MICROSECOND}-{mark.rank}-{mark.id}"


def read_mark(text: str) -> Mark | None:
    """The mark in an address; None for what is none."""
    found = _MARK.fullmatch(text)
    if found is None:
        return None
    return Mark(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]), int(found[3]))
