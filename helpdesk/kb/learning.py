"""Learning from questions that an article solved: an agent cited it, a reader said it helped."""

from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.kb.index import relearn
from helpdesk.kb.models import Example, Source
from helpdesk.lib.clock import now
from helpdesk.lib.text import fold

LENGTH = 2_000
"""Characters of an example that are kept: a question is told in its beginning."""


def learn(
    session: Session,
    article_id: int,
    lang: str,
    text: str,
    *,
    source: Source,
    ticket_id: int | None = None,
    user_id: int | None = None,
) -> Example | None:
    """Keep a question that the article solved, and search by it from now on; None where the
    article has learned it already, or it says nothing.
    """
    text = text[:LENGTH].strip()
    digest = sha256(" ".join(fold(text).split()).encode("utf-8", "surrogatepass")).hexdigest()
    same = select(Example.id).where(
        Example.article_id == article_id, Example.lang == lang, Example.digest == digest
    )
    if not text or session.scalar(same) is not None:
        return None
    example = Example(
        article_id=article_id,
        lang=lang,
        text=text,
        digest=digest,
        source=source,
        ticket_id=ticket_id,
        user_id=user_id,
        created_at=now(),
    )
    session.add(example)
    relearn(session, article_id, lang)
    return example


def unlearn(session: Session, example_id: int) -> None:
    """Forget an example; an unknown one is ignored."""
    example = session.get(Example, example_id)
    if example is not None:
        session.delete(example)
        relearn(session, example.article_id, example.lang)
