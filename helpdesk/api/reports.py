"""Reports for programs: the numbers of the pages, by the same rights."""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, g
from flask_babel import gettext as _
from pydantic import MISSING

from helpdesk.accounts.models import User
from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.problems import Refused
from helpdesk.api.refs import product_of, queue_of, reason_of, user_of
from helpdesk.api.shapes.base import Named
from helpdesk.api.shapes.reports import (
    LineOut,
    MeasureOut,
    PeriodOut,
    ReportOut,
    ReportQuery,
    SlaList,
    SlaOut,
    SlaQuery,
    TableOut,
    TablesQuery,
    TileOut,
)
from helpdesk.lib.errors import HelpdeskError
from helpdesk.reports.asking import asked
from helpdesk.reports.cuts import names
from helpdesk.reports.filters import NOTHING
from helpdesk.reports.names import cut_of, entry
from helpdesk.reports.parts import parts_by
from helpdesk.reports.sheet import Ask, Line, Measure, Report, Table
from helpdesk.reports.sla.sums import Sum, sums
from helpdesk.tickets.models import Metric

_NAMED = ("queue", "agent", "team", "client", "organisation", "product", "reason")
_ROUNDED = 6  # decimals of shares


@operation(
    "GET",
    "/reports/sla",
    permission="report.own",
    query=SlaQuery,
    answer=SlaList,
    tag="reports",
)
def read_sla(call: Call[SlaQuery, None]) -> SlaList:
    """Read the SLA numbers of tickets opened in a period, divided as asked.

    Agents get their own numbers, supervisors those of their team or all.
    """
    query = call.query
    ask = _ask(call, {})
    by = list(dict.fromkeys(query.by.split(",")))
    found = sums(call.session, ask, ask.period, parts_by(call.session, by, ask.period))
    wanted = None if query.metric is MISSING else query.metric
    rows = sorted(
        (
            (part, list(Metric).index(Metric(metric)), one)
            for part, some in found.by.items()
            for metric, one in some.items()
            if wanted in (None, metric)
        ),
        key=lambda row: row[:2],
    )
    start = id_of(query.cursor, 0)
    page, last = cut(rows[start : start + query.limit + 1], query.limit)
    known = _names(call, by, [part for part, _metric, _one in page])
    return SlaList(
        items=[_item(by, part, list(Metric)[metric], one, known) for part, metric, one in page],
        next_cursor=id_cursor(start + query.limit if last else None),
    )


@operation(
    "GET",
    "/reports/<report>",
    permission="report.own",
    query=TablesQuery,
    answer=ReportOut,
    tag="reports",
)
def read_report(call: Call[TablesQuery, None], report: str) -> ReportOut:
    """Read the tables of a report: work, calls, causes, satisfaction or knowledge.

    Agents get their own numbers, supervisors those of their team or all.
    """
    found = entry(report)
    by = {} if call.query.by is MISSING else {"by": call.query.by}
    ask = _ask(call, {**by, "lines": "all"})
    with _said():
        cut_of(report, ask)
    return _shape(report, found.title, found.make(call.session, ask), ask)


def _ask(call: Call[Any, None], options: Mapping[str, str]) -> Ask:
    """What the query asks, by the rights of the token's user. Raises Refused and NotFound."""
    args = _args(call)
    with _said():
        return asked(
            {**args, **options},
            user=g.user,
            queue_ids=call.viewer.queue_ids,
            zone=ZoneInfo(current_app.config["TIMEZONE"]),
            at=call.at,
            language=g.language,
        )


@contextmanager
def _said() -> Iterator[None]:
    """Nothing is changed by a report: what it can't be asked is a bad request, never a conflict."""
    try:
        yield
    except HelpdeskError as error:
        raise Refused(error.status, error.message, field=error.field, **error.params) from error


def _args(call: Call[Any, None]) -> dict[str, str]:
    """Period and filters as they stand in an address of a page: things by their ids."""
    query: ReportQuery = call.query
    given: dict[str, Any] = {
        "from": query.from_,
        "to": query.to,
        "team": query.team,
        "client": query.client,
        "organisation": query.organisation,
        "channel": query.channel,
        "priority": query.priority,
        "language": query.language,
        "kind": query.kind,
    }
    if query.queue is not MISSING:
        given["queue"] = queue_of(call.session, call.viewer, query.queue, unknown=404).id
    if query.agent is not MISSING:
        given["agent"] = _agent(call, query.agent)
    if query.product is not MISSING:
        given["product"] = product_of(call.session, query.product, unknown=404).id
    if query.reason is not MISSING:
        given["reason"] = reason_of(call.session, query.reason, unknown=404).id
    return {name: str(value) for name, value in given.items() if value is not MISSING}


def _agent(call: Call[Any, None], ref: str | int) -> int:
    """A user, 0 for nobody; by id also one who has left, whose numbers stay."""
    by_id = isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 18)
    if by_id and (int(ref) == NOTHING or call.session.get(User, int(ref)) is not None):
        return int(ref)
    try:
        return user_of(call.session, ref, "agent").id
    except Refused as error:
        raise Refused(404, error.message, field="agent", **error.params) from error


def _names(
    call: Call[Any, None], by: list[str], parts: list[tuple[Hashable, ...]]
) -> dict[str, dict[Any, str]]:
    """What the things are called, by cut; one statement for each cut."""
    return {
        name: names(call.session, name, {part[place] for part in parts}, g.language)
        for place, name in enumerate(by)
        if name in _NAMED
    }


def _item(
    by: list[str],
    part: tuple[Hashable, ...],
    metric: Metric,
    one: Sum,
    known: Mapping[str, Mapping[Any, str]],
) -> SlaOut:
    values = zip(by, part, strict=True)
    return SlaOut(
        by={name: _value(name, value, known.get(name, {})) for name, value in values},
        metric=metric.value,
        met=one.met,
        breached=one.breached,
        running=one.running,
        median_seconds=one.median,
        p90_seconds=one.p90,
    )


def _value(name: str, value: Any, known: Mapping[Any, str]) -> Named | str | None:
    if value in (NOTHING, "-"):
        return None
    if name in _NAMED:
        return Named(id=value, name=known.get(value, ""))
    return value.isoformat() if isinstance(value, date) else str(value)


def _shape(name: str, title: str, made: Report, ask: Ask) -> ReportOut:
    period = ask.period
    return ReportOut(
        name=name,
        title=_(title),
        period=PeriodOut(**{"from": period.start}, to=period.end, timezone=period.zone.key),
        tiles=[
            TileOut(measure=_measure(one), value=_number(cell.value), before=_number(cell.before))
            for one, cell in made.tiles
        ],
        tables=[_table(table) for table in made.tables],
    )


def _table(table: Table) -> TableOut:
    return TableOut(
        key=table.key,
        title=_(table.title),
        by=table.cut,
        measures=[_measure(one) for one in table.measures],
        lines=[_line(table, line) for line in table.lines],
        total=_line(table, table.total) if table.total else None,
    )


def _measure(one: Measure) -> MeasureOut:
    label = one.label if ":" in one.key else _(one.label)  # after a colon it is data, e.g. a date
    return MeasureOut(key=one.key, label=label, unit=one.unit.value, formula=_(one.formula))


def _line(table: Table, line: Line) -> LineOut:
    key = line.key
    name = _(line.name) if line.name and table.cut == "word" else line.name
    return LineOut(
        key=key.isoformat() if isinstance(key, date) else key,
        name=name,
        values=[_number(cell.value) for cell in line.cells],
        before=[_number(cell.before) for cell in line.cells],
    )


def _number(value: float | None) -> float | None:
    return None if value is None else round(value, _ROUNDED)
