"""What stands out in an SLA report, as sentences; none where chance explains as much."""

from collections.abc import Iterator, Mapping
from typing import Any

from babel.dates import format_date
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.events import Event
from helpdesk.lib.errors import _lazy
from helpdesk.reports.sheet import Ask
from helpdesk.reports.sla.sums import ALL, Sum, Sums
from helpdesk.tickets.models import Calendar, Metric, Policy

Finding = tuple[str, Mapping[str, Any]]

ENOUGH = 20
"""Promises decided, below which a share says nothing."""
POINTS = 0.1
"""How far from the whole a part must be to be named."""
MOVED = 0.05
"""How far the whole must have moved since the period before."""
SLOWER = 2
"""How many times as slow as the whole."""


def findings(now: Sums, before: Sums, names: Mapping[Any, str]) -> Iterator[Finding]:
    """Sentences about the parts that have names, and about the whole."""
    parts = {name: now.of((part,), ALL) for (part,), name in _named(now, ALL, names)}
    whole, was = now.whole(ALL), before.whole(ALL)
    yield from _moved(whole, was)
    yield from _most(parts, whole)
    yield from _lowest(parts, whole)
    for metric in (Metric.FIRST_RESPONSE.value, Metric.RESOLUTION.value):
        yield from _slowest(metric, now, names)


def _named(
    now: Sums, metric: str, names: Mapping[Any, str]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    return ((part, names[part[0]]) for part in now.parts(metric) if part[0] in names)


def _moved(whole: Sum, was: Sum) -> Iterator[Finding]:
    if whole.share is None or was.share is None or min(whole.decided, was.decided) < ENOUGH:
        return
    shares = {"now": _percent(whole.share), "before": _percent(was.share)}
    if whole.share - was.share >= MOVED:
        yield _lazy("SLA met rose from %(before)s %% to %(now)s %%."), shares
    elif was.share - whole.share >= MOVED:
        yield _lazy("SLA met fell from %(before)s %% to %(now)s %%."), shares


def _most(parts: Mapping[str, Sum], whole: Sum) -> Iterator[Finding]:
    """The part with the most breaches, if it has more than its share of the promises."""
    if len(parts) < 2 or not whole.breached:
        return
    name, worst = max(parts.items(), key=lambda pair: (pair[1].breached, pair[0]))
    of_breaches = worst.breached / whole.breached
    of_all = worst.decided / whole.decided
    if whole.breached >= ENOUGH and of_breaches - of_all >= POINTS:
        sentence = _lazy("Most breaches: %(name)s, %(count)s of %(whole)s.")
        yield sentence, {"name": name, "count": worst.breached, "whole": whole.breached}


def _lowest(parts: Mapping[str, Sum], whole: Sum) -> Iterator[Finding]:
    known = {
        name: one.share
        for name, one in parts.items()
        if one.share is not None and one.decided >= ENOUGH
    }
    if len(known) < 2 or whole.share is None:
        return
    name, share = min(known.items(), key=lambda pair: (pair[1], pair[0]))
    if whole.share - share >= POINTS:
        sentence = _lazy("Lowest SLA met: %(name)s, %(share)s %%, against %(whole)s %% of all.")
        yield sentence, {"name": name, "share": _percent(share), "whole": _percent(whole.share)}


def _slowest(metric: str, now: Sums, names: Mapping[Any, str]) -> Iterator[Finding]:
    known = [(name, now.of(part, metric)) for part, name in _named(now, metric, names)]
    medians = {name: one.median for name, one in known if one.median and len(one.seconds) >= ENOUGH}
    whole = now.whole(metric).median
    if len(medians) < 2 or not whole:
        return
    name, median = max(medians.items(), key=lambda pair: (pair[1], pair[0]))
    if median >= SLOWER * whole:
        yield _SLOW[metric], {"name": name, "times": round(median / whole)}


def changed_hours(session: Session, ask: Ask) -> Iterator[Finding]:
    """Calendars that changed in the period or the one before: their promises are not alike. One
    statement."""
    since = ask.period.before().start
    query = (
        select(Calendar.id, Calendar.name, func.max(Event.at).label("at"))
        .join(Event, Event.data["calendar_id"].as_integer() == Calendar.id)
        .where(Event.kind == "calendar.changed", Event.ticket_id.is_(None))
        .where(Event.at >= since, Event.at < ask.period.end)
        .where(Calendar.id.in_(select(Policy.calendar_id)))
        .group_by(Calendar.id, Calendar.name)
        .order_by(Calendar.id)
    )
    for row in session.execute(query):
        day = format_date(ask.period.local(row.at).date(), "d MMMM", locale=ask.language)
        yield _CHANGED, {"name": row.name, "day": day}


_CHANGED = _lazy(
    "The calendar %(name)s changed on %(day)s: promises that had ended by then keep its old hours."
)
_SLOW = {
    "first_response": _lazy("Slowest first response: %(name)s, %(times)s × the median of all."),
    "resolution": _lazy("Slowest resolution: %(name)s, %(times)s × the median of all."),
}


def _percent(share: float) -> int:
    return round(100 * share)
