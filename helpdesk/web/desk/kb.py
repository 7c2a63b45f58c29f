"""/desk/kb: the articles, found and filtered, and the page of one for the staff."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.ext import LANGUAGES
from helpdesk.kb import actions, log
from helpdesk.kb.categories import Node, flat, name_of, tree
from helpdesk.kb.checks import permission_for, voice_seconds
from helpdesk.kb.models import Article, ArticleText, Citation, Feedback, State
from helpdesk.kb.queries import (
    STAFF,
    Filter,
    below,
    is_stale,
    listed,
    missing,
    public_path,
    shown_html,
    texts_of,
)
from helpdesk.kb.search import search
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.lib.text import clean_line
from helpdesk.products import Product
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.cached import setting
from helpdesk.web.desk.kb_learn import learn_first
from helpdesk.web.desk.kb_words import states
from helpdesk.web.guard import actor, me, needs, reading, said, viewer

blueprint = Blueprint("desk_kb", __name__)

PAGE = 50
QUERY_LIMIT = 300
COMMENTS = 5
VIEWS = ("all", "stale", "missing", "viewed", "unhelpful", "deleted")


@blueprint.get("/desk/kb")
@needs("kb.read")
def listing() -> str:
    """Articles, newest first; `?q=` searches, `?view=` one of VIEWS, `?state=`, `?category=` and
    `?lang=` narrow it."""
    nodes = flat(tree(reading()))
    args = request.args
    view = args.get("view", "all") if args.get("view", "all") in VIEWS else "all"
    lang = args.get("lang") if args.get("lang") in LANGUAGES else None
    state = args.get("state") if args.get("state") in set(State) else None
    query = clean_line(args.get("q", ""), QUERY_LIMIT)
    category = next((n.category for n in nodes if n.category.key == args.get("category")), None)
    within = below(reading(), category.id) if category else None
    wanted = Filter(
        lang=lang if view != "missing" else None,
        states=(State(state),) if state else (),
        category_ids=within,
        stale=view == "stale",
        deleted=view == "deleted",
    )
    if query:
        texts, more = _found(query, wanted, category.id if category else None), None
    else:
        texts, more = _listed(wanted, view, lang)
    return render_template(
        "desk/kb_list.html",
        section="kb",
        q=query,
        view=view,
        lang=lang,
        state=state,
        category=category,
        nodes=nodes,
        names=_names(nodes),
        texts=texts,
        others=_others(texts),
        more=more,
        states=states(),
        primary=setting("primary_language"),
    )


@blueprint.get("/desk/kb/<int:article_id>")
@needs("kb.read")
def show(article_id: int) -> str:
    """One article as staff see it, `?lang=` in one of its languages."""
    article = article_of(reading(), article_id, deleted=True)
    texts = _texts(article)
    lang = request.args.get("lang") or me().language
    text = texts.get(lang) or texts.get(article.source_lang) or next(iter(texts.values()))
    source = texts.get(article.source_lang)
    return render_template(
        "desk/kb_article.html",
        section="kb",
        article=article,
        text=text,
        texts=texts,
        source=source,
        stale=is_stale(text, source),
        html=shown_html(reading(), text, states=STAFF, address="desk"),
        category=article.category and name_of(article.category, me().language),
        products=_products(article.id),
        comments=_comments(text.id),
        cited=_cited(article.id),
        author=reading().get(User, text.user_id) if text.user_id else None,
        seconds=voice_seconds(text.voice_text),
        may_change=can(viewer(), permission_for(text.state)),
        may_delete=can(viewer(), permission_for(*(t.state for t in texts.values()))),
        states=states(),
        offered=[state for state in State if can(viewer(), permission_for(text.state, state))],
        address=public_path(text.lang, text.slug),
        offset=NUMBER_OFFSET,
        languages=LANGUAGES,
    )


@blueprint.post("/desk/kb/<int:article_id>/state")
@needs("kb.write")
def change_state(article_id: int) -> BaseResponse:
    lang = request.form.get("lang", "")
    wanted = request.form.get("state", "")
    with ext.write() as session:
        text = actions.text_of(session, article_of(session, article_id).id, lang)
        if text is None or wanted not in set(State):
            raise NotFound()
        check_may(text.state, State(wanted))
        try:
            actions.set_state(session, text, State(wanted), at=now(), actor=actor())
            learn_first(session, text, at=now(), actor=actor())
        except HelpdeskError as error:
            flash(said(error), "error")
    return redirect(f"/desk/kb/{article_id}?lang={lang}")


@blueprint.post("/desk/kb/<int:article_id>/delete")
@needs("kb.write")
def delete(article_id: int) -> BaseResponse:
    """Take the article away; the page that follows offers to put it back."""
    with ext.write() as session:
        article = article_of(session, article_id)
        rows = select(ArticleText.state).where(ArticleText.article_id == article_id)
        check_may(*session.scalars(rows))
        actions.delete_article(session, article, at=now(), actor=actor())
    return redirect(f"/desk/kb/{article_id}")


@blueprint.post("/desk/kb/<int:article_id>/undelete")
@needs("kb.write")
def undelete(article_id: int) -> BaseResponse:
    with ext.write() as session:
        article = article_of(session, article_id, deleted=True)
        rows = select(ArticleText.state).where(ArticleText.article_id == article_id)
        check_may(*session.scalars(rows))
        actions.undelete_article(session, article, at=now(), actor=actor())
    flash(_("The article is back."))
    return redirect(f"/desk/kb/{article_id}")


@blueprint.post("/desk/kb/<int:article_id>/comment")
@needs("kb.read")
def comment(article_id: int) -> BaseResponse:
    """Tell the editors what is wrong with a text."""
    lang = request.form.get("lang", "")
    said_ = request.form.get("comment", "").strip()
    with ext.write() as session:
        text = actions.text_of(session, article_of(session, article_id).id, lang)
        if text is None:
            raise NotFound()
        if said_:
            visit = f"user-{me().id}"
            at = now()
            log.rate(session, text, visit=visit, helped=False, comment=said_, at=at, actor=actor())
    if said_:
        flash(_("The editors see what you wrote."))
    else:
        flash(_("Write what is wrong or missing."), "error")
    return redirect(f"/desk/kb/{article_id}?lang={lang}")


def article_of(session: Session, article_id: int, *, deleted: bool = False) -> Article:
    """Raises NotFound."""
    article = session.get(Article, article_id)
    if article is None or (article.deleted_at is not None and not deleted):
        raise NotFound()
    return article


def check_may(*changed: State) -> None:
    """Raises NotFound where the reader may not change a text from or to these states."""
    if not can(viewer(), permission_for(*changed)):
        raise NotFound()


def _texts(article: Article) -> dict[str, ArticleText]:
    if article.deleted_at is None:
        return texts_of(reading(), article.id)
    rows = reading().scalars(select(ArticleText).where(ArticleText.article_id == article.id))
    return {text.lang: text for text in rows}


def _found(query: str, wanted: Filter, category_id: int | None) -> list[ArticleText]:
    hits = search(
        reading(),
        query,
        lang=wanted.lang or me().language,
        states=wanted.states or STAFF,
        limit=PAGE,
        category_id=category_id,
    ).items
    rows = reading().scalars(
        listed(Filter()).where(ArticleText.id.in_([hit.text_id for hit in hits]))
    )
    known = {text.id: text for text in rows}
    return [known[hit.text_id] for hit in hits if hit.text_id in known]


def _listed(wanted: Filter, view: str, lang: str | None) -> tuple[list[ArticleText], int | None]:
    query = listed(wanted)
    if view == "missing":
        query = missing(lang or str(setting("primary_language")))
    elif view != "stale" and lang is None:
        query = query.where(ArticleText.lang == Article.source_lang)
    before = request.args.get("before", "")
    if view == "viewed":
        query = query.order_by(ArticleText.views.desc(), ArticleText.id)
    elif view == "unhelpful":
        query = query.where(ArticleText.not_helped > 0)
        query = query.order_by(ArticleText.not_helped.desc(), ArticleText.id)
    else:
        query = query.order_by(ArticleText.id.desc())
        if before.isascii() and before.isdigit() and len(before) < 18:
            query = query.where(ArticleText.id < int(before))
    found = list(reading().scalars(query.limit(PAGE + 1)))
    goes_on = len(found) > PAGE and view not in ("viewed", "unhelpful")
    return found[:PAGE], found[PAGE - 1].id if goes_on else None


def _others(texts: Sequence[ArticleText]) -> dict[int, dict[str, Any]]:
    """Of each article, state and staleness of its texts by language."""
    rows = reading().execute(
        select(
            ArticleText.article_id,
            ArticleText.lang,
            ArticleText.state,
            ArticleText.version,
            ArticleText.source_version,
        ).where(ArticleText.article_id.in_({text.article_id for text in texts}))
    )
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row.article_id, {})[row.lang] = row
    return found


def _names(nodes: Sequence[Node]) -> Mapping[int, str]:
    return {node.category.id: name_of(node.category, me().language) for node in nodes}


def _products(article_id: int) -> list[str]:
    ids = actions.products_of(reading(), article_id)
    rows = select(Product.name).where(Product.id.in_(ids)).order_by(Product.sort_key)
    return list(reading().scalars(rows)) if ids else []


def _comments(text_id: int) -> list[Feedback]:
    query = select(Feedback).where(Feedback.text_id == text_id, Feedback.comment != "")
    return list(reading().scalars(query.order_by(Feedback.id.desc()).limit(COMMENTS)))


def _cited(article_id: int) -> list[Citation]:
    query = select(Citation).where(Citation.article_id == article_id)
    return list(reading().scalars(query.order_by(Citation.id.desc()).limit(COMMENTS)))
