"""Over what clients refused: calls with the result "refused", by their contact reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from babel.numbers import format_percent
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call, Direction, Disposition
from helpdesk.lib.errors import _lazy
from helpdesk.reports.calls.rows import ABOUT, BEFORE_QUEUE
from helpdesk.reports.causes import measures as named
from helpdesk.reports.causes.names import Called
from helpdesk.reports.cuts import narrowing
from helpdesk.reports.filters import NOTHING
from helpdesk.reports.narrow import conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask, Behind, Cell, Chart, Line, Measure, Table

FEWEST = 5
"""Refusals; of fewer nothing is said in words."""
Finding = tuple[str, Mapping[str, Any]]
_COLUMNS: tuple[Any, ...] = (
    Call.id,
    Call.disposition,
    Call.reason_id,
    Call.direction,
    Call.queued_at,
    Call.started_at,
)


class Wrapped(NamedTuple):
    """A call with a result; `moment` is when it entered the queue, else when it began."""

    id: int
    refused: bool
    reason_id: int | None
    moment: datetime


class Calls(NamedTuple):
    """Calls with a result, of the period and of the one before; the oldest first."""

    now: list[Wrapped]
    before: list[Wrapped]


def read(session: Session, ask: Ask, *, before: bool = True) -> Calls:
    """One statement."""
    earlier = ask.period.before()
    start = (earlier if before else ask.period).start
    rows = [_wrapped(row) for row in session.execute(_query(session, ask, start))]
    rows.sort(key=lambda row: (row.moment, row.id))
    return Calls(_within(rows, ask, ask.period), _within(rows, ask, earlier) if before else [])


def _query(session: Session, ask: Ask, start: datetime) -> Select[Any]:
    return select(*_COLUMNS).where(
        Call.started_at >= start - BEFORE_QUEUE,
        Call.started_at < ask.period.end,
        Call.disposition.is_not(None),
        *conditions(session, ask.filters, ask.scope, ABOUT),
    )


def _wrapped(row: Any) -> Wrapped:
    queued = row.direction == Direction.INBOUND and row.queued_at is not None
    moment = row.queued_at if queued else row.started_at
    return Wrapped(row.id, row.disposition == Disposition.REFUSED, row.reason_id, moment)


def _within(rows: Sequence[Wrapped], ask: Ask, period: Period) -> list[Wrapped]:
    start, end = period.start, period.end
    return [
        row for row in rows if start <= row.moment < end and ask.filters.keeps(row.moment, period)
    ]


def tiles(calls: Calls) -> list[tuple[Measure, Cell]]:
    """Nothing where no call has a result."""
    if not calls.now:
        return []
    now, before = _refused(calls.now), _refused(calls.before)
    return [
        (named.WRAPPED, Cell(len(calls.now), len(calls.before), ("wrapped", {}))),
        (named.REFUSED, Cell(len(now), len(before), ("refusals", {}))),
    ]


def tables(called: Called, ask: Ask, calls: Calls) -> list[Table]:
    """One line for each reason, the most frequent first; no table where nobody refused."""
    now, before = _by_reason(calls.now), _by_reason(calls.before)
    order = sorted(now, key=lambda reason: (-now[reason], reason))
    titles = called.of("reason", order)
    lines = []
    for reason in order:
        link = narrowing("reason", reason, ask.period)
        cells = _cells(calls, now[reason], before.get(reason, 0), link)
        lines.append(Line(reason, titles.get(reason), cells, link))
    if not lines:
        return []
    total = _cells(calls, sum(now.values()), sum(before.values()), {})
    return [
        Table(
            key="refusals",
            title=_lazy("Refusals"),
            cut="reason",
            measures=(named.REFUSED, named.OF_REFUSED, named.OF_WRAPPED),
            lines=tuple(lines),
            total=Line(None, None, total),
            chart=Chart.BARS,
        )
    ]


def findings(called: Called, ask: Ask, calls: Calls) -> list[Finding]:
    """What clients refuse over most."""
    now = _by_reason(calls.now)
    now.pop(NOTHING, None)
    if sum(now.values()) < FEWEST:
        return []
    reason = min(now, key=lambda one: (-now[one], one))
    share = format_percent(now[reason] / len(calls.now), "#,##0.0\u00a0%", locale=ask.language)
    text = _lazy("Clients refuse most over “%(reason)s”: %(share)s of all calls with a result.")
    return [(text, {"reason": called.reason(reason), "share": share})]


def _cells(calls: Calls, now: int, before: int, link: Mapping[str, str]) -> tuple[Cell, ...]:
    all_now, all_before = _refused(calls.now), _refused(calls.before)
    return (
        Cell(now, before, ("refusals", link)),
        Cell(_of(now, all_now), _of(before, all_before)),
        Cell(_of(now, calls.now), _of(before, calls.before)),
    )


def _by_reason(rows: Sequence[Wrapped]) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in _refused(rows):
        reason = row.reason_id or NOTHING
        found[reason] = found.get(reason, 0) + 1
    return found


def _refused(rows: Sequence[Wrapped]) -> list[Wrapped]:
    return [row for row in rows if row.refused]


def _of(part: int, whole: Sequence[Any]) -> float | None:
    return part / len(whole) if whole else None


def _all_ids(session: Session, ask: Ask) -> list[int]:
    return [row.id for row in reversed(read(session, ask, before=False).now)]


def _refused_ids(session: Session, ask: Ask) -> list[int]:
    return [row.id for row in reversed(_refused(read(session, ask, before=False).now))]


LISTS: Mapping[str, Behind] = {
    "wrapped": Behind("call", _lazy("Calls with a result"), _all_ids),
    "refusals": Behind("call", _lazy("Calls in which the client refused"), _refused_ids),
}
"""Newest first."""
