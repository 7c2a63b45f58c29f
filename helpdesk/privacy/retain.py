"""Retention: what is kept for a time goes when its time is over, in small transactions."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.accounts.models import (
    IdempotentAnswer,
    LimitHit,
    LoginSession,
    OneTimeLink,
    PortalCode,
    PortalSession,
)
from helpdesk.calls.models import CallCommand, CallEvent, Recording
from helpdesk.clients.facts import ClientNote, Document
from helpdesk.clients.import_models import ImportProblem, ImportRun, RunState
from helpdesk.clients.models import Person
from helpdesk.files import StoredFile
from helpdesk.intake.models import Delivery
from helpdesk.kb.models import Reading, Search
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.privacy.calls import drop_sounds
from helpdesk.privacy.erase import drop_archived
from helpdesk.privacy.loose import owned, remove_loose
from helpdesk.privacy.reports import drop_files
from helpdesk.reports.models import ReportFile
from helpdesk.tickets.models import Attachment, Draft
from helpdesk.tickets.viewers import Viewer

ANSWERS = timedelta(hours=24)  # how long a repeated API request gets the first answer
UNUSED = timedelta(days=1)  # a file that is being uploaded has no owner for a moment
UNDO = timedelta(days=30)
MENDED = timedelta(days=7)
VIEWED = timedelta(days=1)
MISSED = timedelta(days=2)  # an erasure whose second half a crash may have prevented
SENT = (OutgoingState.SENT, OutgoingState.DELIVERED, OutgoingState.CAUGHT)

Task = Callable[[datetime, int], int]


def retain(at: datetime, limit: int = 500) -> int:
    """Remove everything whose period is over at `at`, UTC; how many rows were concerned.

    Entry point, for once a day. Each transaction concerns at most `limit` rows, so that nobody
    waits for long; a run that was broken off is simply begun again.
    """
    done = sum(task(at, limit) for task in TASKS)
    if _erased_lately(at):
        ext.compact(ext.fulltext.TABLES)
    return done


def _raw_emails(at: datetime, limit: int) -> int:
    """Raw Deliveries, in the row or archived; one that still waits to be processed stays."""
    query = select(Delivery.id).where(
        Delivery.received_at < _since(at, "retention_raw_days"),
        Delivery.todo.is_(None),
        or_(Delivery.raw.is_not(None), Delivery.raw_sha256.is_not(None)),
    )
    loose: list[str] = []

    def forget(session: Session, ids: Sequence[int]) -> None:
        loose.extend(drop_archived(session, ids))
        gone = {"raw": None, "raw_sha256": None, "envelope_from": None}
        session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(gone))

    done = _in_chunks(query, Delivery.id, forget, limit)
    remove_loose(loose)
    return done


def _sent_emails(at: datetime, limit: int) -> int:
    """Bodies of sent emails: an answer stands in its message anyway. Failed ones stay: somebody
    may send them again."""
    query = select(Outgoing.id).where(
        Outgoing.created_at < _since(at, "retention_raw_days"),
        Outgoing.state.in_(SENT),
        or_(Outgoing.text != "", Outgoing.html.is_not(None)),
    )

    def forget(session: Session, ids: Sequence[int]) -> None:
        gone = {"text": "", "html": None}
        session.execute(update(Outgoing).where(Outgoing.id.in_(ids)).values(gone))

    return _in_chunks(query, Outgoing.id, forget, limit)


def _drafts(at: datetime, limit: int) -> int:
    old = Draft.updated_at < _since(at, "retention_draft_days")

    def forget(session: Session, ids: Sequence[int]) -> None:
        # Asked again: somebody may have typed on since the ids were read.
        still = list(session.scalars(select(Draft.id).where(Draft.id.in_(ids), old)))
        session.execute(delete(Attachment).where(Attachment.draft_id.in_(still)))
        session.execute(delete(Draft).where(Draft.id.in_(still)))

    return _in_chunks(select(Draft.id).where(old), Draft.id, forget, limit)


def _log_ins(at: datetime, limit: int) -> int:
    idle = LoginSession.last_seen_at < _since(at, "retention_session_days")
    return _delete(LoginSession, or_(LoginSession.expires_at < at, idle), limit)


def _links(at: datetime, limit: int) -> int:
    return _delete(OneTimeLink, OneTimeLink.expires_at < at, limit)


def _portal(at: datetime, limit: int) -> int:
    """Codes and sessions of customers."""
    codes = _delete(PortalCode, PortalCode.expires_at < at, limit)
    return codes + _delete(PortalSession, PortalSession.expires_at < at, limit)


def _viewers(at: datetime, limit: int) -> int:
    return _delete(Viewer, Viewer.seen_at < at - VIEWED, limit)


def _limits(at: datetime, limit: int) -> int:
    return _delete(LimitHit, LimitHit.expires_at < at, limit)


def _answers(at: datetime, limit: int) -> int:
    return _delete(IdempotentAnswer, IdempotentAnswer.created_at < at - ANSWERS, limit)


def _searches(at: datetime, limit: int) -> int:
    return _delete(Search, Search.at < _since(at, "retention_search_days"), limit)


def _readings(at: datetime, limit: int) -> int:
    return _delete(Reading, Reading.at < _since(at, "retention_search_days"), limit)


def _recordings(at: datetime, limit: int) -> int:
    """The sound goes, the row stays and says that there was one."""
    query = select(Recording.id).where(
        Recording.file_id.is_not(None),
        Recording.stored_at < _since(at, "retention_recording_days"),
    )
    loose: list[str] = []

    def forget(session: Session, ids: Sequence[int]) -> None:
        loose.extend(drop_sounds(session, Recording.id, ids, at))

    done = _in_chunks(query, Recording.id, forget, limit)
    remove_loose(loose)
    return done


def _report_files(at: datetime, limit: int) -> int:
    query = select(ReportFile.id).where(ReportFile.created_at < _since(at, "retention_report_days"))
    loose: list[str] = []

    def forget(session: Session, ids: Sequence[int]) -> None:
        loose.extend(drop_files(session, ids))

    done = _in_chunks(query, ReportFile.id, forget, limit)
    remove_loose(loose)
    return done


def _call_events(at: datetime, limit: int) -> int:
    """What carriers said and were asked, word for word; the calls' own columns stay."""
    old = _since(at, "retention_raw_days")
    heard = _delete(CallEvent, (CallEvent.received_at < old) & CallEvent.todo.is_(None), limit)
    asked = (CallCommand.created_at < old) & CallCommand.due_at.is_(None)
    return heard + _delete(CallCommand, asked, limit)


def _unused_files(at: datetime, limit: int) -> int:
    query = select(StoredFile.id).where(StoredFile.created_at < at - UNUSED, ~owned())
    done = last = 0
    while ids := _page(query, StoredFile.id, last, limit):
        with ext.session() as session:
            rows = select(StoredFile.sha256).where(StoredFile.id.in_(ids))
            hashes = list(session.scalars(rows))
        done += remove_loose(hashes)
        last = ids[-1]
    return done


def _removed_facts(at: datetime, limit: int) -> int:
    """Notes and documents that somebody deleted, once nobody wants to undo it any more."""
    return sum(
        _delete(model, model.deleted_at < at - UNDO, limit) for model in (ClientNote, Document)
    )


def _imports(at: datetime, limit: int) -> int:
    """Files of imports hold personal values: they go as raw emails do, with what was wrong; those
    that are in, once nobody mends the bad rows any more.
    """
    is_in = (ImportRun.state == RunState.DONE) & (ImportRun.updated_at < at - MENDED)
    old = or_(is_in, ImportRun.updated_at < _since(at, "retention_raw_days"))

    def forget(session: Session, ids: Sequence[int]) -> None:
        session.execute(delete(ImportProblem).where(ImportProblem.run_id.in_(ids)))
        session.execute(delete(ImportRun).where(ImportRun.id.in_(ids)))

    return _in_chunks(select(ImportRun.id).where(old), ImportRun.id, forget, min(limit, 10))


TASKS: Sequence[Task] = (
    _imports,
    _removed_facts,
    _raw_emails,
    _sent_emails,
    _drafts,
    _log_ins,
    _links,
    _portal,
    _limits,
    _viewers,
    _answers,
    _searches,
    _readings,
    _recordings,
    _report_files,
    _call_events,
    _unused_files,
)


def _since(at: datetime, setting: str) -> datetime:
    with ext.session() as session:
        return at - timedelta(days=settings.get(session, setting))


def _delete(model: type[Any], old: Any, limit: int) -> int:
    def forget(session: Session, ids: Sequence[int]) -> None:
        session.execute(delete(model).where(model.id.in_(ids), old))

    return _in_chunks(select(model.id).where(old), model.id, forget, limit)


def _in_chunks(
    query: Select[int], key: Any, forget: Callable[[Session, Sequence[int]], None], limit: int
) -> int:
    """Read ids without a lock, then change them in a short transaction, until none is left."""
    done = last = 0
    while ids := _page(query, key, last, limit):
        with ext.write() as session:
            forget(session, ids)
        done += len(ids)
        last = ids[-1]
    return done


def _page(query: Select[int], key: Any, last: int, limit: int) -> list[int]:
    with ext.session() as session:
        return list(session.scalars(query.where(key > last).order_by(key).limit(limit)))


def _erased_lately(at: datetime) -> bool:
    with ext.session() as session:
        query = select(Person.id).where(Person.erased_at > at - MISSED).limit(1)
        return session.scalar(query) is not None
