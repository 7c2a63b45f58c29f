"""Beside a ticket: articles that may answer it, put into the reply, and what is learned by that."""

from flask import Blueprint, jsonify, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.kb import citing
from helpdesk.kb.markdown import render
from helpdesk.kb.models import ArticleText, Citation, State
from helpdesk.kb.queries import public_path
from helpdesk.kb.search import search, suggest
from helpdesk.lib.clock import now
from helpdesk.lib.text import clean_line
from helpdesk.outbox.addressing import public_url
from helpdesk.tickets.queries import ticket_for, ticket_id_of
from helpdesk.web.desk.kb import article_of
from helpdesk.web.desk.kb_form import number as id_in
from helpdesk.web.desk.kb_learn import cite_in, last_words
from helpdesk.web.guard import actor, needs, reading, viewer

blueprint = Blueprint("desk_kb_beside", __name__)

SUGGESTED = 4
SHOWN = (State.PUBLIC, State.INTERNAL)
QUERY_LIMIT = 300


@blueprint.get("/desk/t/<number>/articles")
@needs("kb.read")
def articles(number: str) -> str:
    """Articles for the client's last words, or for `?q=`; asked for once the page is there."""
    ticket = ticket_for(reading(), viewer(), ticket_id_of(number), "ticket.read")
    query = clean_line(request.args.get("q", ""), QUERY_LIMIT)
    if query:
        hits = search(
            reading(), query, lang=ticket.language, states=SHOWN, limit=SUGGESTED, typing=True
        ).items
    else:
        words = last_words(reading(), ticket)
        hits = suggest(reading(), words, ticket.language, SUGGESTED, states=SHOWN) if words else []
    ids = [hit.text_id for hit in hits]
    rows = reading().scalars(select(ArticleText).where(ArticleText.id.in_(ids)))
    texts = {text.id: text for text in rows}
    cited = select(Citation.article_id).where(Citation.ticket_id == ticket.id)
    return render_template(
        "desk/_kb_articles.html",
        number=number,
        q=query,
        hits=hits,
        words={id_: render(text.body_markdown).text for id_, text in texts.items()},
        addresses={
            hit.text_id: public_url() + public_path(hit.lang, hit.slug)
            for hit in hits
            if hit.state == State.PUBLIC
        },
        cited=set(reading().scalars(cited)),
    )


@blueprint.post("/desk/t/<number>/cite")
@needs("ticket.answer")
def cite(number: str) -> BaseResponse:
    """Say that an article answered this ticket (`off`: that it did not)."""
    article_id = id_in(request.form.get("article")) or 0
    off = request.form.get("off") == "1"
    with ext.write() as session:
        ticket_id = ticket_id_of(number)
        ticket = ticket_for(session, viewer(), ticket_id, "ticket.answer", change=True)
        article = article_of(session, article_id)
        if off:
            citing.uncite(session, ticket.id, article.id)
        else:
            cite_in(session, ticket, article, at=now(), by=actor())
    return jsonify(cited=not off)
