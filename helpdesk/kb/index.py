"""What search knows: written with the texts and examples, kept in memory by every process.

A change is seen by the next search of any process: each asks first for the highest number in
`kb_index` and reads what is newer. The numbers are given under a lock held until the commit, so
none is skipped. Processes read what is committed, never what a transaction may still take back.

A process that starts has the texts from a file (`kept`) as far as it goes, and reads the rest in
small portions with pauses, so that its pages need not wait.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary
from zlib import crc32

from flask import current_app
from sqlalchemy import Engine, Row, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.kb import analysis, kept, synonyms, units
from helpdesk.kb.models import Article, ArticleText, Example, Indexed, IndexedKind
from helpdesk.kb.ranking import Base

MOST_EXAMPLES = 200
"""Of one article in one language; older ones are kept, but say nothing any more."""

_LOCK = "kb-index"
_HUNDRED = 100
_BATCH = 500
_PORTION = 25  # rows that a process at its start reads between two pauses
_PAUSE = 3  # times as long as the portion took
_WORTH_KEEPING = 300  # texts that no start should read again from their rows
_COMPARED = 100  # so many of the newest numbers in the file are compared to the last letter


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


def prepare(*, texts: bool) -> None:
    """Read the thesaurus now, and for processes that search the `texts` that are kept in the file:
    what is read before a process forks, its children share."""
    for lang in ext.LANGUAGES:
        synonyms.thesaurus(lang)
    found = kept.read(_folder(), _version()) if texts else None
    if found:
        with ext.session() as reading:
            if _fits(reading, found):
                memory = _memory()
                memory.bases, memory.texts = found.bases, found.seq


def warm() -> None:
    """Let this process read the index now, with pauses, so that its first search need not; and
    keep the texts for the next start where that spares much.
    """
    memory = _memory()
    memory.calmly(IndexedKind.TEXT)
    if memory.read >= _WORTH_KEEPING and not memory.keep():
        apart = _Memory()
        apart.calmly(IndexedKind.TEXT)
        apart.keep()
    memory.calmly(IndexedKind.LEARNED)


def forget_memory() -> None:
    """Let this process read the whole index again at its next search."""
    _memories.pop(ext.db.engine, None)


class _Memory:
    """What one process knows: texts and lessons up to these numbers. `read` counts the texts that
    it read from their rows, not from the file."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.texts = self.lessons = self.read = 0
        self.bases: dict[str, Base] = {}

    @property
    def seq(self) -> int:
        """Up to where everything is known."""
        return min(self.texts, self.lessons)

    def catch_up(self) -> None:
        """Read what was committed since; all, where the database was put back."""
        with ext.session() as reading:
            newest = reading.scalar(select(func.max(Indexed.seq))) or 0
            if newest < max(self.texts, self.lessons):
                self.texts = self.lessons = self.read = 0
                self.bases = {}
            for kind in IndexedKind:
                while self.advance(reading, kind, newest, _BATCH):
                    pass

    def calmly(self, kind: IndexedKind) -> None:
        """Read a few rows, rest a while, and so on to the last one."""
        more = True
        while more:
            began = time.perf_counter()
            with self.lock, ext.session() as reading:
                newest = reading.scalar(select(func.max(Indexed.seq))) or 0
                more = self.advance(reading, kind, newest, _PORTION)
            time.sleep(_PAUSE * (time.perf_counter() - began) if more else 0)

    def advance(self, reading: Session, kind: IndexedKind, newest: int, limit: int) -> bool:
        """Read at most so many rows of this kind; whether there may be more up to `newest`."""
        is_text = kind is IndexedKind.TEXT
        columns = (c for c in Indexed.__table__.columns if c.name != "id")
        rows = reading.execute(
            select(*columns)
            .where(Indexed.kind == kind, Indexed.seq > (self.texts if is_text else self.lessons))
            .where(Indexed.seq <= newest)
            .order_by(Indexed.seq)
            .limit(limit)
        ).all()
        for row in rows:
            if row.lang not in self.bases:
                self.bases[row.lang] = Base(row.lang, synonyms.thesaurus(row.lang))
            _apply(reading, row, self.bases[row.lang])
        more = len(rows) == limit
        reached = rows[-1].seq if more else max(newest, self.texts if is_text else self.lessons)
        if is_text:
            self.texts, self.read = reached, self.read + len(rows)
        else:
            self.lessons = reached
        return more

    def keep(self) -> bool:
        """Write the texts into the file, if nothing else is known yet; whether it did."""
        self.read = 0
        if self.lessons:
            return False
        with self.lock, ext.session() as reading:
            marks = _marks(reading, self.texts)
            kept.write(_folder(), _version(), kept.Kept(self.texts, marks, self.bases))
        return True


def _folder() -> Path:
    return Path(current_app.config["DATA_DIR"])


def _fits(reading: Session, found: kept.Kept) -> bool:
    """Whether the file was made of the rows that are there; rows may have come or changed since,
    none may be gone or be another under its old number."""
    known = select(func.count()).select_from(Indexed).where(Indexed.kind == IndexedKind.TEXT)
    if (reading.scalar(known) or 0) < len(found.marks):
        return False
    return all(found.marks.get(seq) == mark for seq, mark in _marks(reading, found.seq).items())


def _marks(reading: Session, seq: int) -> kept.Marks:
    """What the rows of texts up to this one look like: their sizes, and the newest whole."""
    few = (Indexed.seq, Indexed.ref_id, Indexed.lang, Indexed.article_id, Indexed.state)
    newest = case((Indexed.seq > seq - _COMPARED, Indexed.words), else_="")
    told = (*few, Indexed.analysis, func.length(Indexed.words), newest)
    texts = select(*told).where(Indexed.kind == IndexedKind.TEXT, Indexed.seq <= seq)
    return {row.seq: crc32(repr(tuple(row)).encode()) for row in reading.execute(texts)}


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
