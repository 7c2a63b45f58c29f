"""How articles look in the API, and what a body makes of them."""

from collections.abc import Sequence

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.api.refs import given
from helpdesk.api.shapes.kb import ArticleChange, ArticleIn, ArticleOut, HitOut
from helpdesk.kb.checks import Content
from helpdesk.kb.models import ArticleText, Category
from helpdesk.kb.queries import is_stale, public_path
from helpdesk.kb.search import Hit
from helpdesk.outbox.addressing import public_url


def body_of(body: ArticleIn | ArticleChange, text: ArticleText | None) -> Content:
    """The content that a request asks for: what it leaves out is as it was."""
    old = text or ArticleText(title="", body_markdown="", keywords=[], voice_text="")
    keywords = old.keywords if body.keywords is MISSING else body.keywords
    return Content(
        title=given(body.title, old.title),
        body=given(body.body_markdown, old.body_markdown),
        keywords=tuple(keywords),
        voice=given(body.voice_text, old.voice_text),
    )


def shape_hit(hit: Hit) -> HitOut:
    return HitOut(
        id=hit.article_id,
        key=hit.key,
        slug=hit.slug,
        title=hit.title,
        lang=hit.lang,
        excerpt=hit.excerpt,
        score=hit.score,
        url=public_url() + public_path(hit.lang, hit.slug),
    )


def shape_text(session: Session, text: ArticleText) -> ArticleOut:
    return shape_texts(session, [text])[0]


def shape_texts(session: Session, texts: Sequence[ArticleText]) -> list[ArticleOut]:
    """Texts with what they need of others, by two statements."""
    rows = [(text, text.article) for text in texts]
    ids = {article.category_id for _, article in rows if article.category_id is not None}
    keys = {}
    if ids:
        found = session.execute(select(Category.id, Category.key).where(Category.id.in_(ids)))
        keys = dict(found.all())
    sources = _sources(session, texts)
    return [
        ArticleOut(
            id=article.id,
            key=article.key,
            lang=text.lang,
            slug=text.slug,
            title=text.title,
            body_markdown=text.body_markdown,
            excerpt=text.excerpt,
            category=keys.get(article.category_id or 0),
            keywords=text.keywords,
            tags=article.tags,
            voice_text=text.voice_text,
            state=text.state.value,
            version=text.version,
            source_changed=is_stale(text, sources.get(article.id)),
            url=public_url() + public_path(text.lang, text.slug),
            updated_at=text.updated_at,
            published_at=text.published_at,
            views=text.views,
            helped=text.helped,
            not_helped=text.not_helped,
        )
        for text, article in rows
    ]


def _sources(session: Session, texts: Sequence[ArticleText]) -> dict[int, ArticleText]:
    """The source texts of the translations among these, by article id."""
    wanted = {text.article_id for text in texts if text.lang != text.article.source_lang}
    if not wanted:
        return {}
    rows = session.scalars(select(ArticleText).where(ArticleText.article_id.in_(wanted)))
    return {row.article_id: row for row in rows if row.lang == row.article.source_lang}
