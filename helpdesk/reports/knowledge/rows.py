"""Searches, readings and readers' answers as rows of the report on the knowledge base."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, false, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.kb.models import Article, ArticleText, Feedback, Outcome, Reading, Search
from helpdesk.reports import filters
from helpdesk.reports.cuts import Facts
from helpdesk.reports.filters import Filters
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Ticket

_NOBODY: dict[str, Any] = dict.fromkeys(Facts._fields)


class Searched(NamedTuple):
    """One search, with how it ended; `article_id`: the one that was read last after it."""

    id: int
    moment: datetime
    language: str
    source: str
    found: int
    outcome: str | None
    article_id: int | None
    query: str

    @property
    def mark(self) -> tuple[Any, ...]:
        return self.source, self.found > 0, self.outcome, self.article_id is not None

    @property
    def numbers(self) -> tuple[float, ...]:
        return ()

    @property
    def was_read(self) -> bool:
        return self.article_id is not None or self.outcome in (Outcome.OPENED, Outcome.SOLVED)

    @property
    def solved(self) -> bool:
        return self.outcome == Outcome.SOLVED

    @property
    def asked(self) -> bool:
        return self.outcome == Outcome.ASKED


class Opened(NamedTuple):
    """An article was opened."""

    id: int
    moment: datetime
    article_id: int


class Answered(NamedTuple):
    """A reader's answer to "Did this help?"."""

    id: int
    moment: datetime
    helped: bool
    article_id: int


class Thing(NamedTuple):
    """One of them for a list: when, what in the reader's words or of which article, and more."""

    id: int
    at: datetime
    text: str
    more: str
    ticket_id: int | None


_SEARCH: tuple[Any, ...] = (
    Search.id,
    Search.at,
    Search.lang,
    type_coerce(Search.source, String),
    Search.found,
    type_coerce(Search.outcome, String),
    Search.article_id,
    Search.query,
)
_READING: tuple[Any, ...] = (
    Reading.id,
    Reading.at,
    Reading.article_id,
)
_ANSWER: tuple[Any, ...] = (
    Feedback.id,
    Feedback.at,
    Feedback.helped,
    ArticleText.article_id,
)


def searches(
    session: Session, ask: Ask, *, before: bool = False
) -> tuple[list[Searched], list[Searched]]:
    """Searches of the period, the oldest first, and with `before` those of the one before it. One
    statement.
    """
    query = select(*_SEARCH).where(
        *_about(session, ask, Search.lang, Search.ticket_id), *_time(ask, Search.at, before)
    )
    rows = session.execute(query.order_by(Search.at, Search.id))
    return _split([Searched._make(row) for row in rows], ask, before)


def readings(session: Session, ask: Ask) -> list[Opened]:
    """Articles opened in the period. One statement."""
    query = select(*_READING).where(
        *_about(session, ask, Reading.lang, Reading.ticket_id), *_time(ask, Reading.at, False)
    )
    rows = session.execute(query.order_by(Reading.at, Reading.id))
    return _split([Opened._make(row) for row in rows], ask, False)[0]


def answers(session: Session, ask: Ask) -> list[Answered]:
    """Readers' answers of the period; nobody's where a filter asks for tickets, since they have
    none. One statement.
    """
    query = select(*_ANSWER).join(ArticleText, ArticleText.id == Feedback.text_id)
    query = query.where(
        *_about(session, ask, ArticleText.lang, None), *_time(ask, Feedback.at, False)
    )
    rows = session.execute(query.order_by(Feedback.at, Feedback.id))
    return _split([Answered._make(row) for row in rows], ask, False)[0]


def facts(row: Any) -> Facts:
    """What decides the part of a search in the cuts that it has."""
    return Facts(**_NOBODY | {"language": row.language, "created_at": row.moment})


def titles(session: Session, ids: Sequence[int], language: str) -> dict[int, str]:
    """What these articles are called in this language, else in the one they were written in. One
    statement.
    """
    query = select(
        ArticleText.article_id, ArticleText.lang, ArticleText.title, Article.source_lang
    ).join(Article, Article.id == ArticleText.article_id)
    found: dict[int, tuple[int, str]] = {}
    rows = session.execute(query.where(Article.id.in_(ids)).order_by(ArticleText.id))
    for row in rows:
        rank = 0 if row.lang == language else 1 if row.lang == row.source_lang else 2
        if row.article_id not in found or rank < found[row.article_id][0]:
            found[row.article_id] = (rank, row.title)
    return {id_: title for id_, (_rank, title) in found.items()}


def things(session: Session, kind: str, ids: Sequence[int], language: str) -> list[Thing]:
    """Rows of a list of this kind ("search", "reading", "feedback") in the order of `ids`; at most
    two statements. Raises KeyError for another kind.
    """
    found: Mapping[int, Any] = {row.id: row for row in session.execute(_LISTED[kind](ids))}
    rows = [found[id_] for id_ in ids if id_ in found]
    articles = {row.article_id for row in rows if row.article_id is not None}
    called = titles(session, sorted(articles), language) if articles else {}
    return [_thing(kind, row, called.get(row.article_id, "")) for row in rows]


def _thing(kind: str, row: Any, title: str) -> Thing:
    text = {"search": row.words or title}.get(kind, title)
    more = row.words if kind == "feedback" else title if text != title else ""
    return Thing(row.id, row.at, text, more, row.ticket_id)


def _listed_searches(ids: Sequence[int]) -> Any:
    return select(
        Search.id, Search.at, Search.query.label("words"), Search.article_id, Search.ticket_id
    ).where(Search.id.in_(ids))


def _listed_readings(ids: Sequence[int]) -> Any:
    words = Reading.source.label("words")
    return select(Reading.id, Reading.at, words, Reading.article_id, Reading.ticket_id).where(
        Reading.id.in_(ids)
    )


def _listed_answers(ids: Sequence[int]) -> Any:
    nowhere = select(Ticket.id).where(false()).scalar_subquery().label("ticket_id")
    columns = (Feedback.comment.label("words"), ArticleText.article_id, nowhere)
    query = select(Feedback.id, Feedback.at, *columns)
    return query.join(ArticleText, ArticleText.id == Feedback.text_id).where(Feedback.id.in_(ids))


_LISTED = {
    "search": _listed_searches,
    "reading": _listed_readings,
    "feedback": _listed_answers,
}


def _time(ask: Ask, column: Any, before: bool) -> list[ColumnElement[bool]]:
    start = (ask.period.before() if before else ask.period).start
    return [column >= start, column < ask.period.end]


def _about(session: Session, ask: Ask, language: Any, ticket: Any) -> list[ColumnElement[bool]]:
    """By the language; all else is known of tickets only, which rows without one can't have."""
    found: list[ColumnElement[bool]] = [false()] if ask.scope.nothing else []
    if ask.filters.language is not None:
        found.append(language == ask.filters.language)
    rest = ask.filters.narrowed(language=None, slot=None)
    own = Scope(user_id=ask.scope.user_id, queue_ids=ask.scope.queue_ids)
    if rest == Filters() and own.everything:
        return found
    if ticket is None:
        return [*found, false()]
    fits = filters.conditions(session, rest, own)
    return [*found, select(Ticket.id).where(Ticket.id == ticket, *fits).exists()]


def _split(rows: Sequence[Any], ask: Ask, before: bool) -> tuple[list[Any], list[Any]]:
    now = _within(rows, ask, ask.period)
    return now, _within(rows, ask, ask.period.before()) if before else []


def _within(rows: Sequence[Any], ask: Ask, period: Period) -> list[Any]:
    start, end = period.start, period.end
    return [
        row for row in rows if start <= row.moment < end and ask.filters.keeps(row.moment, period)
    ]
