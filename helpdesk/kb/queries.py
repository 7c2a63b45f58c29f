"""Reads on articles: by address, for lists and counts, what is stale or missing."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from helpdesk.kb.markdown import linked_keys, with_links
from helpdesk.kb.models import (
    Article,
    ArticlePicture,
    ArticleText,
    ArticleVersion,
    Category,
    Feedback,
    OldSlug,
    Picture,
    State,
)

STAFF = (State.DRAFT, State.INTERNAL, State.PUBLIC)
PUBLIC = (State.PUBLIC,)


class Found(NamedTuple):
    """A text found by its address; `moved`: the address is an old one, lead the reader on."""

    text: ArticleText
    moved: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of texts is narrowed to."""

    lang: str | None = None
    states: tuple[State, ...] = ()
    category_ids: Collection[int] | None = None
    stale: bool = False  # the source has changed since
    deleted: bool = False


def public_path(lang: str, slug: str) -> str:
    """Where readers find a public text, behind the product's public URL."""
    return f"/{lang}/help/{slug}"


def find_text(
    session: Session, lang: str, name: str, *, states: Collection[State] = PUBLIC
) -> Found | None:
    """The text with this slug, an old slug, or an article key, in this language."""
    base = _shown(states).where(ArticleText.lang == lang)
    text = session.scalar(base.where(ArticleText.slug == name))
    if text is not None:
        return Found(text, moved=False)
    old = select(OldSlug.text_id).where(OldSlug.lang == lang, OldSlug.slug == name)
    text = session.scalar(base.where(or_(ArticleText.id.in_(old), Article.key == name)).limit(1))
    return None if text is None else Found(text, moved=True)


def texts_of(
    session: Session, article_id: int, *, states: Collection[State] = STAFF
) -> dict[str, ArticleText]:
    """The article's texts by language."""
    rows = session.scalars(_shown(states).where(ArticleText.article_id == article_id))
    return {text.lang: text for text in rows}


def article_at(session: Session, name: str | int, *, deleted: bool = False) -> Article | None:
    """The article with this key, else with this id."""
    found = session.scalar(select(Article).where(Article.key == str(name)))
    if found is None and str(name).isascii() and str(name).isdigit() and len(str(name)) < 18:
        found = session.get(Article, int(name))
    return found if found is not None and (deleted or found.deleted_at is None) else None


def shown_html(
    session: Session,
    text: ArticleText,
    *,
    states: Collection[State] = PUBLIC,
    address: str = "public",
) -> str:
    """The body with links to other articles resolved in the text's language, else in another.

    `address`: "public" for readers, "desk" for staff pages. One statement, only where the body
    has such links.
    """
    keys = linked_keys(text.body_html)
    if not keys:
        return text.body_html
    known: dict[str, ArticleText] = {}
    for row in session.scalars(_shown(states).where(Article.key.in_(keys))):
        if row.article.key not in known or row.lang == text.lang:
            known[row.article.key] = row

    def address_of(key: str) -> str | None:
        other = known.get(key)
        if other is None:
            return None
        if address == "desk":
            return f"/desk/kb/{other.article_id}?lang={other.lang}"
        return public_path(other.lang, other.slug)

    return with_links(text.body_html, address_of)


def listed(wanted: Filter) -> Select[ArticleText]:
    """Texts that fit the filter, with their article."""
    query = select(ArticleText).join(Article).options(contains_eager(ArticleText.article))
    query = query.where(
        Article.deleted_at.is_not(None) if wanted.deleted else Article.deleted_at.is_(None)
    )
    for condition in _conditions(wanted):
        query = query.where(condition)
    return query


def is_stale(text: ArticleText, source: ArticleText | None) -> bool:
    """Whether the source text has changed since this translation was checked against it."""
    if source is None or source.id == text.id:
        return False
    return text.source_version is not None and text.source_version < source.version


def stale() -> ColumnElement[bool]:
    """The same as a condition on ArticleText joined with Article."""
    source = aliased(ArticleText)
    return exists().where(
        source.article_id == ArticleText.article_id,
        source.lang == Article.source_lang,
        source.id != ArticleText.id,
        source.version > ArticleText.source_version,
    )


def missing(lang: str) -> Select[ArticleText]:
    """Public texts in the source language of articles that lack a public one in `lang`."""
    other = aliased(ArticleText)
    lacks = ~exists().where(
        other.article_id == Article.id, other.lang == lang, other.state == State.PUBLIC
    )
    return listed(Filter(states=PUBLIC)).where(lacks, ArticleText.lang != lang)


def counts_by_category(
    session: Session, *, lang: str | None = None, states: Collection[State] = PUBLIC
) -> Mapping[int, int]:
    """How many articles have a text in these states (and this language), by category id."""
    query = (
        select(Article.category_id, func.count(func.distinct(Article.id)))
        .join(ArticleText)
        .where(Article.deleted_at.is_(None), Article.category_id.is_not(None))
        .where(ArticleText.state.in_(states))
        .group_by(Article.category_id)
    )
    if lang is not None:
        query = query.where(ArticleText.lang == lang)
    return {int(id_): count for id_, count in session.execute(query) if id_ is not None}


def versions_of(session: Session, text_id: int, *, limit: int = 100) -> list[ArticleVersion]:
    """The versions of a text, newest first."""
    query = select(ArticleVersion).where(ArticleVersion.text_id == text_id)
    return list(session.scalars(query.order_by(ArticleVersion.version.desc()).limit(limit)))


def version_of(session: Session, text_id: int, number: int) -> ArticleVersion | None:
    """One version of a text."""
    return session.scalar(
        select(ArticleVersion).where(
            ArticleVersion.text_id == text_id, ArticleVersion.version == number
        )
    )


def picture_for(session: Session, picture_id: int, *, staff: bool) -> Picture | None:
    """A picture; readers see those that a public text shows."""
    query = select(Picture).options(joinedload(Picture.file)).where(Picture.id == picture_id)
    if not staff:
        shown = exists().where(
            ArticlePicture.picture_id == Picture.id,
            ArticlePicture.text_id == ArticleText.id,
            ArticleText.state == State.PUBLIC,
            ArticleText.article_id == Article.id,
            Article.deleted_at.is_(None),
        )
        query = query.where(shown)
    return session.scalar(query)


def comments(*, unhelpful: bool = False) -> Select[Feedback, ArticleText]:
    """What readers said of texts, newest first; `unhelpful`: only that they were not helped."""
    query = (
        select(Feedback, ArticleText)
        .join(ArticleText, ArticleText.id == Feedback.text_id)
        .join(Article)
        .options(contains_eager(ArticleText.article))
        .where(Article.deleted_at.is_(None))
        .order_by(Feedback.at.desc(), Feedback.id.desc())
    )
    return query.where(Feedback.helped.is_(False)) if unhelpful else query


def below(session: Session, category_id: int) -> list[int]:
    """The ids of a category and of all below it."""
    tree = select(Category.id).where(Category.id == category_id).cte("tree", recursive=True)
    tree = tree.union(select(Category.id).where(Category.parent_id == tree.c.id))
    return list(session.scalars(select(tree.c.id)))


def _shown(states: Iterable[State]) -> Select[ArticleText]:
    return (
        select(ArticleText)
        .join(Article)
        .options(contains_eager(ArticleText.article))
        .where(ArticleText.state.in_(list(states)), Article.deleted_at.is_(None))
    )


def _conditions(wanted: Filter) -> list[Any]:
    found: list[Any] = []
    if wanted.lang is not None:
        found.append(ArticleText.lang == wanted.lang)
    if wanted.states:
        found.append(ArticleText.state.in_(wanted.states))
    if wanted.category_ids is not None:
        found.append(Article.category_id.in_(wanted.category_ids))
    if wanted.stale:
        found.append(stale())
    return found
