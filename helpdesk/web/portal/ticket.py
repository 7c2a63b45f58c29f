"""/t/TOKEN: a customer reads their request and writes to it, without an account."""

from datetime import datetime

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.clients.actions import mark_verified
from helpdesk.clients.match import Known
from helpdesk.clients.models import ContactKind
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.lib.text import clean
from helpdesk.lib.tokens import link_token, new_token
from helpdesk.outbox.addressing import language_of, secret
from helpdesk.tickets.actions import TEXT_LIMIT
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Status, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from helpdesk.web.guard import public, reading, said
from helpdesk.web.portal import link, talk
from helpdesk.web.portal.files import store
from helpdesk.web.portal.language import keep_choice, speak
from helpdesk.web.site import error_page

blueprint = Blueprint("portal_ticket", __name__)
blueprint.register_error_handler(link.WrongLink, link.missing)
blueprint.after_request(link.private)
blueprint.after_request(keep_choice)

REPLIES_AN_HOUR = 30
HOUR = 3600
NONCE_SECONDS = 7 * 86_400
NONCE_LIMIT = 64


@blueprint.get("/t/<token>")
@public
def show(token: str) -> str:
    ticket = _opened(token)
    return _page(ticket, token)


@blueprint.post("/t/<token>")
@public
def reply(token: str) -> BaseResponse | tuple[str, int]:
    """Add what the customer wrote. It is committed before we say that we have it."""
    ticket = _opened(token)
    text = clean(request.form.get("text", "")).strip()
    if _repeated(ticket):
        flash(_("We have it."))
        return redirect(f"/t/{token}", 303)
    try:
        _check_pace(ticket)
        content = _content(text)
        with ext.write() as session:
            mine = session.get_one(Ticket, ticket.id, with_for_update=True)
            target = _take(session, mine, content, now())
    except HelpdeskError as error:
        if error.status == 404:
            raise
        return _page(ticket, token, text, {error.field or "text": said(error)}), error.status
    if target is None:
        flash(_("We have it."))
        return redirect(f"/t/{token}", 303)
    flash(_("We have it. It is a new request now, since the old one was closed."))
    return redirect(target, 303)


@blueprint.errorhandler(CSRFError)
def stale(_error: CSRFError) -> BaseResponse | tuple[str, int]:
    """The form was open for too long: the page once more, with the text in it."""
    token = str((request.view_args or {}).get("token", ""))
    try:
        ticket = _opened(token)
    except link.WrongLink as error:  # what a handler of errors raises, no other one answers
        return link.missing(error)
    except TooMany as error:
        return error_page(error.status, said(error))
    text = clean(request.form.get("text", ""))
    note = _("The page was open for long. Nothing was sent yet: look at your text and send it.")
    if any(file.filename for file in request.files.getlist("files")):
        note += " " + _("Chosen files must be chosen again.")
    return _page(ticket, token, text, {"text": note}), 400


def _opened(token: str) -> Ticket:
    ticket = link.ticket_of(token)
    speak(language_of(reading(), ticket))
    return ticket


def _content(text: str) -> Content:
    """What the form holds, its files on the disk already. Raises HelpdeskError."""
    if len(text) > TEXT_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="text",
            limit=TEXT_LIMIT,
        )
    files = store(request.files.getlist("files"))
    if not text and not files:
        raise HelpdeskError(_lazy("There is no text yet."), field="text")
    return Content(text=text, files=files)


def _repeated(ticket: Ticket) -> bool:
    """Whether this form was taken before; asked before its files are stored once more."""
    known = f"{ticket.id}:{request.form.get('nonce', '')[:NONCE_LIMIT]}"
    seconds = NONCE_SECONDS
    return limits.taken(reading(), "portal-form", known, seconds=seconds, at=now()) > 0


def _check_pace(ticket: Ticket) -> None:
    """Raise TooMany before any file is stored: what is refused must not fill the disk."""
    name, subject = "portal-reply", str(ticket.id)
    if limits.taken(reading(), name, subject, seconds=HOUR, at=now()) >= REPLIES_AN_HOUR:
        raise _too_many()


def _too_many() -> TooMany:
    message = _lazy("That was a lot in one hour. Wait a little, then send it again.")
    return TooMany(message, retry_after=HOUR)


def _take(session: Session, ticket: Ticket, content: Content, at: datetime) -> str | None:
    """Put it on the ticket, once for each form; the address of the new ticket if it was closed."""
    nonce = request.form.get("nonce", "")[:NONCE_LIMIT] or new_token()
    known = f"{ticket.id}:{nonce}"
    if not limits.allow(session, "portal-form", known, most=1, seconds=NONCE_SECONDS, at=at):
        return None
    subject = str(ticket.id)
    if not limits.allow(
        session, "portal-reply", subject, most=REPLIES_AN_HOUR, seconds=HOUR, at=at
    ):
        raise _too_many()
    who = Known(
        ticket.client_id,
        ticket.person_id,
        ticket.contact_point_id,
        ticket.language,
        tags=tuple(ticket.client.tags),
    )
    point = ticket.contact_point
    if point is not None and point.kind == ContactKind.EMAIL:
        mark_verified(session, point.id, at=at)  # the link was mailed to nobody else
    if ticket.status == Status.CLOSED:
        return _follow_up(session, ticket, who, content, at)
    add_message(session, ticket.id, content, who=who, channel=Channel.WEB, at=at)
    return None


def _follow_up(session: Session, closed: Ticket, who: Known, content: Content, at: datetime) -> str:
    """Closed is final: what comes after it is a new ticket that names the old one."""
    ticket_id = open_ticket(
        session,
        queue_id=closed.queue_id,
        who=who,
        subject=closed.subject,
        channel=Channel.WEB,
        language=closed.language,
        at=at,
        client_tags=who.tags,
        related_to_id=closed.id,
        receipt=closed.queue.receipts and who.contact_point_id is not None,
    )
    add_message(session, ticket_id, content, who=who, channel=Channel.WEB, at=at, first=True)
    opened = session.get_one(Ticket, ticket_id)
    return f"/t/{link_token(secret(), opened.id, opened.link_nonce)}"


def _page(ticket: Ticket, token: str, text: str = "", errors: dict[str, str] | None = None) -> str:
    before = request.args.get("before", "")
    older_than = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    said_before, more = talk.conversation(reading(), ticket, older_than)
    return render_template(
        "portal/ticket.html",
        ticket=ticket,
        token=token,
        talk=said_before,
        more=more,
        older=older_than is not None,
        steps=talk.steps(),
        standing=talk.standing(reading(), ticket, g.language),
        text=text,
        errors=errors or {},
        nonce=request.form.get("nonce", "")[:NONCE_LIMIT] or new_token(16),
    )
