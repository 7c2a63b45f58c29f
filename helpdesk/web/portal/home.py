"""The start page: search, topics, answers that many read, and how to reach a person."""

from flask import Blueprint, Response, g, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.kb.models import Article, ArticleText, State
from helpdesk.web.cached import keep
from helpdesk.web.guard import public, reading
from helpdesk.web.portal import fresh, nothing, seo
from helpdesk.web.portal.language import (
    IN_PATH,
    alternates,
    ask_path,
    by_default,
    in_address,
    keep_choice,
    speak,
    stands_at,
    switch,
)
from helpdesk.web.portal.reach import reach
from helpdesk.web.portal.topics import Entry, entries, topics
from helpdesk.web.site import guest_language

blueprint = Blueprint("portal_home", __name__)
blueprint.after_request(keep_choice)
for helper in (alternates, ask_path, by_default, switch, fresh.public_url):
    blueprint.add_app_template_global(helper)

MOST_READ = 6
SECONDS = 60.0


@blueprint.get("/")
@public
def home() -> Response:
    """The start page in the language of this reader."""
    speak(guest_language())
    return _page()


@blueprint.get(f"{IN_PATH}/")
@public
@in_address
def home_in(lang: str) -> Response:
    """The start page in this language."""
    return _page()


@blueprint.get(f"{IN_PATH}/<path:rest>")
@public
@in_address
def nowhere(lang: str, rest: str) -> BaseResponse:
    """An address that leads nowhere; its words are looked for."""
    return nothing.page(rest)


def _page() -> Response:
    stands_at({code: f"/{code}/" for code in ("uk", "ru", "en")})
    known = keep(("most-read", g.language), SECONDS, lambda: _most_read(reading(), g.language))
    page = render_template(
        "portal/home.html",
        topics=topics(),
        most_read=known,
        reach=reach(),
        data=seo.faq([(one.title, one.excerpt) for one in known if one.lang == g.language]),
    )
    return fresh.keep(Response(page), fresh.ASK_ALWAYS)


def _most_read(session: Session, lang: str) -> list[Entry]:
    ids = session.scalars(
        select(ArticleText.article_id)
        .join(Article)
        .where(ArticleText.lang == lang, ArticleText.state == State.PUBLIC)
        .where(Article.deleted_at.is_(None))
        .order_by(ArticleText.views.desc(), ArticleText.id)
        .limit(MOST_READ)
    )
    return entries(session, list(ids))
