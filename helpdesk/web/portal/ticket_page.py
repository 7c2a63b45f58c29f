"""The page of a customer's ticket: what its parts show, for the page and for what it fetches."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from flask import g, render_template, request

from helpdesk.clients.models import ContactKind
from helpdesk.lib.tokens import new_token
from helpdesk.surveys import COMMENT_LIMIT, SCORES, may_rate, rating_of
from helpdesk.tickets.models import DONE, Status, Ticket
from helpdesk.web.guard import reading
from helpdesk.web.portal import talk

NONCE_LIMIT = 64


@dataclass(frozen=True)
class Written:
    """What was typed and could not be taken, with what is wrong by the name of the field."""

    text: str = ""
    comment: str | None = None
    errors: dict[str, str] = field(default_factory=dict)


def whole(ticket: Ticket, token: str, written: Written | None = None) -> str:
    """The whole page."""
    written = written or Written()
    point = ticket.contact_point
    values = {
        "text": written.text,
        "nonce": request.form.get("nonce", "")[:NONCE_LIMIT] or new_token(16),
        "sent": "sent" in request.args,
        "by_email": point is not None and point.kind == ContactKind.EMAIL,
        "proven": g.proven,
    }
    return render_template("portal/ticket.html", **parts(ticket, token, written), **values)


def live(ticket: Ticket, token: str) -> tuple[str, str]:
    """What changes while the page is open, and a tag that changes with it."""
    shown = parts(ticket, token, Written())
    newest, rating = shown["talk"][:1], shown["rating"]
    tag = (
        ticket.version,
        ticket.updated_at,
        newest[0].id if newest else 0,
        rating.at if rating else None,
        shown["standing"],
        g.language,
    )
    html = render_template("portal/_live.html", **shown)
    return html, hashlib.sha256(repr(tag).encode()).hexdigest()[:32]


def parts(ticket: Ticket, token: str, written: Written) -> dict[str, Any]:
    """Where it stands, the conversation and the rating."""
    older_than = _number(request.args.get("before", ""))
    said_before, more = talk.conversation(reading(), ticket, older_than)
    rating = rating_of(reading(), ticket.id) if may_rate(ticket) else None
    wished = _number(request.values.get("rate", "") or request.form.get("score", ""))
    comment = written.comment
    return {
        "ticket": ticket,
        "token": token,
        "base": f"/t/{token}",
        "talk": said_before,
        "more": more,
        "older": older_than is not None,
        "steps": talk.steps(),
        "standing": talk.standing(reading(), ticket, g.language),
        "done": ticket.status in DONE,
        "closed": ticket.status == Status.CLOSED,
        "may_rate": may_rate(ticket),
        "rating": rating,
        "scores": talk.scores(),
        "wished": wished if wished in SCORES else None,
        "comment": comment if comment is not None else rating.comment if rating else "",
        "comment_limit": COMMENT_LIMIT,
        "errors": written.errors,
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
