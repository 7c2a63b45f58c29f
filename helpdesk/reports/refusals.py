"""Over what clients refused: calls with the result "refused", by their contact reason."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from babel.numbers import format_percent
from sqlalchemy.orm import Session

from helpdesk.calls.models import Disposition
from helpdesk.lib.errors import _lazy
from helpdesk.reports import call_rows
from helpdesk.reports import cause_measures as named
from helpdesk.reports.call_rows import CallRow
from helpdesk.reports.cuts import names, narrowing
from helpdesk.reports.filters import NOTHING
from helpdesk.reports.sheet import Ask, Behind, Cell, Chart, Line, Measure, Table

FEWEST = 5
"""Refusals; of fewer nothing is said in words."""
Finding = tuple[str, Mapping[str, Any]]


class Calls(NamedTuple):
    """Calls with a result, of the period and of the one before."""

    now: list[CallRow]
    before: list[CallRow]


def read(session: Session, ask: Ask) -> Calls:
    """One statement."""
    now, before = call_rows.read(session, ask, before=True)
    return Calls([row for row in now if _wrapped(row)], [row for row in before if _wrapped(row)])


def tiles(calls: Calls) -> list[tuple[Measure, Cell]]:
    """Nothing where no call has a result."""
    if not calls.now:
        return []
    now, before = _refused(calls.now), _refused(calls.before)
    return [
        (named.WRAPPED, Cell(len(calls.now), len(calls.before), ("wrapped", {}))),
        (named.REFUSED, Cell(len(now), len(before), ("refusals", {}))),
    ]


def tables(session: Session, ask: Ask, calls: Calls) -> list[Table]:
    """One line for each reason, the most frequent first; no table where nobody refused."""
    now, before = _by_reason(calls.now), _by_reason(calls.before)
    order = sorted(now, key=lambda reason: (-now[reason], reason))
    called = names(session, "reason", order, ask.language)
    lines = []
    for reason in order:
        link = narrowing("reason", reason, ask.period)
        cells = _cells(calls, now[reason], before.get(reason, 0), link)
        lines.append(Line(reason, called.get(reason), cells, link))
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


def findings(session: Session, ask: Ask, calls: Calls) -> list[Finding]:
    """What clients refuse over most."""
    now = _by_reason(calls.now)
    now.pop(NOTHING, None)
    if sum(now.values()) < FEWEST:
        return []
    reason = min(now, key=lambda one: (-now[one], one))
    called = names(session, "reason", [reason], ask.language)
    share = format_percent(now[reason] / len(calls.now), "#,##0.0\u00a0%", locale=ask.language)
    text = _lazy("Clients refuse most over “%(reason)s”: %(share)s of all calls with a result.")
    return [(text, {"reason": called.get(reason, ""), "share": share})]


def _cells(calls: Calls, now: int, before: int, link: Mapping[str, str]) -> tuple[Cell, ...]:
    all_now, all_before = _refused(calls.now), _refused(calls.before)
    return (
        Cell(now, before, ("refusals", link)),
        Cell(_of(now, all_now), _of(before, all_before)),
        Cell(_of(now, calls.now), _of(before, calls.before)),
    )


def _by_reason(rows: Sequence[CallRow]) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in _refused(rows):
        reason = row.reason_id or NOTHING
        found[reason] = found.get(reason, 0) + 1
    return found


def _wrapped(row: CallRow) -> bool:
    return row.disposition is not None


def _refused(rows: Sequence[CallRow]) -> list[CallRow]:
    return [row for row in rows if row.disposition == Disposition.REFUSED]


def _of(part: int, whole: Sequence[Any]) -> float | None:
    return part / len(whole) if whole else None


def _behind(fits: Callable[[CallRow], bool]) -> Callable[[Session, Ask], Sequence[int]]:
    def ids(session: Session, ask: Ask) -> list[int]:
        rows, _ = call_rows.read(session, ask)
        return [row.id for row in reversed(rows) if fits(row)]

    return ids


LISTS: Mapping[str, Behind] = {
    "wrapped": Behind("call", _lazy("Calls with a result"), _behind(_wrapped)),
    "refusals": Behind(
        "call",
        _lazy("Calls in which the client refused"),
        _behind(lambda row: row.disposition == Disposition.REFUSED),
    ),
}
