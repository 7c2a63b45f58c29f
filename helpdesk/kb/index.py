"""What search knows: written with the texts and examples, kept in memory by every process.

A change is seen by the next search of any process: each asks first for the highest number in
`kb_index` and reads what is newer. The numbers are given under a lock held until the commit, so
none is skipped. Processes read what is committed, never what a transaction may still take back.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.kb import analysis, synonyms, units
from helpdesk.kb.models import Article, ArticleText, Example, Indexed, IndexedKind
from helpdesk.kb.ranking import Base

MOST_EXAMPLES = 200
"""Of one article in one language; older ones are kept, but say nothing any more."""

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


def unindex(session: Session, text_id: int) -> None:
    """Forget a text; an unknown one is ignored."""
    _forget(session, IndexedKind.TEXT, text_id)


def relearn(session: Session, article_id: int, lang: str) -> None:
    """Learn anew what the article's examples in this language say, after some came or went, or the
    article itself. The newest MOST_EXAMPLES count; those of a deleted article say nothing.
    """
    session.flush()
    article = session.get(Article, article_id)
    gone = article is None or article.deleted_at is not None
    texts = [] if gone else session.scalars(_examples(article_id, lang)).all()
    if texts:
        _put(session, IndexedKind.LEARNED, article_id, lang, _learned(article_id, lang, texts))
    else:
        _forget(session, IndexedKind.LEARNED, article_id, lang)


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


@contextmanager
def bases(session: Session) -> Iterator[dict[str, Base]]:
    """The bases by language, up to date, for one search at a time in this process."""
    memory = _memory()
    newest = session.scalar(select(func.max(Indexed.seq))) or 0
    with memory.lock:
        if newest != memory.seq:
            memory.catch_up()
        yield memory.bases


def prepare() -> None:
    """Read the thesaurus now: what is read before a process forks, its children share."""
    for lang in ext.LANGUAGES:
        synonyms.thesaurus(lang)


def warm() -> None:
    """Let this process read the index now, so that its first search need not."""
    with ext.session() as session, bases(session):
        return


def forget_memory() -> None:
    """Let this process read the whole index again at its next search."""
    _memories.pop(ext.db.engine, None)


class _Memory:
    """What one process knows."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.seq = 0
        self.bases: dict[str, Base] = {}

    def catch_up(self) -> None:
        """Read what was committed since; all, where the database was put back."""
        with ext.session() as reading:
            newest = reading.scalar(select(func.max(Indexed.seq))) or 0
            if newest < self.seq:
                self.seq, self.bases = 0, {}
            while self.seq < newest:
                self._read(reading)

    def _read(self, reading: Session) -> None:
        columns = (c for c in Indexed.__table__.columns if c.name != "id")
        rows = reading.execute(
            select(*columns).where(Indexed.seq > self.seq).order_by(Indexed.seq).limit(_BATCH)
        ).all()
        for row in rows:
            if row.lang not in self.bases:
                self.bases[row.lang] = Base(row.lang, synonyms.thesaurus(row.lang))
            _apply(reading, row, self.bases[row.lang])
            self.seq = row.seq


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()


def _memory() -> _Memory:
    return _memories.setdefault(ext.db.engine, _Memory())


def _apply(reading: Session, row: Row[Any], base: Base) -> None:
    unit = _unit(reading, row)
    if isinstance(unit, units.TextUnit):
        base.put(unit)
    elif unit is not None:
        base.learn(unit)
    elif row.kind is IndexedKind.TEXT:
        base.drop(row.ref_id)
    else:
        base.learn(units.Learned(row.article_id, 0, {}, {}))


def _unit(reading: Session, row: Row[Any]) -> units.TextUnit | units.Learned | None:
    """What a row says; made anew from the text or the examples where it is of another version."""
    if not row.words:
        return None
    if row.analysis == _version():
        return _unpack(row)
    if row.kind is IndexedKind.TEXT:
        text = reading.get(ArticleText, row.ref_id)
        return _text_unit(text) if text else None
    texts = reading.scalars(_examples(row.ref_id, row.lang)).all()
    return _learned(row.ref_id, row.lang, texts) if texts else None


def _put(
    session: Session,
    kind: IndexedKind,
    ref_id: int,
    lang: str,
    unit: units.TextUnit | units.Learned,
) -> None:
    row = session.scalar(_row(kind, ref_id, lang)) or Indexed(kind=kind, ref_id=ref_id, lang=lang)
    row.seq, row.article_id, row.analysis = _next(session), unit.article_id, _version()
    row.state = unit.label if isinstance(unit, units.TextUnit) else ""
    row.size = unit.size if isinstance(unit, units.Learned) else 0
    row.words = _pack(unit)
    session.add(row)
    session.flush()


def _forget(session: Session, kind: IndexedKind, ref_id: int, lang: str | None = None) -> None:
    for row in session.scalars(_row(kind, ref_id, lang).where(Indexed.words != "")).all():
        row.seq, row.size, row.words, row.analysis = _next(session), 0, "", ""
        session.flush()


def _row(kind: IndexedKind, ref_id: int, lang: str | None) -> Select[Indexed]:
    found = select(Indexed).where(Indexed.kind == kind, Indexed.ref_id == ref_id)
    return found if lang is None else found.where(Indexed.lang == lang)


def _next(session: Session) -> int:
    ext.lock(session, _LOCK)
    return (session.scalar(select(func.max(Indexed.seq))) or 0) + 1


def _examples(article_id: int, lang: str) -> Select[str]:
    found = select(Example.text).where(Example.article_id == article_id, Example.lang == lang)
    return found.order_by(Example.id.desc()).limit(MOST_EXAMPLES)


def _text_unit(text: ArticleText) -> units.TextUnit:
    found = analysis.analyse(text.lang, text.title, text.keywords, text.body_markdown)
    words = synonyms.thesaurus(text.lang)
    return units.text_unit(text.id, text.article_id, text.state.value, found, words)


def _learned(article_id: int, lang: str, texts: Sequence[str]) -> units.Learned:
    questions = [analysis.question_lines(text, lang) for text in texts]
    return units.learned(article_id, questions, synonyms.thesaurus(lang))


def _pack(unit: units.TextUnit | units.Learned) -> str:
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
    mine = _version()
    before = and_(Indexed.analysis > "", Indexed.analysis < mine)
    return select(Indexed).where(or_(before, Indexed.analysis > mine))


def _version() -> str:
    return f"{units.VERSION}-{units.weights_digest()}-{synonyms.digest()}"
