"""Measures of why clients turn to us, with their definitions."""

from helpdesk.lib.errors import _lazy
from helpdesk.reports.sheet import Measure, Unit

_NOW = _lazy("Reason, product and kind as they are now; a ticket without one stands in its line.")
_MERGED = _lazy("Merged tickets don’t count: the one they were merged into does.")
_REOPENED = _lazy("A reopened ticket counts once, when it was first opened.")

TICKETS = Measure(
    "causes_tickets",
    _lazy("Tickets"),
    Unit.COUNT,
    _lazy("Tickets opened in the period, over every channel"),
    (_NOW, _MERGED, _REOPENED),
)
SHARE = Measure(
    "causes_share",
    _lazy("Share"),
    Unit.SHARE,
    _lazy("Tickets of this line ÷ all tickets of the report"),
)
BEFORE = Measure(
    "causes_before",
    _lazy("Period before"),
    Unit.COUNT,
    _lazy("Tickets opened in as many days right before the period"),
    (_NOW, _MERGED),
)
CHANGE = Measure(
    "causes_change",
    _lazy("Growth"),
    Unit.SHARE,
    _lazy("(Tickets − tickets of the period before) ÷ tickets of the period before"),
    (_lazy("Empty where the period before had none."),),
)
WEEK = Measure(
    "causes_week",
    _lazy("Week"),
    Unit.COUNT,
    _lazy("Tickets opened in the week from this Monday on, as far as it lies in the period"),
    (_NOW, _MERGED, _lazy("The newest 13 weeks of the period.")),
)
WRAPPED = Measure(
    "causes_wrapped",
    _lazy("Calls with a result"),
    Unit.COUNT,
    _lazy("Calls of the period whose agent noted a result"),
    (_lazy("A call counts when it entered the queue, one without a queue when it began."),),
)
REFUSED = Measure(
    "causes_refused",
    _lazy("Refusals"),
    Unit.COUNT,
    _lazy("Calls of the period with the result “refused”, by the reason of the call"),
    WRAPPED.edges,
)
OF_REFUSED = Measure(
    "causes_of_refused",
    _lazy("Of all refusals"),
    Unit.SHARE,
    _lazy("Refusals of this reason ÷ all refusals"),
)
OF_WRAPPED = Measure(
    "causes_of_wrapped",
    _lazy("Of all calls"),
    Unit.SHARE,
    _lazy("Refusals of this reason ÷ calls with a result"),
    better="down",
)
MEASURES = (
    TICKETS,
    SHARE,
    BEFORE,
    CHANGE,
    WEEK,
    WRAPPED,
    REFUSED,
    OF_REFUSED,
    OF_WRAPPED,
)
