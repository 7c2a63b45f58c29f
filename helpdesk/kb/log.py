"""What readers look for and read: kept aside in memory and written after the answer, in batches.

A search must not wait for the write lock, so it only notes; the entry point that answers calls
`after` with its own way to open a write transaction. What a crash loses is a few lines of a log.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import add_row, lock
from helpdesk.kb.analysis import telling, words
from helpdesk.kb.models import ArticleText, Feedback, Miss, Outcome, Reading, Search, Source
from helpdesk.lib.clock import now
from helpdesk.lib.stems import stem
from helpdesk.lib.text import clean, clean_line

MAX_QUERY = 300
MAX_COMMENT = 2_000
MOST_WAITING = 1_000
"""Notes kept until they are written; more than that is a flood and is not kept."""
MOST_A_MINUTE = 60
"""Notes of one visit in a minute; more is a program and is not kept."""
PAUSE = timedelta(seconds=2)
"""Between two writes of one process, so that many readers share a transaction."""
SAME = timedelta(seconds=60)
"""A search that goes on typing the one before it, within this time, takes its place."""

Opener = Callable[[], AbstractContextManager[Session]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search: `found` articles; `missed`: most likely none of them is what was looked for."""

    query: str
    lang: str
    source: Source
    found: int
    at: datetime
    missed: bool = False
    visit: str | None = None
    ticket_id: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An article that was opened."""

    article_id: int
    text_id: int
    lang: str
    source: Source
    at: datetime
    visit: str | None = None
    person_id: int | None = None
    ticket_id: int | None = None


Note = Asked | Opened


class _Waiting:
    """The notes of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: list[Note] = []
        self._written: datetime | None = None
        self._visits: Counter[tuple[str, int]] = Counter()

    def add(self, note: Note) -> None:
        with self._lock:
            minute = (note.visit or "", int(note.at.timestamp()) // 60)
            if len(self._notes) >= MOST_WAITING:
                return
            if note.visit is not None:
                if self._visits[minute] >= MOST_A_MINUTE:
                    return
                self._visits[minute] += 1
            if isinstance(note, Asked) and self._goes_on(note):
                self._notes.pop()
            self._notes.append(note)

    def take(self, at: datetime, *, all_: bool = False) -> list[Note]:
        with self._lock:
            early = self._written is not None and timedelta() <= at - self._written < PAUSE
            if not self._notes or (early and not all_):
                return []
            self._written = at
            taken, self._notes = self._notes, []
            if len(self._visits) > MOST_WAITING:
                self._visits.clear()
            return taken

    def _goes_on(self, note: Asked) -> bool:
        last = self._notes[-1] if self._notes else None
        if not isinstance(last, Asked) or note.visit is None or last.visit != note.visit:
            return False
        return note.at - last.at < SAME and note.query.startswith(last.query[:-1] or last.query)


def _waiting() -> _Waiting:
    waiting: _Waiting = current_app.extensions.setdefault("kb_log", _Waiting())
    return waiting


def note(entry: Note) -> None:
    """Keep a search or a reading to be written; cheap, never fails."""
    if isinstance(entry, Asked):
        entry = replace(entry, query=clean_line(entry.query, MAX_QUERY))
        if not entry.query:
            return
    _waiting().add(entry)


def after(response: Response, opened: Opener) -> Response:
    """Write what waits once this answer has gone out, unless that was done just before."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def flush() -> None:
        with app.app_context():
            write(opened)

    response.call_on_close(flush)
    return response


def write(opened: Opener, *, all_: bool = False) -> int:
    """Write what waits, at most once in PAUSE (`all_`: at once); how many notes. What fails is
    logged and dropped: nobody's page may break by it.
    """
    notes = _waiting().take(now(), all_=all_)
    if not notes:
        return 0
    try:
        with opened() as session:
            save(session, notes)
    except Exception:
        log.exception("searches were not kept", extra={"count": len(notes)})
    return len(notes)


def save(session: Session, notes: Sequence[Note]) -> None:
    """Write notes: searches with their misses, readings with the counts of views."""
    views: Counter[int] = Counter()
    for entry in notes:
        if isinstance(entry, Asked):
            _save_search(session, entry)
        else:
            _save_reading(session, entry)
            views[entry.text_id] += 1
    for text_id in sorted(views):
        values = {"views": ArticleText.views + views[text_id]}
        session.execute(update(ArticleText).where(ArticleText.id == text_id).values(**values))


def settle_search(
    session: Session,
    visit: str,
    outcome: Outcome,
    *,
    article_id: int | None = None,
    ticket_id: int | None = None,
    source: Source | None = None,
) -> None:
    """Say how the visit's latest search ended. Call `write(..., all_=True)` before, so that the
    search is there; without one a row of its own counts the outcome only if there is a `source`.
    """
    query = select(Search).where(Search.visit == visit).order_by(Search.id.desc()).limit(1)
    found = session.scalar(query)
    if found is None:
        return
    if source is not None and found.source != source:
        return
    found.outcome = outcome
    found.article_id = article_id or found.article_id
    found.ticket_id = ticket_id or found.ticket_id
    session.flush()


def rate(
    session: Session,
    text: ArticleText,
    *,
    visit: str,
    helped: bool,
    at: datetime,
    comment: str = "",
    actor: Actor = SYSTEM,
) -> Feedback:
    """One reader's answer to "Did this help?"; a later one of the same visit replaces it."""
    lock(session, f"feedback:{text.id}:{visit}")
    query = select(Feedback).where(Feedback.text_id == text.id, Feedback.visit == visit)
    found = session.scalar(query)
    if found is None:
        found = Feedback(text_id=text.id, visit=visit, helped=helped, at=at)
        session.add(found)
        _count(session, text.id, helped, 1)
    elif found.helped != helped:
        _count(session, text.id, found.helped, -1)
        _count(session, text.id, helped, 1)
    found.helped, found.at = helped, at
    found.comment = clean(comment).strip()[:MAX_COMMENT] or found.comment or ""
    session.flush()
    record(
        session,
        "article.rated",
        actor=actor,
        at=at,
        article_id=text.article_id,
        lang=text.lang,
        helped=helped,
    )
    return found


def settle_miss(
    session: Session, miss: Miss, *, at: datetime | None, article_id: int | None = None
) -> None:
    """Take a miss off the editor's list (`at` None: put it back); `article_id` answers it."""
    miss.settled_at = at
    miss.article_id = article_id
    session.flush()


def miss_key(query: str, lang: str) -> str:
    """What spellings of one question have in common: the sorted stems of its telling words."""
    found = words(query)
    stems = {stem(word, lang) for word in telling(found, lang) or found}
    return " ".join(sorted(stems))[:120]


def _save_search(session: Session, entry: Asked) -> None:
    add_row(
        session,
        Search,
        at=entry.at,
        lang=entry.lang,
        query=entry.query,
        source=entry.source,
        found=entry.found,
        visit=entry.visit,
        ticket_id=entry.ticket_id,
    )
    if entry.missed or not entry.found:
        _save_miss(session, entry)


def _save_miss(session: Session, entry: Asked) -> None:
    key = miss_key(entry.query, entry.lang)
    if not key:
        return
    lock(session, f"miss:{entry.lang}:{key}")
    found = session.scalar(select(Miss).where(Miss.lang == entry.lang, Miss.key == key))
    if found is None:
        row = {"lang": entry.lang, "key": key, "query": entry.query, "last_at": entry.at}
        add_row(session, Miss, times=1, **row)
        return
    found.times += 1
    found.query, found.last_at = entry.query, entry.at
    if found.article_id is not None:
        found.settled_at = None  # whatever was written for it doesn't answer it
    session.flush()


def _save_reading(session: Session, entry: Opened) -> None:
    add_row(
        session,
        Reading,
        at=entry.at,
        article_id=entry.article_id,
        lang=entry.lang,
        source=entry.source,
        visit=entry.visit,
        person_id=entry.person_id,
        ticket_id=entry.ticket_id,
    )
    if entry.visit is not None:
        settle_search(session, entry.visit, Outcome.OPENED, article_id=entry.article_id)


def _count(session: Session, text_id: int, helped: bool, step: int) -> None:
    column: Any = ArticleText.helped if helped else ArticleText.not_helped
    values = {column.key: column + step}
    session.execute(update(ArticleText).where(ArticleText.id == text_id).values(**values))
