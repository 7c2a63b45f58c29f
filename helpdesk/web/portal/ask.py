"""/ask: a customer asks us; what is sent is on the disk before we say that we have it.

The form needs no cookie: its token is signed for it, so that a lost session loses no text, and the
same form stands in pages of others (`embed.py`). A browser that takes one is told which form it has
sent: going back opens a new form around the old text, and sending that again is no second request.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from flask import Blueprint, current_app, g, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.ext import LANGUAGES
from helpdesk.intake import form
from helpdesk.intake.form import Entry, Taken
from helpdesk.kb import log as kb_log
from helpdesk.kb.citing import without_people
from helpdesk.kb.log import Asked
from helpdesk.kb.models import Article, ArticleText, Outcome, Source, State
from helpdesk.kb.queries import shown_html
from helpdesk.kb.search import Hit, search
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.products import NAME_LIMIT, find_products
from helpdesk.tickets.models import Ticket
from helpdesk.web.guard import public, reading, said
from helpdesk.web.portal import asked, form_token, link, visit
from helpdesk.web.portal.asked import NAME, Typed
from helpdesk.web.portal.files import store
from helpdesk.web.portal.find import FAR
from helpdesk.web.portal.language import keep_choice, speak, speak_in, stands_at
from helpdesk.web.portal.reach import reach
from helpdesk.web.site import guest_language

log = structlog.get_logger()
blueprint = Blueprint("portal_ask", __name__)
blueprint.after_request(keep_choice)
blueprint.after_request(visit.keep)

SUGGESTED = 3
LOOKED_AT = 1_000  # characters of a text for which articles are looked for
FEWEST = 8  # fewer say nothing
LONGEST = 200  # characters of a token that is looked at
SENT_COOKIE, SENT_SECONDS = "sent", 3_600  # the token of the form that this browser has sent


@dataclass(frozen=True)
class Suggestion:
    """An article that may answer, to be opened in place; `html` is safe."""

    id: int
    title: str
    lang: str
    html: str


@blueprint.get("/ask")
@public
def show() -> str:
    """The empty form; `q` is a question that the reader has searched for."""
    speak(guest_language())
    question = clean_line(request.args.get("q", ""), LOOKED_AT)
    return page(Typed(text=question), suggestions=suggestions(question))


@blueprint.post("/ask")
@public
def send() -> BaseResponse | tuple[str, int]:
    """Take the form; the answer is the page of the ticket, or the form with what is wrong."""
    _speak_as_form()
    return taken_from("ask")


@blueprint.get("/ask/kept")
@public
def kept() -> str:
    """What a form becomes that could not be made a ticket yet."""
    speak(guest_language())
    return render_template("portal/kept.html", reach=reach())


@blueprint.get("/ask/suggest")
@public
def suggest() -> BaseResponse:
    """Articles for what is being typed, as a part of the page; `done`: the writer has paused."""
    _speak_as_form()
    text = clean_line(request.args.get("q", ""), LOOKED_AT)
    found = suggestions(text)
    response = make_response(render_template("portal/_suggested.html", suggestions=found))
    known = request.args.get("visit", "")[:32]
    if found and known and visit.is_person():
        query = without_people(text, ())
        kb_log.note(Asked(query, g.language, Source.FORM, len(found), now(), False, known))
        kb_log.after(response, ext.write)
    return response


@blueprint.get("/ask/products")
@public
def products() -> str:
    """Names of products for the list beside the field."""
    text = clean_line(request.args.get("q", ""), NAME_LIMIT)
    found = find_products(reading(), text, limit=20)
    return render_template("portal/_products.html", names=[one.name for one in found])


@blueprint.post("/ask/solved")
@public
def solved() -> BaseResponse:
    """An article answered the question, so that the form need not be sent."""
    _speak_as_form()
    token = request.form.get("csrf_token", "")
    article_id = request.form.get("article", "")
    if form_token.age(NAME, token, now()) is None or not article_id.isdecimal():
        raise HelpdeskError(_lazy("The page was open for long. Open it again."))
    _count_solved(_visit(token), int(article_id[:15]))
    return make_response(render_template("portal/answered.html"))


for view in (send, solved):
    ext.csrf.exempt(view)


def taken_from(where: str) -> BaseResponse | tuple[str, int]:
    """Take the form of this request; `where`: "ask" or "embed", the page it is on."""
    at, what = now(), asked.typed()
    token = request.form.get("csrf_token", "")
    age = form_token.age(NAME, token, at)
    try:
        asked.check_flood(reading(), _address(), at)
    except TooMany as error:
        return page(replace(what, errors={"text": said(error)}), where=where), error.status
    entry, errors = asked.checked(what)
    if age is None:
        note = _("The page was open for long. Nothing was sent yet: look at your text and send it.")
        return page(replace(what, errors={"token": note}), where=where), 400
    if errors:
        return page(replace(what, errors=errors), where=where, token=token), 400
    try:
        entry = asked.with_files(entry, store(request.files.getlist("files")))
        entry = replace(entry, visit=_visit(token))
        taken = _take(entry, token, trap=what.trap, age=age, at=at)
    except HelpdeskError as error:
        errors = {error.field or "text": said(error)}
        return page(replace(what, errors=errors), where=where, token=token), error.status
    except (SQLAlchemyError, OSError):
        log.exception("form.not_kept")
        note = _(
            "Nothing was sent: we cannot take it now. Your text is kept here; try in a minute."
        )
        return page(replace(what, errors={"token": note}), where=where, token=token), 503
    response = _thanks(taken, where)
    if taken.fresh and where == "ask":
        _remember(response, token)
    return response


def suggestions(text: str) -> list[Suggestion]:
    """At most three articles that most likely answer; none where the base is not sure at all."""
    if len(text) < FEWEST:
        return []
    found = search(reading(), text, lang=g.language, limit=SUGGESTED)
    if found.missed or not found.items:
        return []
    least = FAR * found.items[0].score
    shown = [_suggestion(hit) for hit in found.items if hit.score >= least]
    return [one for one in shown if one is not None]


def page(
    what: Typed,
    *,
    where: str = "ask",
    token: str = "",
    suggestions: list[Suggestion] | None = None,
) -> str:
    """The form with what was typed. A `token` that is still good stays: it is the form's nonce."""
    stands_at({}, beside={code: f"/{where_path(where)}" for code in LANGUAGES})
    names, more = asked.offered_products()
    token = token or form_token.make(NAME, now())
    return render_template(
        "portal/embedded.html" if where == "embed" else "portal/ask.html",
        what=what,
        token=token,
        visit=_visit(token),
        action=f"/{where_path(where)}",
        groups=asked.reason_groups(),
        products=names,
        more_products=more,
        suggestions=suggestions or [],
        promise=reach().by,
    )


def where_path(where: str) -> str:
    return "embed/ask" if where == "embed" else "ask"


def _take(entry: Entry, token: str, *, trap: str, age: int, at: datetime) -> Taken:
    nonce = form_token.random_part(token)
    kb_log.write(ext.write, all_=True)  # the searches that led here
    with ext.write() as session:
        earlier = form_token.random_part(request.cookies.get(SENT_COOKIE, "")[:LONGEST])
        before = form.known(session, entry, nonce) or form.known(session, entry, earlier)
        if before is not None:
            return before
        doubt = asked.doubt(session, entry, trap=trap, age=age, address=_address(), at=at)
        return form.take(session, entry, nonce, at=at, doubt=doubt)


def _remember(response: BaseResponse, token: str) -> None:
    response.set_cookie(
        SENT_COOKIE,
        token,
        max_age=SENT_SECONDS,
        path="/ask",
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )


def _thanks(taken: Taken, where: str) -> BaseResponse:
    """The conversation is the thank-you page; without a ticket, a page that says what follows."""
    folder = "/embed" if where == "embed" else "/ask"
    with ext.session() as session:
        ticket = session.get(Ticket, taken.ticket_id) if taken.ticket_id else None
        if ticket is None:
            return redirect(f"{folder}/kept?lang={g.language}", 303)
        path = link.path_of(ticket, proven=False)
    if where == "embed":
        return redirect(f"/embed{path}?lang={g.language}", 303)
    return redirect(f"{path}?sent", 303)


def _suggestion(hit: Hit) -> Suggestion | None:
    text = reading().get(ArticleText, hit.text_id)
    if text is None:
        return None
    return Suggestion(hit.article_id, text.title, text.lang, shown_html(reading(), text))


def _count_solved(known: str, article_id: int) -> None:
    kb_log.write(ext.write, all_=True)  # the search that found it
    with ext.write() as session:
        article = session.get(Article, article_id)
        if article is None or article.deleted_at is not None:
            return
        if not any(text.state == State.PUBLIC for text in article.texts):
            return
        kb_log.settle_search(
            session, known, Outcome.SOLVED, article_id=article_id, source=Source.FORM
        )


def _speak_as_form() -> None:
    """A form that was sent speaks the language it was shown in, cookie or not."""
    wanted = request.values.get("lang", "")
    if wanted in LANGUAGES:
        speak_in(wanted)
    else:
        speak(guest_language())


def _visit(token: str) -> str:
    """The reader's visit where it may be followed, else one for this opened form alone."""
    return visit.present() or form_token.random_part(token)


def _address() -> str:
    return request.remote_addr or ""
