"""The telephone's share: calls, recordings and planned contacts of people, erased and exported."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallEvent,
    CommandState,
    Recording,
    RecordingState,
    VoiceAnswer,
)
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.events import record
from helpdesk.files import StoredFile
from helpdesk.planner.models import Task, TaskState
from helpdesk.privacy.inventory import BLANKED
from helpdesk.privacy.scope import Scope, chunks

_AT_CARRIER = (RecordingState.EXPECTED, RecordingState.READY, RecordingState.FAILED)


def forget_calls(session: Session, scope: Scope, at: datetime) -> list[str]:
    """Blank these people's calls, what carriers said of them, and what was planned; loose files.

    Call it while their contact points are still there: a call of a number that several people
    share may name nobody.
    """
    numbers = _own_numbers(session, scope.person_ids)
    call_ids = _ids(session, Call, scope) + _nameless(session, numbers)
    task_ids = _ids(session, Task, scope)
    loose = drop_sounds(session, Recording.call_id, call_ids, at)
    for part in chunks(call_ids):
        session.execute(
            update(Recording)
            .where(Recording.call_id.in_(part), Recording.state.in_(_AT_CARRIER))
            .values(state=RecordingState.DELETED, due_at=at, attempts=0)
        )
        session.execute(
            update(CallCommand)
            .where(CallCommand.call_id.in_(part), CallCommand.due_at.is_not(None))
            .values(state=CommandState.DROPPED, due_at=None)
        )
    for part in chunks(task_ids):
        session.execute(
            update(Task)
            .where(Task.id.in_(part), Task.done_at.is_(None))
            .values(state=TaskState.CANCELLED, next_at=None, done_at=at)
        )
    _blank(session, CallCommand.call_id, call_ids)
    _blank(session, CallEvent.call_id, call_ids)
    _blank(session, CallEvent.id, _naming(session, numbers))
    _blank(session, Call.id, call_ids, contact_point_id=None)
    _blank(session, Task.id, task_ids, contact_point_id=None)
    return loose


def drop_sounds(
    session: Session, key: InstrumentedAttribute[int], ids: Sequence[int], at: datetime
) -> list[str]:
    """Take the files from these recordings; their hashes. The rows stay: there was one."""
    loose: list[str] = []
    for part in chunks(ids):
        query = select(Recording, StoredFile.sha256).join(
            StoredFile, StoredFile.id == Recording.file_id
        )
        for row, sha256 in session.execute(query.where(key.in_(part))).all():
            row.file_id, row.state = None, RecordingState.DELETED
            loose.append(sha256)
            record(
                session,
                "recording.deleted",
                at=at,
                ticket_id=row.call.ticket_id,
                client_id=row.call.client_id,
                call_id=row.call_id,
                recording_id=row.id,
            )
    session.flush()
    return loose


def calls_of(session: Session, scope: Scope) -> dict[str, list[Any]]:
    """The same rows, to be handed to the person they are about."""
    call_ids = _ids(session, Call, scope)
    return {
        "calls": _rows(session, Call.id, call_ids),
        "recordings": _rows(session, Recording.call_id, call_ids),
        "calls_heard": [
            row
            for row in _rows(session, CallEvent.call_id, call_ids)
            if "heard" not in row.payload  # of `payloads.whole`, with the carrier's addresses
        ],
        "articles_heard": _rows(session, VoiceAnswer.call_id, call_ids),
        "planned": _rows(session, Task.id, _ids(session, Task, scope)),
    }


def _ids(session: Session, model: type[Call] | type[Task], scope: Scope) -> list[int]:
    """Of the people, of the whole client if it goes, and on tickets that are wholly theirs."""
    mine = or_(model.person_id.in_(scope.person_ids), model.client_id == (scope.client_id or 0))
    found = set(session.scalars(select(model.id).where(mine)))
    for part in chunks(scope.ticket_ids):
        found |= set(session.scalars(select(model.id).where(model.ticket_id.in_(part))))
    return sorted(found)


def _own_numbers(session: Session, person_ids: Sequence[int]) -> list[str]:
    """Their numbers that nobody else has."""
    phones = select(ContactPoint.key).where(ContactPoint.kind == ContactKind.PHONE)
    mine = set(session.scalars(phones.where(ContactPoint.person_id.in_(person_ids))))
    others = phones.where(ContactPoint.key.in_(mine), ContactPoint.person_id.not_in(person_ids))
    return sorted(mine - set(session.scalars(others)))


def _nameless(session: Session, numbers: Sequence[str]) -> list[int]:
    """Calls with one of these numbers that name no person."""
    found: list[int] = []
    for part in _texts(numbers):
        query = select(Call.id).where(
            Call.person_id.is_(None),
            or_(Call.from_number.in_(part), Call.to_number.in_(part)),
        )
        found += session.scalars(query)
    return found


def _naming(session: Session, numbers: Sequence[str]) -> list[int]:
    """What carriers said that belongs to no call we know, and names one of these numbers."""
    if not numbers:
        return []
    rows = select(CallEvent.id, CallEvent.payload).where(CallEvent.call_id.is_(None))
    return [
        id_
        for id_, payload in session.execute(rows)
        if any(number in json.dumps(payload) for number in numbers)
    ]


def _texts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[n : n + 500] for n in range(0, len(values), 500)]


def _blank(
    session: Session, key: InstrumentedAttribute[Any], ids: Sequence[int], **more: Any
) -> None:
    model: Any = key.class_
    values = {**BLANKED[model.__tablename__], **more}
    for part in chunks(ids):
        session.execute(
            update(model).where(key.in_(part)).values(values),
            execution_options={"synchronize_session": False},
        )


def _rows(session: Session, key: InstrumentedAttribute[Any], ids: Sequence[int]) -> list[Any]:
    model: Any = key.class_
    found: list[Any] = []
    for part in chunks(ids):
        found += session.scalars(select(model).where(key.in_(part)).order_by(model.id))
    return found
