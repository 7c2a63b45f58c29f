"""A customer says that their request is solved, by us or by an article, or that it is not.

A link in an email only shows the article: programs that look for malware follow links too.
"""

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.kb import deflection
from helpdesk.kb.models import ArticleText
from helpdesk.kb.queries import PUBLIC, article_at, shown_html, texts_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.tickets import by_client
from helpdesk.tickets.models import DONE, Status, Ticket
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
MOST, HOUR = 20, 3_600


@blueprint.get("/t/<token>/solved")
@public
def ask(token: str) -> str:
    """The article of the email with its text, and the button that says that it answered."""
    ticket = link.opened(token)
    text = _article(reading(), request.args.get("article", ""))
    return render_template(
        "portal/solved.html",
        ticket=ticket,
        base=f"/t/{token}",
        article=text,
        html=shown_html(reading(), text) if text else "",
        done=ticket.status in DONE,
        closed=ticket.status == Status.CLOSED,
    )


@blueprint.post("/t/<token>/solved")
@public
def settle(token: str) -> BaseResponse | tuple[str, int]:
    """It is solved; `article`: the key of the one that answered."""
    ticket = link.opened(token)
    try:
        with ext.write() as session:
            _check_pace(session, ticket.id)
            mine = session.get_one(Ticket, ticket.id, with_for_update=True)
            settled = _settle(session, mine, _article(session, request.form.get("article", "")))
    except HelpdeskError as error:
        return _refused(ticket, token, error)
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
            _check_pace(session, ticket.id)
            mine = session.get_one(Ticket, ticket.id, with_for_update=True)
            opened = by_client.reopen(session, mine, at=now())
            if opened:
                deflection.unsolved(session, mine.id)
    except HelpdeskError as error:
        return _refused(ticket, token, error)
    if opened:
        flash(_("A person looks at it again. Write below what is still open."))
    return redirect(f"/t/{token}#write", 303)


def _settle(session: Session, ticket: Ticket, text: ArticleText | None) -> bool:
    """False where it was solved already: what a second press says counts nothing."""
    at = now()
    if text is None:
        return by_client.settle(session, ticket, at=at)
    settled = by_client.settle(session, ticket, at=at, reason=by_client.ARTICLE)
    if settled:
        deflection.solved(session, ticket.id, text, person_id=ticket.person_id, at=at)
    return settled


def _check_pace(session: Session, ticket_id: int) -> None:
    """Raises TooMany: each change is told to colleagues and kept for ever."""
    subject = str(ticket_id)
    if not limits.allow(session, "portal-settle", subject, most=MOST, seconds=HOUR, at=now()):
        message = _lazy("That was a lot in one hour. Wait a little, then send it again.")
        raise TooMany(message, retry_after=HOUR)


def _refused(ticket: Ticket, token: str, error: HelpdeskError) -> tuple[str, int]:
    written = Written(errors={error.field or "text": said(error)})
    return ticket_page.whole(ticket, token, written), error.status


def _article(session: Session, key: str) -> ArticleText | None:
    """A public article in the reader's language, else in any."""
    key = clean_line(key, KEY_LIMIT)
    article = article_at(session, key) if key else None
    texts = texts_of(session, article.id, states=PUBLIC) if article else {}
    return texts.get(g.language) or next(iter(texts.values()), None)
