"""Measures of the clients' satisfaction with their definitions."""

from helpdesk.lib.errors import _lazy
from helpdesk.reports.sheet import Measure, Unit

_ONE = _lazy("One rating a ticket: a later one replaces the earlier.")
_WHEN = _lazy("A rating counts when it was given, whenever its ticket was opened.")
_WHERE = _lazy("It counts for the queue, assignee, product and reason the ticket has now.")
_MERGED = _lazy("Ratings of merged tickets don’t count.")

RATINGS = Measure(
    "voice_ratings",
    _lazy("Ratings"),
    Unit.COUNT,
    _lazy("Ratings from 1 to 5 that clients gave in the period (CSAT)"),
    (_ONE, _WHEN, _WHERE, _MERGED),
)
MEAN = Measure(
    "voice_mean",
    _lazy("Mean"),
    Unit.SCORE,
    _lazy("Sum of the ratings ÷ number of ratings"),
    (_ONE, _WHEN),
    "up",
)
SATISFIED = Measure(
    "voice_satisfied",
    _lazy("Satisfied"),
    Unit.SHARE,
    _lazy("Ratings of 4 or 5 ÷ ratings"),
)
SCORES = tuple(
    Measure(
        f"voice_score_{score}",
        label,
        Unit.COUNT,
        _lazy("Ratings with this score"),
        (_ONE, _WHEN),
    )
    for score, label in (
        (1, _lazy("1 of 5")),
        (2, _lazy("2 of 5")),
        (3, _lazy("3 of 5")),
        (4, _lazy("4 of 5")),
        (5, _lazy("5 of 5")),
    )
)
SCORE_SHARE = Measure(
    "voice_score_share",
    _lazy("Share"),
    Unit.SHARE,
    _lazy("Ratings with this score ÷ ratings"),
)
COMMENTS = Measure(
    "voice_comments",
    _lazy("With a comment"),
    Unit.COUNT,
    _lazy("Ratings for which the client wrote a comment"),
)
ASKED = Measure(
    "voice_asked",
    _lazy("Could be rated"),
    Unit.COUNT,
    _lazy("Tickets opened in the period that we answered and that are done"),
    (
        _lazy("Counted by when the ticket was opened, so that late ratings are not lost."),
        _lazy("A reopened ticket counts again once it is done."),
        _lazy("Merged tickets don’t count."),
    ),
)
RATED = Measure(
    "voice_rated",
    _lazy("Of them rated"),
    Unit.COUNT,
    _lazy("Tickets that could be rated and were, at whatever time"),
    ASKED.edges,
)
RESPONSE = Measure(
    "voice_response",
    _lazy("Response rate"),
    Unit.SHARE,
    _lazy("Tickets rated ÷ tickets that could be rated"),
    ASKED.edges,
    "up",
)
MEASURES = (
    RATINGS,
    MEAN,
    SATISFIED,
    *SCORES,
    SCORE_SHARE,
    COMMENTS,
    ASKED,
    RATED,
    RESPONSE,
)
