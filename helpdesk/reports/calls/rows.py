"""Calls as rows of a report: what each came to, and how long everybody waited and talked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, String, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.calls.models import (
    Call,
    CallState,
    Direction,
    EndReason,
    Provider,
)
from helpdesk.ext import LANGUAGES
from helpdesk.reports.cuts import Facts
from helpdesk.reports.narrow import About, conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Channel

TARGET = 20.0
"""T of the service level, seconds."""
SHORT = 5.0
"""S: who hangs up within so many seconds did not wait: a wrong number, or a change of mind."""
LONGEST_WRAP = 900.0
"""Of a wrap-up that was left open for hours, no more than this many seconds count as work."""
BEFORE_QUEUE = timedelta(days=1)
"""No carrier holds a call for longer: it joined a queue within this time of its beginning."""
ABOUT = About(
    queue=Call.queue_id,
    agent=Call.user_id,
    client=Call.client_id,
    ticket=Call.ticket_id,
    language=Call.language,
    product=Call.product_id,
    reason=Call.reason_id,
)


class Kind(StrEnum):
    QUEUED = "queued"  # inbound, and entered a queue
    MENU = "menu"  # inbound, and did not
    OUTBOUND = "outbound"


class Ended(StrEnum):
    """What a call came to."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"  # with or without a message
    OTHER = "other"
    WAITING = "waiting"  # neither answered nor over


_FOREIGN = (Provider.PBX, Provider.HAND)
_ENDS: Mapping[str, Ended] = {
    EndReason.ABANDONED_QUEUE: Ended.ABANDONED,
    EndReason.ABANDONED_RING: Ended.ABANDONED,
    EndReason.CALLBACK: Ended.CALLBACK,
    EndReason.VOICEMAIL: Ended.VOICEMAIL,
    EndReason.NO_MESSAGE: Ended.VOICEMAIL,
}
_STATES: Mapping[str, Ended] = {
    CallState.CALLBACK: Ended.CALLBACK,
    CallState.VOICEMAIL: Ended.VOICEMAIL,
}


class CallRow(NamedTuple):
    """A call. Lengths are seconds; `moment` is when it entered the queue, else when it began."""

    id: int
    kind: Kind
    ended: Ended
    moment: datetime
    wait: float  # in the queue, until the answer or the end, else until now
    talk: float  # without hold
    hold: float
    wrap: float
    handled: bool  # talked and over
    by_menu: bool  # came through our menu, over, and not refused as a blocked caller
    contained: bool
    consent: bool | None  # to be recorded; None: not asked, or not answered
    queue_id: int | None
    user_id: int | None
    client_id: int | None
    product_id: int | None
    reason_id: int | None
    language: str
    disposition: str | None
    mark: tuple[Any, ...]  # all that conditions look at

    @property
    def numbers(self) -> tuple[float, ...]:
        """WAIT, TALK, HOLD, WRAP: what is added up."""
        return self[_FIRST : _FIRST + 4]  # type: ignore[return-value]

    @property
    def work(self) -> float:
        """What it took its agent."""
        return self.talk + self.hold + self.wrap

    @property
    def answered(self) -> bool:
        return self.ended == Ended.ANSWERED

    @property
    def abandoned(self) -> bool:
        return self.ended == Ended.ABANDONED


WAIT, TALK, HOLD, WRAP = range(4)
"""Places in `CallRow.numbers`."""
_FIRST = CallRow._fields.index("wait")


def _word(column: Any) -> Any:
    """As it is stored: an enum of each would cost more than the row."""
    return type_coerce(column, String).label(column.key)


_COLUMNS: tuple[Any, ...] = (
    Call.id,
    _word(Call.direction),
    _word(Call.state),
    _word(Call.end_reason),
    Call.started_at,
    Call.queued_at,
    Call.answered_at,
    Call.ended_at,
    Call.wrapped_at,
    Call.hold_seconds,
    _word(Call.provider),
    Call.consent_given,
    Call.queue_id,
    Call.user_id,
    Call.client_id,
    Call.product_id,
    Call.reason_id,
    Call.language,
    _word(Call.disposition),
)


def read(
    session: Session, ask: Ask, *, before: bool = False
) -> tuple[list[CallRow], list[CallRow]]:
    """The calls of the period, the oldest first, and with `before` those of the one before it, in
    one statement.
    """
    periods = [ask.period.before(), ask.period] if before else [ask.period]
    query = _query(session, ask, periods[0].start, ask.period.end)
    rows = [_row(row, ask.at) for row in session.connection().execute(query).all()]
    rows.sort(key=lambda row: (row.moment, row.id))
    now = _within(rows, ask.period, ask)
    return now, _within(rows, ask.period.before(), ask) if before else []


def facts(row: Any) -> Facts:
    """What decides the part of a call, or of a ring at an agent, in every cut."""
    return Facts(
        queue_id=row.queue_id or 0,
        assignee_id=row.user_id,
        client_id=row.client_id or 0,
        product_id=row.product_id,
        reason_id=row.reason_id,
        channel=Channel.PHONE,
        priority="",
        language=row.language if row.language in LANGUAGES else None,
        kind=None,
        created_at=row.moment,
    )


def service_level(rows: Sequence[CallRow]) -> tuple[int, int]:
    """Calls answered within TARGET, and those that count (formula F5)."""
    return sum(map(in_time, rows)), sum(map(counts, rows))


def queued(row: CallRow) -> bool:
    return row.kind == Kind.QUEUED


def offered(row: CallRow) -> bool:
    """A callback that was accepted counts neither for nor against us."""
    return row.kind == Kind.QUEUED and row.ended != Ended.CALLBACK


def in_time(row: CallRow) -> bool:
    return row.kind == Kind.QUEUED and row.answered and row.wait <= TARGET


def short(row: CallRow) -> bool:
    return row.kind == Kind.QUEUED and row.abandoned and row.wait <= SHORT


def undecided(row: CallRow) -> bool:
    """Still waits, and could be answered in time."""
    return row.ended == Ended.WAITING and row.wait <= TARGET


def counts(row: CallRow) -> bool:
    """In the denominator of the service level F5 and of the abandonment rate."""
    return offered(row) and not short(row) and not undecided(row)


def _query(session: Session, ask: Ask, start: datetime, end: datetime) -> Select[Any]:
    query = select(*_COLUMNS).where(
        Call.started_at >= start - BEFORE_QUEUE,
        Call.started_at < end,
        *conditions(session, ask.filters, ask.scope, ABOUT),
    )
    return query.order_by(Call.started_at, Call.id)


def _within(rows: Sequence[CallRow], period: Period, ask: Ask) -> list[CallRow]:
    start, end = period.start, period.end
    found = [row for row in rows if start <= row.moment < end]
    if ask.filters.slot is None:
        return found
    return [row for row in found if ask.filters.keeps(row.moment, period)]


def _row(row: Any, at: datetime) -> CallRow:
    inbound = row.direction == Direction.INBOUND
    is_queued = inbound and row.queued_at is not None
    kind = Kind.QUEUED if is_queued else Kind.MENU if inbound else Kind.OUTBOUND
    over = row.ended_at is not None
    talked = over and row.answered_at is not None
    hold = float(row.hold_seconds) if talked else 0.0
    wait = _seconds(row.queued_at, row.answered_at or row.ended_at or at) if is_queued else 0.0
    by_menu = inbound and over and row.end_reason != EndReason.REFUSED
    by_menu = by_menu and row.provider not in _FOREIGN
    ended, contained = _ended(row), inbound and row.end_reason == EndReason.CONTAINED
    of_time = (wait <= SHORT, wait <= TARGET, talked)
    return CallRow(
        row.id,
        kind,
        ended,
        row.queued_at if is_queued else row.started_at,
        wait,
        max(0.0, _seconds(row.answered_at, row.ended_at) - hold) if talked else 0.0,
        hold,
        _wrap(row) if talked else 0.0,
        talked,
        by_menu,
        contained,
        row.consent_given,
        row.queue_id,
        row.user_id,
        row.client_id,
        row.product_id,
        row.reason_id,
        row.language,
        row.disposition,
        (kind, ended, *of_time, by_menu, contained, row.consent_given),
    )


def _ended(row: Any) -> Ended:
    if row.answered_at is not None:
        return Ended.ANSWERED
    if row.ended_at is None:
        return _STATES.get(row.state, Ended.WAITING)
    return _ENDS.get(row.end_reason, Ended.OTHER)


def _wrap(row: Any) -> float:
    """What was logged by hand was written up at some later time, which is no measure."""
    if row.wrapped_at is None or row.provider == Provider.HAND:
        return 0.0
    return min(LONGEST_WRAP, _seconds(row.ended_at, row.wrapped_at))


def _seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())
