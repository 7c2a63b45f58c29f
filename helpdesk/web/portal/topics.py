"""Topics: the tree of categories as readers see it, and the page of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import Blueprint, Response, g, render_template, request
from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.ext import LANGUAGES
from helpdesk.kb.categories import Node, name_of, tree
from helpdesk.kb.models import Article, ArticleText, State
from helpdesk.kb.queries import counts_by_category, public_path
from helpdesk.web.cached import keep, setting
from helpdesk.web.guard import public, reading
from helpdesk.web.portal import fresh, nothing, seo
from helpdesk.web.portal.language import (
    IN_PATH,
    in_address,
    keep_choice,
    stands_at,
    to_language,
)

blueprint = Blueprint("portal_topics", __name__)
blueprint.after_request(keep_choice)

SECONDS = 30.0
PAGE = 30


@dataclass(frozen=True)
class Topic:
    """A category in one language; `count`: public articles in it and below, in any language."""

    id: int
    key: str
    name: str
    icon: str
    count: int
    path: str
    above: tuple["Topic", ...] = ()
    below: list["Topic"] = field(default_factory=list)

    @property
    def crumb(self) -> tuple[str, str]:
        """Its link in a way."""
        return self.name, self.path


@dataclass(frozen=True)
class Entry:
    """An article in a list, in the reader's language or the one that it has."""

    path: str
    title: str
    excerpt: str
    lang: str


def topics() -> list[Topic]:
    """The topmost topics that have answers, in the language of this request."""
    return [topic for topic in _all()[0] if topic.count]


def topic_of(category_id: int | None) -> Topic | None:
    """The topic of an article."""
    return _all()[1].get(category_id) if category_id is not None else None


def entries(session: Session, article_ids: list[int]) -> list[Entry]:
    """The public texts of these articles, one each, in their order."""
    query = select(
        ArticleText.article_id,
        ArticleText.lang,
        ArticleText.slug,
        ArticleText.title,
        ArticleText.excerpt,
    ).where(ArticleText.article_id.in_(article_ids), ArticleText.state == State.PUBLIC)
    texts: dict[int, dict[str, Entry]] = {}
    for article_id, lang, slug, title, excerpt in session.execute(query):
        entry = Entry(public_path(lang, slug), title, excerpt, lang)
        texts.setdefault(article_id, {})[lang] = entry
    return [_in_reach(texts[id_]) for id_ in article_ids if id_ in texts]


@blueprint.get("/topics/<key>")
@public
def bare(key: str) -> BaseResponse:
    return to_language(f"/topics/{key}")


@blueprint.get(f"{IN_PATH}/topics/<key>")
@public
@in_address
def topic(lang: str, key: str) -> Response | tuple[str, int]:
    """Its subtopics and its articles, a page at a time."""
    found = next((one for one in _all()[1].values() if one.key == key), None)
    if found is None:
        return nothing.page(key)
    stands_at({code: f"/{code}/topics/{key}" for code in LANGUAGES})
    ids, more = _page(reading(), found.id, request.args.get("after", ""))
    listed = entries(reading(), ids)
    page = render_template(
        "portal/topic.html",
        topic=found,
        below=[one for one in found.below if one.count],
        entries=listed,
        more=more,
        data=seo.faq([(one.title, one.excerpt) for one in listed if one.lang == lang]),
    )
    return fresh.keep(Response(page), fresh.SHORT)


def _all() -> tuple[list[Topic], dict[int, Topic]]:
    return keep(("topics", g.language), SECONDS, lambda: _read(reading(), str(g.language)))


def _read(session: Session, lang: str) -> tuple[list[Topic], dict[int, Topic]]:
    primary = str(setting("primary_language"))
    known: dict[int, Topic] = {}

    def made(node: Node, above: tuple[Topic, ...]) -> Topic:
        row = node.category
        name, path = name_of(row, lang, primary), f"/{lang}/topics/{row.key}"
        one = Topic(row.id, row.key, name, row.icon, node.count, path, above)
        known[row.id] = one
        one.below.extend(made(child, (*above, one)) for child in node.children)
        return one

    return [made(node, ()) for node in tree(session, counts_by_category(session))], known


def beside(session: Session, category_id: int, most: int) -> list[int]:
    """Ids of the first of the category's own public articles."""
    return [row.id for row in _rows(session, category_id, most, "")]


def _page(session: Session, category_id: int, after: str) -> tuple[list[int], str]:
    """Ids of a page of articles, and where the next one begins ("" for none)."""
    rows = _rows(session, category_id, PAGE + 1, after)
    more = "~".join(str(part) for part in rows[PAGE - 1]) if len(rows) > PAGE else ""
    return [row.id for row in rows[:PAGE]], more


def _rows(session: Session, category_id: int, most: int, after: str) -> Sequence[Row[int, int]]:
    """(position, id) of the category's own public articles."""
    shown = (
        select(ArticleText.article_id)
        .where(ArticleText.article_id == Article.id, ArticleText.state == State.PUBLIC)
        .exists()
    )
    query = select(Article.position, Article.id).where(
        Article.category_id == category_id, Article.deleted_at.is_(None), shown
    )
    place = _place(after)
    if place is not None:
        later = and_(Article.position == place[0], Article.id > place[1])
        query = query.where(or_(Article.position > place[0], later))
    return session.execute(query.order_by(Article.position, Article.id).limit(most)).all()


def _place(text: str) -> tuple[int, int] | None:
    """What `_page` gave as the place to go on; None for anything else."""
    parts = text.split("~")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        return None
    return int(parts[0]), int(parts[1])


def _in_reach(texts: Mapping[str, Entry]) -> Entry:
    order = (str(g.language), str(setting("primary_language")), *LANGUAGES)
    return next(texts[lang] for lang in order if lang in texts)
