"""The columns in which all sources of a timeline are joined into one statement."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    literal,
    null,
    select,
)

from helpdesk.ext import UTCDateTime

CLIENT = bindparam("client_id", type_=BigInteger())
MOST = bindparam("most", type_=Integer())

_NO_MOMENT = cast(null(), UTCDateTime)
_NO_DAY = cast(null(), Date)
_NO_NUMBER = cast(null(), Integer)
_NO_TEXT = cast(null(), Text)


def columns_of(
    rank: int,
    id_: Any,
    *,
    moment: Any = _NO_MOMENT,
    day: Any = _NO_DAY,
    text: Any,
    more: Any = _NO_TEXT,
    amount: Any = _NO_NUMBER,
    currency: Any = _NO_TEXT,
    by: Any = _NO_TEXT,
    thing: Any = _NO_NUMBER,
    since: Any = _NO_MOMENT,
    until: Any = _NO_MOMENT,
    talked: Any = _NO_NUMBER,
) -> Select[Any]:
    """The columns that every source has, those it doesn't know being NULL."""
    return select(
        literal(rank, Integer).label("rank"),
        id_.label("id"),
        moment.label("moment"),
        day.label("day"),
        text.label("text"),
        more.label("more"),
        amount.label("amount"),
        currency.label("currency"),
        by.label("by"),
        thing.label("thing"),
        since.label("since"),
        until.label("until"),
        talked.label("talked"),
    )
