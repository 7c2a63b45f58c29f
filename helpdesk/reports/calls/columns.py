"""Columns of the telephone's tables, and the lists of the calls that they count."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.lib.errors import _lazy
from helpdesk.reports.calls import callbacks as callback_rows
from helpdesk.reports.calls import measures as named
from helpdesk.reports.calls import rings
from helpdesk.reports.calls import rows as call_rows
from helpdesk.reports.calls.callbacks import Callback
from helpdesk.reports.calls.rows import (
    HOLD,
    SHORT,
    TALK,
    TARGET,
    WAIT,
    WRAP,
    CallRow,
    Ended,
    counts,
    in_time,
    offered,
    queued,
    short,
)
from helpdesk.reports.columns import Bundles, Column, count, many, mean, share, total
from helpdesk.reports.sheet import Ask, Behind

Fits = Callable[[Any], bool]


def by_menu(row: CallRow) -> bool:
    """Came through our phone menu."""
    return row.by_menu


def _ended(ended: Ended) -> Fits:
    return lambda row: queued(row) and row.ended == ended


def _answered(row: CallRow) -> bool:
    return queued(row) and row.answered


def _abandoned(row: CallRow) -> bool:
    return queued(row) and row.abandoned


def _lost(row: CallRow) -> bool:
    return _abandoned(row) and row.wait > SHORT


def _decided(row: CallRow) -> bool:
    return _answered(row) or _abandoned(row)


def _f1(row: CallRow) -> bool:
    return _decided(row) and row.wait <= TARGET


def _f4(row: CallRow) -> bool:
    return _answered(row) or (_abandoned(row) and row.wait > TARGET)


def _late(row: CallRow) -> bool:
    return counts(row) and not in_time(row)


def _consent(row: CallRow) -> bool:
    return row.by_menu and row.consent is not None


def _no_consent(row: CallRow) -> bool:
    return row.by_menu and row.consent is False


def _contained(row: CallRow) -> bool:
    return row.by_menu and row.contained


def handled(row: CallRow) -> bool:
    """With a talk that is over."""
    return row.handled


def _waited(row: CallRow) -> bool:
    return _decided(row) or _ended(Ended.WAITING)(row)


def _longest(rows: Bundles) -> float | None:
    return max((one.most for one in rows if _waited(one.row)), default=None)


def _handle_time(rows: Bundles) -> float | None:
    talks = many(handled, rows)
    work = sum(total(number, handled, rows) for number in (TALK, HOLD, WRAP))
    return work / talks if talks else None


def _talked(row: Callback) -> bool:
    return row.talked


def _attempts(rows: Bundles) -> float | None:
    talked = many(_talked, rows)
    return total(0, _all, rows) / talked if talked else None


def _all(_row: Any) -> bool:
    return True


_CALLS: Mapping[str, tuple[str, Fits]] = {
    "calls": (_lazy("Calls that entered a queue"), queued),
    "calls_callback": (
        _lazy("Calls that became a callback"),
        _ended(Ended.CALLBACK),
    ),
    "calls_offered": (_lazy("Offered calls"), offered),
    "calls_answered": (_lazy("Answered calls"), _answered),
    "calls_in_time": (_lazy("Calls answered within 20 seconds"), in_time),
    "calls_late": (_lazy("Calls not answered within 20 seconds"), _late),
    "calls_abandoned": (_lazy("Abandoned calls"), _abandoned),
    "calls_short": (_lazy("Calls abandoned within 5 seconds"), short),
    "calls_lost": (_lazy("Calls abandoned after more than 5 seconds"), _lost),
    "calls_voicemail": (_lazy("Calls that went to the voicemail"), _ended(Ended.VOICEMAIL)),
    "calls_other": (_lazy("Calls that ended otherwise"), _ended(Ended.OTHER)),
    "calls_waiting": (_lazy("Calls that still wait"), _ended(Ended.WAITING)),
    "calls_handled": (_lazy("Handled calls"), handled),
    "calls_menu": (_lazy("Calls to the phone menu"), by_menu),
    "calls_contained": (_lazy("Calls that the phone menu solved"), _contained),
    "calls_consent": (_lazy("Callers asked for recording consent"), _consent),
    "calls_no_consent": (_lazy("Callers who refused the recording"), _no_consent),
}
_RINGS: Mapping[str, tuple[str, Fits]] = {
    "rings": (_lazy("Calls offered to agents"), _all),
    "rings_unanswered": (
        _lazy("Calls that an agent did not answer"),
        lambda row: row.unanswered,
    ),
    "rings_declined": (_lazy("Calls that an agent declined"), lambda row: row.declined),
}
_CALLBACKS: Mapping[str, tuple[str, Fits]] = {
    "callbacks": (_lazy("Callbacks due"), _all),
    "callbacks_kept": (_lazy("Callbacks kept"), lambda row: row.kept),
    "callbacks_broken": (_lazy("Callbacks not kept"), lambda row: not row.kept),
    "callbacks_talked": (_lazy("Callbacks that reached the client"), lambda row: row.talked),
}


def _counted(measure: Any, listed: str, known: Mapping[str, tuple[str, Fits]] = _CALLS) -> Column:
    """How many rows are in the list of this name."""
    return Column(measure, count(known[listed][1]), listed)


def _level(measure: Any, whole: Fits, part: Fits = in_time) -> Column:
    return Column(measure, share(part, whole), "calls_late" if whole is counts else None)


ANSWERING = (
    _counted(named.QUEUED, "calls"),
    _counted(named.CALLBACK, "calls_callback"),
    _counted(named.OFFERED, "calls_offered"),
    _counted(named.ANSWERED, "calls_answered"),
    _counted(named.IN_TIME, "calls_in_time"),
    _level(named.LEVEL, counts),
    _counted(named.ABANDONED, "calls_abandoned"),
    _counted(named.SHORT, "calls_short"),
    Column(named.LOST, share(_lost, counts), "calls_lost"),
    _counted(named.VOICEMAIL, "calls_voicemail"),
    _counted(named.OTHER, "calls_other"),
    _counted(named.WAITING, "calls_waiting"),
)
TIMES = (
    _counted(named.ANSWERED, "calls_answered"),
    Column(named.ASA, mean(WAIT, _answered), "calls_answered"),
    Column(named.PATIENCE, mean(WAIT, _abandoned), "calls_abandoned"),
    Column(named.LONGEST, _longest, "calls_longest"),
)
LEVELS = (
    _level(named.F1, _decided, _f1),
    _level(named.F2, _answered),
    _level(named.F3, _decided),
    _level(named.F4, _f4),
    _level(named.F5, counts),
)
HANDLING = (
    _counted(named.HANDLED, "calls_handled"),
    Column(named.TALK, mean(TALK, handled), "calls_handled"),
    Column(named.HOLD, mean(HOLD, handled), "calls_handled"),
    Column(named.WRAP, mean(WRAP, handled), "calls_handled"),
    Column(named.AHT, _handle_time, "calls_handled"),
)
RINGING = (
    _counted(named.RINGS, "rings", _RINGS),
    _counted(named.RONA, "rings_unanswered", _RINGS),
    Column(named.RONA_RATE, share(lambda row: row.unanswered, _all), "rings_unanswered"),
    _counted(named.DECLINED, "rings_declined", _RINGS),
)
CALLBACKS = (
    _counted(named.DUE, "callbacks", _CALLBACKS),
    _counted(named.KEPT, "callbacks_kept", _CALLBACKS),
    Column(named.KEPT_RATE, share(lambda row: row.kept, _all), "callbacks_broken"),
    _counted(named.TALKED, "callbacks_talked", _CALLBACKS),
    Column(named.TALKED_RATE, share(lambda row: row.talked, _all), "callbacks_talked"),
    Column(named.ATTEMPTS, _attempts, "callbacks_talked"),
)
MENU = (
    _counted(named.MENU, "calls_menu"),
    _counted(named.CONTAINED, "calls_contained"),
    Column(named.CONTAINMENT, share(_contained, by_menu), "calls_contained"),
    _counted(named.CONSENT, "calls_consent"),
    _counted(named.REFUSED, "calls_no_consent"),
    Column(named.REFUSAL, share(_no_consent, _consent), "calls_no_consent"),
)


def _calls_behind(fits: Fits) -> Callable[[Session, Ask], Sequence[int]]:
    def ids(session: Session, ask: Ask) -> list[int]:
        found, _ = call_rows.read(session, ask)
        return [row.id for row in reversed(found) if fits(row)]

    return ids


def _rings_behind(fits: Fits) -> Callable[[Session, Ask], Sequence[int]]:
    def ids(session: Session, ask: Ask) -> list[int]:
        found, _ = rings.read(session, ask)
        return [row.call_id for row in reversed(found) if fits(row)]

    return ids


def _callbacks_behind(fits: Fits) -> Callable[[Session, Ask], Sequence[int]]:
    def ids(session: Session, ask: Ask) -> list[int]:
        found, _ = callback_rows.read(session, ask)
        return [row.id for row in reversed(found) if fits(row)]

    return ids


def _longest_waits(session: Session, ask: Ask) -> list[int]:
    """Who waited longest comes first."""
    found, _ = call_rows.read(session, ask)
    waited = sorted(filter(_waited, found), key=lambda row: (-row.wait, row.id))
    return [row.id for row in waited]


LISTS: Mapping[str, Behind] = {
    **{name: Behind("call", title, _calls_behind(fits)) for name, (title, fits) in _CALLS.items()},
    **{name: Behind("call", title, _rings_behind(fits)) for name, (title, fits) in _RINGS.items()},
    **{
        name: Behind("task", title, _callbacks_behind(fits))
        for name, (title, fits) in _CALLBACKS.items()
    },
    "calls_longest": Behind("call", _lazy("Calls by length of the wait"), _longest_waits),
}
"""Newest first; a call that rang twice at an agent stands there twice."""
