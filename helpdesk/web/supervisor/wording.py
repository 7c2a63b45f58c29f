"""How numbers, changes, parts and periods of a report are written, in the language in force.

The page, its charts, its files and the emails of schedules all take their words from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_date, format_datetime
from flask_babel import get_locale, pgettext
from flask_babel import gettext as _

from helpdesk.ext import LANGUAGES
from helpdesk.reports.cuts import CUTS
from helpdesk.reports.filters import NOTHING, WEEKDAYS
from helpdesk.reports.period import Moments, Period
from helpdesk.reports.sheet import Cell, Line, Measure, Table, Unit
from helpdesk.web.words import Words, words_in

NBSP, MINUS, EN_DASH = "\u00a0", "\u2212", "\u2013"
MINUTE, HOUR = 60, 3600
EXACT = 600  # seconds up to which a length is told to the second
LONG = 100  # hours from which minutes are not told any more
FEW = 20  # of fewer things a change is told in things and not in per cent


@dataclass(frozen=True)
class Change:
    """How a number differs from the one before; `tone` good, bad or None."""

    text: str
    tone: str | None
    same: bool = False


def language() -> str:
    """The language in force."""
    locale = get_locale()
    found = locale.language if locale else "en"
    return found if found in LANGUAGES else "en"


def terms() -> Words:
    return words_in(language())


def shown(measure: Measure, value: float | None) -> str:
    """A value as people read it, e.g. "91.4 %", "1 204", "4 h 30"; "–" where there is none."""
    if value is None:
        return EN_DASH
    writers: Mapping[Unit, Callable[[float], str]] = {
        Unit.COUNT: _count,
        Unit.SHARE: _share,
        Unit.SECONDS: length,
        Unit.SCORE: _tenths,
        Unit.NUMBER: _tenths,
    }
    return writers[measure.unit](value)


def tick(measure: Measure, value: float) -> str:
    """A round value at an axis."""
    if measure.unit == Unit.SHARE:
        return f"{_count(value * 100)}{NBSP}%"
    if measure.unit in (Unit.SCORE, Unit.NUMBER) and value == round(value):
        return _count(value)
    return shown(measure, value)


def missed(measure: Measure, value: float | None, goal: float | None) -> bool:
    """Whether a value is on the bad side of the goal."""
    if goal is None or value is None or not measure.better:
        return False
    return value < goal if measure.better == "up" else value > goal


def change(measure: Measure, cell: Cell) -> Change | None:
    """Against the period before; None where there is nothing to compare."""
    if cell.value is None or cell.before is None:
        return None
    if measure.unit == Unit.COUNT and not cell.before and cell.value:
        return None  # the number itself says it
    difference = cell.value - cell.before
    text = _difference(measure.unit, difference, cell.before)
    if text is None:
        return Change(_("as before"), None, same=True)
    tone = None
    if measure.better:
        tone = "good" if (difference > 0) == (measure.better == "up") else "bad"
    return Change(("+" if difference > 0 else MINUS) + text, tone)


def _difference(unit: Unit, difference: float, before: float) -> str | None:
    """How much it is, without its sign; None: nothing that shows."""
    size = abs(difference)
    if unit == Unit.SHARE:
        points = round(size * 100, 1)
        text = str(_("%(number)s pp", number=_tenths(points))).replace(" ", NBSP)
        return text if points else None
    if unit == Unit.COUNT:
        if before < FEW:
            return _count(size) if round(size) else None
        percent = round(size / before * 100)
        return f"{_count(percent)}{NBSP}%" if percent else None
    if unit == Unit.SECONDS:
        return length(size) if round(size) else None
    return _tenths(size) if round(size, 1) else None


def _count(value: float) -> str:
    text = f"{abs(round(value)):,}".replace(",", NBSP)
    return f"{MINUS}{text}" if round(value) < 0 else text


def _tenths(value: float) -> str:
    text = f"{abs(value):,.1f}".replace(",", NBSP)
    sign = MINUS if round(value, 1) < 0 else ""
    return sign + (text if language() == "en" else text.replace(".", ","))


def _share(value: float) -> str:
    """All and nothing are written only where they are meant exactly."""
    if value in (0, 1):
        return f"{value:.0%}".replace("%", f"{NBSP}%")
    percent = value * 100
    if 0 < value < 1:
        percent = min(max(percent, 0.1), 99.9)
    return f"{_tenths(percent)}{NBSP}%"


def length(seconds: float) -> str:
    """ "45 s", "2 min 05", "38 min", "4 h 30", "312 h"."""
    unit, rest = terms().unit, round(abs(seconds))
    sign = MINUS if seconds < 0 and rest else ""
    if rest < MINUTE:
        return f"{sign}{rest}{NBSP}{unit['s']}"
    if rest < EXACT:
        minutes, tail = divmod(rest, MINUTE)
        text = f"{sign}{minutes}{NBSP}{unit['min']}"
        return f"{text}{NBSP}{tail:02}" if tail else text
    minutes = round(rest / MINUTE)
    hours, tail = divmod(minutes, 60)
    if not hours:
        return f"{sign}{minutes}{NBSP}{unit['min']}"
    if hours >= LONG:
        return f"{sign}{_count(rest / HOUR)}{NBSP}{unit['h']}"
    text = f"{sign}{hours}{NBSP}{unit['h']}"
    return f"{text}{NBSP}{tail:02}" if tail else text


def head(table: Table) -> str:
    """What the first column of a table is called."""
    if table.cut in CUTS:
        return str(_(CUTS[table.cut].label))
    named: dict[str, str] = {
        "status": pgettext("ticket", "State"),
        "metric": _("Promise"),
        "score": _("Rating"),
        "call_end": _("How it ended"),
    }
    return named.get(table.cut) or str(_(table.title))


def part(table: Table, line: Line) -> str:
    """What a line is called."""
    if line.name is not None:
        return str(_(line.name)) if table.cut == "word" else line.name
    if line.key is None:
        return str(_("Total"))
    if line.key in (NOTHING, "-"):
        return _nothing(table.cut)
    return value_word(table.cut, line.key)


def value_word(cut: str, key: Any) -> str:
    """A value of a cut in words: of an enum, a language, a day or an hour of the week."""
    if isinstance(key, date):
        return week_text(key) if cut == "week" else day_text(key)
    if cut == "slot":
        return f"{terms().weekdays[WEEKDAYS.index(key[:3])]} {key[4:]}:00"
    known = terms()
    catalogues: dict[str, Mapping[str, str]] = {
        "channel": known.channel,
        "priority": known.priority,
        "language": known.language,
        "kind": known.kind,
        "status": known.status,
        "metric": known.metric,
    }
    found = catalogues.get(cut, {}).get(str(key))
    return found or (str(key) if cut not in CUTS else f"№{NBSP}{key}")


def _nothing(cut: str) -> str:
    """What stands for things that have none of it."""
    texts: dict[str, str] = {
        "queue": _("No queue"),
        "agent": _("Nobody"),
        "team": _("No team"),
        "product": _("No product"),
        "reason": _("No contact reason"),
        "organisation": _("No organisation"),
        "language": _("Not recognised"),
        "kind": _("No kind"),
    }
    return texts.get(cut) or str(_("None"))


def day_text(day: date) -> str:
    """ "Mon 26 Oct"."""
    text = format_date(day, "d MMM", locale=language())
    return f"{terms().weekdays[day.weekday()]} {text}".replace(" ", NBSP)


def week_text(monday: date) -> str:
    """ "26 Oct – 1 Nov"."""
    return _from_to(monday, monday + timedelta(days=6), "d MMM")


def span(period: Period) -> str:
    """The days of a period: "26 Oct – 20 Nov 2026"; one day alone; moments with their time."""
    if isinstance(period, Moments):
        return f"{moment(period.begin, period)} {EN_DASH} {moment(period.finish, period)}"
    last = str(format_date(period.last, "d MMM y", locale=language()))
    if period.first == period.last:
        return last
    year = "" if period.first.year == period.last.year else " y"
    return _from_to(period.first, period.last, f"d MMM{year}", "d MMM y")


def _from_to(first: date, last: date, pattern: str, end: str | None = None) -> str:
    texts = [
        str(format_date(day, form, locale=language())).replace(" ", NBSP)
        for day, form in ((first, pattern), (last, end or pattern))
    ]
    return f" {EN_DASH} ".join(texts)


def moment(at: datetime, period: Period) -> str:
    """A moment with its day, in the zone of the report."""
    return str(format_datetime(at, "d MMM y, HH:mm", tzinfo=period.zone, locale=language()))


@dataclass(frozen=True)
class Defined:
    """A measure with its definition in words."""

    key: str
    label: str
    formula: str
    edges: tuple[str, ...]
    unit: str
    better: str | None
    source: str | None

    @property
    def id(self) -> str:
        """For an element of the page."""
        return self.key.replace(":", "-")

    @property
    def anchor(self) -> str:
        """Of the definition: what stands after ":" tells columns of one measure apart."""
        return self.key.partition(":")[0]


def defined(measure: Measure) -> Defined:
    """Translated here and not in templates, where a per cent sign would be taken for a place."""
    return Defined(
        measure.key,
        str(_(measure.label)),
        str(_(measure.formula)),
        tuple(str(_(edge)) for edge in measure.edges),
        unit_word(measure.unit),
        measure.better,
        measure.source,
    )


def unit_word(unit: Unit) -> str:
    """The unit of a measure, for its definition."""
    texts: dict[Unit, str] = {
        Unit.COUNT: _("a count"),
        Unit.SHARE: _("per cent"),
        Unit.SECONDS: _("time"),
        Unit.SCORE: _("a mean from 1 to 5"),
        Unit.NUMBER: _("a number"),
    }
    return texts[unit]
