"""/t/TOKEN: a customer reads their request and writes to it, without an account."""

from flask import Blueprint, flash, g, make_response, redirect, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.intake import form
from helpdesk.intake.form import Entry, Taken
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.lib.text import clean
from helpdesk.lib.tokens import new_token
from helpdesk.tickets.actions import TEXT_LIMIT
from helpdesk.tickets.models import Ticket
from helpdesk.web.guard import public, reading, said
from helpdesk.web.portal import link, ticket_page
from helpdesk.web.portal.files import described, store
from helpdesk.web.portal.language import keep_choice
from helpdesk.web.portal.ticket_page import NONCE_LIMIT, Written
from helpdesk.web.site import error_page

blueprint = Blueprint("portal_ticket", __name__)
blueprint.register_error_handler(link.WrongLink, link.missing)
blueprint.after_request(link.private)
blueprint.after_request(keep_choice)

REPLIES_AN_HOUR = 30
HOUR = 3600


@blueprint.get("/t/<token>")
@public
def show(token: str) -> str:
    return ticket_page.whole(link.opened(token), token)


@blueprint.get("/t/<token>/talk")
@public
def live(token: str) -> BaseResponse:
    """The parts that change, for a page that is open; 304 where nothing has."""
    html, tag = ticket_page.live(link.opened(token), token)
    response = make_response(html)
    response.set_etag(tag)
    return response.make_conditional(request)


@blueprint.post("/t/<token>")
@public
def reply(token: str) -> BaseResponse | tuple[str, int]:
    """Add what the customer wrote. It is committed before we say that we have it."""
    ticket = link.opened(token)
    text = clean(request.form.get("text", "")).strip()
    nonce = request.form.get("nonce", "")[:NONCE_LIMIT] or new_token()
    try:
        entry = _entry(ticket, text)
        taken = form.known(reading(), entry, nonce) or _take(ticket, entry, nonce)
    except HelpdeskError as error:
        if error.status == 404:
            raise
        errors = {error.field or "text": said(error)}
        return ticket_page.whole(ticket, token, Written(text, errors=errors)), error.status
    return _thanks(taken, ticket, token)


@blueprint.errorhandler(CSRFError)
def stale(_error: CSRFError) -> BaseResponse | tuple[str, int]:
    """A form of this page was open for too long: the page once more, with the text in it."""
    token = str((request.view_args or {}).get("token", ""))
    try:
        ticket = link.opened(token)
    except link.WrongLink as error:  # what a handler of errors raises, no other one answers
        return link.missing(error)
    except TooMany as error:
        return error_page(error.status, said(error))
    text = clean(request.form.get("text", ""))
    note = _("The page was open for long. Nothing was sent yet: look at your text and send it.")
    if any(file.filename for file in request.files.getlist("files")):
        note += " " + _("Chosen files must be chosen again.")
    comment = request.form.get("comment")
    return ticket_page.whole(ticket, token, Written(text, comment, {"text": note})), 400


def _entry(ticket: Ticket, text: str) -> Entry:
    """What the form holds, its files described. Raises HelpdeskError."""
    if len(text) > TEXT_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="text",
            limit=TEXT_LIMIT,
        )
    files = described(request.files.getlist("files"))
    if not text and not files:
        raise HelpdeskError(_lazy("There is no text yet."), field="text")
    return Entry(text, g.language, ticket_id=ticket.id, proven=g.proven, files=files)


def _check_pace(ticket: Ticket) -> None:
    """Raise TooMany before any file is stored: what is refused must not fill the disk."""
    name, subject = "portal-reply", str(ticket.id)
    if limits.taken(reading(), name, subject, seconds=HOUR, at=now()) >= REPLIES_AN_HOUR:
        raise _too_many()


def _too_many() -> TooMany:
    message = _lazy("That was a lot in one hour. Wait a little, then send it again.")
    return TooMany(message, retry_after=HOUR)


def _take(ticket: Ticket, entry: Entry, nonce: str) -> Taken:
    """Put it on the ticket, once for each form. Raises TooMany."""
    _check_pace(ticket)
    store(request.files.getlist("files"))
    at, subject = now(), str(ticket.id)
    with ext.write() as session:
        taken = form.take(session, entry, nonce, at=at)
        if taken.fresh and not limits.allow(
            session, "portal-reply", subject, most=REPLIES_AN_HOUR, seconds=HOUR, at=at
        ):
            raise _too_many()
    return taken


def _thanks(taken: Taken, ticket: Ticket, token: str) -> BaseResponse:
    if taken.ticket_id is None or taken.ticket_id == ticket.id:
        flash(_("We have it."))
        return redirect(f"/t/{token}", 303)
    flash(_("We have it. It is a new request now, since the old one was closed."))
    with ext.session() as session:
        new = session.get_one(Ticket, taken.ticket_id)
        return redirect(link.path_of(new, proven=g.proven), 303)
