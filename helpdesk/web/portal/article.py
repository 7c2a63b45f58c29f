"""The page of an article: its text, what is near it, and whether it helped."""

from datetime import datetime

from babel.dates import format_date
from flask import Blueprint, Response, g, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.kb import log
from helpdesk.kb.log import Opened
from helpdesk.kb.markdown import contents
from helpdesk.kb.models import Article, ArticleText, Outcome, Source, State
from helpdesk.kb.queries import find_text, public_path, shown_html
from helpdesk.kb.search import search
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, TooMany, _lazy
from helpdesk.lib.tokens import new_token, sign, verify
from helpdesk.outbox.addressing import secret
from helpdesk.web.cached import keep
from helpdesk.web.formats import zone
from helpdesk.web.guard import public, reading
from helpdesk.web.portal import fresh, nothing, seo, visit
from helpdesk.web.portal.language import (
    IN_PATH,
    ORDER,
    in_address,
    keep_choice,
    stands_at,
    to_language,
)
from helpdesk.web.portal.topics import Entry, beside, entries, topic_of

blueprint = Blueprint("portal_article", __name__)
blueprint.after_request(keep_choice)
blueprint.after_request(visit.keep)

NEAR = 5
NEAR_SECONDS = 3600.0
CONTENTS_FROM = 4
"""Headings from which a page begins with its contents."""
HELPED = "helped"
ANSWERS_AN_HOUR = 60  # of one address, behind which an office may sit
HOUR = 3600
COMMENT_LIMIT = log.MAX_COMMENT


@blueprint.app_template_filter("long_date")
def long_date(at: datetime) -> str:
    """The day with its year: "12 November 2026"."""
    return str(format_date(at.astimezone(zone()).date(), "d MMMM y", locale=g.language))


@blueprint.get("/help/<slug>")
@public
def bare(slug: str) -> BaseResponse:
    return to_language(f"/help/{slug}")


@blueprint.get(f"{IN_PATH}/help/<slug>")
@public
@in_address
def article(lang: str, slug: str) -> BaseResponse:
    """The article at this address; old addresses and keys lead on to it."""
    found = find_text(reading(), lang, slug)
    if found is None:
        return _elsewhere(reading(), lang, slug)
    if found.moved:
        return redirect(public_path(lang, found.text.slug), 301)
    text = found.text
    response = Response(_page(text))
    if visit.is_person():
        log.note(Opened(text.article_id, text.id, lang, Source.PORTAL, now(), visit.present()))
        log.after(response, ext.write)
    return response if HELPED in request.args else fresh.keep(response, fresh.SHORT)


@blueprint.post(f"{IN_PATH}/help/<slug>/helped")
@public
@in_address
def rate(lang: str, slug: str) -> BaseResponse | tuple[str, int]:
    """ "Did this help?": yes or no, and perhaps what was missing.

    The form's token is signed for the address, not for a session, so that the page can be kept and
    needs no cookie; that it comes from our page is checked by `guard.check`.
    """
    if not verify(secret(), HELPED, f"{lang}/{slug}", request.form.get("csrf_token")):
        raise HelpdeskError(_lazy("This form is not from our page. Open the article again."))
    found = find_text(reading(), lang, slug)
    said = request.form.get(HELPED, "")
    if found is None or said not in ("yes", "no"):
        raise NotFound()
    text = found.text
    try:
        _rate(text, said == "yes", request.form.get("comment", "")[:COMMENT_LIMIT])
    except TooMany as error:
        return _page(text, {"comment": _(error.message)}), error.status
    state = "told" if request.form.get("comment", "").strip() else said
    return redirect(f"{public_path(lang, text.slug)}?{HELPED}={state}#{HELPED}", 303)


ext.csrf.exempt(rate)


def _rate(text: ArticleText, helped: bool, comment: str) -> None:
    """Raises TooMany."""
    known = visit.begin()
    log.write(ext.write, all_=True)  # the search that led here
    with ext.write() as session:
        address, at = request.remote_addr or "", now()
        if not limits.allow(
            session, "kb-feedback", address, most=ANSWERS_AN_HOUR, seconds=HOUR, at=at
        ):
            raise TooMany(_lazy("That was a lot in one hour. Try again later."), retry_after=HOUR)
        mine = session.get_one(ArticleText, text.id)
        log.rate(session, mine, visit=known or new_token(18), helped=helped, comment=comment, at=at)
        if known is not None and helped:
            log.settle_search(session, known, Outcome.SOLVED, article_id=text.article_id)


def _page(text: ArticleText, errors: dict[str, str] | None = None) -> str:
    paths = _paths(reading(), text.article_id)
    missing = {lang: public_path(lang, text.article.key) for lang in ORDER if lang not in paths}
    stands_at(paths, beside=missing)
    topic = topic_of(text.article.category_id)
    way = [(_("Help"), f"/{text.lang}/")]
    way += [(one.name, one.path) for one in (*topic.above, topic)] if topic else []
    path = paths[text.lang]
    html = shown_html(reading(), text)
    headings = contents(html)
    return render_template(
        "portal/article.html",
        text=text,
        path=path,
        html=html,
        headings=headings if len(headings) >= CONTENTS_FROM else [],
        way=way,
        near=_near(text),
        helped=request.args.get(HELPED, ""),
        signed=sign(secret(), HELPED, f"{text.lang}/{text.slug}"),
        comment=request.form.get("comment", ""),
        errors=errors or {},
        data=seo.article(text.title, text.excerpt, text.lang, path, text.updated_at)
        + seo.crumbs([*way, (text.title, path)]),
    )


def _paths(session: Session, article_id: int) -> dict[str, str]:
    """Where the article stands in each language that it has."""
    query = select(ArticleText.lang, ArticleText.slug).where(
        ArticleText.article_id == article_id, ArticleText.state == State.PUBLIC
    )
    found = {lang: public_path(lang, slug) for lang, slug in session.execute(query)}
    return {lang: found[lang] for lang in ORDER if lang in found}


def _near(text: ArticleText) -> list[Entry]:
    """Articles of the same topic, those most like this one first; of all where it has no topic."""

    def find() -> list[Entry]:
        within = text.article.category_id
        like = search(reading(), text.title, lang=text.lang, limit=NEAR + 1, category_id=within)
        ids = [hit.article_id for hit in like.items]
        if within is not None and len(ids) <= NEAR:
            ids += beside(reading(), within, NEAR + 1)
        others = dict.fromkeys(id_ for id_ in ids if id_ != text.article_id)
        return entries(reading(), list(others)[:NEAR])

    return keep(("near", text.id, text.version), NEAR_SECONDS, find)


def _elsewhere(session: Session, lang: str, name: str) -> BaseResponse:
    """The article in this language under its right address; else in which languages it is."""
    article_id = session.scalar(
        select(Article.id)
        .join(ArticleText)
        .where(or_(Article.key == name, ArticleText.slug == name))
        .where(Article.deleted_at.is_(None), ArticleText.state == State.PUBLIC)
        .order_by(Article.id)
        .limit(1)
    )
    paths = _paths(session, article_id) if article_id is not None else {}
    if not paths:
        return nothing.page(name)
    if lang in paths:
        return redirect(paths[lang], 301)
    stands_at({}, beside={code: paths.get(code, f"/{code}/help/{name}") for code in ORDER})
    titles = dict(
        session.execute(
            select(ArticleText.lang, ArticleText.title).where(
                ArticleText.article_id == article_id, ArticleText.state == State.PUBLIC
            )
        ).all()
    )
    others = [(code, paths[code], titles[code]) for code in ORDER if code in paths]
    page = render_template("portal/untranslated.html", others=others, language=g.language)
    return Response(page, 404)
