"""How moments, lengths of time, sizes and names are written for the reader of this request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask, current_app, g
from markupsafe import Markup, escape

from helpdesk.lib.clock import now
from helpdesk.web.words import words

MINUTE, HOUR, DAY = 60, 3600, 86_400
KILO = 1000
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class ClockFace:
    """A promise as it is drawn: `shape` names a sign or is the filled share of the ring, in %."""

    text: str
    shape: str | int
    tone: str | None = None
    due: int | None = None  # seconds since 1970, where the browser may count on
    label: str | None = None  # what the shape says to a screen reader


def init_formats(app: Flask) -> None:
    app.jinja_env.filters |= {
        "moment": moment,
        "exact": exact,
        "initials": initials,
        "size": size,
        "tenths": tenths,
        "day": day,
        "clock_time": clock_time,
        "worked": worked,
        "breakable": breakable,
        "from_to": from_to,
        "stopwatch": stopwatch,
    }


def zone() -> ZoneInfo:
    """The reader's time zone."""
    return ZoneInfo(g.get("timezone") or current_app.config["TIMEZONE"])


def moment(at: datetime, form: str = "short") -> str:
    """ "08:52" today, else the day; `form` "full" keeps the time with the day."""
    local, today = at.astimezone(zone()), now().astimezone(zone()).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    pattern = "d MMM" if local.year == today.year else "d MMM y"
    text = format_date(local.date(), pattern, locale=g.language)
    return f"{text}, {local:%H:%M}" if form == "full" else text


def exact(at: datetime) -> str:
    """The whole moment in the reader's zone."""
    return str(format_datetime(at, "d MMMM y, HH:mm", tzinfo=zone(), locale=g.language))


def day(at: datetime) -> str:
    """The day as a heading: "Friday, 20 November"."""
    local = at.astimezone(zone())
    pattern = "EEEE, d MMMM" if local.year == now().year else "EEEE, d MMMM y"
    text = str(format_date(local.date(), pattern, locale=g.language)).replace("\u02bc", "’")
    return text[:1].upper() + text[1:]


def clock_time(at: datetime) -> str:
    return f"{at.astimezone(zone()):%H:%M}"


def length(seconds: int) -> str:
    """ "38 min", "1 h 15", "2 d"; "−14 min" when negative. clock.js writes the same."""
    unit, rest, sign = words().unit, abs(seconds), "−" if seconds < 0 else ""
    if rest < HOUR:
        return f"{sign}{rest // MINUTE} {unit['min']}"
    if rest < DAY:
        minutes = rest % HOUR // MINUTE
        tail = f" {minutes:02}" if minutes and not sign else ""
        return f"{sign}{rest // HOUR} {unit['h']}{tail}"
    return f"{sign}{rest // DAY} {unit['d']}"


def worked(seconds: int) -> str:
    """A length of working time, which has no days: "38 min", "20 h", "4 h 30"."""
    unit, rest, sign = words().unit, abs(seconds), "−" if seconds < 0 else ""
    hours, minutes = divmod(rest // MINUTE, 60)
    if not hours:
        return f"{sign}{minutes} {unit['min']}"
    return f"{sign}{hours} {unit['h']}" + (f" {minutes:02}" if minutes else "")


def stopwatch(seconds: int) -> str:
    """A length that runs: "02:12", "1:02:12"; never below zero. phone.js writes the same."""
    minutes, rest = divmod(max(0, seconds), MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def from_to(span: Mapping[str, Any]) -> str:
    """The ends of a span of an explanation: "12:40–13:00", with the days if not today."""
    start = datetime.fromisoformat(span["from"]).astimezone(zone())
    end = datetime.fromisoformat(span["to"]).astimezone(zone())
    if start.date() != end.date():
        return f"{_day(start)} {start:%H:%M} – {_day(end)} {end:%H:%M}"
    today = now().astimezone(zone()).date()
    head = "" if start.date() == today else f"{_day(start)} "
    return f"{head}{start:%H:%M}–{end:%H:%M}"


def _day(local: datetime) -> str:
    """A weekday where that is clear, else the date."""
    if abs(local.date() - now().astimezone(zone()).date()) < timedelta(days=6):
        return words().weekdays[local.weekday()]
    return str(format_date(local.date(), "d MMM", locale=g.language))


def size(octets: int) -> str:
    """ "184 kB", "2.4 MB" with the reader's decimal sign."""
    unit = words().unit
    if octets < KILO:
        return f"{octets} {unit['B']}"
    if octets < KILO * KILO:
        return f"{octets // KILO} {unit['kB']}"
    return f"{tenths(octets / KILO / KILO)} {unit['MB']}"


def tenths(number: float) -> str:
    """ "4.6", in Russian and Ukrainian "4,6"."""
    text = f"{number:.1f}"
    return text if g.language == "en" else text.replace(".", ",")


def breakable(address: str) -> Markup:
    """An address that may break after "@" and before dots, never inside a word."""
    return Markup(str(escape(address)).replace("@", "@<wbr>").replace(".", "<wbr>."))


def initials(name: str) -> str:
    """The first letters of the first two words; "?" without letters."""
    letters = [found[0] for word in name.split() if (found := _LETTER.search(word))]
    return "".join(letters[:2]).upper() or "?"


def promise(due: datetime, at: datetime, sla: str | None) -> ClockFace:
    """The face of a running clock due at `due`, seen at `at`."""
    rest = int((due - at).total_seconds())
    if rest < 0 or sla == "breached":
        rest = min(rest, 0)
        return ClockFace(length(rest), "over", "bad", _epoch(due), words().late)
    tone, share = ("warn", 80) if sla == "risk" else (None, 25)
    if due.astimezone(zone()).date() == at.astimezone(zone()).date():
        return ClockFace(length(rest), share, tone, _epoch(due))
    return ClockFace(far(due, at), share, tone)


def far(due: datetime, at: datetime) -> str:
    """A moment on another day: "Mon 10:00" within six days, else the date."""
    local = due.astimezone(zone())
    if due - at < timedelta(days=6):
        return f"{words().weekdays[local.weekday()]} {local:%H:%M}"
    return str(format_date(local.date(), "d MMM", locale=g.language))


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
