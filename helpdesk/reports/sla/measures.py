"""What the SLA report measures: the definitions, and what its tables are called."""

from collections.abc import Mapping

from helpdesk.lib.errors import _lazy
from helpdesk.reports.sheet import Measure, Unit

_PERIOD = _lazy("A ticket belongs to the period in which it was opened, with all its promises.")
_MERGED = _lazy("A ticket that was merged into another one doesn't count; the other one does.")
_ERASED = _lazy("Erasing a client's personal data leaves the ticket and its promises counted.")
_REOPENED = _lazy(
    "A reopened ticket goes on with the promises it had; a response owed again is a new promise."
)
_MOVED = _lazy(
    "A transferred ticket counts where it lies now, with the agent, product and reason of now."
)
_WITHDRAWN = _lazy("A promise that no policy gives any more doesn't count.")
_BUSINESS = _lazy("Business seconds of the policy's calendar; while the clock is paused none.")
_CALLBACK = _lazy(
    "A callback whose moment was agreed with the client is counted by the clock on the wall."
)
_CLOSED = _lazy("Of a ticket closed in time without an answer the response counts as met.")
_ALL = (_PERIOD, _MERGED, _ERASED, _REOPENED, _MOVED, _WITHDRAWN)
_RANK = _lazy("Nearest rank: of n values in order the one at the place n × 0.9, rounded up.")
_HALF = _lazy("Nearest rank: of n values in order the one at the place n × 0.5, rounded up.")
_ENDED = _lazy("Promises that still run have no length yet and are left out.")

COUNT = Measure(
    key="sla_tickets",
    label=_lazy("Tickets"),
    unit=Unit.COUNT,
    formula=_lazy("Tickets opened in the period that have such a promise"),
    edges=(_PERIOD, _MERGED, _ERASED, _MOVED, _WITHDRAWN),
)
SHARE = Measure(
    key="sla_share",
    label=_lazy("SLA attainment"),
    unit=Unit.SHARE,
    formula=_lazy("Promises met ÷ (promises met + promises breached)"),
    edges=(*_ALL, _lazy("Promises that still run in time are in neither.")),
    better="up",
)
MET = Measure(
    key="sla_met",
    label=_lazy("SLA met"),
    unit=Unit.COUNT,
    formula=_lazy("Promises that ended before their deadline"),
    edges=(*_ALL, _CLOSED),
    better="up",
)
BREACHED = Measure(
    key="sla_breached",
    label=_lazy("SLA breached"),
    unit=Unit.COUNT,
    formula=_lazy("Promises that ended after their deadline, or run and are past it"),
    edges=(*_ALL, _lazy("A breach stays one, also when the ticket is answered later.")),
    better="down",
)
RUNNING = Measure(
    key="sla_running",
    label=_lazy("Still running"),
    unit=Unit.COUNT,
    formula=_lazy("Promises neither met nor breached yet"),
    edges=(*_ALL, _lazy("A paused promise that is in time counts here.")),
)
MEDIAN = Measure(
    key="sla_median",
    label=_lazy("Median"),
    unit=Unit.SECONDS,
    formula=_lazy("The time by which half of the ended promises had ended"),
    edges=(_BUSINESS, _HALF, _ENDED, _CALLBACK, *_ALL),
    better="down",
)
P90 = Measure(
    key="sla_p90",
    label=_lazy("90th percentile"),
    unit=Unit.SECONDS,
    formula=_lazy("The time by which nine of ten ended promises had ended"),
    edges=(_BUSINESS, _RANK, _ENDED, _CALLBACK, *_ALL),
    better="down",
)
COUNTED = (COUNT, SHARE, MET, BREACHED, RUNNING)
"""What a table of all promises together shows."""
TIMED = (*COUNTED, MEDIAN, P90)
"""What a table of one metric shows."""

TITLES: Mapping[str, str] = {
    "all": _lazy("All promises"),
    "first_response": _lazy("First response"),
    "next_response": _lazy("Next response"),
    "resolution": _lazy("Resolution"),
    "speed_of_answer": _lazy("Speed of answer"),
    "callback": _lazy("Callback"),
}


def _share(metric: str, label: str, formula: str) -> Measure:
    return Measure(f"sla_share_{metric}", label, Unit.SHARE, formula, SHARE.edges, "up")


def _median(metric: str, label: str, formula: str) -> Measure:
    return Measure(f"sla_median_{metric}", label, Unit.SECONDS, formula, MEDIAN.edges, "down")


SHARES: Mapping[str, Measure] = {
    "first_response": _share(
        "first_response",
        _lazy("First response in time"),
        _lazy("From the client's first message to the first answer of a person; no receipt counts"),
    ),
    "next_response": _share(
        "next_response",
        _lazy("Next response in time"),
        _lazy("From a later message of the client to the answer of a person"),
    ),
    "resolution": _share(
        "resolution",
        _lazy("Resolution in time"),
        _lazy("From the opening of the ticket until it is resolved, without the pauses"),
    ),
    "speed_of_answer": _share(
        "speed_of_answer",
        _lazy("Speed of answer in time"),
        _lazy("From the moment a caller enters the queue until an agent answers"),
    ),
    "callback": _share(
        "callback",
        _lazy("Callback in time"),
        _lazy("From the promise of a callback until the client is called"),
    ),
}
MEDIANS: Mapping[str, Measure] = {
    "first_response": _median(
        "first_response",
        _lazy("Median first response"),
        _lazy("The time by which half of the tickets had their first answer"),
    ),
    "next_response": _median(
        "next_response",
        _lazy("Median next response"),
        _lazy("The time by which half of the later messages had their answer"),
    ),
    "resolution": _median(
        "resolution",
        _lazy("Median resolution"),
        _lazy("The time by which half of the tickets were resolved"),
    ),
    "speed_of_answer": _median(
        "speed_of_answer",
        _lazy("Median speed of answer"),
        _lazy("The time by which half of the calls were answered"),
    ),
    "callback": _median(
        "callback",
        _lazy("Median callback"),
        _lazy("The time by which half of the callbacks were made"),
    ),
}
MEASURES: tuple[Measure, ...] = (*TIMED, *SHARES.values(), *MEDIANS.values())
