"""Recordings and voicemail: heard of, copied from the carrier into our files, deleted there.

A row says by `due_at` what is still to be done with the carrier: to fetch the sound, or, once it
is stored or unwanted, to delete the carrier's copy. No address of the carrier is kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from helpdesk import ext, files
from helpdesk.calls import record
from helpdesk.calls.carriers import carrier
from helpdesk.calls.models import Call, Recording, RecordingKind, RecordingState
from helpdesk.calls.providers.port import CarrierError, Heard
from helpdesk.events import SYSTEM, Actor
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, _lazy

log = structlog.get_logger()

LADDER = (5, 15, 60, 300, 900, 3_600)
"""Seconds to the next try; the last one repeats."""
REFUSALS = 5
"""Tries where the carrier says that there is none: for seconds after the end that isn't true."""
TRIES = 48
"""Tries where the carrier can't be reached: with this ladder about two days."""
MISSING = 404
LEASE = timedelta(minutes=10)  # longer than one download may take
PATIENCE = timedelta(seconds=30)  # for the word that a message is complete, which may be lost

TOO_SHORT = _lazy("too short")
SILENT = _lazy("nothing was said")
NONE_MADE = _lazy("the carrier has none")
NOT_FETCHED = _lazy("The carrier did not hand the recording over.")
NO_SOUND = _lazy("What the carrier handed over is no sound.")
NOT_DELETED = _lazy("The carrier’s copy could not be deleted.")
_ABSENT = {"16101": ("too_short", TOO_SHORT), "16102": ("silent", SILENT)}
_OPEN = (RecordingState.EXPECTED, RecordingState.READY)


@dataclass(frozen=True)
class Claimed:
    """A recording that this worker is at."""

    recording_id: int
    provider_id: str
    attempts: int
    fetch: bool  # else the carrier's copy is deleted


class NoSound(Exception):
    """The bytes are no sound that a browser should play."""


def heard(session: Session, heard: Heard, call: Call, at: datetime) -> Recording | None:
    """Write down what a carrier says of a recording, in any order and any number of times.

    Takes the recording's own callback and the Record step alike: either may be lost. None where
    no recording is named.
    """
    if heard.recording_id is None:
        return None
    row = _row(session, heard.recording_id, call, at)
    if merge(row, heard, call):
        row.due_at = at
    if heard.recording_state == "absent":
        _absent(session, row, call, heard.error, at)
    session.flush()
    return row


def merge(row: Recording, heard: Heard, call: Call) -> bool:
    """Take over what is said, so that order and repetition don't matter; whether it got ready."""
    if _is_voicemail(heard, call):
        row.kind = RecordingKind.VOICEMAIL
    if heard.seconds is not None:
        row.seconds = max(row.seconds or 0, heard.seconds)
    ready = heard.recording_state == "completed" and row.state == RecordingState.EXPECTED
    if ready:
        row.state = RecordingState.READY
    return ready


def fetch_due(limit: int = 20) -> int:
    """Do what is due with at most `limit` recordings; how many were looked at.

    Entry point: it commits, and asks the carrier outside of any transaction.
    """
    with ext.session() as session:
        if session.scalar(_due().with_only_columns(Recording.id)) is None:
            return 0
    for done in range(limit):
        claimed = _claim()
        if claimed is None:
            return done
        _fetch(claimed) if claimed.fetch else _delete(claimed)
    return limit


def fetch_again(session: Session, recording: Recording, *, at: datetime) -> None:
    """Try one that was given up once more from the beginning. Raises Conflict for others."""
    if recording.state != RecordingState.FAILED:
        raise Conflict(_lazy("Only a recording that failed can be fetched again."))
    recording.state, recording.due_at = RecordingState.READY, at
    recording.attempts, recording.last_error = 0, None
    session.flush()


def played(session: Session, recording: Recording, *, actor: Actor, at: datetime) -> None:
    """Somebody listened: that is kept for the audit."""
    _say(session, "recording.played", recording, at, actor=actor)


def sound_type(data: bytes) -> str:
    """The content type of a sound by its first octets. Raises NoSound."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[:3] == b"ID3" or (data[:1] == b"\xff" and data[1:2] >= b"\xe0"):
        return "audio/mpeg"
    if data[:4] == b"OggS":
        return "audio/ogg"
    raise NoSound()


def _row(session: Session, provider_id: str, call: Call, at: datetime) -> Recording:
    query = select(Recording).where(Recording.provider_id == provider_id)
    found = session.scalar(query)
    if found is None and ext.lock(session, f"recording:{provider_id}"):
        found = session.scalar(query)
    if found is not None:
        return found
    row = Recording(
        provider_id=provider_id,
        call_id=call.id,
        kind=RecordingKind.TALK,
        state=RecordingState.EXPECTED,
        due_at=at + PATIENCE,
        created_at=at,
    )
    session.add(row)
    return row


def _is_voicemail(heard: Heard, call: Call) -> bool:
    return (
        heard.kind == "step"
        or heard.payload.get("RecordingSource") == "RecordVerb"
        or ("RecordingSource" not in heard.payload and call.answered_at is None)
    )


def _absent(session: Session, row: Recording, call: Call, error: str | None, at: datetime) -> None:
    if row.state not in _OPEN:
        return
    reason, words = _ABSENT.get(error or "", ("absent", NONE_MADE))
    row.state, row.due_at, row.last_error = RecordingState.ABSENT, None, words
    session.flush()
    _say(session, "recording.absent", row, at, call=call, reason=reason)


def _due() -> Select[Recording]:
    query = select(Recording).where(Recording.due_at.is_not(None), Recording.due_at <= now())
    return query.order_by(Recording.due_at, Recording.id).limit(1)


def _claim() -> Claimed | None:
    """The next recording that is due, ours until the lease ends."""
    at = now()
    with ext.write() as session:
        row = session.scalar(_due().with_for_update(**ext.skip_locked(session)))
        if row is None:
            return None
        if row.state in _OPEN and _unwanted(row):
            _drop(session, row, at)
        row.attempts += 1
        row.due_at = at + LEASE
        return Claimed(row.id, row.provider_id, row.attempts, row.state in _OPEN)


def _unwanted(row: Recording) -> bool:
    """The caller was asked and did not agree, or has been erased."""
    call = row.call
    asked = row.kind == RecordingKind.TALK and call.consent_asked_at is not None
    erased = call.client is not None and call.client.erased_at is not None
    return erased or (asked and call.consent_given is not True)


def _drop(session: Session, row: Recording, at: datetime) -> None:
    row.state, row.attempts = RecordingState.DELETED, 0
    _say(session, "recording.deleted", row, at)


def _fetch(claimed: Claimed) -> None:
    try:
        data, _named = carrier().fetch_recording(claimed.provider_id)
        kind = sound_type(data)  # by the octets: a name proves nothing
    except CarrierError as error:
        _put_off(claimed, NOT_FETCHED, error)
        return
    except NoSound:
        _put_off(claimed, NO_SOUND, None)
        return
    sha256 = files.put(data)
    at = now()
    with ext.write() as session:
        row = _still_ours(session, claimed)
        if row is None:
            return
        row.file_id, row.content_type = files.adopt(session, sha256, len(data)), kind
        row.state, row.stored_at, row.last_error = RecordingState.STORED, at, None
        row.due_at, row.attempts = at, 0  # now the carrier's copy goes
        _say(session, "recording.stored", row, at)


def _delete(claimed: Claimed) -> None:
    try:
        carrier().delete_recording(claimed.provider_id)
    except CarrierError as error:
        _put_off(claimed, NOT_DELETED, error)
        return
    with ext.write() as session:
        row = _still_ours(session, claimed)
        if row is not None:
            row.due_at = row.last_error = None


def _put_off(claimed: Claimed, words: str, error: CarrierError | None) -> None:
    """Try again later, or give up: that stands on the ticket and in the log."""
    at = now()
    log.warning(
        "recording.put_off", recording_id=claimed.recording_id, words=words, error=str(error or "")
    )
    away = error is not None and error.again and error.code != MISSING
    most = TRIES if away else REFUSALS
    with ext.write() as session:
        row = _still_ours(session, claimed)
        if row is None:
            return
        row.last_error = words
        if claimed.attempts < most:
            seconds = LADDER[min(claimed.attempts, len(LADDER)) - 1]
            row.due_at = at + timedelta(seconds=seconds)
            return
        row.due_at = None
        log.error("recording.given_up", recording_id=row.id)
        if claimed.fetch:
            row.state = RecordingState.FAILED
            code = error.code if error is not None else None
            _say(session, "recording.failed", row, at, reason=code or "carrier")


def _still_ours(session: Session, claimed: Claimed) -> Recording | None:
    """The row, unless the lease ran out and somebody else has taken it over, or it was dropped."""
    query = select(Recording).where(
        Recording.id == claimed.recording_id, Recording.attempts == claimed.attempts
    )
    row = session.scalar(query.options(joinedload(Recording.call)).with_for_update(of=Recording))
    if row is None or (row.state in _OPEN) != claimed.fetch:
        return None
    return row


def _say(
    session: Session,
    kind: str,
    row: Recording,
    at: datetime,
    *,
    call: Call | None = None,
    actor: Actor = SYSTEM,
    **data: Any,
) -> None:
    call = call or row.call
    record.say(session, call, kind, at, actor=actor, recording_id=row.id, **data)
