"""A customer says that their request is solved, by us or by an article, or that it is not."""

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.kb import deflection
from helpdesk.kb.models import ArticleText
from helpdesk.kb.queries import PUBLIC, article_at, public_path, texts_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.tickets import by_client
from helpdesk.tickets.models import Ticket
from helpdesk.web.guard import public, reading, said
from helpdesk.web.portal import link, ticket_page
from helpdesk.web.portal.language import keep_choice
from helpdesk.web.portal.ticket import stale
from helpdesk.web.portal.ticket_page import Written

blueprint = Blueprint("portal_solved", __name__)
blueprint.register_error_handler(link.WrongLink, link.missing)
blueprint.register_error_handler(CSRFError, stale)
blueprint.after_request(link.private)
blueprint.after_request(keep_choice)

KEY_LIMIT = 80


@blueprint.get("/t/<token>/solved")
@public
def ask(token: str) -> str:
    """From an email: shows the article and a button, since programs follow links as well."""
    ticket = link.opened(token)
    text = _article(reading(), request.args.get("article", ""))
    path = public_path(text.lang, text.slug) if text else None
    return render_template(
        "portal/solved.html", ticket=ticket, base=f"/t/{token}", article=text, path=path
    )


@blueprint.post("/t/<token>/solved")
@public
def settle(token: str) -> BaseResponse:
    """It is solved; `article`: the key of the one that answered."""
    ticket = link.opened(token)
    with ext.write() as session:
        mine = session.get_one(Ticket, ticket.id, with_for_update=True)
        text = _article(session, request.form.get("article", ""))
        reason = by_client.ARTICLE if text else by_client.CLIENT
        settled = by_client.settle(session, mine, at=now(), reason=reason)
        if settled and text is not None:
            deflection.solved(session, mine.id, text.article_id)
    if settled:
        flash(_("Good to know. If anything is still open, say so here."))
    return redirect(f"/t/{token}", 303)


@blueprint.post("/t/<token>/reopen")
@public
def reopen(token: str) -> BaseResponse | tuple[str, int]:
    """It is not solved: a person looks at it again."""
    ticket = link.opened(token)
    try:
        with ext.write() as session:
            mine = session.get_one(Ticket, ticket.id, with_for_update=True)
            opened = by_client.reopen(session, mine, at=now())
            if opened:
                deflection.unsolved(session, mine.id)
    except HelpdeskError as error:
        written = Written(errors={error.field or "text": said(error)})
        return ticket_page.whole(ticket, token, written), error.status
    if opened:
        flash(_("A person looks at it again. Write below what is still open."))
    return redirect(f"/t/{token}#write", 303)


def _article(session: Session, key: str) -> ArticleText | None:
    """A public article in the reader's language, else in any."""
    article = article_at(session, key[:KEY_LIMIT]) if key else None
    texts = texts_of(session, article.id, states=PUBLIC) if article else {}
    return texts.get(g.language) or next(iter(texts.values()), None)
