"""Search in the knowledge base: for readers, beside tickets and while somebody types."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from helpdesk.kb import confidence, embedding, extract
from helpdesk.kb.asked import Scored
from helpdesk.kb.memory import bases
from helpdesk.kb.models import Article, ArticleText, Category, State
from helpdesk.kb.ranking import Base
from helpdesk.kb.reading import Reading, question, readings

_OTHER_LANGUAGE = 0.6  # what a score in a language that nobody asked for counts
_FAMILIAR = 0.5  # how well a question must fit a language to be looked for in it as well
_LEAST = 0.05  # scores below are chance
_ALIKE = 0.23  # articles that say none of the words must be so like in meaning
_SPARE = 2  # so many more are looked for, in case that some may not be shown


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that may answer. `excerpt` is its line nearest to the question; `marks` are the
    places (begin, end) in it of words that were asked for."""

    article_id: int
    text_id: int
    key: str
    slug: str
    title: str
    lang: str
    excerpt: str
    score: float
    state: State
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The article that answers by itself, and the probability that it is the right one."""

    article_id: int
    key: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, best first. `missed`: most likely nothing of it is what was looked for.

    `chance`: that the first article is the right one, 0 to 1.
    """

    items: list[Hit]
    answer: Answer | None
    missed: bool
    chance: float = 0.0


class _Found(NamedTuple):
    """An article, the reading in which it was found, and its standing there."""

    scored: Scored
    reading: Reading


def search(
    session: Session,
    query: str,
    *,
    lang: str | None,
    states: tuple[State, ...] = (State.PUBLIC,),
    limit: int = 10,
    category_id: int | None = None,
    typing: bool = False,
) -> Results:
    """Articles for a question. Texts in `lang` are shown where an article has one, else in the
    language of the question; None: as the question reads. `category_id` narrows to a category
    and those below it; `typing`: the last word may be unfinished.
    """
    within = None if category_id is None else _articles_of(session, category_id)
    with bases(session) as known:
        found = _ask(known, query, lang, states, limit + _SPARE, within, typing)
    items = _hits(session, found, lang, states, limit)
    chance = confidence.probability([one.scored for one in found])
    answer = None
    if items and found and items[0].article_id == found[0].scored.article_id:
        least = confidence.threshold(session)
        if least is not None and chance >= least and not typing:
            answer = Answer(items[0].article_id, items[0].key, round(chance, 3))
    return Results(items, answer, missed=chance < confidence.MISSED, chance=chance)


def suggest(
    session: Session,
    text: str,
    lang: str | None,
    limit: int = 3,
    *,
    states: tuple[State, ...] = (State.PUBLIC,),
) -> list[Hit]:
    """Articles for a long text, such as an email with its subject as the first line."""
    with bases(session) as known:
        found = _ask(known, text, lang, states, limit + _SPARE, None, False)
    return _hits(session, found, lang, states, limit)


def _ask(
    known: dict[str, Base],
    query: str,
    lang: str | None,
    states: tuple[State, ...],
    top: int,
    within: frozenset[int] | None,
    typing: bool,
) -> list[_Found]:
    labels = frozenset(state.value for state in states)
    best: dict[int, _Found] = {}
    order = readings(query, lang, known)
    meaning = _meaning(known, order)
    for place, reading in enumerate(order):
        asked = place == 0 or reading.lang == lang
        if not asked and best and reading.fit < _FAMILIAR:
            continue
        ask = question(reading.text, reading.lang, typing=typing)
        base = known[reading.lang]
        for scored in base.rank(ask, labels, top=top, articles=within, meaning=meaning):
            if not asked:
                scored = replace(scored, score=scored.score * _OTHER_LANGUAGE)
            other = best.get(scored.article_id)
            if _may_fit(scored) and (not other or other.scored.score < scored.score):
                best[scored.article_id] = _Found(scored, reading)
    found = sorted(best.values(), key=lambda one: (-one.scored.score, one.scored.article_id))
    return found[:top]


def _meaning(known: dict[str, Base], order: list[Reading]) -> embedding.Vector | None:
    """What a question is about, by the reading that fits best; the same in all languages."""
    if not any(base.vectors for base in known.values()) or not embedding.available():
        return None
    return embedding.question(order[0].text)


def _may_fit(scored: Scored) -> bool:
    return scored.score >= _LEAST and (scored.said >= _LEAST or scored.meaning >= _ALIKE)


def _hits(
    session: Session,
    found: list[_Found],
    lang: str | None,
    states: Collection[State],
    limit: int,
) -> list[Hit]:
    # The state is looked at here: asked in the query, it leads SQLite to walk all public texts.
    rows = session.execute(
        select(ArticleText.article_id, ArticleText.lang, ArticleText.id, ArticleText.state)
        .join(ArticleText.article)
        .where(ArticleText.article_id.in_([one.scored.article_id for one in found]))
        .where(Article.deleted_at.is_(None))
    ).all()
    texts: dict[int, dict[str, int]] = {}
    for article_id, code, text_id, state in rows:
        if state in states:
            texts.setdefault(article_id, {})[code] = text_id
    shown = [(one, texts[one.scored.article_id]) for one in found if one.scored.article_id in texts]
    chosen = [(one, _shown(ids, lang, one)) for one, ids in shown[:limit]]
    contents = _contents(session, [text_id for _, text_id in chosen])
    return [_hit(contents[text_id], one) for one, text_id in chosen]


def _shown(texts: dict[str, int], lang: str | None, found: _Found) -> int:
    """The text to show: in the wanted language, else the one that was found, else any."""
    for code in (lang, found.reading.lang, *sorted(texts)):
        if code in texts:
            return texts[code]
    raise KeyError(lang)


def _contents(session: Session, ids: list[int]) -> dict[int, Row[Any]]:
    rows = session.execute(
        select(
            ArticleText.id,
            ArticleText.article_id,
            Article.key,
            ArticleText.slug,
            ArticleText.title,
            ArticleText.lang,
            ArticleText.excerpt,
            ArticleText.state,
            func.substr(ArticleText.body_markdown, 1, extract.LOOKED_AT).label("body"),
        )
        .join(ArticleText.article)
        .where(ArticleText.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _hit(text: Row[Any], found: _Found) -> Hit:
    excerpt: str = text.excerpt
    marks: tuple[tuple[int, int], ...] = ()
    if text.lang == found.reading.lang:
        query = found.reading.text
        excerpt, marks = extract.nearest_line(excerpt, text.body, query, text.lang)
    return Hit(
        text.article_id,
        text.id,
        text.key,
        text.slug,
        text.title,
        text.lang,
        excerpt,
        round(found.scored.score, 4),
        text.state,
        marks,
    )


def _articles_of(session: Session, category_id: int) -> frozenset[int]:
    tree = select(Category.id).where(Category.id == category_id).cte("tree", recursive=True)
    tree = tree.union(select(Category.id).where(Category.parent_id == tree.c.id))
    inside = select(Article.id).where(Article.category_id.in_(select(tree.c.id)))
    return frozenset(session.scalars(inside))
