"""What the wallboard says: its levels, columns and states in words, lengths that fit a screen."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import pgettext

from helpdesk.accounts.presence import Availability
from helpdesk.reports.sheet import Unit
from helpdesk.reports.wallboard.levels import Level
from helpdesk.reports.wallboard.snapshot import waited
from helpdesk.web.formats import length, stopwatch

HOUR = 3600
HEAD, TAIL = 6, 5
"""Letters that stay of a long name: of queues named alike the end tells them apart."""
_VOWEL, _OTHER = "[аеёиоуыэюяєії]", "[бвгґджзйклмнпрстфхцчшщ]"
_BREAK = re.compile(
    rf"(?<=\w{_VOWEL})(?={_OTHER}{_VOWEL})|(?<={_VOWEL}{_OTHER})(?={_OTHER}{_VOWEL})", re.I
)
SIGNS: Mapping[Level, str] = {Level.GOOD: "ck-met", Level.WARN: "pr-high", Level.BAD: "ck-over"}


class State(NamedTuple):
    """How an availability is shown."""

    word: str
    icon: str
    tone: str | None


def level_words() -> dict[str, str]:
    """By level; None is worded by nothing."""
    return {
        Level.GOOD: pgettext("level", "all right"),
        Level.WARN: pgettext("level", "watch"),
        Level.BAD: pgettext("level", "act now"),
    }


def states() -> dict[str, State]:
    """Of people on shift, in the order of the board."""
    return {
        Availability.IN_CALL: State(pgettext("presence", "in call"), "phone-call", "acc"),
        Availability.AVAILABLE: State(pgettext("presence", "available"), "check", "good"),
        Availability.WRAP_UP: State(pgettext("presence", "wrap-up"), "clipboard-check", "warn"),
        Availability.EMAIL_ONLY: State(pgettext("presence", "emails only"), "mail", None),
        Availability.BREAK: State(pgettext("presence", "break"), "coffee", None),
    }


def columns() -> list[tuple[str, str]]:
    """Of the table by queue and team: key and words, which may break between syllables."""
    heads = [
        ("calls", pgettext("wallboard", "Calls waiting")),
        ("open", pgettext("wallboard", "Open")),
        ("unassigned", pgettext("wallboard", "Unassigned")),
        ("oldest", pgettext("wallboard", "Oldest")),
        ("due", _("Due in 1 h").replace(" 1 ", " 1\N{NO-BREAK SPACE}")),
        ("breached", pgettext("wallboard", "Breached")),
        ("callbacks", _("Callbacks")),
        ("service", _("In 20 s today")),
    ]
    return [(key, by_syllable(label)) for key, label in heads]


def by_syllable(heading: str) -> str:
    """A heading with soft hyphens between the syllables of Cyrillic words, which are long: browsers
    know no hyphenation of Russian and Ukrainian."""
    return _BREAK.sub("\N{SOFT HYPHEN}", heading)


def middle(name: str) -> str:
    """A name without its middle where it is too long for a line of the board."""
    if len(name) <= HEAD + TAIL + 1:
        return name
    return f"{name[:HEAD].rstrip()}…{name[-TAIL:].lstrip()}"


def age(since: datetime | None, at: datetime) -> str:
    """ "02:41" within the hour, else "4 h 10" or "2 d"; a dash where nobody waits."""
    seconds = waited(since, at)
    if seconds is None:
        return "–"
    return stopwatch(seconds) if seconds < HOUR else length(seconds)


def share(value: float | None) -> str:
    """ "84 %", a dash before the first call."""
    return "–" if value is None else f"{value * 100:.0f}\N{NO-BREAK SPACE}%"


def in_unit(unit: Unit, value: float | None) -> str:
    """A number with its unit, as forms and alarms show it."""
    if value is None:
        return "–"
    if unit == Unit.SHARE:
        return share(value)
    if unit == Unit.SECONDS:
        return stopwatch(int(value)) if value < HOUR else length(int(value))
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
