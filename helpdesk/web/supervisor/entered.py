"""Numbers as supervisors type them: counts, per cent, minutes and seconds."""

from flask_babel import gettext as _

from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.sheet import Unit
from helpdesk.web.admin.forms import read_length

PERCENT = 100


def read_value(text: str, unit: Unit, field: str) -> float:
    """A number in the unit of reports: a share of 0 to 1, seconds. Raises HelpdeskError."""
    text = text.strip()
    if unit == Unit.SECONDS:
        seconds = read_length(text, field)
        if seconds is None:
            raise HelpdeskError(_missing(unit), field=field)
        return float(seconds)
    digits = text.removesuffix("%").strip().replace(",", ".")
    whole, _dot, rest = digits.partition(".")
    known = all(part.isascii() and part.isdigit() for part in (whole, rest or "0"))
    if not known or len(digits) > len("1000000.0"):
        raise HelpdeskError(_missing(unit), field=field)
    return float(digits) / PERCENT if unit == Unit.SHARE else float(digits)


def value_text(value: float, unit: Unit) -> str:
    """What `read_value` reads."""
    if unit == Unit.SECONDS:
        minutes, rest = divmod(int(value), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    number = round(value * PERCENT, 1) if unit == Unit.SHARE else value
    return f"{number:g}" if number < PERCENT**2 else f"{number:.0f}"


def help_of(unit: Unit) -> str:
    """How to write it."""
    if unit == Unit.SECONDS:
        return str(_("hours:minutes:seconds"))
    return str(_("per cent") if unit == Unit.SHARE else _("a number"))


def _missing(unit: Unit) -> str:
    if unit == Unit.SECONDS:
        return _lazy("Write hours, minutes and seconds, for example 0:03:00.")
    if unit == Unit.SHARE:
        return _lazy("Write per cent, for example 80.")
    return _lazy("Write a number, for example 5.")
