"""The work report: what came in and went out, what lies there and where, and who has how much."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.reports.collecting import no_collecting
from helpdesk.reports.cuts import names, narrowing
from helpdesk.reports.filters import WEEKDAYS
from helpdesk.reports.sheet import Ask, Cell, Chart, Line, Measure, Report, Table
from helpdesk.reports.work import agents
from helpdesk.reports.work import measures as named
from helpdesk.reports.work.findings import findings
from helpdesk.reports.work.flow import IN_TIME, MOVES, Flow, flow
from helpdesk.reports.work.lists import LISTS
from helpdesk.reports.work.measures import MEASURES
from helpdesk.reports.work.stays import BANDS, OPEN, Stay, Stays, present, stays
from helpdesk.tickets.models import Priority, Status

__all__ = ["LISTS", "MEASURES", "report"]

USUAL = "day"
LINES = 100
"""Parts that a table of a page shows; files ask for all."""
_COLUMNS = (*MOVES, "backlog")
_BACKLOG = _COLUMNS.index("backlog")
_MEDIAN = named.TIMES.index(named.STAY_MEDIAN)
_SUM = named.TIMES.index(named.STAY_SUM)

Link = Mapping[str, str]


@no_collecting()
def report(session: Session, ask: Ask) -> Report:
    """The flow divided by the cut `by`; ages, stays and agents beside it. 6 to 10 statements.

    Raises HelpdeskError for a cut that isn't there.
    """
    cut = ask.args.get("by") or USUAL
    here = present(session, ask)
    now, before = flow(session, ask, cut, here.total)
    stayed = stays(session, ask, here)
    lain_in = {queue_id for queue_id, _status in stayed}
    people, queues = agents.agents(session, ask, here.by_agent, lain_in)
    return Report(
        name="work",
        tiles=(*_tiles(now, before), (named.NOBODY, _nobody(here.found))),
        tables=(
            _flow(session, ask, cut, now, before, queues),
            _ages(here.found),
            *_stays(ask, stayed, queues),
            agents.table(people),
        ),
        findings=tuple(findings(now, before, stayed, queues, people)),
    )


def _tiles(now: Flow, before: Flow) -> Iterator[tuple[Measure, Cell]]:
    for name, measure in zip(_COLUMNS, named.MOVES, strict=True):
        yield measure, _cell(name, now.whole(name), before.whole(name), {})


def _cell(name: str, value: int | None, was: int | None, narrowed: Link) -> Cell:
    return Cell(value, was, None if value is None else (f"work_{name}", narrowed))


def _flow(
    session: Session, ask: Ask, cut: str, now: Flow, before: Flow, queues: Mapping[Any, str]
) -> Table:
    found, more = _parts(ask, cut, now)
    known = cut == "queue" and queues.keys() >= set(found)
    called = queues if known else names(session, cut, found, ask.language)
    shift = ask.period.first - ask.period.before().first
    lines = []
    for part in found:
        link = narrowing(cut, part, ask.period)
        then = part - shift if cut in IN_TIME else part
        comparable = cut != "week" or shift.days % 7 == 0
        cells = tuple(
            _cell(name, now.of(name, part), before.of(name, then) if comparable else None, link)
            for name in _COLUMNS
        )
        lines.append(Line(part, called.get(part), cells, link))
    heat, in_time = cut == "slot", cut in IN_TIME
    return Table(
        key="flow",
        title=named.TITLES["flow"],
        cut=cut,
        measures=named.MOVES,
        lines=tuple(lines),
        total=Line(None, None, tuple(cell for _measure, cell in _tiles(now, before))),
        chart=Chart.HEAT if heat else Chart.LINE if in_time else Chart.BARS,
        drawn=_BACKLOG if in_time else 0,
        more=more,
    )


def _parts(ask: Ask, cut: str, now: Flow) -> tuple[list[Any], int]:
    """The parts in their order, and how many more there are; of days and weeks all."""
    period = ask.period
    if cut == "day":
        return list(period.days), 0
    if cut == "week":
        return sorted({day.fromordinal(day.toordinal() - day.weekday()) for day in period.days}), 0
    found: list[Any] = [part for part in now.parts if any(now.of(name, part) for name in _COLUMNS)]
    if cut == "priority":
        return [word.value for word in reversed(Priority) if word.value in found], 0
    if cut == "slot":
        return sorted(found, key=lambda slot: (WEEKDAYS.index(slot[:3]), slot[3:])), 0
    found.sort(key=lambda part: (-(now.of("opened", part) or 0), str(part)))
    most = len(found) if ask.args.get("lines") == "all" else LINES
    return found[:most], max(0, len(found) - most)


def _ages(aged: Counter[tuple[str, str, bool]]) -> Table:
    whole = aged.total()
    lines = [
        Line(band, title, _aged(aged, whole, {"age": band}, {band}))
        for band, title in BANDS.items()
    ]
    return Table(
        key="ages",
        title=named.TITLES["ages"],
        cut="word",
        measures=named.AGES,
        lines=tuple(lines),
        total=Line(None, None, _aged(aged, whole, {}, set(BANDS))),
        chart=Chart.BARS,
    )


def _aged(
    aged: Counter[tuple[str, str, bool]], whole: int, link: dict[str, str], bands: set[str]
) -> tuple[Cell, ...]:
    mine = {key: count for key, count in aged.items() if key[0] in bands}
    here = sum(mine.values())
    nobody = sum(count for (_band, _status, free), count in mine.items() if free)
    pending = sum(count for (_band, state, _free), count in mine.items() if state == Status.PENDING)
    return (
        Cell(here, link=("work_active", link)),
        Cell(here / whole if whole else None, link=("work_active", link)),
        Cell(nobody, link=("work_active", {**link, "nobody": "1"})),
        Cell(pending, link=("work_active", {**link, "status": Status.PENDING.value})),
    )


def _nobody(aged: Counter[tuple[str, str, bool]]) -> Cell:
    count = sum(count for (_band, _status, free), count in aged.items() if free)
    return Cell(count, link=("work_active", {"nobody": "1"}))


def _stays(ask: Ask, stayed: Stays, queues: Mapping[Any, str]) -> Iterator[Table]:
    """One table of all states, then one for each state that tickets have in several queues."""
    whole = sum(stay.total for stay in stayed.values())
    states: dict[str, Stay] = {
        status.value: _together([stay for (_queue, one), stay in stayed.items() if one == status])
        for status in OPEN
    }
    lines = [
        Line(state, None, _times(ask, stay, whole, {"status": state}))
        for state, stay in states.items()
        if stay.seconds or stay.running
    ]
    everything = _times(ask, _together(list(stayed.values())), whole, {})
    yield _times_table("stays", "status", lines, _SUM, Line(None, None, everything))
    for state, together in states.items():
        of_state = {queue: stay for (queue, one), stay in stayed.items() if one == state}
        if len(of_state) < 2:
            continue
        order = sorted(of_state, key=lambda queue: (-of_state[queue].total, queue))
        lines = [
            Line(
                queue,
                queues.get(queue),
                _times(ask, of_state[queue], whole, {"status": state, "lay_in": str(queue)}),
                {"queue": str(queue)},
            )
            for queue in order
        ]
        total = Line(None, None, _times(ask, together, whole, {"status": state}))
        yield _times_table(state, "queue", lines, _MEDIAN, total)


def _together(some: Sequence[Stay]) -> Stay:
    seconds = sorted(chain.from_iterable(stay.seconds for stay in some))
    since = [stay.since for stay in some if stay.since is not None]
    return Stay(seconds, sum(stay.running for stay in some), min(since, default=None))


def _times_table(key: str, cut: str, lines: list[Line], drawn: int, total: Line) -> Table:
    return Table(
        key=key,
        title=named.TITLES[key],
        cut=cut,
        measures=named.TIMES,
        lines=tuple(lines),
        total=total,
        chart=Chart.BARS,
        drawn=drawn,
    )


def _times(ask: Ask, stay: Stay, whole: int, link: Link) -> tuple[Cell, ...]:
    ended = ("work_stays", link) if stay.seconds else None
    share = stay.total / whole if whole and stay.seconds else None
    longest = (ask.at - stay.since).total_seconds() if stay.since is not None else None
    running = ("work_staying", link)
    return (
        Cell(len(stay.seconds), link=("work_stays", link)),
        Cell(stay.rank(0.5), link=ended),
        Cell(stay.rank(0.9), link=ended),
        Cell(stay.total if stay.seconds else None, link=ended),
        Cell(share, link=ended),
        Cell(stay.running, link=running),
        Cell(longest, link=running if longest is not None else None),
    )
