"""/my: a customer's own requests, behind a one-time code sent to their mailbox.

Whoever asks for a code gets the same answer in the same time, whether we know the address or not.
"""

from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import portal
from helpdesk.accounts.portal import WrongCode
from helpdesk.clients.actions import mark_verified
from helpdesk.clients.holders import Holder, holder_of, mailbox_of
from helpdesk.ext import LANGUAGES
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, valid_email
from helpdesk.outbox.addressing import secret
from helpdesk.tickets.models import DONE, Status, Ticket
from helpdesk.tickets.own import count_own, own_tickets
from helpdesk.web.guard import public, reading, said
from helpdesk.web.portal import link
from helpdesk.web.portal.asked import CONTACT_LIMIT, contact_key, number_of
from helpdesk.web.portal.language import keep_choice, speak, stands_at
from helpdesk.web.site import guest_language

blueprint = Blueprint("portal_my", __name__)
blueprint.after_request(keep_choice)

SESSION_COOKIE, CODE_COOKIE = "helpdesk_my", "helpdesk_code"
PATH = "/my"  # no other page needs these cookies
QUERY_LIMIT = 200
LONGEST = 200  # characters of a token that is looked at


@dataclass(frozen=True)
class Written:
    """What was typed and did not fit, with what is wrong by the name of the field."""

    contact: str = ""
    code: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/my")
@public
def show() -> str | BaseResponse:
    """The requests of who has shown a code; the form that asks for one to everybody else."""
    _speak()
    holder = _holder()
    return _ask(Written()) if holder is None else _list(holder)


@blueprint.post("/my")
@public
def ask() -> BaseResponse | tuple[str, int]:
    """Have a code sent; the answer says nothing of whether we know the address."""
    _speak()
    contact = clean_line(request.form.get("contact", ""), CONTACT_LIMIT)
    try:
        token = _code_asked(contact)
    except HelpdeskError as error:
        errors = {error.field or "contact": said(error)}
        return _ask(Written(contact, errors=errors)), error.status
    response = redirect("/my/code", 303)
    _set(response, CODE_COOKIE, token, int(portal.LIFETIME.total_seconds()))
    return response


@blueprint.get("/my/code")
@public
def code() -> str | BaseResponse:
    """Where the code is typed."""
    _speak()
    return _type(Written()) if _cookie(CODE_COOKIE) else redirect(PATH)


@blueprint.post("/my/code")
@public
def check() -> BaseResponse | tuple[str, int]:
    """Open the list with the right code."""
    _speak()
    typed = clean_line(request.form.get("code", ""), QUERY_LIMIT)
    try:
        token = _opened(_cookie(CODE_COOKIE), "".join(typed.split()))
    except HelpdeskError as error:
        written = Written(code=typed[:20], errors={error.field or "code": said(error)})
        return _type(written), error.status
    response = redirect(PATH, 303)
    _set(response, SESSION_COOKIE, token, int(portal.SESSION.total_seconds()))
    response.delete_cookie(CODE_COOKIE, path=PATH)
    return response


@blueprint.post("/my/leave")
@public
def leave() -> BaseResponse:
    """Forget this browser."""
    _speak()
    token = _cookie(SESSION_COOKIE)
    if token:
        with ext.write() as session:
            portal.close_session(session, token)
    flash(_("You are logged out."))
    response = redirect(PATH, 303)
    response.delete_cookie(SESSION_COOKIE, path=PATH)
    return response


@blueprint.errorhandler(CSRFError)
def stale(_error: CSRFError) -> BaseResponse | tuple[str, int]:
    """A form of these pages was open for too long: shown again, with what was typed."""
    _speak()
    note = _("The page was open for long. Send it again.")
    if request.endpoint == "portal_my.check" and _cookie(CODE_COOKIE):
        typed = clean_line(request.form.get("code", ""), 20)
        return _type(Written(code=typed, errors={"code": note})), 400
    contact = clean_line(request.form.get("contact", ""), CONTACT_LIMIT)
    return _ask(Written(contact, errors={"contact": note})), 400


@blueprint.after_request
def private(response: Response) -> Response:
    """Keep the pages out of search engines; no page for guests is kept by caches anyway."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


def _code_asked(contact: str) -> str:
    """What the browser keeps until the code is typed. Raises HelpdeskError."""
    if not contact:
        raise HelpdeskError(_lazy("Write your email address or phone number."), field="contact")
    email = contact if valid_email(contact) else None
    number = None if email else number_of(contact)
    if email is None and number is None:
        message = _lazy("This is neither an email address nor a phone number. Look at it again.")
        raise HelpdeskError(message, field="contact")
    country = str(current_app.config["COUNTRY"])
    with ext.write() as session:
        return portal.ask_code(
            session,
            contact_key(contact),
            contact_point_id=mailbox_of(session, email, number, country),
            source=request.remote_addr or "",
            language=g.language,
            at=now(),
        )


def _opened(token: str, typed: str) -> str:
    """The token of a new session. Raises WrongCode or TooMany."""
    at = now()
    with ext.write() as session:
        portal.count_try(session, token, source=request.remote_addr or "", at=at)
    with ext.write() as session:
        point_id = portal.check_code(session, token, typed, secret=secret(), at=at)
        holder = holder_of(session, point_id)
        if holder is None:
            raise WrongCode()
        for each in holder.point_ids:
            mark_verified(session, each, at=at)
        return portal.open_session(
            session,
            contact_point_id=point_id,
            person_id=holder.person_ids[holder.point_ids.index(point_id)],
            client_id=holder.client_id,
            old_token=_cookie(SESSION_COOKIE) or None,
            at=at,
        )


def _holder() -> Holder | None:
    """Who has shown a code in this browser, as long as the mailbox is still theirs."""
    token = _cookie(SESSION_COOKIE)
    found = portal.find_session(reading(), token, now()) if token else None
    return holder_of(reading(), found.contact_point_id) if found else None


def _list(holder: Holder) -> str:
    query = clean_line(request.args.get("q", ""), QUERY_LIMIT)
    open_, done = count_own(reading(), holder)
    wanted = request.args.get("state") == "done"
    before = request.args.get("before", "")
    found = own_tickets(
        reading(),
        holder,
        done=None if query else wanted,
        query=query,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None,
    )
    rows = [_row(ticket) for ticket in found.tickets]
    more = found.tickets[-1].id if found.more else None
    values = {"query": query, "done": wanted, "open_count": open_, "done_count": done, "more": more}
    return render_template("portal/my.html", rows=rows, **values)


def _row(ticket: Ticket) -> dict[str, Any]:
    sign = "ck-met" if ticket.status in DONE else "st-open"
    return {
        "path": link.path_of(ticket, proven=True),
        "number": ticket.number,
        "subject": ticket.subject,
        "at": ticket.last_message_at,
        "sign": "arrow-back-up" if ticket.status == Status.PENDING else sign,
        "word": _standing(ticket),
        "waits": ticket.status == Status.PENDING,
    }


def _standing(ticket: Ticket) -> str:
    """Whose turn it is, in a customer's words."""
    if ticket.status in DONE:
        return str(_("Solved"))
    if ticket.status == Status.PENDING:
        return str(_("We wait for your answer"))
    return str(_("We have answered") if ticket.waiting_since is None else _("We work on it"))


def _ask(written: Written) -> str:
    return render_template("portal/my_ask.html", written=written)


def _type(written: Written) -> str:
    return render_template("portal/my_code.html", written=written, digits=portal.DIGITS)


def _speak() -> None:
    speak(guest_language())
    path = "/my/code" if request.path == "/my/code" else PATH
    stands_at({}, beside=dict.fromkeys(LANGUAGES, path))


def _cookie(name: str) -> str:
    return request.cookies.get(name, "")[:LONGEST]


def _set(response: BaseResponse, name: str, token: str, seconds: int) -> None:
    response.set_cookie(
        name,
        token,
        max_age=seconds,
        path=PATH,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )
