"""What clients think of the answers, counted once more."""

from collections.abc import Sequence
from typing import Any

from benchmarks.desk.recount import Book, Days, Desk, grouped, mean, ratio

GOOD = 4
SCORES = (1, 2, 3, 4, 5)


def voice(desk: Desk, days: Days, cut: str) -> Book:
    """All tables of the report: ratings given in these days, tickets opened in them."""
    book: Book = {}
    given = [row for row in desk.raw.rating if row.ticket_id in desk.tickets and days.has(row.at)]
    _ratings(book, desk, "satisfaction", cut, given)
    _ratings(book, desk, "weeks", "week", given)
    _asked(book, desk, days, cut)
    for score in (*SCORES, None):
        some = sum(score in (None, row.score) for row in given)
        book["scores", score, "voice_ratings"] = some
        book["scores", score, "voice_score_share"] = ratio(some, len(given))
    return book


def _ratings(book: Book, desk: Desk, table: str, cut: str, given: Sequence[Any]) -> None:
    parts = grouped(given, lambda row: desk.part(desk.tickets[row.ticket_id], cut, row.at))
    for key, rows in parts.items():
        scores = [row.score for row in rows]
        book[table, key, "voice_ratings"] = len(rows)
        book[table, key, "voice_mean"] = mean(scores)
        book[table, key, "voice_satisfied"] = ratio(sum(n >= GOOD for n in scores), len(scores))
        book[table, key, "voice_comments"] = sum(row.comment != "" for row in rows)
        for score in SCORES:
            book[table, key, f"voice_score_{score}"] = scores.count(score)


def _asked(book: Book, desk: Desk, days: Days, cut: str) -> None:
    rated = {row.ticket_id for row in desk.raw.rating}
    could = [row for row in desk.opened(days) if row.first_response_at and row.done_at]
    for key, rows in grouped(could, lambda row: desk.part(row, cut, row.created_at)).items():
        count = sum(row.id in rated for row in rows)
        book["satisfaction", key, "voice_asked"] = len(rows)
        book["satisfaction", key, "voice_rated"] = count
        book["satisfaction", key, "voice_response"] = ratio(count, len(rows))
