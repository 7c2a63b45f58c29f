"""Using an article in an answer: the citation, and what search learns from the question."""

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import Actor, record
from helpdesk.ext import lock
from helpdesk.kb.actions import texts_in
from helpdesk.kb.learning import learn, unlearn
from helpdesk.kb.models import Article, Citation, Example, Source
from helpdesk.lib.text import fold

MAX_QUESTION = 1_000
"""Characters of a client's words that are learned: a question is told in its beginning."""
_SHORTEST_NAME = 3

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S{1,80}@\S{1,120}", re.I)
_NUMBER = re.compile(r"(?:[+#]|№\s?)?\(?\d(?:[\d\s().\-/–]{2,30}\d|\d{3,})")
_WORD = re.compile(r"\w+")
_SPACES = re.compile(r"[ \t\xa0]{2,}")


def cite(
    session: Session,
    *,
    ticket_id: int,
    client_id: int,
    article: Article,
    lang: str,
    question: str,
    names: Iterable[str],
    at: datetime,
    actor: Actor,
) -> Citation:
    """Note that the article answered the ticket, once for each pair, and learn the question.

    `question` is what the client asked; addresses, numbers and `names` are taken out of it.
    """
    lock(session, f"citation:{ticket_id}")
    query = select(Citation).where(
        Citation.ticket_id == ticket_id, Citation.article_id == article.id
    )
    found = session.scalar(query)
    if found is not None:
        return found
    citation = Citation(
        ticket_id=ticket_id, article_id=article.id, lang=lang, user_id=actor.user_id, at=at
    )
    session.add(citation)
    session.flush()
    record(
        session,
        "ticket.cited",
        actor=actor,
        at=at,
        ticket_id=ticket_id,
        client_id=client_id,
        article_id=article.id,
    )
    learn_question(session, article, lang, question, names, ticket_id=ticket_id, at=at, actor=actor)
    return citation


def learn_question(
    session: Session,
    article: Article,
    lang: str,
    question: str,
    names: Iterable[str],
    *,
    ticket_id: int | None,
    at: datetime,
    actor: Actor,
) -> None:
    """Learn a client's question, without what points to them, as one that the article solves."""
    words = without_people(question, names)[:MAX_QUESTION]
    known = texts_in(session, article.id)
    example = learn(
        session,
        article.id,
        lang if lang in known or not known else article.source_lang,
        words,
        source=Source.DESK,
        ticket_id=ticket_id,
        user_id=actor.user_id,
    )
    if example is not None:
        record(
            session,
            "example.added",
            actor=actor,
            at=at,
            article_id=article.id,
            lang=example.lang,
            source=Source.DESK.value,
        )


def uncite(session: Session, ticket_id: int, article_id: int) -> None:
    """Take a citation back, with what was learned from it."""
    query = select(Citation).where(
        Citation.ticket_id == ticket_id, Citation.article_id == article_id
    )
    for citation in session.scalars(query).all():
        session.delete(citation)
    examples = select(Example.id).where(
        Example.ticket_id == ticket_id, Example.article_id == article_id
    )
    for example_id in session.scalars(examples).all():
        unlearn(session, example_id)
    session.flush()


def without_people(text: str, names: Iterable[str]) -> str:
    """The text without addresses, links, long numbers, and words of these names in any case form
    that begins as the name does.
    """
    text = _NUMBER.sub(" ", _ADDRESS.sub(" ", text))
    roots = {_root(word) for name in names for word in _WORD.findall(fold(name))}
    roots.discard("")

    def keep(match: re.Match[str]) -> str:
        word = fold(match.group())
        return "" if any(word.startswith(root) for root in roots) else match.group()

    return _SPACES.sub(" ", _WORD.sub(keep, text)).strip()


def _root(word: str) -> str:
    """What stays of a name when it is declined: Оксана, Оксани, Оксано."""
    if len(word) < _SHORTEST_NAME:
        return ""
    return word[:-1] if len(word) > _SHORTEST_NAME else word
