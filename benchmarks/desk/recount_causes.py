"""Why clients turned to the desk, counted once more; and over what they refused on the phone."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from benchmarks.desk.recount import Book, Days, Desk, grouped, ratio
from benchmarks.desk.recount_calls import seen

WEEKS = 13  # the newest of the period


def causes(desk: Desk, days: Days, _cut: str) -> Book:
    """All tables of the report, which is divided by nothing."""
    book: Book = {}
    now, before = desk.opened(days), desk.opened(days.before())
    topmost = _topmost(desk)
    for table, part in (
        ("topics", lambda row: topmost.get(row.reason_id, 0)),
        ("reasons", lambda row: row.reason_id or 0),
        ("products", lambda row: row.product_id or 0),
        ("kinds", lambda row: row.kind or "-"),
    ):
        _table(book, desk, days, table, grouped(now, part), grouped(before, part))
    _refusals(book, desk, days)
    return book


def _topmost(desk: Desk) -> dict[Any, int]:
    above = {row.id: row.parent_id for row in desk.raw.contact_reason}

    def top(reason: int) -> int:
        while above[reason] is not None:
            reason = above[reason]
        return reason

    return {reason: top(reason) for reason in above}


def _table(
    book: Book,
    desk: Desk,
    days: Days,
    table: str,
    now: dict[Any, list[Any]],
    before: dict[Any, list[Any]],
) -> None:
    whole = len(now.get(None, ()))
    for key in now.keys() | before.keys():
        mine, earlier = now.get(key, []), before.get(key, [])
        book[table, key, "causes_tickets"] = len(mine)
        book[table, key, "causes_share"] = ratio(len(mine), whole)
        book[table, key, "causes_before"] = len(earlier)
        book[table, key, "causes_change"] = ratio(len(mine) - len(earlier), len(earlier))
        for monday, count in _weeks(desk, days, mine).items():
            book[table, key, f"causes_week:{monday}"] = count


def _weeks(desk: Desk, days: Days, rows: Sequence[Any]) -> dict[date, int]:
    """By the first day of each week that lies in the period and is not still to come."""
    today = desk.at.astimezone(desk.zone).date()
    known = sorted({_monday(day) for day in days.all() if day <= today})[-WEEKS:]
    found = {max(first, days.first): 0 for first in known} if len(known) > 1 else {}
    for row in rows:
        first = max(_monday(row.created_at.astimezone(desk.zone).date()), days.first)
        if first in found:
            found[first] += 1
    return found


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _refusals(book: Book, desk: Desk, days: Days) -> None:
    wrapped = [row for row in seen(desk, days) if row.disposition is not None]
    refused = [row for row in wrapped if row.disposition == "refused"]
    for key, rows in grouped(refused, lambda row: row.reason_id or 0).items():
        book["refusals", key, "causes_refused"] = len(rows)
        book["refusals", key, "causes_of_refused"] = ratio(len(rows), len(refused))
        book["refusals", key, "causes_of_wrapped"] = ratio(len(rows), len(wrapped))
