"""Numbers of the reports that an alarm can watch: their tiles of today."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from helpdesk.reports.alarms.gauges import GAUGES, Gauge, Subject
from helpdesk.reports.alarms.taken import TAKEN, most_taken
from helpdesk.reports.filters import Filters
from helpdesk.reports.names import MEASURES, REPORTS
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask
from helpdesk.reports.wallboard.snapshot import Snapshot
from helpdesk.tickets.models import Metric

_EVERYTHING = frozenset({"all"})
_TICKETS = frozenset({"all", "queue", "team", "agent"})
_TILES: Mapping[str, tuple[str, ...]] = {
    "sla": (
        "sla_share",
        "sla_breached",
        *(f"sla_share_{metric}" for metric in Metric),
        *(f"sla_median_{metric}" for metric in Metric),
    ),
    "work": ("work_opened", "work_done", "work_reopened", "work_transferred", "work_backlog"),
    "calls": (
        "calls_offered",
        "calls_level",
        "calls_lost",
        "calls_asa",
        "calls_longest",
        "calls_aht",
        "calls_rona_rate",
        "callbacks_kept_rate",
    ),
    "satisfaction": ("voice_ratings", "voice_mean", "voice_satisfied", "voice_response"),
    "knowledge": ("kb_searches", "kb_solved_share", "kb_no_result_share"),
}


def _gauges() -> Iterator[Gauge]:
    for report, keys in _TILES.items():
        of = _EVERYTHING if report == "knowledge" else _TICKETS
        for key in keys:
            measure = MEASURES[key]
            falling = measure.better == "up"
            yield Gauge(key, measure.label, measure.unit, None, of, falling=falling, report=report)


REPORTED: Mapping[str, Gauge] = {gauge.key: gauge for gauge in _gauges()}
PRESENT: Mapping[str, Gauge] = {**GAUGES, TAKEN.key: TAKEN}
ALL: Mapping[str, Gauge] = {**PRESENT, **REPORTED}
"""Everything that can be watched, by key."""


def value_of(
    session: Session,
    gauge: Gauge,
    subject: Subject,
    board: Snapshot,
    *,
    zone: ZoneInfo,
) -> float | None:
    """What the gauge shows at the moment of the board; None: there is nothing to measure."""
    if gauge.read is not None:
        return gauge.read(board, subject)
    if gauge is TAKEN:
        return most_taken(session, subject, board.at)
    return _tile(session, gauge, subject, board.at, zone)


def _tile(
    session: Session, gauge: Gauge, subject: Subject, at: datetime, zone: ZoneInfo
) -> float | None:
    today = at.astimezone(zone).date()
    filters = Filters(queue=subject.queue_id, team=subject.team_id, agent=subject.agent_id)
    ask = Ask(Period(today, today, zone), filters, Scope(), at, language="en")
    tiles = REPORTS[gauge.report or ""].make(session, ask).tiles
    return next((cell.value for measure, cell in tiles if measure.key == gauge.key), None)
