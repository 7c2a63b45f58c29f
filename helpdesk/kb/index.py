"""What search knows of texts, of solved questions and of what they mean, as the verbs write it.

Rows get a number in the order of commits, under a lock held until then, so that none is skipped by
processes that read what is newer than they know (`memory`).
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk import ext
from helpdesk.kb import analysis, embedding, synonyms, units
from helpdesk.kb.models import Article, ArticleText, Example, Indexed, IndexedKind

MOST_EXAMPLES = 200
"""Of one article in one language; older ones are kept, but say nothing any more."""

Unit = units.TextUnit | units.Learned | units.About
_Column = TypeVar("_Column")

_LOCK = "kb-index"
_HUNDRED = 100
_BATCH = 500


def reindex(session: Session, text_id: int) -> None:
    """Index a text as it stands now; one that is gone, or whose article is, is forgotten."""
    session.flush()
    text = session.get(ArticleText, text_id)
    article = session.get(Article, text.article_id) if text else None
    if text is None or article is None or article.deleted_at is not None:
        unindex(session, text_id)
        return
    _put(session, IndexedKind.TEXT, text_id, text.lang, _text_unit(text))
    reembed(session, text.article_id, text.lang)


def unindex(session: Session, text_id: int) -> None:
    """Forget a text; an unknown one is ignored."""
    for article_id, lang in _forget(session, IndexedKind.TEXT, text_id):
        reembed(session, article_id, lang)


def relearn(session: Session, article_id: int, lang: str) -> None:
    """Learn anew what the article's examples in this language say, after some came or went, or the
    article itself. The newest MOST_EXAMPLES count; those of a deleted article say nothing.
    """
    session.flush()
    article = session.get(Article, article_id)
    gone = article is None or article.deleted_at is not None
    texts = [] if gone else session.scalars(_examples(Example.text, article_id, lang)).all()
    if texts:
        _put(session, IndexedKind.LEARNED, article_id, lang, _learned(article_id, lang, texts))
    else:
        _forget(session, IndexedKind.LEARNED, article_id, lang)
    reembed(session, article_id, lang)


def reembed(session: Session, article_id: int, lang: str) -> None:
    """Index what the article is about in this language, by its text and its newest examples, as far
    as they have their vectors. While a changed text has none, that of before stands for it.
    """
    live = select(Article.id).where(Article.id == article_id, Article.deleted_at.is_(None))
    mine = (ArticleText.article_id == article_id, ArticleText.lang == lang)
    text = session.execute(select(ArticleText.embedding).where(*mine)).first()
    if text is not None and text[0] is None:
        return
    made = _examples(Example.embedding, article_id, lang).where(Example.embedding.is_not(None))
    solved = [one for one in session.scalars(made) if one]
    vector = embedding.together(text[0] if text else None, solved)
    if vector is None or session.scalar(live) is None:
        _forget(session, IndexedKind.EMBEDDING, article_id, lang)
    else:
        _put(session, IndexedKind.EMBEDDING, article_id, lang, units.About(article_id, vector))


def relearn_all(session: Session, article_id: int) -> None:
    """The same in each language in which the article has examples."""
    langs = select(Example.lang).where(Example.article_id == article_id).distinct()
    for lang in session.scalars(langs.order_by(Example.lang)).all():
        relearn(session, article_id, lang)


def refresh(session: Session, limit: int = _BATCH) -> int:
    """Analyse anew what another version of the product indexed; returns how many rows (at most
    `limit`). Until then such rows are analysed by every process that reads them.
    """
    rows = session.scalars(_stale().limit(limit)).all()
    for row in rows:
        if row.kind is IndexedKind.TEXT:
            reindex(session, row.ref_id)
        else:
            relearn(session, row.ref_id, row.lang)
    return len(rows)


def is_stale(session: Session) -> bool:
    """Whether there is anything to `refresh`."""
    return session.scalar(select(_stale().exists())) or False


def unit_of(reading: Session, row: Row[Any]) -> Unit | None:
    """What a row says; None: it is gone. Of another version it is made anew."""
    if not row.words:
        return None
    if row.kind is IndexedKind.EMBEDDING:
        return units.About(row.article_id, b64decode(row.words))
    if row.analysis == version():
        return _unpack(row)
    if row.kind is IndexedKind.TEXT:
        text = reading.get(ArticleText, row.ref_id)
        return _text_unit(text) if text else None
    texts = reading.scalars(_examples(Example.text, row.ref_id, row.lang)).all()
    return _learned(row.ref_id, row.lang, texts) if texts else None


def version() -> str:
    """Of the analysis that made the words of texts and examples."""
    return f"{units.VERSION}-{units.weights_digest()}-{synonyms.digest()}"


def _put(session: Session, kind: IndexedKind, ref_id: int, lang: str, unit: Unit) -> None:
    row = session.scalar(_row(kind, ref_id, lang)) or Indexed(kind=kind, ref_id=ref_id, lang=lang)
    row.seq, row.article_id = _next(session), unit.article_id
    row.analysis = "" if isinstance(unit, units.About) else version()
    row.state = unit.label if isinstance(unit, units.TextUnit) else ""
    row.size = unit.size if isinstance(unit, units.Learned) else 0
    row.words = _pack(unit)
    session.add(row)
    session.flush()


def _forget(
    session: Session, kind: IndexedKind, ref_id: int, lang: str | None = None
) -> list[tuple[int, str]]:
    """The articles and languages of the rows."""
    rows = session.scalars(_row(kind, ref_id, lang).where(Indexed.words != "")).all()
    for row in rows:
        row.seq, row.size, row.words, row.analysis = _next(session), 0, "", ""
        session.flush()
    return [(row.article_id, row.lang) for row in rows]


def _row(kind: IndexedKind, ref_id: int, lang: str | None) -> Select[Indexed]:
    found = select(Indexed).where(Indexed.kind == kind, Indexed.ref_id == ref_id)
    return found if lang is None else found.where(Indexed.lang == lang)


def _next(session: Session) -> int:
    ext.lock(session, _LOCK)
    return (session.scalar(select(func.max(Indexed.seq))) or 0) + 1


def _examples(
    column: InstrumentedAttribute[_Column], article_id: int, lang: str
) -> Select[_Column]:
    found = select(column).where(Example.article_id == article_id, Example.lang == lang)
    return found.order_by(Example.id.desc()).limit(MOST_EXAMPLES)


def _text_unit(text: ArticleText) -> units.TextUnit:
    found = analysis.analyse(text.lang, text.title, text.keywords, text.body_markdown)
    words = synonyms.thesaurus(text.lang)
    return units.text_unit(text.id, text.article_id, text.state.value, found, words)


def _learned(article_id: int, lang: str, texts: Sequence[str]) -> units.Learned:
    questions = [analysis.question_lines(text, lang) for text in texts]
    return units.learned(article_id, questions, synonyms.thesaurus(lang))


def _pack(unit: Unit) -> str:
    if isinstance(unit, units.About):
        return b64encode(unit.vector).decode()
    parts: list[object] = [
        {key: round(weight * _HUNDRED) for key, weight in part.items()}
        for part in (unit.terms, unit.concepts)
    ]
    parts.append(unit.whole if isinstance(unit, units.Learned) else ())
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _unpack(row: Row[Any]) -> units.TextUnit | units.Learned:
    first, second, whole = json.loads(row.words)
    terms = {stem: weight / _HUNDRED for stem, weight in first.items()}
    concepts = {int(number): weight / _HUNDRED for number, weight in second.items()}
    if row.kind is IndexedKind.TEXT:
        return units.TextUnit(row.ref_id, row.article_id, row.state, terms, concepts)
    return units.Learned(row.article_id, row.size, terms, concepts, tuple(whole))


def _stale() -> Select[Indexed]:
    """By ranges of the index; what is gone has no analysis."""
    mine = version()
    before = and_(Indexed.analysis > "", Indexed.analysis < mine)
    return select(Indexed).where(or_(before, Indexed.analysis > mine))
