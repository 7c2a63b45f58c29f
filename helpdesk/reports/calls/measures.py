"""Measures of the telephone with their definitions."""

from helpdesk.lib.errors import _lazy
from helpdesk.reports.sheet import Measure, Unit

_SHORT = _lazy("Who hangs up within 5 seconds did not wait, and counts neither for nor against us.")
_CALLBACK = _lazy("Who accepts a callback instead of waiting counts neither as answered nor lost.")
_VOICEMAIL = _lazy("Who leaves for the voicemail was offered and not answered.")
_STILL = _lazy("Who still waits counts once 20 seconds are over.")
_WHERE = _lazy("A call counts in the queue where it is now, for the agent who talked last.")
_HOLD = _lazy("Hold is a part of the talk and is not counted twice.")
_WRAP = _lazy("Of one wrap-up at most 15 minutes count; calls logged by hand have none.")
_SOURCE = "ICMI"

QUEUED = Measure(
    "calls_queued",
    _lazy("Calls"),
    Unit.COUNT,
    _lazy("Calls from clients that entered a queue in the period"),
    (
        _lazy("Calls that ended in the phone menu, and our own calls to clients, are not among."),
        _lazy("A call counts once, however often it waited again."),
        _WHERE,
    ),
)
CALLBACK = Measure(
    "calls_callback",
    _lazy("Callback instead"),
    Unit.COUNT,
    _lazy("Calls whose caller accepted to be called back"),
    (_CALLBACK,),
)
OFFERED = Measure(
    "calls_offered",
    _lazy("Offered"),
    Unit.COUNT,
    _lazy("Calls that entered a queue − callbacks accepted instead"),
    (_CALLBACK,),
)
ANSWERED = Measure(
    "calls_answered",
    _lazy("Answered"),
    Unit.COUNT,
    _lazy("Offered calls in which the client and an agent talked"),
)
IN_TIME = Measure(
    "calls_in_time",
    _lazy("Within 20 seconds"),
    Unit.COUNT,
    _lazy("Calls answered at most 20 seconds after they entered the queue"),
)
ABANDONED = Measure(
    "calls_abandoned",
    _lazy("Abandoned"),
    Unit.COUNT,
    _lazy("Offered calls whose caller hung up while waiting or while an agent’s phone rang"),
    (_lazy("Short ones are among."),),
)
SHORT = Measure(
    "calls_short",
    _lazy("Of them short"),
    Unit.COUNT,
    _lazy("Abandoned calls that waited at most 5 seconds"),
    (_SHORT,),
)
VOICEMAIL = Measure(
    "calls_voicemail",
    _lazy("Voicemail"),
    Unit.COUNT,
    _lazy("Offered calls that went to the voicemail, with a message or without"),
    (_VOICEMAIL,),
)
OTHER = Measure(
    "calls_other",
    _lazy("Ended otherwise"),
    Unit.COUNT,
    _lazy("Offered calls that were neither answered nor abandoned, e.g. by a fault of the line"),
)
WAITING = Measure(
    "calls_waiting",
    _lazy("Still waiting"),
    Unit.COUNT,
    _lazy("Offered calls that are neither answered nor over"),
)
LEVEL = Measure(
    "calls_level",
    _lazy("Service level"),
    Unit.SHARE,
    _lazy("Answered within 20 seconds ÷ (offered − abandoned within 5 seconds)"),
    (_SHORT, _CALLBACK, _VOICEMAIL, _STILL, _lazy("This is formula F5; the goal is 80 %.")),
    "up",
    _SOURCE,
)
F1 = Measure(
    "calls_f1",
    _lazy("Service level F1"),
    Unit.SHARE,
    _lazy("(Answered within 20 s + abandoned within 20 s) ÷ (answered + abandoned)"),
    (_lazy("Who gives up quickly counts as served."),),
    "up",
    _SOURCE,
)
F2 = Measure(
    "calls_f2",
    _lazy("Service level F2"),
    Unit.SHARE,
    _lazy("Answered within 20 s ÷ answered"),
    (_lazy("Who gave up is not seen at all: the field advises against it."),),
    "up",
    _SOURCE,
)
F3 = Measure(
    "calls_f3",
    _lazy("Service level F3"),
    Unit.SHARE,
    _lazy("Answered within 20 s ÷ (answered + abandoned)"),
    (_lazy("Short abandons count against us."),),
    "up",
    _SOURCE,
)
F4 = Measure(
    "calls_f4",
    _lazy("Service level F4"),
    Unit.SHARE,
    _lazy("Answered within 20 s ÷ (answered + abandoned after more than 20 s)"),
    (_lazy("Who gives up within 20 seconds is left out."),),
    "up",
    _SOURCE,
)
F5 = Measure(
    "calls_f5", _lazy("Service level F5"), Unit.SHARE, LEVEL.formula, LEVEL.edges, "up", _SOURCE
)
LOST = Measure(
    "calls_lost",
    _lazy("Abandonment rate"),
    Unit.SHARE,
    _lazy("Abandoned after more than 5 seconds ÷ (offered − abandoned within 5 seconds)"),
    (_SHORT, _CALLBACK, _STILL),
    "down",
    _SOURCE,
)
ASA = Measure(
    "calls_asa",
    _lazy("Average speed of answer"),
    Unit.SECONDS,
    _lazy("Sum of (answered − entered the queue) over answered calls ÷ answered calls"),
    (_lazy("The time in the phone menu is not among: it ends where the queue begins."),),
    "down",
    _SOURCE,
)
PATIENCE = Measure(
    "calls_patience",
    _lazy("Patience"),
    Unit.SECONDS,
    _lazy("Mean wait of abandoned calls, short ones among them"),
)
LONGEST = Measure(
    "calls_longest",
    _lazy("Longest wait"),
    Unit.SECONDS,
    _lazy("The longest wait of an offered call that was answered, was abandoned or still waits"),
    better="down",
)
HANDLED = Measure(
    "calls_handled",
    _lazy("Handled"),
    Unit.COUNT,
    _lazy("Calls with a talk that is over, in and out"),
    (_lazy("Our own calls to clients count by the moment they began."),),
)
TALK = Measure(
    "calls_talk",
    _lazy("Mean talk"),
    Unit.SECONDS,
    _lazy("Sum of (ended − answered − hold) ÷ handled calls"),
    (_HOLD,),
)
HOLD = Measure(
    "calls_hold", _lazy("Mean hold"), Unit.SECONDS, _lazy("Sum of hold ÷ handled calls"), (_HOLD,)
)
WRAP = Measure(
    "calls_wrap",
    _lazy("Mean wrap-up"),
    Unit.SECONDS,
    _lazy("Sum of (written up − hung up) ÷ handled calls"),
    (_WRAP,),
    "down",
)
AHT = Measure(
    "calls_aht",
    _lazy("Average handle time"),
    Unit.SECONDS,
    _lazy("Sum of (talk + hold + wrap-up) ÷ handled calls"),
    (_HOLD, _WRAP),
    "down",
    _SOURCE,
)
RINGS = Measure(
    "calls_rings",
    _lazy("Offered to agents"),
    Unit.COUNT,
    _lazy("How often a waiting call rang at an agent"),
    (
        _lazy("One call may ring at several agents, and twice at the same."),
        _lazy("Counts for the agent at whom it rang, whoever answered."),
    ),
)
RONA = Measure(
    "calls_rona",
    _lazy("Not answered"),
    Unit.COUNT,
    _lazy("Offers that rang out at the agent (RONA)"),
    (_lazy("Where the caller hung up or somebody else took the call, the agent is not blamed."),),
)
DECLINED = Measure(
    "calls_declined", _lazy("Declined"), Unit.COUNT, _lazy("Offers that the agent declined")
)
RONA_RATE = Measure(
    "calls_rona_rate",
    _lazy("Not answered, share"),
    Unit.SHARE,
    _lazy("Offers that rang out ÷ offers to agents"),
    RONA.edges,
    "down",
)
MENU = Measure(
    "calls_menu",
    _lazy("Calls to the phone menu"),
    Unit.COUNT,
    _lazy("Calls from clients that came through the phone menu and are over"),
    (_lazy("Calls of another exchange, logged by hand or of blocked callers are not among."),),
)
CONTAINED = Measure(
    "calls_contained",
    _lazy("Ended in the menu, solved"),
    Unit.COUNT,
    _lazy("Callers whom the phone menu answered, and who needed nobody else"),
)
CONTAINMENT = Measure(
    "calls_containment",
    _lazy("Containment"),
    Unit.SHARE,
    _lazy("Ended in the menu, solved ÷ calls to the phone menu"),
    (_lazy("Who hangs up in the menu without saying that it helped is not counted as solved."),),
    "up",
)
CONSENT = Measure(
    "calls_consent",
    _lazy("Asked for recording consent"),
    Unit.COUNT,
    _lazy("Calls whose caller said yes or no to the recording"),
)
REFUSED = Measure(
    "calls_refused",
    _lazy("Refused the recording"),
    Unit.COUNT,
    _lazy("Calls whose caller said no to the recording"),
)
REFUSAL = Measure(
    "calls_refusal",
    _lazy("Recording refused, share"),
    Unit.SHARE,
    _lazy("Refused the recording ÷ asked for recording consent"),
)
DUE = Measure(
    "callbacks_due",
    _lazy("Callbacks due"),
    Unit.COUNT,
    _lazy("Callbacks whose promised moment lies in the period and that can be judged"),
    (
        _lazy("Judged once tried, or once the promised moment is over by 5 minutes."),
        _lazy("One that was called off before that, e.g. as the client called again, is not due."),
        _lazy("Those planned after a missed call count too: the client awaits them."),
        _lazy("One put off in agreement with the client is due at the new moment."),
    ),
)
KEPT = Measure(
    "callbacks_kept",
    _lazy("Kept"),
    Unit.COUNT,
    _lazy("Callbacks due that were first tried at most 5 minutes after the promised moment"),
)
KEPT_RATE = Measure(
    "callbacks_kept_rate",
    _lazy("Callbacks kept"),
    Unit.SHARE,
    _lazy("Kept ÷ callbacks due"),
    DUE.edges,
    "up",
)
TALKED = Measure(
    "callbacks_talked",
    _lazy("Reached the client"),
    Unit.COUNT,
    _lazy("Callbacks due that led to a talk"),
)
TALKED_RATE = Measure(
    "callbacks_talked_rate",
    _lazy("Reached, share"),
    Unit.SHARE,
    _lazy("Callbacks due that led to a talk ÷ callbacks due"),
    better="up",
)
ATTEMPTS = Measure(
    "callbacks_attempts",
    _lazy("Attempts a success"),
    Unit.NUMBER,
    _lazy("Attempts of callbacks due ÷ those that led to a talk"),
    better="down",
)
MEASURES = tuple(value for value in tuple(globals().values()) if isinstance(value, Measure))
