"""The knowledge base: what readers looked for, what they found, and whether it was enough."""

from collections.abc import Mapping, Sequence
from typing import Any

from babel.numbers import format_percent
from sqlalchemy.orm import Session

from helpdesk.lib.errors import _lazy
from helpdesk.reports.collecting import no_collecting
from helpdesk.reports.columns import (
    Bundles,
    Column,
    Division,
    bundles,
    cells,
    count,
    cut_for,
    share,
)
from helpdesk.reports.knowledge import measures as named
from helpdesk.reports.knowledge import rows as knowledge_rows
from helpdesk.reports.knowledge.lists import LISTS as LISTS
from helpdesk.reports.knowledge.lists import SEARCHES, SOURCES, any_search, missed, solved
from helpdesk.reports.knowledge.measures import MEASURES as MEASURES
from helpdesk.reports.knowledge.rows import Searched, facts
from helpdesk.reports.knowledge.tables import articles, questions
from helpdesk.reports.sheet import Ask, Chart, Line, Report, Table

__all__ = ["CUTS", "LISTS", "MEASURES", "report"]

CUTS = ("language", "day", "week", "slot")
"""By what searches can be divided, the usual cut first."""
FEWEST = 20
"""Searches; of fewer nothing is said in words."""
MANY_MISSED = 0.1


@no_collecting()
def report(session: Session, ask: Ask) -> Report:
    """Searches of the period divided by the cut `by`, by where they were made, by article, and
    those that found nothing. At most eight statements. Raises HelpdeskError for a cut that isn't
    there.
    """
    now, before = knowledge_rows.searches(session, ask, before=True)
    whole, earlier = bundles(now), bundles(before)
    by = Division(session, ask, cut_for(ask, CUTS), facts)
    tables = [
        by.table("searches", _lazy("Searches"), _COLUMNS, *by.both(now, before)),
        _by_source(whole, earlier),
        articles(session, ask, now),
        questions(ask, now),
    ]
    if by.cut.key not in ("day", "week"):
        weeks = Division(session, ask, "week", facts)
        split = weeks.both(now, before)
        tables.append(weeks.table("weeks", _lazy("By week"), _COLUMNS, *split))
    tiles = zip(_TILES, cells(_TILES, whole, earlier, {}), strict=True)
    return Report(
        name="knowledge",
        tiles=tuple((column.measure, cell) for column, cell in tiles),
        tables=tuple(table for table in tables if table.lines),
        findings=tuple(_findings(now, ask.language)),
    )


def _counted(measure: Any) -> Column:
    return Column(measure, count(SEARCHES[measure.key][1]), measure.key)


_COLUMNS = (
    _counted(named.SEARCHES),
    _counted(named.SHOWN),
    _counted(named.READ),
    _counted(named.NO_TICKET),
    _counted(named.SOLVED),
    Column(named.SOLVED_SHARE, share(solved, any_search), "kb_solved"),
    _counted(named.ASKED),
    _counted(named.NO_RESULT),
    Column(named.NO_RESULT_SHARE, share(missed, any_search), "kb_no_result"),
)
_TILES = (_COLUMNS[0], _COLUMNS[2], _COLUMNS[4], _COLUMNS[5], _COLUMNS[6], _COLUMNS[8])


def _by_source(now: Bundles, before: Bundles) -> Table:
    lines = []
    for source, name in SOURCES.items():
        some, was = [[one for one in rows if one.row.source == source] for rows in (now, before)]
        if some or was:
            made = cells(_COLUMNS, some, was, {"source": source.value})
            lines.append(Line(source.value, name, made))
    return Table(
        key="sources",
        title=_lazy("Where readers searched"),
        cut="word",
        measures=tuple(column.measure for column in _COLUMNS),
        lines=tuple(lines),
        total=Line(None, None, cells(_COLUMNS, now, before, {})),
        chart=Chart.BARS,
    )


def _findings(now: Sequence[Searched], language: str) -> list[tuple[str, Mapping[str, Any]]]:
    asked = [row for row in now if row.query]
    vain = sum(map(missed, asked))
    if len(asked) < FEWEST or vain < MANY_MISSED * len(asked):
        return []
    text = _lazy("%(share)s of the searches found nothing. The questions stand below.")
    return [(text, {"share": format_percent(vain / len(asked), "0\u00a0%", locale=language)})]
