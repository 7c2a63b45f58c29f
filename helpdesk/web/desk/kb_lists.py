"""What editors work through: searches without a result, and what readers said of articles."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.ext import LANGUAGES
from helpdesk.kb import log
from helpdesk.kb.models import Article, Feedback, Miss
from helpdesk.kb.queries import article_at, comments
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.lib.text import clean_line
from helpdesk.web.desk.kb_form import number
from helpdesk.web.guard import needs, reading

blueprint = Blueprint("desk_kb_lists", __name__)

PAGE = 100


@blueprint.get("/desk/kb/searches")
@needs("kb.read")
def searches() -> str:
    """What readers looked for in vain, most often first; `?settled=1` what was dealt with."""
    log.write(ext.write)
    settled = request.args.get("settled") == "1"
    lang = request.args.get("lang") if request.args.get("lang") in LANGUAGES else None
    query = select(Miss).where(
        Miss.settled_at.is_not(None) if settled else Miss.settled_at.is_(None)
    )
    if lang:
        query = query.where(Miss.lang == lang)
    order = Miss.settled_at.desc() if settled else Miss.times.desc()
    misses = list(reading().scalars(query.order_by(order, Miss.id.desc()).limit(PAGE)))
    ids = {miss.article_id for miss in misses if miss.article_id is not None}
    keys = select(Article.id, Article.key).where(Article.id.in_(ids))
    undo = number(request.args.get("undo"))
    return render_template(
        "desk/kb_searches.html",
        section="kb",
        misses=misses,
        keys=dict(reading().execute(keys).all()) if ids else {},
        settled=settled,
        lang=lang,
        languages=LANGUAGES,
        undo=reading().get(Miss, undo) if undo else None,
    )


@blueprint.post("/desk/kb/searches/<int:miss_id>")
@needs("kb.write")
def settle(miss_id: int) -> BaseResponse:
    """Let a search go, say which article answers it, or put it back on the list."""
    key = clean_line(request.form.get("article", ""), 80)
    with ext.write() as session:
        miss = session.get(Miss, miss_id)
        if miss is None:
            raise NotFound()
        article = article_at(session, key) if key else None
        if key and article is None:
            flash(_("There is no article %(key)s.", key=key), "error")
            return redirect("/desk/kb/searches")
        back = request.form.get("back") == "1"
        answer = article.id if article is not None else None
        log.settle_miss(session, miss, at=None if back else now(), article_id=answer)
    return redirect("/desk/kb/searches" if back else f"/desk/kb/searches?undo={miss_id}")


@blueprint.get("/desk/kb/feedback")
@needs("kb.read")
def feedback() -> str:
    """Answers to "Did this help?", newest first; `?all=1` also those without a comment."""
    everything = request.args.get("all") == "1"
    query = comments(unhelpful=not everything)
    if not everything:
        query = query.where(Feedback.comment != "")
    before = number(request.args.get("before"))
    if before is not None:
        query = query.where(Feedback.id < before)
    rows = reading().execute(query.limit(PAGE + 1)).all()
    more = rows[PAGE - 1][0].id if len(rows) > PAGE else None
    return render_template(
        "desk/kb_feedback.html", section="kb", rows=rows[:PAGE], more=more, everything=everything
    )
