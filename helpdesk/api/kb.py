"""The knowledge base: search, articles, categories, solved questions."""

from typing import Any

from flask import Response, after_this_request, request
from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.permissions import can
from helpdesk.api.kb_shape import body_of, shape_hit, shape_text, shape_texts
from helpdesk.api.operation import Call, Reply, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.problems import NOT_YOURS, Refused
from helpdesk.api.refs import check_match, etag, given
from helpdesk.api.shapes.base import Paged, Query
from helpdesk.api.shapes.kb import (
    AnswerOut,
    ArticleChange,
    ArticleIn,
    ArticleList,
    ArticleOut,
    ArticleQuery,
    CategoryList,
    CategoryOut,
    ExampleIn,
    ExampleOut,
    LangQuery,
    SearchOut,
    SearchQuery,
)
from helpdesk.events import record
from helpdesk.kb import actions, log
from helpdesk.kb.categories import category_named, find_category, flat, tree
from helpdesk.kb.checks import Content, permission_for
from helpdesk.kb.learning import learn
from helpdesk.kb.log import Asked
from helpdesk.kb.models import Article, ArticleText, Source, State
from helpdesk.kb.queries import Filter, article_at, below, counts_by_category, listed
from helpdesk.kb.search import search
from helpdesk.lib.errors import NotFound, _lazy
from helpdesk.lib.text import clean


@operation("GET", "/kb/search", permission="kb.read", query=SearchQuery, answer=SearchOut, tag="kb")
def search_articles(call: Call[SearchQuery, None]) -> SearchOut:
    """Find the public articles that answer a question, best first."""
    query, lang = call.query, given(call.query.lang)
    found = search(call.session, clean(query.q), lang=lang, limit=query.limit)
    heard = lang or (found.items[0].lang if found.items else "uk")
    asked = Asked(query.q, heard, Source.API, len(found.items), call.at, missed=found.missed)
    log.note(asked)
    after_this_request(_write_log)
    answer = None
    if found.answer is not None:
        sure = found.answer
        answer = AnswerOut(id=sure.article_id, key=sure.key, confidence=sure.confidence)
    return SearchOut(items=[shape_hit(hit) for hit in found.items], answer=answer)


@operation(
    "GET", "/kb/articles", permission="kb.read", query=ArticleQuery, answer=ArticleList, tag="kb"
)
def list_articles(call: Call[ArticleQuery, None]) -> ArticleList:
    """List articles, one entry a language."""
    query = call.query
    within = None
    if query.category is not MISSING:
        top = find_category(call.session, clean(query.category))
        within = below(call.session, top.id) if top is not None else []
    wanted = Filter(
        lang=given(query.lang),
        states=() if query.state is MISSING else (State(query.state),),
        category_ids=within,
    )
    rows = listed(wanted).where(ArticleText.id > id_of(query.cursor, 0))
    rows = rows.order_by(ArticleText.id).limit(query.limit + 1)
    page, last = cut(call.session.scalars(rows).all(), query.limit)
    return ArticleList(
        items=shape_texts(call.session, page), next_cursor=id_cursor(last.id if last else None)
    )


@operation(
    "POST",
    "/kb/articles",
    permission="kb.write",
    body=ArticleIn,
    answer=ArticleOut,
    tag="kb",
    status=201,
)
def put_article(call: Call[Query, ArticleIn]) -> Reply:
    """Write an article in one language, or change the one with this key and language.

    A key that is there in another language gets a translation. What is left out stays as it is.
    """
    body, session = call.body, call.session
    ext.lock(session, f"kb-article:{body.key}")
    article = session.scalar(select(Article).where(Article.key == body.key))
    text = actions.text_of(session, article.id, body.lang) if article is not None else None
    if article is not None and article.deleted_at is not None:
        actions.undelete_article(session, article, at=call.at, actor=call.actor)
    if text is not None:
        return _reply(call, _change(call, text))
    state = State(given(body.state, State.DRAFT))
    _check_may(call, state)
    content = body_of(body, None)
    if article is None:
        text = actions.create_article(
            session,
            content,
            lang=body.lang,
            key=body.key,
            category_id=_category_id(call, body.category, body.lang),
            tags=given(body.tags, ()),
            state=state,
            at=call.at,
            actor=call.actor,
        )
    else:
        text = actions.add_translation(
            session, article, content, lang=body.lang, state=state, at=call.at, actor=call.actor
        )
        _change_article(call, article, body.lang)
    return _reply(call, text)


@operation(
    "GET",
    "/kb/articles/<string:ref>",
    permission="kb.read",
    query=LangQuery,
    answer=ArticleOut,
    tag="kb",
)
def read_article(call: Call[LangQuery, None], ref: str) -> Reply:
    """Read an article by its key or id."""
    return _reply(call, _text(call, ref))


@operation(
    "PATCH",
    "/kb/articles/<string:ref>",
    permission="kb.write",
    query=LangQuery,
    body=ArticleChange,
    answer=ArticleOut,
    tag="kb",
    refusals=(412,),
)
def patch_article(call: Call[LangQuery, ArticleChange], ref: str) -> Reply:
    """Change an article in one language.

    Send If-Match with the ETag that you have read to change only that version.
    """
    text = _text(call, ref)
    check_match(request.headers.get("If-Match"), text.version)
    return _reply(call, _change(call, text))


@operation(
    "GET", "/kb/categories", permission="kb.read", query=Paged, answer=CategoryList, tag="kb"
)
def list_categories(call: Call[Paged, None]) -> CategoryList:
    """List the categories, each before those below it."""
    nodes = flat(tree(call.session, counts_by_category(call.session)))
    start = id_of(call.query.cursor, 0)
    page = nodes[start : start + call.query.limit]
    more = start + len(page)
    return CategoryList(
        items=[
            CategoryOut(
                id=node.category.id,
                key=node.category.key,
                names=node.category.names,
                parent_id=node.category.parent_id,
                icon=node.category.icon,
                articles=node.count,
            )
            for node in page
        ],
        next_cursor=id_cursor(more) if page and more < len(nodes) else None,
    )


@operation(
    "POST",
    "/kb/examples",
    permission="kb.write",
    body=ExampleIn,
    answer=ExampleOut,
    tag="kb",
    status=201,
)
def add_example(call: Call[Query, ExampleIn]) -> ExampleOut:
    """Tell a question that an article solved, so that search finds it for the next one."""
    body, session = call.body, call.session
    article = article_at(session, body.key)
    if article is None:
        raise Refused(409, _lazy("There is no article %(key)s."), field="key", key=body.key)
    example = learn(
        session,
        article.id,
        body.lang,
        clean(body.text),
        source=Source.API,
        user_id=call.viewer.user_id,
    )
    if example is not None:
        record(
            session,
            "example.added",
            actor=call.actor,
            at=call.at,
            article_id=article.id,
            lang=body.lang,
            source=Source.API.value,
        )
    return ExampleOut(
        key=article.key, lang=body.lang, text=clean(body.text), added=example is not None
    )


def _change(call: Call[Any, Any], text: ArticleText) -> ArticleText:
    """Change text, article and state by the fields that the body has."""
    body, session = call.body, call.session
    state = State(given(body.state, text.state))
    _check_may(call, text.state, state)
    content: Content = body_of(body, text)
    actions.change_text(
        session,
        text,
        content,
        at=call.at,
        actor=call.actor,
        source_version=_agreed(session, text) if body.body_markdown is not MISSING else None,
    )
    _change_article(call, text.article, text.lang)
    actions.set_state(session, text, state, at=call.at, actor=call.actor)
    return text


def _agreed(session: Session, text: ArticleText) -> int | None:
    """The version of the source text that a translation sent now is taken to agree with."""
    if text.lang == text.article.source_lang:
        return None
    source = actions.text_of(session, text.article_id, text.article.source_lang)
    return source.version if source is not None else None


def _change_article(call: Call[Any, Any], article: Article, lang: str) -> None:
    changes: dict[str, Any] = {}
    if call.body.category is not MISSING:
        changes["category_id"] = _category_id(call, call.body.category, lang)
    if call.body.tags is not MISSING:
        changes["tags"] = call.body.tags
    if changes:
        actions.change_article(call.session, article, at=call.at, actor=call.actor, **changes)


def _category_id(call: Call[Any, Any], name: Any, lang: str) -> int | None:
    if name is MISSING or name is None:
        return None
    return category_named(call.session, clean(name), lang, at=call.at, actor=call.actor).id


def _check_may(call: Call[Any, Any], *states: State) -> None:
    """Raises Refused (403) where what customers read would change without the right to."""
    permission = permission_for(*states)
    if not can(call.viewer, permission):
        raise Refused(403, NOT_YOURS, permission=permission)


def _article(call: Call[Any, Any], ref: str) -> Article:
    article = article_at(call.session, clean(ref))
    if article is None:
        raise NotFound()
    return article


def _text(call: Call[Any, Any], ref: str) -> ArticleText:
    article = _article(call, ref)
    lang = given(call.query.lang, article.source_lang)
    text = actions.text_of(call.session, article.id, lang)
    if text is None:
        raise NotFound()
    return text


def _reply(call: Call[Any, Any], text: ArticleText) -> Reply:
    return Reply(shape_text(call.session, text), etag(text.version))


def _write_log(response: Response) -> Response:
    return log.after(response, ext.write)
