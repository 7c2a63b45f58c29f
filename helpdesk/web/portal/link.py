"""The signed links to one ticket: of an email, which proves its mailbox (I3), and of a form.

Who sends our form gets a link to what they wrote, whoever's address they named. It opens the same
ticket and nothing else; what is written by it counts as not confirmed. Once the client has used the
link of an email, the link of the form ends. Both end when a ticket has been quiet for long.
"""

from flask import Response, g, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.intake.form import is_unconfirmed
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound, TooMany, _lazy
from helpdesk.lib.tokens import link_token, new_token, read_link_token, split_link_token
from helpdesk.outbox.addressing import language_of, nonce_of, secret
from helpdesk.tickets.models import Mailbox, Queue, Ticket
from helpdesk.web.guard import reading
from helpdesk.web.portal.language import speak
from helpdesk.web.site import guest_language

WRONG_LINKS = 30
WINDOW_SECONDS = 15 * 60
_NO_NONCE = new_token(16)  # so that a ticket that isn't there costs the same look
_OF_FORM = ".form"  # behind the nonce, for links that prove no mailbox


class WrongLink(NotFound):
    """The link is cut off, replaced, or was never ours; which of these is not told."""


def ticket_of(token: str) -> Ticket:
    """The ticket this link opens. Raises WrongLink, and TooMany after many wrong ones.

    A right link always opens: its signature can't be guessed, and an office that shares one
    address must not be locked out by somebody's broken link.
    """
    found = read(reading(), token)
    query = select(Ticket).where(Ticket.id == (found[0] if found else None))
    query = query.options(
        joinedload(Ticket.person), joinedload(Ticket.queue), joinedload(Ticket.client)
    )
    ticket = reading().scalar(query) if found else None
    if ticket is None or found is None or ticket.person.erased_at is not None:
        _count_wrong()
        raise WrongLink()
    g.proven = found[1]
    return ticket


def opened(token: str) -> Ticket:
    """The same, and the page speaks the language of its reader.

    What the record knows of languages is told only to who has shown that the mailbox is theirs.
    """
    ticket = ticket_of(token)
    speak(language_of(reading(), ticket) if g.proven else guest_language())
    return ticket


def read(session: Session, token: str) -> tuple[int, bool] | None:
    """(ticket id, whether the link came by email) of a link that is ours; None for any other."""
    ticket_id, _signature = split_link_token(token) or (0, "")
    query = select(Ticket.link_nonce, Ticket.last_message_at).where(Ticket.id == ticket_id)
    row = session.execute(query).first()
    nonce = nonce_of(*row) if row is not None else _NO_NONCE
    for proven in (True, False):
        found = read_link_token(secret(), token, nonce if proven else nonce + _OF_FORM)
        if found is not None:
            return (found, proven) if proven or is_unconfirmed(session, found) else None
    return None


def path_of(ticket: Ticket, *, proven: bool) -> str:
    """The path of the page of a ticket, by the link of an email or of a form."""
    nonce = nonce_of(ticket.link_nonce, ticket.last_message_at)
    nonce = nonce if proven else nonce + _OF_FORM
    return f"/t/{link_token(secret(), ticket.id, nonce)}"


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
