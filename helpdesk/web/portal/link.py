"""The signed link to one ticket: who holds it has read the client's mailbox (I3)."""

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound, TooMany, _lazy
from helpdesk.lib.tokens import new_token, read_link_token, split_link_token
from helpdesk.outbox.addressing import secret
from helpdesk.tickets.models import Mailbox, Queue, Ticket
from helpdesk.web.guard import reading
from helpdesk.web.portal.language import speak
from helpdesk.web.site import guest_language

WRONG_LINKS = 30
WINDOW_SECONDS = 15 * 60
_NO_NONCE = new_token(16)  # so that a ticket that isn't there costs the same look


class WrongLink(NotFound):
    """The link is cut off, replaced, or was never ours; which of these is not told."""


def ticket_of(token: str) -> Ticket:
    """The ticket this link opens. Raises WrongLink, and TooMany after many wrong ones.

    A right link always opens: its signature can't be guessed, and an office that shares one
    address must not be locked out by somebody's broken link.
    """
    ticket_id, _signature = split_link_token(token) or (0, "")
    nonce = reading().scalar(select(Ticket.link_nonce).where(Ticket.id == ticket_id))
    found = read_link_token(secret(), token, nonce or _NO_NONCE)
    query = select(Ticket).where(Ticket.id == found)
    query = query.options(joinedload(Ticket.person), joinedload(Ticket.queue))
    ticket = reading().scalar(query) if found is not None else None
    if ticket is None or ticket.person.erased_at is not None:
        _count_wrong()
        raise WrongLink()
    return ticket


def missing(_error: WrongLink) -> tuple[str, int]:
    """A page that says what to do with a link that opens nothing."""
    speak(guest_language())
    return render_template("portal/missing.html", addresses=addresses(reading())), 404


def addresses(session: Session) -> list[tuple[str, str]]:
    """(name, address) of each queue that takes mail, the oldest first."""
    query = (
        select(Queue.name, Mailbox.address)
        .join(Mailbox, Mailbox.queue_id == Queue.id)
        .where(Queue.active.is_(True), Mailbox.is_primary.is_(True))
        .order_by(Queue.id)
    )
    return [(name, address) for name, address in session.execute(query)]


def private(response: Response) -> Response:
    """Keep the page out of caches and search engines, and its address out of other sites."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _count_wrong() -> None:
    address = request.remote_addr or ""
    at, window = now(), WINDOW_SECONDS
    fits = limits.taken(reading(), "wrong-link", address, seconds=window, at=at) < WRONG_LINKS
    if fits:
        with ext.write() as session:
            fits = limits.allow(
                session, "wrong-link", address, most=WRONG_LINKS, seconds=window, at=at
            )
    if not fits:
        raise TooMany(_lazy("Too many attempts. Try again in 15 minutes."), retry_after=window)
