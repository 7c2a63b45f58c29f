"""What a customer thinks of our answer: one press on the page, two from an email.

A link in an email only shows the choice: programs that look for malware follow links too.
"""

from flask import Blueprint, flash, redirect, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, surveys
from helpdesk.accounts import limits
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.tickets.models import Ticket
from helpdesk.web.guard import public, said
from helpdesk.web.portal import link, ticket_page
from helpdesk.web.portal.language import keep_choice
from helpdesk.web.portal.ticket import stale
from helpdesk.web.portal.ticket_page import Written

blueprint = Blueprint("portal_rate", __name__)
blueprint.register_error_handler(link.WrongLink, link.missing)
blueprint.register_error_handler(CSRFError, stale)
blueprint.after_request(link.private)
blueprint.after_request(keep_choice)

MOST, HOUR = 20, 3_600


@blueprint.post("/t/<token>/rate")
@public
def rate(token: str) -> BaseResponse | tuple[str, int]:
    """Keep the score, and the comment if the form had one."""
    ticket = link.opened(token)
    text = request.form.get("score", "")
    score = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
    comment = request.form.get("comment")
    try:
        with ext.write() as session:
            _check_pace(session, ticket.id)
            mine = session.get_one(Ticket, ticket.id, with_for_update=True)
            surveys.rate(session, mine, score, at=now(), comment=comment)
    except HelpdeskError as error:
        errors = {error.field or "score": said(error)}
        written = Written(comment=comment, errors=errors)
        return ticket_page.whole(ticket, token, written), error.status
    flash(_("Your rating is kept."))
    return redirect(f"/t/{token}#rate", 303)


def _check_pace(session: Session, ticket_id: int) -> None:
    subject = str(ticket_id)
    if not limits.allow(session, "portal-rate", subject, most=MOST, seconds=HOUR, at=now()):
        message = _lazy("That was a lot in one hour. Wait a little, then send it again.")
        raise TooMany(message, retry_after=HOUR)
