"""Verbs on articles: create, change, translate, publish, restore, delete, put back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import add_row, lock
from helpdesk.kb.checks import (
    Content,
    check_category,
    checked,
    checked_key,
    checked_lang,
    checked_products,
    clean_tags,
    content_of,
)
from helpdesk.kb.index import reindex, relearn_all, unindex
from helpdesk.kb.markdown import Rendered, render
from helpdesk.kb.models import (
    Article,
    ArticlePicture,
    ArticleProduct,
    ArticleText,
    ArticleVersion,
    Picture,
    State,
)
from helpdesk.kb.slugs import follow_title, free_key, free_slug
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy


def create_article(
    session: Session,
    content: Content,
    *,
    lang: str,
    at: datetime,
    actor: Actor = SYSTEM,
    key: str | None = None,
    category_id: int | None = None,
    tags: Iterable[str] = (),
    product_ids: Iterable[int] = (),
    state: State = State.DRAFT,
    from_ticket_id: int | None = None,
) -> ArticleText:
    """Write a new article in its first language; its text.

    Without `key` one is made of the title. Raises HelpdeskError for bad values, Conflict for a
    key that is taken.
    """
    content = checked(content)
    lock(session, "kb-keys")
    if key is None:
        key = free_key(session, Article, content.title, checked_lang(lang))
    elif session.scalar(select(Article.id).where(Article.key == checked_key(key))) is not None:
        raise Conflict(_lazy("There is an article %(key)s already."), field="key", key=key)
    check_category(session, category_id)
    article = Article(
        key=key,
        category_id=category_id,
        source_lang=checked_lang(lang),
        tags=clean_tags(tags),
        from_ticket_id=from_ticket_id,
        created_at=at,
    )
    session.add(article)
    session.flush()
    _set_products(session, article.id, set(), checked_products(session, product_ids))
    record(session, "article.created", actor=actor, at=at, article_id=article.id, lang=lang)
    return _add_text(session, article, content, lang, state, None, at, actor)


def add_translation(
    session: Session,
    article: Article,
    content: Content,
    *,
    lang: str,
    at: datetime,
    actor: Actor = SYSTEM,
    state: State = State.DRAFT,
    source_version: int | None = None,
) -> ArticleText:
    """Write the article in one more language. `source_version`: that of the text it was made
    from, by default the present one. Raises Conflict if it has this language already.
    """
    lock(session, f"article:{article.id}")
    if text_of(session, article.id, checked_lang(lang)) is not None:
        message = _lazy("The article has a text in this language already. Look and save again.")
        raise Conflict(message, field="lang")
    if source_version is None:
        source = text_of(session, article.id, article.source_lang)
        source_version = source.version if source else None
    record(session, "article.created", actor=actor, at=at, article_id=article.id, lang=lang)
    content = checked(content)
    return _add_text(session, article, content, lang, state, source_version, at, actor)


def change_text(
    session: Session,
    text: ArticleText,
    content: Content,
    *,
    at: datetime,
    actor: Actor = SYSTEM,
    version: int | None = None,
    source_version: int | None = None,
    minor: bool = False,
) -> bool:
    """Save the text as a new version; False where nothing differs, and then there is none.

    `source_version`: the version of the source text that a translation now agrees with. `minor`:
    translations that agreed with the source text still do. Raises Conflict if the text has
    changed since `version`, HelpdeskError for bad values.
    """
    check_version(text, version)
    content = checked(content)
    if source_version is not None:
        text.source_version = source_version
    fields = _differing(content_of(text), content)
    if not fields:
        session.flush()
        return False
    rendered = render(content.body)
    _fill(text, content, rendered, actor, at)
    text.version += 1
    if "title" in fields:
        follow_title(session, text)
    session.flush()
    _keep_version(session, text)
    _show_pictures(session, text, rendered.pictures)
    if minor:
        _still_agree(session, text)
    reindex(session, text.id)
    record(
        session,
        "article.changed",
        actor=actor,
        at=at,
        article_id=text.article_id,
        lang=text.lang,
        version=text.version,
        fields=fields,
    )
    return True


def set_state(
    session: Session, text: ArticleText, state: State, *, at: datetime, actor: Actor = SYSTEM
) -> None:
    """Make a text a draft, internal or public. Nothing happens where it is that already."""
    if text.state == state:
        return
    old, text.state = text.state, state
    _note_publishing(session, text, at)
    session.flush()
    reindex(session, text.id)
    record(
        session,
        "article.state",
        actor=actor,
        at=at,
        article_id=text.article_id,
        lang=text.lang,
        old=old.value,
        new=state.value,
    )


def restore_version(
    session: Session, text: ArticleText, number: int, *, at: datetime, actor: Actor = SYSTEM
) -> bool:
    """Make an earlier version the newest one; its state stays as it is. Raises NotFound."""
    found = session.scalar(
        select(ArticleVersion).where(
            ArticleVersion.text_id == text.id, ArticleVersion.version == number
        )
    )
    if found is None:
        raise NotFound()
    content = Content(found.title, found.body_markdown, tuple(found.keywords), found.voice_text)
    return change_text(session, text, content, at=at, actor=actor)


def change_article(
    session: Session, article: Article, *, at: datetime, actor: Actor = SYSTEM, **changes: Any
) -> None:
    """Change category_id, tags, position or product_ids. Raises HelpdeskError for bad values."""
    fields: list[str] = []
    if "category_id" in changes:
        check_category(session, changes["category_id"])
    if "tags" in changes:
        changes["tags"] = clean_tags(changes["tags"])
    if "product_ids" in changes:
        wanted = checked_products(session, changes.pop("product_ids"))
        known = products_of(session, article.id)
        if wanted != known:
            _set_products(session, article.id, known, wanted)
            fields.append("products")
    for name in ("category_id", "tags", "position"):
        if name in changes and getattr(article, name) != changes[name]:
            setattr(article, name, changes[name])
            fields.append(name)
    if not fields:
        return
    session.flush()
    record(
        session, "article.changed", actor=actor, at=at, article_id=article.id, fields=sorted(fields)
    )


def delete_article(
    session: Session, article: Article, *, at: datetime, actor: Actor = SYSTEM
) -> None:
    """Take the article away from all readers and out of search; `undelete_article` undoes it."""
    if article.deleted_at is not None:
        return
    article.deleted_at = at
    session.flush()
    for text_id in _text_ids(session, article.id):
        unindex(session, text_id)
    relearn_all(session, article.id)
    record(session, "article.deleted", actor=actor, at=at, article_id=article.id)


def undelete_article(
    session: Session, article: Article, *, at: datetime, actor: Actor = SYSTEM
) -> None:
    """Put a deleted article back as it was."""
    if article.deleted_at is None:
        return
    article.deleted_at = None
    session.flush()
    for text_id in _text_ids(session, article.id):
        reindex(session, text_id)
    relearn_all(session, article.id)
    record(session, "article.restored", actor=actor, at=at, article_id=article.id)


def check_version(text: ArticleText, version: int | None) -> None:
    """Raises Conflict if the text has changed since this version."""
    if version is not None and version != text.version:
        raise Conflict(
            _lazy("Somebody changed this text in the meantime. Look at both and save again."),
            field="version",
        )


def text_of(session: Session, article_id: int, lang: str) -> ArticleText | None:
    """The article's text in this language."""
    return session.scalar(
        select(ArticleText).where(ArticleText.article_id == article_id, ArticleText.lang == lang)
    )


def texts_in(session: Session, article_id: int) -> set[str]:
    """The languages in which the article has a text."""
    rows = select(ArticleText.lang).where(ArticleText.article_id == article_id)
    return set(session.scalars(rows))


def products_of(session: Session, article_id: int) -> set[int]:
    """The ids of the products that an article speaks of."""
    rows = select(ArticleProduct.product_id).where(ArticleProduct.article_id == article_id)
    return set(session.scalars(rows))


def _add_text(
    session: Session,
    article: Article,
    content: Content,
    lang: str,
    state: State,
    source_version: int | None,
    at: datetime,
    actor: Actor,
) -> ArticleText:
    rendered = render(content.body)
    text = ArticleText(
        article_id=article.id,
        lang=lang,
        slug=free_slug(session, content.title, lang, article.id),
        state=state,
        version=1,
        source_version=source_version,
    )
    _fill(text, content, rendered, actor, at)
    _note_publishing(session, text, at)
    session.add(text)
    session.flush()
    _keep_version(session, text)
    _show_pictures(session, text, rendered.pictures)
    reindex(session, text.id)
    return text


def _fill(
    text: ArticleText, content: Content, rendered: Rendered, actor: Actor, at: datetime
) -> None:
    text.title = content.title
    text.body_markdown = content.body
    text.body_html = rendered.html
    text.excerpt = rendered.excerpt
    text.keywords = list(content.keywords)
    text.embedding = None
    text.voice_text = content.voice
    text.user_id = actor.user_id
    text.updated_at = at


def _keep_version(session: Session, text: ArticleText) -> None:
    add_row(
        session,
        ArticleVersion,
        text_id=text.id,
        version=text.version,
        title=text.title,
        body_markdown=text.body_markdown,
        keywords=text.keywords,
        voice_text=text.voice_text,
        state=text.state,
        user_id=text.user_id,
        created_at=text.updated_at,
    )


def _note_publishing(session: Session, text: ArticleText, at: datetime) -> None:
    """What customers read says something; when they first could is kept."""
    if text.state != State.PUBLIC:
        return
    if not text.body_markdown.strip():
        raise HelpdeskError(_lazy("Write the answer before you publish it."), field="body")
    text.published_at = text.published_at or at


def _show_pictures(session: Session, text: ArticleText, wanted: frozenset[int]) -> None:
    mine = ArticlePicture.text_id == text.id
    shown: set[int] = set()
    if text.version > 1:
        shown = set(session.scalars(select(ArticlePicture.picture_id).where(mine)))
    if shown - wanted:
        gone = ArticlePicture.picture_id.in_(shown - wanted)
        session.execute(delete(ArticlePicture).where(mine, gone))
    if wanted - shown:
        known = session.scalars(select(Picture.id).where(Picture.id.in_(wanted - shown)))
        rows = (ArticlePicture(text_id=text.id, picture_id=id_) for id_ in known)
        session.add_all(list(rows))
        session.flush()


def _set_products(session: Session, article_id: int, known: set[int], wanted: set[int]) -> None:
    mine = ArticleProduct.article_id == article_id
    if known - wanted:
        gone = ArticleProduct.product_id.in_(known - wanted)
        session.execute(delete(ArticleProduct).where(mine, gone))
    for product_id in wanted - known:
        session.add(ArticleProduct(article_id=article_id, product_id=product_id))
    if wanted - known:
        session.flush()


def _still_agree(session: Session, source: ArticleText) -> None:
    session.execute(
        update(ArticleText)
        .where(
            ArticleText.article_id == source.article_id,
            ArticleText.id != source.id,
            ArticleText.source_version == source.version - 1,
        )
        .values(source_version=source.version)
    )


def _differing(old: Content, new: Content) -> list[str]:
    return [name for name in Content.__slots__ if getattr(old, name) != getattr(new, name)]


def _text_ids(session: Session, article_id: int) -> list[int]:
    rows = select(ArticleText.id).where(ArticleText.article_id == article_id)
    return list(session.scalars(rows.order_by(ArticleText.id)))
