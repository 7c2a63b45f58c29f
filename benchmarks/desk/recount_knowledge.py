"""What readers looked for and found in the knowledge base, counted once more."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from benchmarks.desk.recount import Book, Days, Desk, grouped, ratio
from benchmarks.desk.recount_calls import put


def knowledge(desk: Desk, days: Days, cut: str) -> Book:
    """All tables of the report."""
    book: Book = {}
    searched = [row for row in desk.raw.kb_search if days.has(row.at)]
    for table, by in (("searches", cut), ("weeks", "week")):
        put(book, table, _parts(desk, searched, by), _numbers)
    put(book, "sources", grouped(searched, lambda row: row.source), _numbers)
    _articles(book, desk, days, searched)
    _questions(book, searched)
    return book


def _parts(desk: Desk, rows: Sequence[Any], cut: str) -> dict[Any, list[Any]]:
    return grouped(rows, lambda row: desk.part(SimpleNamespace(language=row.lang), cut, row.at))


def _numbers(rows: Sequence[Any]) -> dict[str, float | None]:
    read = [row for row in rows if row.article_id or row.outcome in ("opened", "solved")]
    outcomes = [row.outcome for row in rows]
    nothing = sum(row.found == 0 for row in rows)
    return {
        "kb_searches": len(rows),
        "kb_shown": len(rows) - nothing,
        "kb_read": len(read),
        "kb_no_ticket": sum(row.outcome != "asked" for row in read),
        "kb_solved": outcomes.count("solved"),
        "kb_solved_share": ratio(outcomes.count("solved"), len(rows)),
        "kb_asked": outcomes.count("asked"),
        "kb_no_result": nothing,
        "kb_no_result_share": ratio(nothing, len(rows)),
    }


def _articles(book: Book, desk: Desk, days: Days, searched: Sequence[Any]) -> None:
    of_text = {row.id: row.article_id for row in desk.raw.article_text}
    readings = [row for row in desk.raw.article_reading if days.has(row.at)]
    answers = [row for row in desk.raw.article_feedback if days.has(row.at)]
    for article in (None, *(row.id for row in desk.raw.article)):
        ended = [row.outcome for row in searched if _is(row.article_id, article)]
        helped = [row.helped for row in answers if _is(of_text[row.text_id], article)]
        numbers = {
            "kb_readings": sum(_is(row.article_id, article) for row in readings),
            "kb_led": ended.count("solved"),
            "kb_asked_after": ended.count("asked"),
            "kb_helped": helped.count(True),
            "kb_not_helped": helped.count(False),
            "kb_helped_share": ratio(helped.count(True), len(helped)),
        }
        for name, value in numbers.items():
            book["articles", article, name] = value


def _is(article: int | None, wanted: int | None) -> bool:
    return article is not None and wanted in (None, article)


def _questions(book: Book, searched: Sequence[Any]) -> None:
    """Those in vain, by their words; the newest stands for all in the same words."""
    vain = [row for row in searched if row.found == 0 and row.query]
    vain.sort(key=lambda row: (row.at, row.id))
    words = grouped(vain, lambda row: (row.lang, " ".join(row.query.lower().split())), total=False)
    for rows in words.values():
        book["questions", rows[-1].id, "kb_no_result"] = len(rows)
