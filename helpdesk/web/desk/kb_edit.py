"""The editor: a new article, a change, a translation beside its source, preview and pictures."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files
from helpdesk.accounts.permissions import can
from helpdesk.ext import LANGUAGES
from helpdesk.kb import actions, log
from helpdesk.kb.categories import flat, name_of, tree
from helpdesk.kb.checks import (
    MAX_VOICE,
    VOICE_RATE,
    VOICE_SECONDS,
    content_of,
    permission_for,
    voice_seconds,
)
from helpdesk.kb.diff import compare
from helpdesk.kb.markdown import render
from helpdesk.kb.models import Article, ArticleText, Miss, Picture, State
from helpdesk.kb.pictures import add_picture, checked_kind
from helpdesk.kb.queries import STAFF, is_stale, shown_html, version_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.products import Product
from helpdesk.tickets.queries import ticket_for
from helpdesk.web.admin.forms import page_status, wrong
from helpdesk.web.desk.kb import article_of, check_may
from helpdesk.web.desk.kb_form import Draft, chosen, draft_of, fresh_draft, number, read_draft
from helpdesk.web.desk.kb_learn import learn_first
from helpdesk.web.desk.kb_pictures import sent_picture
from helpdesk.web.desk.kb_words import states
from helpdesk.web.guard import actor, me, needs, reading, said, viewer

blueprint = Blueprint("desk_kb_edit", __name__)

MOST_PRODUCTS = 300


@blueprint.get("/desk/kb/new")
@needs("kb.write")
def new() -> str:
    """An empty editor; `?miss=` a search without a result, `?message=` an agent's answer."""
    return _page(None, None, fresh_draft())


@blueprint.post("/desk/kb/new")
@needs("kb.write")
def create() -> BaseResponse | tuple[str, int] | str:
    draft = read_draft(request.form.get("lang", ""))
    if "preview" in request.form:
        return _page(None, None, draft, preview=True)
    try:
        draft = _with_picture(draft)
        check_may(_state(draft))
        with ext.write() as session:
            text = _create(session, draft)
            article_id = text.article_id
    except HelpdeskError as error:
        return _page(None, None, draft, wrong(error)), page_status(error)
    return redirect(f"/desk/kb/{article_id}?lang={draft.lang}")


@blueprint.get("/desk/kb/<int:article_id>/edit")
@needs("kb.write")
def edit(article_id: int) -> str:
    """`?lang=`: the text, or a translation that is still to be written."""
    article = article_of(reading(), article_id)
    lang = request.args.get("lang") or article.source_lang
    if lang not in LANGUAGES:
        raise NotFound()
    text = actions.text_of(reading(), article_id, lang)
    check_may(text.state if text else State.DRAFT)
    return _page(article, text, draft_of(article, text, lang))


@blueprint.post("/desk/kb/<int:article_id>/edit")
@needs("kb.write")
def save(article_id: int) -> BaseResponse | tuple[str, int] | str:
    """Save; what somebody else changed meanwhile is shown beside what was typed."""
    draft = read_draft(request.form.get("lang", ""))
    if draft.lang not in LANGUAGES:
        raise NotFound()
    if "preview" in request.form:
        return _again(article_id, draft, preview=True)
    try:
        draft = _with_picture(draft)
        with ext.write() as session:
            _save(session, article_of(session, article_id), draft)
    except Conflict as error:
        return _again(article_id, draft, wrong(error), conflict=True), 409
    except HelpdeskError as error:
        return _again(article_id, draft, wrong(error)), page_status(error)
    flash(_("Saved."))
    return redirect(f"/desk/kb/{article_id}?lang={draft.lang}")


@blueprint.post("/desk/kb/preview")
@needs("kb.write")
def preview() -> str:
    """What the text will look like, for the editor's script."""
    html, error = _previewed(read_draft(request.form.get("lang", "")))
    return render_template("desk/_kb_preview.html", html=html, error=error)


@blueprint.post("/desk/kb/pictures")
@needs("kb.write")
def upload() -> BaseResponse:
    """A picture for the editor's script, as the Markdown that shows it."""
    picture = _store_picture()
    if picture is None:
        raise HelpdeskError(_lazy("Choose a picture."), field="picture")
    return jsonify(markdown=_markdown(picture))


def _create(session: Session, draft: Draft) -> ArticleText:
    ticket_id = number(draft.ticket)
    if ticket_id is not None:
        ticket_for(session, viewer(), ticket_id, "ticket.read")
    at = now()
    text = actions.create_article(
        session,
        draft.content(),
        lang=draft.lang,
        category_id=chosen(draft.category, "category"),
        tags=draft.tags.split(","),
        product_ids=_product_ids(draft),
        state=_state(draft),
        from_ticket_id=ticket_id,
        at=at,
        actor=actor(),
    )
    miss = session.get(Miss, number(draft.miss) or 0)
    if miss is not None:
        log.settle_miss(session, miss, at=at, article_id=text.article_id)
    learn_first(session, text, at=at, actor=actor())
    return text


def _save(session: Session, article: Article, draft: Draft) -> None:
    at, by = now(), actor()
    text = actions.text_of(session, article.id, draft.lang)
    state = _state(draft)
    if text is None:
        check_may(state)
        text = actions.add_translation(
            session,
            article,
            draft.content(),
            lang=draft.lang,
            state=state,
            source_version=number(draft.source_version),
            at=at,
            actor=by,
        )
    else:
        chooses = draft.state != draft.seen_state
        check_may(text.state, state if chooses else text.state)
        actions.change_text(
            session,
            text,
            draft.content(),
            version=number(draft.version) or 0,
            source_version=number(draft.source_version) if draft.agrees else None,
            minor=draft.minor,
            at=at,
            actor=by,
        )
        if chooses:
            actions.set_state(session, text, state, at=at, actor=by)
    actions.change_article(
        session,
        article,
        category_id=chosen(draft.category, "category"),
        tags=draft.tags.split(","),
        product_ids=_product_ids(draft),
        at=at,
        actor=by,
    )
    learn_first(session, text, at=at, actor=by)


def _state(draft: Draft) -> State:
    return State(draft.state) if draft.state in set(State) else State.DRAFT


def _product_ids(draft: Draft) -> set[int]:
    found = (chosen(id_, "products") for id_ in draft.products)
    return {id_ for id_ in found if id_ is not None}


def _with_picture(draft: Draft) -> Draft:
    """Without a script a picture comes with the form and stands at the end of the text."""
    picture = _store_picture()
    if picture is None:
        return draft
    return replace(draft, body=f"{draft.body.rstrip()}\n\n{_markdown(picture)}\n")


def _store_picture() -> Picture | None:
    sent = sent_picture()
    if sent is None:
        return None
    data = sent.read()
    kind = checked_kind(data)
    sha256 = files.put(data)
    with ext.write() as session:
        return add_picture(
            session,
            sha256=sha256,
            size=len(data),
            kind=kind,
            filename=sent.filename or "",
            at=now(),
            actor=actor(),
        )


def _markdown(picture: Picture) -> str:
    name = picture.filename.rpartition(".")[0] or picture.filename
    words = "".join(char for char in name if char not in "[]\\").replace("_", " ")
    return f"![{words}](picture:{picture.id})"


def _previewed(draft: Draft) -> tuple[str, str]:
    """(HTML, what is wrong)."""
    try:
        html = render(draft.body).html
    except HelpdeskError as error:
        return "", said(error)
    text = ArticleText(body_html=html, lang=draft.lang)
    return shown_html(reading(), text, states=STAFF, address="desk"), ""


def _again(
    article_id: int,
    draft: Draft,
    errors: dict[str, str] | None = None,
    *,
    conflict: bool = False,
    preview: bool = False,
) -> str:
    article = article_of(reading(), article_id)
    text = actions.text_of(reading(), article_id, draft.lang)
    theirs = text if conflict else None
    if conflict and text is not None:
        # Who has seen both may save over it.
        draft = replace(draft, version=str(text.version))
    return _page(article, text, draft, errors, theirs=theirs, preview=preview)


def _page(
    article: Article | None,
    text: ArticleText | None,
    draft: Draft,
    errors: dict[str, str] | None = None,
    *,
    theirs: ArticleText | None = None,
    preview: bool = False,
) -> str:
    html, problem = _previewed(draft) if preview else ("", "")
    return render_template(
        "desk/kb_edit.html",
        section="kb",
        article=article,
        text=text,
        draft=draft,
        errors=(errors or {}) | ({"body": problem} if problem else {}),
        theirs=theirs and _differences(theirs, draft),
        preview=html,
        previewed=preview,
        source=_source(article, draft) if article else None,
        categories=[
            (str(node.category.id), "\u2003" * node.depth + name_of(node.category, me().language))
            for node in flat(tree(reading()))
        ],
        products=_products(draft),
        states=_states(draft),
        seconds=voice_seconds(draft.voice),
        voice={"rate": VOICE_RATE, "seconds": VOICE_SECONDS, "limit": MAX_VOICE},
        languages=LANGUAGES,
    )


def _source(article: Article, draft: Draft) -> dict[str, Any] | None:
    """The source text beside a translation, and what changed in it since it was agreed with."""
    if draft.lang == article.source_lang:
        return None
    source = actions.text_of(reading(), article.id, article.source_lang)
    if source is None:
        return None
    mine = actions.text_of(reading(), article.id, draft.lang)
    old = None
    if mine is not None and mine.source_version is not None and is_stale(mine, source):
        old = version_of(reading(), source.id, mine.source_version)
    return {
        "text": source,
        "html": shown_html(reading(), source, states=STAFF, address="desk"),
        "changes": old and compare(old.body_markdown, source.body_markdown),
        "title": old and old.title != source.title and compare(old.title, source.title),
    }


def _differences(theirs: ArticleText, draft: Draft) -> list[tuple[str, Any]]:
    """Field by field what saving would change in what somebody else saved."""
    saved, typed = content_of(theirs), draft.content()
    pairs = (
        (_("Title"), saved.title, typed.title),
        (_("Text"), saved.body, typed.body.replace("\r\n", "\n").strip("\n")),
        (_("Keywords"), ", ".join(saved.keywords), draft.keywords),
        (_("Text for the phone"), saved.voice, typed.voice),
    )
    return [(label, compare(old, new)) for label, old, new in pairs if old != new]


def _states(draft: Draft) -> list[tuple[str, str]]:
    """Those that the reader may choose."""
    seen = State(draft.seen_state) if draft.seen_state in set(State) else State.DRAFT
    return [
        (state.value, word)
        for state, word in states().items()
        if state == seen or can(viewer(), permission_for(seen, state))
    ]


def _products(draft: Draft) -> list[tuple[str, str]]:
    query = select(Product.id, Product.name).where(Product.active.is_(True))
    rows = reading().execute(query.order_by(Product.sort_key).limit(MOST_PRODUCTS)).all()
    shown = {str(id_): name for id_, name in rows}
    more = [number(id_) for id_ in draft.products if id_ not in shown]
    if more:
        rows = reading().execute(select(Product.id, Product.name).where(Product.id.in_(more))).all()
        shown |= {str(id_): name for id_, name in rows}
    return list(shown.items())
