"""Calls in the thread of a ticket: what came of each, how it went, notes, and what can be heard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from flask_babel import gettext as _
from sqlalchemy import Select, and_, bindparam, select
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call, Direction, EndReason, Recording, RecordingState
from helpdesk.reports.client.timeline_calls import call_title, sound_word
from helpdesk.web.desk.call_words import call_words
from helpdesk.web.desk.directory import user_names
from helpdesk.web.formats import clock_time, stopwatch

MOST = 200
MISSED = (
    EndReason.ABANDONED_MENU,
    EndReason.ABANDONED_QUEUE,
    EndReason.ABANDONED_RING,
    EndReason.NO_MESSAGE,
    EndReason.NO_ANSWER,
    EndReason.BUSY,
    EndReason.FAILED,
)


@dataclass(frozen=True)
class Sound:
    """A recording of a call: to be played, awaited, or the reason why there is none."""

    recording_id: int
    label: str
    length: str
    playable: bool
    failed: bool
    why: str


@dataclass(frozen=True)
class Spoken:
    """A call as it is drawn. `course`: moments of it, in words."""

    call_id: int
    at: datetime
    title: str
    who: str  # of us
    icon: str
    tone: str | None
    course: list[str]
    notes: str
    sounds: list[Sound]


def spoken_of(session: Session, ticket_id: int, since: datetime | None) -> list[Spoken]:
    """The calls of a ticket, the newest MOST rows of them, oldest first. One statement."""
    rows = session.execute(_CALLS, {"ticket_id": ticket_id}).all()
    drawn = [_spoken(list(group)) for _id, group in groupby(reversed(rows), lambda row: row.id)]
    return [one for one in drawn if since is None or one.at >= since]


def _calls() -> Select[Any]:
    columns = (
        Call.id,
        Call.direction,
        Call.state,
        Call.end_reason,
        Call.user_id,
        Call.started_at,
        Call.queued_at,
        Call.answered_at,
        Call.ended_at,
        Call.hold_seconds,
        Call.disposition,
        Call.next_step,
        Call.notes,
        Recording.id.label("recording_id"),
        Recording.kind,
        Recording.state.label("recording_state"),
        Recording.seconds,
        Recording.last_error,
    )
    query = cast(Select[Any], select(*columns).select_from(Call))
    return (
        query.outerjoin(Recording, Recording.call_id == Call.id)
        .where(and_(Call.ticket_id == bindparam("ticket_id")))
        .order_by(Call.started_at.desc(), Call.id.desc(), Recording.id.desc())
        .limit(MOST)
    )


# Made once: building a statement costs more than running it.
_CALLS = _calls()


def _spoken(rows: Sequence[Any]) -> Spoken:
    call = rows[0]
    missed = call.end_reason in MISSED and call.answered_at is None
    inbound = call.direction == Direction.INBOUND
    return Spoken(
        call_id=call.id,
        at=call.started_at,
        title=_title(call),
        who=user_names().get(call.user_id, "") if call.user_id else "",
        icon="phone-off" if missed else "phone-incoming" if inbound else "phone-outgoing",
        tone="bad" if missed and inbound else None,
        course=list(_course(call)),
        notes=call.notes.strip(),
        sounds=[_sound(row) for row in rows if row.recording_id is not None],
    )


def _title(call: Any) -> str:
    since = call.answered_at or call.queued_at or call.started_at
    talked = call.answered_at is not None
    return call_title(call.direction, call.end_reason, talked, since, call.ended_at)


def _course(call: Any) -> Iterator[str]:
    words = call_words()
    if call.queued_at and call.answered_at:
        waited = stopwatch(_seconds(call.queued_at, call.answered_at))
        yield str(_("waited %(time)s", time=waited))
    if call.answered_at:
        yield str(_("answered at %(time)s", time=clock_time(call.answered_at)))
    if call.hold_seconds:
        yield str(_("on hold %(time)s", time=stopwatch(call.hold_seconds)))
    if call.ended_at and call.answered_at:
        yield str(_("ended at %(time)s", time=clock_time(call.ended_at)))
    if call.end_reason is None:
        yield words.state.get(call.state, "")
    if call.disposition:
        yield words.disposition.get(call.disposition, "")
    if call.next_step and call.next_step != "none":
        yield str(_("next: %(step)s", step=words.step.get(call.next_step, "")))


def _sound(row: Any) -> Sound:
    state = row.recording_state
    failed = state == RecordingState.FAILED
    return Sound(
        recording_id=row.recording_id,
        label=sound_word(row.kind),
        length=stopwatch(row.seconds) if row.seconds else "",
        playable=state == RecordingState.STORED,
        failed=failed,
        why=_why(row),
    )


def _why(row: Any) -> str:
    """Why there is nothing to play, "" where there is."""
    reason = str(_(row.last_error)) if row.last_error else ""
    words: Mapping[RecordingState, str] = {
        RecordingState.EXPECTED: _("The recording is being fetched."),
        RecordingState.READY: _("The recording is being fetched."),
        RecordingState.ABSENT: _("No recording: %(reason)s", reason=reason),
        RecordingState.FAILED: reason,
        RecordingState.DELETED: _("The recording was deleted."),
    }
    return str(words.get(row.recording_state, ""))


def _seconds(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds()))
