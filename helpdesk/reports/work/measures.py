"""What the work report measures: the definitions, and what its tables are called."""

from collections.abc import Mapping

from helpdesk.lib.errors import _lazy
from helpdesk.reports.calls.measures import AHT, HANDLED, WRAP
from helpdesk.reports.sheet import Measure, Unit

_MERGED = _lazy("A ticket that was merged into another one doesn't count; the other one does.")
_ERASED = _lazy("Erasing a client's personal data closes their tickets, which stay counted.")
_MOVED = _lazy(
    "A transferred ticket counts where it lies now, with the agent, product and reason of now."
)
_TWICE = _lazy("A ticket to which it happens twice counts twice.")
_WAITS = _lazy("Tickets awaiting the client or a third party are among; resolved ones are not.")
_WALL = _lazy(
    "By the clock on the wall, nights and holidays too; pauses of an SLA clock change nothing."
)
_STAY = _lazy(
    "A stay ends when the state, the queue or the assignee changes; it counts in its own queue."
)
_NOW = _lazy("As it is now, whatever the period.")

OPENED = Measure(
    key="work_opened",
    label=_lazy("In"),
    unit=Unit.COUNT,
    formula=_lazy("Tickets opened in the period"),
    edges=(_lazy("A reopened ticket is not opened again."), _MERGED, _ERASED, _MOVED),
)
DONE = Measure(
    key="work_done",
    label=_lazy("Out"),
    unit=Unit.COUNT,
    formula=_lazy("How often an active ticket became resolved or closed in the period"),
    edges=(_TWICE, _lazy("Closing what is resolved already adds nothing."), _MERGED, _MOVED),
    better="up",
)
REOPENED = Measure(
    key="work_reopened",
    label=_lazy("Reopened"),
    unit=Unit.COUNT,
    formula=_lazy("How often a resolved or closed ticket became active again in the period"),
    edges=(_TWICE, _MERGED, _MOVED),
    better="down",
)
TRANSFERRED = Measure(
    key="work_transferred",
    label=_lazy("Transferred"),
    unit=Unit.COUNT,
    formula=_lazy("How often a ticket went to another queue, or from one agent to another"),
    edges=(
        _lazy("Taking a ticket that nobody had, or giving it up, is no transfer."),
        _TWICE,
        _MERGED,
        _MOVED,
    ),
    better="down",
)
BACKLOG = Measure(
    key="work_backlog",
    label=_lazy("Backlog"),
    unit=Unit.COUNT,
    formula=_lazy("Active tickets at the end: before + in + reopened − out"),
    edges=(_lazy("At the end of the day or week, else of the period; today: now."), _WAITS, _MOVED),
    better="down",
)
NOBODY = Measure(
    key="work_nobody",
    label=_lazy("Unassigned"),
    unit=Unit.COUNT,
    formula=_lazy("Active tickets without an assignee"),
    edges=(_NOW, _WAITS),
    better="down",
)
AGED = Measure(
    key="work_aged",
    label=_lazy("Open tickets now"),
    unit=Unit.COUNT,
    formula=_lazy("Active tickets by the time since they were opened"),
    edges=(_NOW, _WALL, _lazy("The age of a reopened ticket counts from its first opening.")),
    better="down",
)
AGED_SHARE = Measure(
    key="work_aged_share",
    label=_lazy("Share"),
    unit=Unit.SHARE,
    formula=_lazy("Active tickets of this age ÷ all active tickets"),
    edges=(_NOW,),
)
PENDING = Measure(
    key="work_pending",
    label=_lazy("Awaiting client"),
    unit=Unit.COUNT,
    formula=_lazy("Active tickets that wait for an answer of the client"),
    edges=(_NOW,),
)
STAYS = Measure(
    key="work_stays",
    label=_lazy("Stays"),
    unit=Unit.COUNT,
    formula=_lazy("Stays in this state and queue that ended in the period"),
    edges=(_STAY, _TWICE, _MERGED),
)
STAY_MEDIAN = Measure(
    key="work_stay_median",
    label=_lazy("Median"),
    unit=Unit.SECONDS,
    formula=_lazy("Nearest rank: of n stays in order the one at the place n × 0.5, rounded up"),
    edges=(_WALL, _STAY, _lazy("Stays that go on have no length yet and are left out.")),
    better="down",
)
STAY_P90 = Measure(
    key="work_stay_p90",
    label=_lazy("90th percentile"),
    unit=Unit.SECONDS,
    formula=_lazy("Nearest rank: of n stays in order the one at the place n × 0.9, rounded up"),
    edges=(_WALL, _STAY),
    better="down",
)
STAY_SUM = Measure(
    key="work_stay_sum",
    label=_lazy("All together"),
    unit=Unit.SECONDS,
    formula=_lazy("Sum of the lengths of these stays"),
    edges=(_WALL, _STAY),
    better="down",
)
STAY_SHARE = Measure(
    key="work_stay_share",
    label=_lazy("Share of the time"),
    unit=Unit.SHARE,
    formula=_lazy("Sum of these stays ÷ sum of all stays of active tickets"),
    edges=(_WALL,),
)
STAYING = Measure(
    key="work_staying",
    label=_lazy("There now"),
    unit=Unit.COUNT,
    formula=_lazy("Tickets that are in this state and queue now"),
    edges=(_NOW,),
)
LONGEST = Measure(
    key="work_longest",
    label=_lazy("Longest there now"),
    unit=Unit.SECONDS,
    formula=_lazy("Time since the oldest of them came there"),
    edges=(_NOW, _WALL),
    better="down",
)
IN_WORK = Measure(
    key="work_in_work",
    label=_lazy("In work now"),
    unit=Unit.COUNT,
    formula=_lazy("Active tickets assigned to the agent"),
    edges=(
        _NOW,
        _WAITS,
        _lazy("Too few or too many: against the norms in the settings, for agents only."),
        _lazy("Under a filter of tickets nothing is said, since only a part is seen."),
    ),
)

MOVES = (OPENED, DONE, REOPENED, TRANSFERRED, BACKLOG)
AGES = (AGED, AGED_SHARE, NOBODY, PENDING)
TIMES = (STAYS, STAY_MEDIAN, STAY_P90, STAY_SUM, STAY_SHARE, STAYING, LONGEST)
AGENTS = (IN_WORK, DONE, REOPENED, TRANSFERRED, HANDLED, AHT, WRAP)
MEASURES = (
    *MOVES,
    AGED,
    AGED_SHARE,
    NOBODY,
    PENDING,
    *TIMES,
    IN_WORK,
)
TITLES: Mapping[str, str] = {
    "flow": _lazy("In, out and backlog"),
    "ages": _lazy("Age of what is open now"),
    "stays": _lazy("Time in each state"),
    "new": _lazy("Time until somebody begins, by queue"),
    "open": _lazy("Time in work, by queue"),
    "pending": _lazy("Time awaiting the client, by queue"),
    "on_hold": _lazy("Time awaiting a third party, by queue"),
    "agents": _lazy("Agents"),
}
