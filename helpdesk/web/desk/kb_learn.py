"""What a ticket teaches the knowledge base: whose question it was, without who they are."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Client, Person
from helpdesk.events import Actor
from helpdesk.kb.citing import cite, learn_question
from helpdesk.kb.markdown import render
from helpdesk.kb.models import Article, ArticleText, State
from helpdesk.tickets.models import Channel, Message, MessageKind, Ticket
from helpdesk.web.desk.kb_form import number

MOST_CITED = 10
LINE = 15  # characters from which a line of an article is told by its words


def cite_in(session: Session, ticket: Ticket, article: Article, *, at: datetime, by: Actor) -> None:
    """Note that the article answered this ticket, and learn what the client asked."""
    cite(
        session,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
        article=article,
        lang=ticket.language or article.source_lang,
        question=asked_in(session, ticket),
        names=names_in(session, ticket),
        at=at,
        actor=by,
    )


def cite_sent(
    session: Session, ticket: Ticket, cited: Sequence[str], text: str, *, at: datetime, by: Actor
) -> None:
    """Note which of the articles that were put into a reply are still in it as it goes out."""
    for article_id in dict.fromkeys(number(id_) for id_ in cited[:MOST_CITED]):
        article = session.get(Article, article_id) if article_id else None
        if (
            article is not None
            and article.deleted_at is None
            and _stands_in(session, article, text)
        ):
            cite_in(session, ticket, article, at=at, by=by)


def _stands_in(session: Session, article: Article, reply: str) -> bool:
    """Whether a title, an address or a line of the article is in the reply."""
    for text in session.scalars(select(ArticleText).where(ArticleText.article_id == article.id)):
        lines = (line for line in render(text.body_markdown).text.split("\n") if len(line) >= LINE)
        if text.title in reply or f"/{text.slug}" in reply or any(line in reply for line in lines):
            return True
    return False


def learn_first(session: Session, text: ArticleText, *, at: datetime, actor: Actor) -> None:
    """A published article made from an answer learns the question that was answered."""
    article = session.get_one(Article, text.article_id)
    if text.state != State.PUBLIC or article.from_ticket_id is None:
        return
    ticket = session.get(Ticket, article.from_ticket_id)
    if ticket is None:
        return
    learn_question(
        session,
        article,
        ticket.language or text.lang,
        asked_in(session, ticket),
        names_in(session, ticket),
        ticket_id=ticket.id,
        at=at,
        actor=actor,
    )


def asked_in(session: Session, ticket: Ticket) -> str:
    """The subject and what the client wrote first."""
    query = (
        select(Message.visible_text, Message.text)
        .where(Message.ticket_id == ticket.id, Message.kind == MessageKind.INBOUND)
        .order_by(Message.id)
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None and ticket.channel == Channel.PHONE:
        return ""
    words = (row[0] or row[1]) if row else ""
    return f"{ticket.subject}\n{words}".strip()


def last_words(session: Session, ticket: Ticket, limit: int = 4_000) -> str:
    """The subject and the client's last words, what suggestions are looked for by.

    Nothing for a call without a written word: its subject is ours and says only when it was.
    """
    query = (
        select(Message.visible_text, Message.text)
        .where(Message.ticket_id == ticket.id, Message.kind == MessageKind.INBOUND)
        .order_by(Message.id.desc())
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None and ticket.channel == Channel.PHONE:
        return ""
    words = (row[0] or row[1]) if row else ""
    return f"{ticket.subject}\n{words[:limit]}".strip()


def names_in(session: Session, ticket: Ticket) -> list[str]:
    """The names of the people of the ticket's client, and the client's own."""
    people = session.scalars(select(Person.name).where(Person.client_id == ticket.client_id))
    client = session.get(Client, ticket.client_id)
    return [*people, *([client.name] if client else [])]
