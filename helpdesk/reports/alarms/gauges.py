"""What the wallboard lets an alarm watch, of everything, a queue, a team or a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from helpdesk.lib.errors import _lazy
from helpdesk.reports.sheet import Unit
from helpdesk.reports.wallboard.snapshot import Numbers, Snapshot, waited


@dataclass(frozen=True)
class Subject:
    """Of what: at most one is set; none: everything."""

    queue_id: int | None = None
    team_id: int | None = None
    agent_id: int | None = None

    @property
    def kind(self) -> str:
        if self.agent_id is not None:
            return "agent"
        if self.team_id is not None:
            return "team"
        return "queue" if self.queue_id is not None else "all"


Reading = Callable[[Snapshot, Subject], float | None]


@dataclass(frozen=True)
class Gauge:
    """A number that can be watched; `of` says of what kinds of subject there is one."""

    key: str
    label: str  # msgid
    unit: Unit
    read: Reading | None  # None: it is a tile of `report`
    of: frozenset[str]
    list: str | None = None  # the list of the wallboard that holds what it counts
    falling: bool = False  # bad when small
    report: str | None = None  # of which today's tile it is


_TICKETS = frozenset({"all", "queue", "team", "agent"})
_CALLS = frozenset({"all", "queue", "team"})
_PEOPLE = frozenset({"all", "team"})


def numbers_of(board: Snapshot, subject: Subject) -> Numbers:
    """What the board says of this subject; nothing of what is not on it."""
    if subject.agent_id is not None:
        return board.agents.get(subject.agent_id, Numbers())
    if subject.team_id is not None:
        return board.teams.get(subject.team_id, Numbers())
    if subject.queue_id is not None:
        return board.queues.get(subject.queue_id, Numbers())
    return board.total


def _free(board: Snapshot, subject: Subject) -> float | None:
    return sum(one.free for one in board.on_shift if _in(subject, one.team_id))


def _on_shift(board: Snapshot, subject: Subject) -> float | None:
    return sum(_in(subject, one.team_id) for one in board.on_shift)


def _in(subject: Subject, team_id: int | None) -> bool:
    return subject.team_id is None or team_id == subject.team_id


def _in_work(board: Snapshot, subject: Subject) -> float | None:
    """Of one person what they have; of many, what the one with most has."""
    if subject.agent_id is not None:
        return numbers_of(board, subject).open
    mine = (id_ for id_ in board.user_names if _in(subject, board.user_teams.get(id_)))
    return max((board.agents[id_].open for id_ in mine if id_ in board.agents), default=0)


def _count(name: str) -> Reading:
    def read(board: Snapshot, subject: Subject) -> float | None:
        return float(getattr(numbers_of(board, subject), name))

    return read


def _age(name: str) -> Reading:
    """Nobody waits: no time at all, so that an alarm ends."""

    def read(board: Snapshot, subject: Subject) -> float | None:
        return waited(getattr(numbers_of(board, subject), name), board.at) or 0

    return read


def _service(board: Snapshot, subject: Subject) -> float | None:
    return numbers_of(board, subject).served.share


GAUGES: Mapping[str, Gauge] = {
    gauge.key: gauge
    for gauge in (
        Gauge("calls", _lazy("Calls waiting"), Unit.COUNT, _count("calls"), _CALLS, "now_calls"),
        Gauge(
            "longest",
            _lazy("Longest wait"),
            Unit.SECONDS,
            _age("first_call"),
            _CALLS,
            "now_calls",
        ),
        Gauge("open", _lazy("Open tickets"), Unit.COUNT, _count("open"), _TICKETS, "now_open"),
        Gauge(
            "unassigned",
            _lazy("Unassigned"),
            Unit.COUNT,
            _count("unassigned"),
            _CALLS,
            "now_unassigned",
        ),
        Gauge(
            "unanswered",
            _lazy("Clients who wait for an answer"),
            Unit.COUNT,
            _count("unanswered"),
            _TICKETS,
            "now_unanswered",
        ),
        Gauge(
            "oldest",
            _lazy("Oldest unanswered"),
            Unit.SECONDS,
            _age("oldest"),
            _TICKETS,
            "now_unanswered",
        ),
        Gauge(
            "due", _lazy("At risk in the next hour"), Unit.COUNT, _count("due"), _TICKETS, "now_due"
        ),
        Gauge(
            "breached",
            _lazy("Breached, open"),
            Unit.COUNT,
            _count("breached"),
            _TICKETS,
            "now_breached",
        ),
        Gauge(
            "callbacks",
            _lazy("Callbacks due"),
            Unit.COUNT,
            _count("callbacks"),
            _CALLS,
            "now_callbacks",
        ),
        Gauge(
            "late_callbacks",
            _lazy("Callbacks late"),
            Unit.COUNT,
            _count("late_callbacks"),
            _CALLS,
            "now_late_callbacks",
        ),
        Gauge(
            "service",
            _lazy("Service level today"),
            Unit.SHARE,
            _service,
            _CALLS,
            falling=True,
        ),
        Gauge("free", _lazy("Agents free"), Unit.COUNT, _free, _PEOPLE, falling=True),
        Gauge("on_shift", _lazy("People on shift"), Unit.COUNT, _on_shift, _PEOPLE, falling=True),
        Gauge(
            "in_work",
            _lazy("Tickets in one agent’s work"),
            Unit.COUNT,
            _in_work,
            frozenset({"all", "team", "agent"}),
            "now_open",
        ),
    )
}
