"""Measures of the knowledge base with their definitions."""

from helpdesk.lib.errors import _lazy
from helpdesk.reports.sheet import Measure, Unit

_SEARCH = _lazy(
    "Searches on the portal, beside the form, on the telephone and by the API, and the articles "
    "that a receipt offers; what is typed on within a minute counts once."
)
_KEPT = _lazy("Searches are kept for a while only: what is older is not counted any more.")
_ANYBODY = _lazy(
    "Searches belong to no team or queue: every filter but the language leaves only those that "
    "led to a ticket which fits."
)

SEARCHES = Measure(
    "kb_searches",
    _lazy("Searches"),
    Unit.COUNT,
    _lazy("Searches of readers in the period"),
    (_SEARCH, _KEPT, _ANYBODY),
)
SHOWN = Measure(
    "kb_shown",
    _lazy("Shown an article"),
    Unit.COUNT,
    _lazy("Searches that found at least one article"),
)
READ = Measure(
    "kb_read",
    _lazy("Article read"),
    Unit.COUNT,
    _lazy("Searches after which an article was opened, or read out on the telephone"),
)
NO_TICKET = Measure(
    "kb_no_ticket",
    _lazy("Read, no ticket after"),
    Unit.COUNT,
    _lazy("Searches after which an article was read and no person was asked"),
    (_lazy("Known for the visit of one browser or the one call; a later email is not seen."),),
)
SOLVED = Measure(
    "kb_solved",
    _lazy("Solved without a ticket"),
    Unit.COUNT,
    _lazy("Searches whose reader said that an article helped, or left the form because of it"),
    (_lazy("One who then asked a person all the same is not counted."),),
)
SOLVED_SHARE = Measure(
    "kb_solved_share",
    _lazy("Solved, share"),
    Unit.SHARE,
    _lazy("Solved without a ticket ÷ searches"),
    SOLVED.edges,
    "up",
)
ASKED = Measure(
    "kb_asked",
    _lazy("Asked a person"),
    Unit.COUNT,
    _lazy("Searches after which a person was asked all the same"),
)
NO_RESULT = Measure(
    "kb_no_result",
    _lazy("No result"),
    Unit.COUNT,
    _lazy("Searches that found no article"),
)
NO_RESULT_SHARE = Measure(
    "kb_no_result_share",
    _lazy("No result, share"),
    Unit.SHARE,
    _lazy("Searches that found no article ÷ searches"),
    better="down",
)
READINGS = Measure(
    "kb_readings",
    _lazy("Read"),
    Unit.COUNT,
    _lazy("How often the article was opened in the period, in any language and however found"),
    (_ANYBODY,),
)
LED = Measure(
    "kb_led",
    _lazy("Solved by it"),
    Unit.COUNT,
    _lazy("Searches that this article solved without a ticket"),
    SOLVED.edges,
)
ASKED_AFTER = Measure(
    "kb_asked_after",
    _lazy("Asked after it"),
    Unit.COUNT,
    _lazy("Searches after which this article was read and a person asked all the same"),
)
HELPED = Measure(
    "kb_helped",
    _lazy("Helped"),
    Unit.COUNT,
    _lazy("Readers who answered in the period that the article helped"),
    (_lazy("One answer of each reader to each text: a later one replaces it."),),
)
NOT_HELPED = Measure(
    "kb_not_helped",
    _lazy("Did not help"),
    Unit.COUNT,
    _lazy("Readers who answered in the period that the article did not help"),
    HELPED.edges,
)
HELPED_SHARE = Measure(
    "kb_helped_share",
    _lazy("Helped, share"),
    Unit.SHARE,
    _lazy("Helped ÷ (helped + did not help)"),
    HELPED.edges,
    "up",
)
MEASURES = tuple(value for value in tuple(globals().values()) if isinstance(value, Measure))
