"""From where on a number of the wallboard is worth a look, and from where on somebody must act."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.events import Actor
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.sheet import Unit
from helpdesk.reports.wallboard.snapshot import Numbers, Snapshot, waited

SETTING = "wall_limits"
MOST = 1_000_000
HOUR, MINUTE = 3600, 60


class Level(StrEnum):
    """Named by the tone in which it is drawn."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Limits:
    """Two steps, from which on a number is bad; `falling`: below which it is."""

    key: str
    label: str  # msgid
    unit: Unit
    warn: float
    bad: float
    falling: bool = False

    def level(self, value: float | None) -> Level | None:
        """None where there is nothing to judge."""
        if value is None:
            return None
        if self._past(value, self.bad):
            return Level.BAD
        return Level.WARN if self._past(value, self.warn) else Level.GOOD

    def _past(self, value: float, step: float) -> bool:
        return value < step if self.falling else value >= step


USUAL: tuple[Limits, ...] = (
    Limits("calls", _lazy("Calls waiting"), Unit.COUNT, 3, 6),
    Limits("longest", _lazy("Longest wait"), Unit.SECONDS, MINUTE, 3 * MINUTE),
    Limits("unassigned", _lazy("Unassigned"), Unit.COUNT, 10, 25),
    Limits("oldest", _lazy("Oldest unanswered"), Unit.SECONDS, 24 * HOUR, 72 * HOUR),
    Limits("due", _lazy("At risk in the next hour"), Unit.COUNT, 3, 10),
    Limits("breached", _lazy("Breached, open"), Unit.COUNT, 1, 1),
    Limits("late_callbacks", _lazy("Callbacks late"), Unit.COUNT, 1, 3),
    Limits("service", _lazy("Service level today"), Unit.SHARE, 0.8, 0.7, falling=True),
    Limits("free", _lazy("Agents free"), Unit.COUNT, 2, 1, falling=True),
)


def limits(stored: Mapping[str, object]) -> dict[str, Limits]:
    """By key: as a supervisor set them, else the usual ones."""
    return {usual.key: _of(usual, stored.get(usual.key)) for usual in USUAL}


def put(session: Session, wanted: Mapping[str, tuple[float, float]], *, actor: Actor) -> None:
    """Set all limits. Raises HelpdeskError where one doesn't fit."""
    found = {usual.key: _checked(usual, *wanted[usual.key]) for usual in USUAL}
    settings.put(session, SETTING, found, actor=actor)


def values(some: Numbers, at: datetime) -> dict[str, float | None]:
    """What the limits look at, of one queue or team."""
    return {
        "calls": some.calls,
        "longest": waited(some.first_call, at),
        "unassigned": some.unassigned,
        "oldest": waited(some.oldest, at),
        "due": some.due,
        "breached": some.breached,
        "late_callbacks": some.late_callbacks,
        "service": some.served.share,
    }


def judged(some: Numbers, at: datetime, known: Mapping[str, Limits]) -> dict[str, Level | None]:
    """The level of each number."""
    return {key: known[key].level(value) for key, value in values(some, at).items()}


def free_level(board: Snapshot, known: Mapping[str, Limits]) -> Level | None:
    """Free agents only matter while somebody is on shift."""
    return known["free"].level(board.free) if board.on_shift else None


def worst(levels: Mapping[str, Level | None]) -> Level | None:
    """The worst of them; None if nothing was judged."""
    order = (Level.BAD, Level.WARN, Level.GOOD)
    return next((one for one in order if one in levels.values()), None)


def _of(usual: Limits, stored: object) -> Limits:
    if not isinstance(stored, list) or len(stored) != 2:
        return usual
    warn, bad = stored
    return Limits(usual.key, usual.label, usual.unit, float(warn), float(bad), usual.falling)


def _checked(usual: Limits, warn: float, bad: float) -> list[float]:
    most = 1 if usual.unit == Unit.SHARE else MOST
    for name, value in (("warn", warn), ("bad", bad)):
        if not 0 <= value <= most:
            raise HelpdeskError(
                _lazy("This number is too small or too large."), field=f"{usual.key}.{name}"
            )
    wrong = bad > warn if usual.falling else bad < warn
    if wrong:
        message = _lazy("“Act now” begins where “watch” ends: it can’t come before it.")
        raise HelpdeskError(message, field=f"{usual.key}.bad")
    return [warn, bad]
