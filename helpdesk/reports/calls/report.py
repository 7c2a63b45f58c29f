"""The telephone's report: offered, answered, abandoned, service level, handling, callbacks."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.lib.errors import _lazy
from helpdesk.reports.calls import callbacks as callback_rows
from helpdesk.reports.calls import measures as named
from helpdesk.reports.calls import rings
from helpdesk.reports.calls import rows as call_rows
from helpdesk.reports.calls.columns import (
    ANSWERING,
    CALLBACKS,
    HANDLING,
    LEVELS,
    MENU,
    RINGING,
    TIMES,
    by_menu,
    handled,
)
from helpdesk.reports.calls.columns import LISTS as LISTS
from helpdesk.reports.calls.measures import MEASURES as MEASURES
from helpdesk.reports.calls.rows import facts, service_level
from helpdesk.reports.collecting import no_collecting
from helpdesk.reports.columns import Bundles, Column, Division, Looks, Split, cells, cut_for
from helpdesk.reports.sheet import Ask, Cell, Chart, Measure, Report, Table

__all__ = ["CUTS", "LISTS", "MEASURES", "report", "service_level"]

CUTS = (
    "queue",
    "agent",
    "team",
    "client",
    "organisation",
    "product",
    "reason",
    "language",
    "day",
    "week",
    "slot",
)
"""By what calls can be divided, the usual cut first."""
GOAL = 0.8
_LEVEL = [column.measure for column in ANSWERING].index(named.LEVEL)
_TILES = (
    (named.OFFERED, named.ANSWERED, named.LEVEL, named.LOST),
    (named.ASA, named.LONGEST),
    (named.AHT,),
    (named.RONA_RATE,),
    (named.KEPT_RATE,),
    (named.CONTAINMENT, named.REFUSAL),
)


@no_collecting()
def report(session: Session, ask: Ask) -> Report:
    """The calls that entered a queue in the period, divided by the cut `by`, with the talks, the
    phone menu, the offers to agents and the callbacks of that time. At most eight statements.
    Raises HelpdeskError for a cut that isn't there.
    """
    book = _Book(session, ask)
    return Report(name="calls", tiles=tuple(book.tiles()), tables=tuple(book.tables()))


class _Book:
    """The rows of one report, and its tables made of them."""

    def __init__(self, session: Session, ask: Ask) -> None:
        self.session, self.ask = session, ask
        self.cut = cut_for(ask, CUTS)
        self.by = Division(session, ask, self.cut, facts)
        self.calls = call_rows.read(session, ask, before=True)
        self.of_calls = self.by.both(*self.calls)
        self.of_rings = self.by.both(*rings.read(session, ask, before=True))
        self.of_callbacks = self.by.both(*callback_rows.read(session, ask, before=True))

    def tiles(self) -> list[tuple[Measure, Cell]]:
        found = []
        of_calls = _whole(self.of_calls)
        rows = (*[of_calls] * 3, _whole(self.of_rings), _whole(self.of_callbacks), of_calls)
        tables = (ANSWERING, TIMES, HANDLING, RINGING, CALLBACKS, MENU)
        for columns, (now, before), wanted in zip(tables, rows, _TILES, strict=True):
            shown = [column for column in columns if column.measure in wanted]
            made = cells(shown, now, before, {})
            found += [(column.measure, cell) for column, cell in zip(shown, made, strict=True)]
        return found

    def tables(self) -> list[Table]:
        level = Looks(self.by.usual().chart, _LEVEL, GOAL)
        if self.cut == "slot":
            level = Looks(Chart.HEAT)
        calls, queued = self.of_calls, call_rows.queued
        levels = _lazy("Service level by each formula")
        found = [
            self._table("calls", _lazy("Calls and service level"), ANSWERING, calls, queued, level),
            self._table("times", _lazy("Waiting"), TIMES, calls, queued),
            self._table("handling", _lazy("Handling"), HANDLING, calls, handled),
            self._table("rings", _lazy("Offers to agents"), RINGING, self.of_rings),
            self._table("callbacks", _lazy("Callbacks"), CALLBACKS, self.of_callbacks),
            self._table("menu", _lazy("Phone menu"), MENU, calls, by_menu),
            self._table("levels", levels, LEVELS, calls, queued),
        ]
        found = self.by.call(found)
        found += [self._other(cut) for cut in ("day", "slot") if cut != self.cut]
        return [table for table in found if table.lines]

    def _table(
        self,
        key: str,
        title: str,
        columns: Sequence[Column],
        rows: tuple[Split, Split],
        only: Callable[[Any], bool] | None = None,
        looks: Looks | None = None,
    ) -> Table:
        now, before = rows
        return self.by.table(key, title, columns, now, before, looks, only, named=False)

    def _other(self, cut: str) -> Table:
        """How the calls are spread over time, whatever the report is divided by."""
        by = Division(self.session, self.ask, cut, facts)
        now, before = by.both(*self.calls)
        shown = [ANSWERING[0], *(one for one in ANSWERING if one.measure in _TILES[0])]
        title = _lazy("Calls by day") if cut == "day" else _lazy("Calls by hour and weekday")
        return by.table(f"calls-{cut}", title, shown, now, before, only=call_rows.queued)


def _whole(splits: tuple[Split, Split]) -> tuple[Bundles, Bundles]:
    """The bundles of all parts, of the period and of the one before."""
    now, before = splits
    return now.whole, before.whole
