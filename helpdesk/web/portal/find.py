"""Search of readers: the list under the field while they type, and the page of what was found."""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.ext import LANGUAGES
from helpdesk.kb import extract, log
from helpdesk.kb.log import Asked
from helpdesk.kb.models import ArticleText, Source
from helpdesk.kb.queries import public_path, shown_html
from helpdesk.kb.search import Hit, Results, search
from helpdesk.lib.clock import now
from helpdesk.lib.text import clean_line
from helpdesk.web.guard import public, reading
from helpdesk.web.portal import visit
from helpdesk.web.portal.language import (
    IN_PATH,
    in_address,
    keep_choice,
    speak,
    speak_in,
    stands_at,
)
from helpdesk.web.site import guest_language

blueprint = Blueprint("portal_find", __name__)
blueprint.after_request(visit.keep)

LONGEST = 300
TYPING, WHOLE = 5, 12
FAR = 0.3
"""What scores less than this part of the first is not shown: it only shares a common word."""
_PARAGRAPH = re.compile(r"<(p|ul|ol)>.*?</\1>", re.S)

Marks = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Shown:
    """A hit as it is read, the asked words marked."""

    id: int
    path: str
    title: Markup
    excerpt: Markup
    lang: str


@dataclass(frozen=True)
class Direct:
    """The article that most likely answers: its first paragraph, safe HTML."""

    path: str
    title: str
    html: Markup
    more: bool


@blueprint.after_request
def _keep(response: Response) -> Response:
    """A language in the address alone is no choice."""
    return keep_choice(response) if "lang" in (request.view_args or {}) else response


@blueprint.get(f"{IN_PATH}/search")
@public
@in_address
def find(lang: str) -> BaseResponse:
    """What was found for `q`. `HX-Request`: the list alone, its last word perhaps unfinished;
    with `done` the reader has stopped typing, and only that is noted.
    """
    return _answer()


@blueprint.get("/search")
@public
def bare() -> BaseResponse:
    """The same in the language of `lang`, else in the reader's."""
    lang = request.args.get("lang", "")
    if lang in LANGUAGES:
        speak_in(lang)
    else:
        speak(guest_language())
    return _answer()


def _answer() -> BaseResponse:
    query = clean_line(request.args.get("q", ""), LONGEST)
    is_part = "HX-Request" in request.headers
    is_done = not is_part or "done" in request.args
    results = _search(query, is_done)
    if is_done and query:
        _note(query, results)
    if is_part and is_done:
        return log.after(make_response("", 204), ext.write)
    stands_at({}, beside={code: f"/{code}/search?{urlencode({'q': query})}" for code in LANGUAGES})
    shown = [_shown(hit, query) for hit in results.items]
    values = {"query": query, "hits": shown, "missed": results.missed}
    if is_part:
        return make_response(render_template("portal/_hits.html", **values))
    direct = _direct(results)
    if direct is not None:
        values["hits"] = shown[1:]
    page = render_template("portal/find.html", answer=direct, **values)
    return log.after(make_response(page), ext.write)


def _search(query: str, is_done: bool) -> Results:
    if not query:
        return Results([], None, missed=False)
    limit = WHOLE if is_done else TYPING
    found = search(reading(), query, lang=g.language, limit=limit, typing=not is_done)
    least = FAR * found.items[0].score if found.items else 0
    return replace(found, items=[hit for hit in found.items if hit.score >= least])


def _note(query: str, results: Results) -> None:
    """Half-typed words are not noted: what nobody meant would look like a miss."""
    if visit.is_person():
        found, missed = len(results.items), results.missed
        known = visit.begin()
        log.note(Asked(query, g.language, Source.PORTAL, found, now(), missed, known))


def _shown(hit: Hit, query: str) -> Shown:
    asked = extract.asked_words(query, hit.lang)
    title = tuple(extract.marks(hit.title, asked, hit.lang)) if asked else ()
    return Shown(
        hit.article_id,
        public_path(hit.lang, hit.slug),
        marked(hit.title, title),
        marked(hit.excerpt, hit.marks),
        hit.lang,
    )


def marked(text: str, places: Marks) -> Markup:
    """The text as HTML with these places (begin, end) marked."""
    parts, at = Markup(), 0
    for begin, end in places:
        parts += escape(text[at:begin]) + Markup("<mark>%s</mark>") % text[begin:end]
        at = end
    return parts + escape(text[at:])


def _direct(results: Results) -> Direct | None:
    """What the base is sure enough of to answer by itself."""
    if results.answer is None:
        return None
    text = reading().get(ArticleText, results.items[0].text_id)
    if text is None:
        return None
    whole = shown_html(reading(), text)
    first = _PARAGRAPH.search(whole)
    html = first.group() if first else str(escape(text.excerpt))
    return Direct(
        public_path(text.lang, text.slug), text.title, Markup(html), more=len(html) < len(whole)
    )
