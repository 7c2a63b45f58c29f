"""What search engines read: robots.txt, the sitemap, and data about pages for machines."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from flask import Blueprint, Response, stream_with_context
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.ext import LANGUAGES
from helpdesk.kb.models import Article, ArticleText, Category, State
from helpdesk.kb.queries import public_path
from helpdesk.lib.errors import NotFound
from helpdesk.web.cached import brand
from helpdesk.web.guard import public, reading
from helpdesk.web.portal.fresh import public_url
from helpdesk.web.portal.language import by_default

blueprint = Blueprint("portal_seo", __name__)

FORBIDDEN = (
    *("/desk", "/admin", "/supervisor", "/api/", "/outbox", "/simulator", "/login", "/events"),
    *("/t/", "/my", "/search", "/*/search", "/*?lang=", "/*&lang="),
)
ARTICLES_A_MAP = 15_000
"""Articles of one sitemap: with all languages fewer than the 50,000 addresses that may be in one
(https://www.sitemaps.org/protocol.html)."""
BATCH = 500
DAY = "public, max-age=86400"
HOUR = "public, max-age=3600"
MAP_NS = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
)


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in FORBIDDEN)]
    text = "\n".join([*lines, f"Sitemap: {public_url('/sitemap.xml')}", ""])
    return _said(text, "text/plain", DAY)


@blueprint.get("/sitemap.xml")
@public
def sitemap() -> Response:
    """All public pages; an index of several maps where one can't hold them."""
    newest = reading().scalar(select(func.max(Article.id))) or 0
    if newest <= ARTICLES_A_MAP:
        return _map(0, newest)
    parts = range(1, -(-newest // ARTICLES_A_MAP) + 1)
    maps = (f"<sitemap><loc>{public_url(f'/sitemap-{part}.xml')}</loc></sitemap>" for part in parts)
    text = f"{_HEAD}<sitemapindex {MAP_NS}>{''.join(maps)}</sitemapindex>"
    return _said(text, "application/xml", HOUR)


@blueprint.get("/sitemap-<int:part>.xml")
@public
def sitemap_part(part: int) -> Response:
    """The articles whose ids are in this part."""
    newest = reading().scalar(select(func.max(Article.id))) or 0
    first = (part - 1) * ARTICLES_A_MAP
    if part < 1 or first >= newest:
        raise NotFound()
    return _map(first, min(newest, first + ARTICLES_A_MAP))


def article(title: str, text: str, lang: str, path: str, changed: datetime) -> Markup:
    """An article (https://schema.org/Article)."""
    publisher = {"@type": "Organization", "name": brand()}
    facts = {
        "@type": "Article",
        "headline": title,
        "description": text,
        "inLanguage": lang,
        "url": public_url(path),
        "dateModified": changed.isoformat(),
        "publisher": publisher,
        "author": publisher,
    }
    return _data(facts)


def crumbs(steps: Sequence[tuple[str, str]]) -> Markup:
    """The way to a page as (name, path) (https://schema.org/BreadcrumbList)."""
    items = [
        {"@type": "ListItem", "position": n, "name": name, "item": public_url(path)}
        for n, (name, path) in enumerate(steps, 1)
    ]
    return _data({"@type": "BreadcrumbList", "itemListElement": items})


def faq(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Questions with their answers (https://schema.org/FAQPage); nothing for none."""
    questions = [
        {
            "@type": "Question",
            "name": question,
            "acceptedAnswer": {"@type": "Answer", "text": answer},
        }
        for question, answer in pairs
        if answer
    ]
    return _data({"@type": "FAQPage", "mainEntity": questions}) if questions else Markup()


def _data(facts: dict[str, Any]) -> Markup:
    """A block of data: no browser runs it, and nothing in it ends it early."""
    whole = {"@context": "https://schema.org", **facts}
    text = json.dumps(whole, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(f'<script type="application/ld+json">{text}</script>')


_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _said(text: str, mimetype: str, rule: str) -> Response:
    response = Response(text, mimetype=mimetype)
    response.headers["Cache-Control"] = rule
    return response


def _map(after: int, until: int) -> Response:
    """Written while it is sent: a process never holds it whole."""

    def parts() -> Iterator[str]:
        yield f"{_HEAD}<urlset {MAP_NS}>\n"
        with ext.session() as session:
            if after == 0:
                yield from _fixed(session)
            yield from _articles(session, after, until)
        yield "</urlset>\n"

    response = Response(stream_with_context(parts()), mimetype="application/xml")
    response.headers["Cache-Control"] = HOUR
    return response


def _fixed(session: Session) -> Iterator[str]:
    """The start page and the topics."""
    yield from _entry({lang: f"/{lang}/" for lang in LANGUAGES}, {})
    filled = select(Article.category_id).join(ArticleText).where(ArticleText.state == State.PUBLIC)
    keys = session.scalars(
        select(Category.key)
        .where(Category.id.in_(filled.where(Article.deleted_at.is_(None))))
        .order_by(Category.id)
    )
    for key in keys:
        yield from _entry({lang: f"/{lang}/topics/{key}" for lang in LANGUAGES}, {})


def _articles(session: Session, after: int, until: int) -> Iterator[str]:
    while after < until:
        end = min(after + BATCH, until)
        rows = session.execute(
            select(
                ArticleText.article_id, ArticleText.lang, ArticleText.slug, ArticleText.updated_at
            )
            .join(Article)
            .where(ArticleText.article_id > after, ArticleText.article_id <= end)
            .where(ArticleText.state == State.PUBLIC, Article.deleted_at.is_(None))
            .order_by(ArticleText.article_id, ArticleText.lang)
        )
        texts: dict[int, dict[str, tuple[str, datetime]]] = {}
        for article_id, lang, slug, changed in rows:
            texts.setdefault(article_id, {})[lang] = (public_path(lang, slug), changed)
        for one in texts.values():
            paths = {lang: path for lang, (path, _changed) in one.items()}
            yield from _entry(paths, {lang: changed for lang, (_path, changed) in one.items()})
        after = end


def _entry(paths: dict[str, str], changed: dict[str, datetime]) -> Iterator[str]:
    """One page in its languages, each naming the others."""
    beside = "".join(
        f'<xhtml:link rel="alternate" hreflang="{lang}" href="{escape(public_url(path))}"/>'
        for lang, path in (*paths.items(), ("x-default", by_default(paths)))
    )
    for lang, path in paths.items():
        when = f"<lastmod>{changed[lang]:%Y-%m-%d}</lastmod>" if lang in changed else ""
        yield f"<url><loc>{escape(public_url(path))}</loc>{when}{beside}</url>\n"
