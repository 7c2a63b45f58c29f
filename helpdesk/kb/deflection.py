"""Articles that were offered to a client instead of a person, and whether one of them did it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.ext import add_row
from helpdesk.kb import log
from helpdesk.kb.log import Opened
from helpdesk.kb.models import ArticleText, Outcome, Search, Source


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


def solved(
    session: Session, ticket_id: int, text: ArticleText, *, person_id: int, at: datetime
) -> None:
    """The client has read this article and says that it answered. It counts as an offer's success
    only where the receipt offered any.
    """
    lang, source = text.lang, Source.EMAIL
    read = Opened(text.article_id, text.id, lang, source, at, None, person_id, ticket_id)
    log.save(session, [read])
    found = _of(session, ticket_id)
    if found is not None:
        found.outcome, found.article_id = Outcome.SOLVED, text.article_id
        session.flush()


def unsolved(session: Session, ticket_id: int) -> None:
    """The client needs a person all the same, after an article seemed to do."""
    found = _of(session, ticket_id)
    if found is not None and found.outcome == Outcome.SOLVED:
        found.outcome = Outcome.ASKED
        session.flush()


def _of(session: Session, ticket_id: int) -> Search | None:
    query = select(Search).where(Search.ticket_id == ticket_id, Search.source == Source.EMAIL)
    return session.scalar(query.order_by(Search.id.desc()).limit(1))
