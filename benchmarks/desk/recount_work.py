"""The numbers of the work report once more: what came, went and lies there, from the spells."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from benchmarks.desk.recount import DONE, Book, Days, Desk, grouped, mean, rank, ratio
from benchmarks.desk.recount_calls import talks

MOVES = {
    "opened": ("opened",),
    "done": ("done",),
    "reopened": ("reopened",),
    "transferred": ("queue", "passed"),
}
BANDS = (("4h", 4), ("1d", 24), ("3d", 72), ("7d", 168))
STATES = ("new", "open", "pending", "on_hold")
IN_TIME = ("day", "week")


def work(desk: Desk, days: Days, cut: str) -> Book:
    """All tables of the report."""
    book, spells = flow(desk, days, cut), _spells(desk)
    _ages(book, desk, [row for row in spells if row.to_at is None and row.status not in DONE])
    _stays(book, desk, days, [row for row in spells if row.status in STATES])
    _agents(book, desk, days, spells)
    return book


def _spells(desk: Desk) -> list[Any]:
    return [row for row in desk.raw.ticket_spell if row.ticket_id in desk.tickets]


def flow(desk: Desk, days: Days, cut: str) -> Book:
    """The table that the cut divides; the others are always the same."""
    book: Book = {}
    spells = _spells(desk)
    for name, came in MOVES.items():
        mine = [row for row in spells if row.came in came and days.has(row.from_at)]
        parts = Counter(_part(desk, row, cut) for row in mine)
        parts[None] = len(mine)
        for key, count in parts.items():
            book["flow", key, f"work_{name}"] = count
    if cut in IN_TIME:
        _backlogs(book, desk, days, cut, spells)
        return book
    left = Counter(_part(desk, row, cut) for row in _lying(spells, days.end_of(days.last), desk.at))
    left[None] = left.total()
    for key, count in left.items():
        book["flow", key, "work_backlog"] = count
    return book


def _part(desk: Desk, row: Any, cut: str) -> Any:
    """Of a day or week the moment of the spell decides, else what the ticket is now."""
    ticket = desk.tickets[row.ticket_id]
    return desk.part(ticket, cut, row.from_at if cut in IN_TIME else ticket.created_at)


def _backlogs(book: Book, desk: Desk, days: Days, cut: str, spells: Sequence[Any]) -> None:
    today = desk.at.astimezone(desk.zone).date()
    for day in days.all():
        left = len(_lying(spells, days.end_of(day), desk.at)) if day <= today else None
        if left is None:
            book.setdefault(("flow", _first(cut, day), "work_backlog"), None)
        else:
            book["flow", _first(cut, day), "work_backlog"] = left
            book["flow", None, "work_backlog"] = left


def _first(cut: str, day: date) -> date:
    return day - timedelta(days=day.weekday()) if cut == "week" else day


def _lying(spells: Sequence[Any], end: datetime, at: datetime) -> list[Any]:
    """Spells of tickets that were active at the end of a day, or are now."""
    if end > at:
        return [row for row in spells if row.to_at is None and row.status not in DONE]
    return [
        row
        for row in spells
        if row.status not in DONE and row.from_at < end and (row.to_at is None or row.to_at >= end)
    ]


def _ages(book: Book, desk: Desk, active: Sequence[Any]) -> None:
    bands = {name: [row for row in active if _band(desk, row) == name] for name, _ in BANDS}
    bands |= {"older": [row for row in active if _band(desk, row) == "older"]}
    for key, rows in ({None: list(active)} | bands).items():
        book["ages", key, "work_aged"] = len(rows)
        book["ages", key, "work_aged_share"] = ratio(len(rows), len(active))
        book["ages", key, "work_nobody"] = sum(row.assignee_id is None for row in rows)
        book["ages", key, "work_pending"] = sum(row.status == "pending" for row in rows)


def _band(desk: Desk, row: Any) -> str:
    age = desk.at - desk.tickets[row.ticket_id].created_at
    return next((name for name, hours in BANDS if age < timedelta(hours=hours)), "older")


def _stays(book: Book, desk: Desk, days: Days, spells: Sequence[Any]) -> None:
    ended = [row for row in spells if days.has(row.to_at)]
    running = [row for row in spells if row.to_at is None]
    whole = sum(_length(row) for row in ended)

    def put(table: str, key: Any, state: str | None, queue: int | None) -> None:
        over = [row for row in ended if _fits(row, state, queue)]
        lying = [row for row in running if _fits(row, state, queue)]
        for name, value in _lengths(over, lying, whole, desk.at).items():
            book[table, key, name] = value

    put("stays", None, None, None)
    for state in STATES:
        put("stays", state, state, None)
        put(state, None, state, None)
        for queue in desk.team_of_queue:
            put(state, queue, state, queue)


def _fits(row: Any, state: str | None, queue: int | None) -> bool:
    return state in (None, row.status) and queue in (None, row.queue_id)


def _lengths(
    ended: Sequence[Any], running: Sequence[Any], whole: int, at: datetime
) -> dict[str, float | None]:
    seconds = [_length(row) for row in ended]
    longest = max(((at - row.from_at).total_seconds() for row in running), default=None)
    return {
        "work_stays": len(ended),
        "work_stay_median": rank(seconds, 50),
        "work_stay_p90": rank(seconds, 90),
        "work_stay_sum": sum(seconds) if seconds else None,
        "work_stay_share": ratio(sum(seconds), whole) if seconds else None,
        "work_staying": len(running),
        "work_longest": longest,
    }


def _length(row: Any) -> int:
    return int((row.to_at - row.from_at) // timedelta(seconds=1))


def _agents(book: Book, desk: Desk, days: Days, spells: Sequence[Any]) -> None:
    """What each has now, what happened to it in these days, and whom they talked with."""
    handled = talks(desk, days)
    owned = grouped(spells, lambda row: desk.tickets[row.ticket_id].assignee_id)
    for user in desk.team_of_user:
        mine = owned[user]
        lying = [row for row in mine if row.to_at is None and row.status not in DONE]
        calls = [row for row in handled if row.assignee_id == user]
        book["agents", user, "work_in_work"] = len(lying)
        for name in ("done", "reopened", "transferred"):
            happened = [row for row in mine if row.came in MOVES[name] and days.has(row.from_at)]
            book["agents", user, f"work_{name}"] = len(happened)
        book["agents", user, "calls_handled"] = len(calls)
        book["agents", user, "calls_aht"] = mean([row.talk + row.hold + row.wrap for row in calls])
        book["agents", user, "calls_wrap"] = mean([row.wrap for row in calls])
