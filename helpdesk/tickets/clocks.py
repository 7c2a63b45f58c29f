"""How one clock counts: pure arithmetic on its row. Everything follows from four facts.

The facts are the start, the pauses, the target and the calendar. Deadline, remaining time, the
next thing to happen and the spans of an explanation are always derived from them, so that a
recount gives the same as if the new conditions had held from the start. All in whole seconds.
Where the deadline itself was agreed (`agreed_at`), every second counts, not the calendar's only.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from helpdesk.lib import worktime
from helpdesk.lib.errors import HelpdeskError
from helpdesk.tickets.models import Clock, ClockState, Metric, Status
from helpdesk.tickets.promises import Promise, Step

WARN, BREACH, STEP = "warn", "breach", "step"
OF_CALLS = (Metric.SPEED_OF_ANSWER, Metric.CALLBACK)
"""Promises about a call: a caller waits and a callback is due whatever the ticket's status."""
NO_WARNING = 100


class Pause(StrEnum):
    """Why a clock stood still; `LATE` is counted time after the deadline."""

    WAITING = "waiting_for_client"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    LATE = "late"


class _Stretch(NamedTuple):
    """From `start` to `end` (None: still going on) the clock ran, or paused for `reason`."""

    start: datetime
    end: datetime | None
    reason: str | None


def whole(at: datetime) -> datetime:
    """The moment at which the second of `at` began: clocks count whole seconds."""
    return at.replace(microsecond=0)


def until(start: datetime, agreed_at: datetime) -> int:
    """The target, in seconds, of a clock whose deadline was agreed."""
    return max(1, (whole(agreed_at) - start) // timedelta(seconds=1))


def pause_reason(metric: Metric, status: Status, promise: Promise | None) -> Pause | None:
    """Why a ticket of this status lets a clock stand still, or None."""
    if metric in OF_CALLS:
        return None
    if status == Status.PENDING:
        return Pause.WAITING
    if status == Status.ON_HOLD and promise is not None and promise.pause_on_hold:
        return Pause.ON_HOLD
    return None


def open_pause(clock: Clock) -> str | None:
    """The reason for which the clock stands still now."""
    spans = clock.paused_spans
    return spans[-1]["reason"] if spans and spans[-1]["to"] is None else None


def not_before(clock: Clock, at: datetime) -> datetime:
    """`at`, or the last moment this clock knows if the machine's time was set back."""
    known = clock.started_at
    if clock.paused_spans:
        last = clock.paused_spans[-1]
        known = datetime.fromisoformat(last["to"] or last["from"])
    return max(whole(at), known)


def set_pause(clock: Clock, reason: Pause | None, at: datetime) -> bool:
    """Let the clock stand still for `reason` from `at` on, or run; whether that is a change."""
    if open_pause(clock) == reason:
        return False
    moment = not_before(clock, at).isoformat()
    spans = [dict(span) for span in clock.paused_spans]
    if spans and spans[-1]["to"] is None:
        spans[-1]["to"] = moment
    if reason is not None:
        spans.append({"from": moment, "to": None, "reason": str(reason)})
    clock.paused_spans = spans
    return True


def elapsed(clock: Clock, calendar: worktime.Calendar | None, at: datetime) -> int:
    """Business seconds the clock has counted until `at`."""
    calendar = _hours(clock, calendar)
    return sum(
        worktime.elapsed(calendar, start, min(end or at, at))
        for start, end, reason in _stretches(clock)
        if reason is None and start < at
    )


def reach(clock: Clock, calendar: worktime.Calendar | None, seconds: int) -> datetime | None:
    """When the clock has counted `seconds`, if it goes on as it does now.

    None while it stands still before that, or if the calendar never opens for so long.
    """
    calendar = _hours(clock, calendar)
    for start, end, reason in _stretches(clock):
        if reason is not None:
            continue
        if end is None:
            return _add(calendar, start, seconds)
        part = worktime.elapsed(calendar, start, end)
        if part >= seconds:
            return _add(calendar, start, seconds)
        seconds -= part
    return None


def place(clock: Clock, promise: Promise, steps: Sequence[Step], at: datetime) -> None:
    """Derive deadline, remaining time, state and the next thing to happen to a live clock."""
    calendar = promise.calendar
    at = not_before(clock, at)
    passed = elapsed(clock, calendar, at)
    paused = open_pause(clock) is not None
    clock.due_at = reach(clock, calendar, clock.target_seconds)
    clock.remaining_seconds = clock.target_seconds - passed if paused else None
    if clock.breached_at is not None:
        clock.state = ClockState.BREACHED
    else:
        clock.state = ClockState.PAUSED if paused else ClockState.RUNNING
    clock.next_step, seconds = _next(clock, promise, steps, passed)
    clock.next_at = None if seconds is None else reach(clock, calendar, seconds)


def withdraw(clock: Clock, generation: int) -> None:
    """No policy promises this any more. The row stays, so that a new promise counts it all."""
    clock.policy_id = None
    clock.counted = generation
    clock.state = ClockState.PAUSED
    clock.due_at = clock.next_at = clock.next_step = clock.remaining_seconds = None


def stop(clock: Clock, calendar: worktime.Calendar | None, at: datetime) -> bool:
    """End the clock: kept if nothing was too late. Returns whether that is a new breach.

    The spans are kept as they counted, whatever becomes of the calendar later.
    """
    at = not_before(clock, at)
    set_pause(clock, None, at)
    clock.due_at = reach(clock, calendar, clock.target_seconds)
    clock.remaining_seconds = clock.target_seconds - elapsed(clock, calendar, at)
    new_breach = clock.breached_at is None and clock.remaining_seconds < 0
    if new_breach:
        clock.breached_at = clock.due_at
    clock.state = ClockState.MET if clock.breached_at is None else ClockState.BREACHED
    clock.stopped_at = at
    clock.next_at = clock.next_step = None
    clock.explained = spans(clock, calendar, at)
    return new_breach


def resume(clock: Clock, at: datetime) -> None:
    """Let a clock that a resolution ended go on; what lay between doesn't count."""
    clock.stopped_at = clock.explained = None
    set_pause(clock, None, at)


def settle(clock: Clock) -> None:
    """Let what a resolution ended stay ended, whatever becomes of the ticket."""
    clock.paused_spans = clock.paused_spans[:-1]


def step_id(clock: Clock) -> int | None:
    """The step of escalation that comes next, if one does."""
    what, _, number = (clock.next_step or "").partition(":")
    return int(number) if what == STEP else None


def at_risk(clock: Clock) -> bool:
    """Whether it runs, was warned of and is still past the mark of the warning."""
    warned = clock.warned_at is not None and clock.next_step == BREACH
    return warned and clock.state == ClockState.RUNNING


def remaining(clock: Clock, calendar: worktime.Calendar | None, at: datetime) -> int:
    """Business seconds left at `at`, negative after the deadline; frozen while it stands still."""
    if clock.remaining_seconds is not None:
        return clock.remaining_seconds
    return clock.target_seconds - elapsed(clock, calendar, not_before(clock, at))


def spans(clock: Clock, calendar: worktime.Calendar | None, at: datetime) -> list[dict[str, Any]]:
    """What counted and what didn't: `{"from", "to", "counted", "seconds", "reason"}`, UTC ISO.

    From the start to the deadline, where the counted seconds sum to the target exactly, and on
    to `at` where that is later: counted seconds after the deadline are `late`. While the clock
    stands still there is no deadline and the spans end at `at`.
    """
    at = not_before(clock, at)
    calendar = _hours(clock, calendar)
    due = reach(clock, calendar, clock.target_seconds)
    end = max(due, at) if due else at
    cuts = [moment for moment in (due, clock.stopped_at) if moment]
    return [
        _shown(span, late=due is not None and span.start >= due)
        for stretch in _cut(_stretches(clock), end, cuts)
        for span in _counted(stretch, calendar)
    ]


def _hours(clock: Clock, calendar: worktime.Calendar | None) -> worktime.Calendar | None:
    return None if clock.agreed_at is not None else calendar


class _Span(NamedTuple):
    start: datetime
    end: datetime
    counted: bool
    reason: str


def _stretches(clock: Clock) -> Iterator[_Stretch]:
    start = clock.started_at
    for span in clock.paused_spans:
        since = datetime.fromisoformat(span["from"])
        yield _Stretch(start, since, None)
        if span["to"] is None:
            yield _Stretch(since, None, span["reason"])
            return
        start = datetime.fromisoformat(span["to"])
        yield _Stretch(since, start, span["reason"])
    yield _Stretch(start, None, None)


def _cut(
    stretches: Iterator[_Stretch], limit: datetime, cuts: Sequence[datetime]
) -> Iterator[tuple[datetime, datetime, str | None]]:
    """Stretches up to `limit`, none of them over one of the `cuts`."""
    for start, end, reason in stretches:
        end = min(end or limit, limit)
        for moment in sorted(cut for cut in cuts if start < cut < end):
            yield start, moment, reason
            start = moment
        if start < end:
            yield start, end, reason


def _counted(
    stretch: tuple[datetime, datetime, str | None], calendar: worktime.Calendar | None
) -> Iterator[_Span]:
    start, end, reason = stretch
    if reason is not None:
        yield _Span(start, end, False, reason)
        return
    for span in worktime.spans(calendar, start, end):
        yield _Span(span.start, span.end, span.counted, span.reason)


def _shown(span: _Span, late: bool) -> dict[str, Any]:
    return {
        "from": span.start.isoformat(),
        "to": span.end.isoformat(),
        "counted": span.counted,
        "seconds": (span.end - span.start) // timedelta(seconds=1),
        "reason": str(Pause.LATE if late and span.counted else span.reason),
    }


def _next(
    clock: Clock, promise: Promise, steps: Sequence[Step], passed: int
) -> tuple[str | None, int | None]:
    """What comes next and after how many counted seconds.

    A clock past its warning that a recount put before the mark meets the mark again, silently.
    """
    target = clock.target_seconds
    if clock.breached_at is None:
        mark = target * promise.warn_percent // 100
        warns = promise.warn_percent < NO_WARNING
        if warns and (clock.warned_at is None or passed < mark):
            return WARN, mark
        return BREACH, target
    for step in steps:
        if step.id not in clock.stepped:
            return f"{STEP}:{step.id}", target + step.after_seconds
    return None, None


def _add(calendar: worktime.Calendar | None, start: datetime, seconds: int) -> datetime | None:
    try:
        return worktime.add(calendar, start, seconds)
    except HelpdeskError:  # a calendar that doesn't open for ten years promises no moment
        return None
