"""The lists behind the numbers of the knowledge base."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.kb.models import Source
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import fold
from helpdesk.reports.knowledge import rows as knowledge_rows
from helpdesk.reports.knowledge.rows import Searched
from helpdesk.reports.sheet import Ask, Behind

Fits = Callable[[Searched], bool]
SOURCES: Mapping[Source, str] = {
    Source.PORTAL: _lazy("Portal"),
    Source.FORM: _lazy("Beside the form"),
    Source.EMAIL: _lazy("Offered in a receipt"),
    Source.PHONE: _lazy("Telephone"),
    Source.DESK: _lazy("Agents"),
    Source.API: _lazy("API"),
}


def any_search(_row: Searched) -> bool:
    return True


def missed(row: Searched) -> bool:
    return row.found == 0


def solved(row: Searched) -> bool:
    return row.solved


SEARCHES: Mapping[str, tuple[str, Fits]] = {
    "kb_searches": (_lazy("Searches"), any_search),
    "kb_shown": (_lazy("Searches that found an article"), lambda row: row.found > 0),
    "kb_read": (_lazy("Searches after which an article was read"), lambda row: row.was_read),
    "kb_no_ticket": (
        _lazy("Searches with an article read and no ticket after"),
        lambda row: row.was_read and not row.asked,
    ),
    "kb_solved": (_lazy("Searches solved without a ticket"), solved),
    "kb_asked": (_lazy("Searches after which a person was asked"), lambda row: row.asked),
    "kb_no_result": (_lazy("Searches without a result"), missed),
}
LED: Mapping[str, tuple[str, Fits]] = {
    "kb_led": (
        _lazy("Searches that an article solved"),
        lambda row: row.solved and row.article_id is not None,
    ),
    "kb_asked_after": (
        _lazy("Searches after which an article was read and a person asked"),
        lambda row: row.asked and row.article_id is not None,
    ),
}


def same_words(row: Searched) -> tuple[str, str]:
    """What searches have in common that differ only in case, marks and spaces."""
    return row.language, " ".join(fold(row.query).split())


def _own(ask: Ask, name: str) -> int | None:
    """An own argument of a list that is an id. Raises HelpdeskError for what is none."""
    text = ask.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HelpdeskError(
            _lazy("The filter %(name)s has no value “%(text)s”."),
            field=name,
            name=name,
            text=text[:40],
        )
    return int(text)


def _behind(fits: Fits) -> Callable[[Session, Ask], Sequence[int]]:
    """Own arguments: source; article (read last after the search); like (a search that was in the
    same words)."""

    def ids(session: Session, ask: Ask) -> list[int]:
        source = ask.args.get("source", "")
        if source and source not in SOURCES:
            raise HelpdeskError(
                _lazy("The filter %(name)s has no value “%(text)s”."),
                field="source",
                name="source",
                text=source[:40],
            )
        article, like = _own(ask, "article"), _own(ask, "like")
        rows, _ = knowledge_rows.searches(session, ask)
        words = next((same_words(row) for row in rows if row.id == like), None)
        return [
            row.id
            for row in reversed(rows)
            if fits(row)
            and (not source or row.source == source)
            and (article is None or row.article_id == article)
            and (like is None or same_words(row) == words)
        ]

    return ids


def _of_article(
    read: Callable[[Session, Ask], Sequence[Any]], fits: Callable[[Any], bool]
) -> Callable[[Session, Ask], Sequence[int]]:
    """Own argument: article."""

    def ids(session: Session, ask: Ask) -> list[int]:
        article = _own(ask, "article")
        rows = reversed(read(session, ask))
        return [row.id for row in rows if fits(row) and article in (None, row.article_id)]

    return ids


LISTS: Mapping[str, Behind] = {
    **{
        name: Behind("search", title, _behind(fits))
        for name, (title, fits) in {**SEARCHES, **LED}.items()
    },
    "kb_readings": Behind(
        "reading", _lazy("Articles read"), _of_article(knowledge_rows.readings, lambda row: True)
    ),
    "kb_helped": Behind(
        "feedback",
        _lazy("Readers whom an article helped"),
        _of_article(knowledge_rows.answers, lambda row: row.helped),
    ),
    "kb_not_helped": Behind(
        "feedback",
        _lazy("Readers whom an article did not help"),
        _of_article(knowledge_rows.answers, lambda row: not row.helped),
    ),
}
"""Newest first."""
