"""What search knows, in the memory of each process.

A change is seen by the next search of any process: each asks first for the highest number in
`kb_index` and reads what is newer. Processes read what is committed, never what a transaction may
still take back.

A process that starts has the texts from a file (`kept`) as far as it goes, and reads the rest in
small portions with pauses, so that its pages need not wait.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary
from zlib import crc32

from flask import current_app
from sqlalchemy import Engine, Row, case, func, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.kb import embedding, kept, synonyms, units
from helpdesk.kb.index import unit_of, version
from helpdesk.kb.models import Indexed, IndexedKind
from helpdesk.kb.ranking import Base

_BATCH = 500
_PORTION = 25  # rows that a process at its start reads between two pauses
_PAUSE = 3  # times as long as the portion took
_WORTH_KEEPING = 300  # texts that no start should read again from their rows
_COMPARED = 100  # so many of the newest numbers in the file are compared to the last letter


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
    """Read the thesaurus and the model now, and for processes that search the `texts` that are kept
    in the file: what is read before a process forks, its children share."""
    embedding.available()
    for lang in ext.LANGUAGES:
        synonyms.thesaurus(lang)
    found = kept.read(_folder(), version()) if texts else None
    if found:
        with ext.session() as reading:
            if _fits(reading, found):
                memory = _memory()
                memory.bases, memory.reached[IndexedKind.TEXT] = found.bases, found.seq


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
    memory.calmly(IndexedKind.EMBEDDING)


def forget_memory() -> None:
    """Let this process read the whole index again at its next search."""
    _memories.pop(ext.db.engine, None)


class _Memory:
    """What one process knows: of each kind of rows up to which number. `read` counts the texts that
    it read from their rows, not from the file."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        """Know nothing."""
        self.reached = dict.fromkeys(IndexedKind, 0)
        self.read = 0
        self.bases: dict[str, Base] = {}

    @property
    def seq(self) -> int:
        """Up to where everything is known."""
        return min(self.reached.values())

    def catch_up(self) -> None:
        """Read what was committed since; all, where the database was put back."""
        with ext.session() as reading:
            newest = reading.scalar(select(func.max(Indexed.seq))) or 0
            if newest < max(self.reached.values()):
                self.forget()
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
        columns = (c for c in Indexed.__table__.columns if c.name != "id")
        rows = reading.execute(
            select(*columns)
            .where(Indexed.kind == kind, Indexed.seq > self.reached[kind], Indexed.seq <= newest)
            .order_by(Indexed.seq)
            .limit(limit)
        ).all()
        for row in rows:
            if row.lang not in self.bases:
                self.bases[row.lang] = Base(row.lang, synonyms.thesaurus(row.lang))
            _apply(reading, row, self.bases[row.lang])
        more = len(rows) == limit
        self.reached[kind] = rows[-1].seq if more else max(newest, self.reached[kind])
        self.read += len(rows) if kind is IndexedKind.TEXT else 0
        return more

    def keep(self) -> bool:
        """Write the texts into the file, if nothing else is known yet; whether it did."""
        self.read = 0
        texts, *others = (self.reached[kind] for kind in IndexedKind)
        if any(others):
            return False
        with self.lock, ext.session() as reading:
            marks = _marks(reading, texts)
            kept.write(_folder(), version(), kept.Kept(texts, marks, self.bases))
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
    unit = unit_of(reading, row)
    if isinstance(unit, units.TextUnit):
        base.put(unit)
    elif isinstance(unit, units.Learned):
        base.learn(unit)
    elif unit is not None:
        base.embed(unit)
    elif row.kind is IndexedKind.TEXT:
        base.drop(row.ref_id)
    elif row.kind is IndexedKind.LEARNED:
        base.learn(units.Learned(row.article_id, 0, {}, {}))
    else:
        base.unembed(row.article_id)
