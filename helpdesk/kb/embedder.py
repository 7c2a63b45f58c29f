"""Gives articles and solved questions that lack one their vector, beside all other work."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from helpdesk.kb import embedding
from helpdesk.kb.index import reembed
from helpdesk.kb.models import ArticleText, Example


class Due(NamedTuple):
    """A text (with its version) or an example that waits for its vector."""

    kind: type[ArticleText] | type[Example]
    id: int
    version: int
    article_id: int
    lang: str
    parts: tuple[str, list[str], str]  # title, keywords, body; of an example its words alone


def waiting(session: Session, limit: int) -> list[Due]:
    """At most so many, texts first. Costs O(what waits)."""
    texts = session.execute(_texts().limit(limit)).all()
    found = [
        Due(ArticleText, row.id, row.version, row.article_id, row.lang, (row[4], row[5], row[6]))
        for row in texts
    ]
    examples = session.execute(_examples().limit(limit - len(found))).all()
    found += [Due(Example, row[0], 0, row[1], row[2], (row[3], [], "")) for row in examples]
    return found


def embedded(due: Sequence[Due]) -> list[bytes]:
    """Their vectors: some 50 ms of CPU for a text, 15 for a question. Outside of transactions."""
    return [
        embedding.of_text(*one.parts)
        if one.kind is ArticleText
        else embedding.of_question(one.parts[0])
        for one in due
    ]


def keep(session: Session, due: Sequence[Due], vectors: Sequence[bytes]) -> int:
    """Write the vectors of what has not changed meanwhile; how many that was."""
    kept = 0
    for one, vector in zip(due, vectors, strict=True):
        change = update(one.kind).where(one.kind.id == one.id, one.kind.embedding.is_(None))
        if one.kind is ArticleText:
            change = change.where(ArticleText.version == one.version)
        kept += len(session.execute(change.values(embedding=vector).returning(one.kind.id)).all())
    for article_id, lang in sorted({(one.article_id, one.lang) for one in due}):
        reembed(session, article_id, lang)
    return kept


def _texts() -> Select[int, int, int, str, str, list[str], str]:
    few = (ArticleText.id, ArticleText.version, ArticleText.article_id, ArticleText.lang)
    content = (ArticleText.title, ArticleText.keywords, ArticleText.body_markdown)
    return select(*few, *content).where(ArticleText.embedding.is_(None)).order_by(ArticleText.id)


def _examples() -> Select[int, int, str, str]:
    columns = (Example.id, Example.article_id, Example.lang, Example.text)
    return select(*columns).where(Example.embedding.is_(None)).order_by(Example.id)
