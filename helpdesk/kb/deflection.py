"""Articles that were offered to a client instead of a person, and whether one of them did it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.ext import add_row
from helpdesk.kb.models import Outcome, Search, Source


def offered(session: Session, *, ticket_id: int, lang: str, found: int, at: datetime) -> None:
    """A receipt offers articles; counted like a search, without the client's words."""
    add_row(
        session,
        Search,
        at=at,
        lang=lang,
        query="",
        source=Source.EMAIL,
        found=found,
        visit=None,
        ticket_id=ticket_id,
    )


def solved(session: Session, ticket_id: int, article_id: int) -> None:
    """The client says that this article answered."""
    found = _of(session, ticket_id)
    if found is not None:
        found.outcome, found.article_id = Outcome.SOLVED, article_id
        session.flush()


def unsolved(session: Session, ticket_id: int) -> None:
    """The client needs a person all the same."""
    found = _of(session, ticket_id)
    if found is not None:
        found.outcome = Outcome.ASKED
        session.flush()


def _of(session: Session, ticket_id: int) -> Search | None:
    query = select(Search).where(Search.ticket_id == ticket_id, Search.source == Source.EMAIL)
    return session.scalar(query.order_by(Search.id.desc()).limit(1))
