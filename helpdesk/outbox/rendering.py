"""Templates of emails, moments and greetings, in the language of who reads them.

Templates see only what they are given: no request, no session, no page's globals.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import current_app
from flask_babel import gettext as _

from helpdesk import ext
from helpdesk.clients.models import Person
from helpdesk.lib.text import clean_line

_PATTERNS = {"en": "EEE d MMM", "ru": "EEE, d MMMM", "uk": "EEE, d MMMM"}
_BLANKS = re.compile(r"\n{3,}")


class Reader(NamedTuple):
    """As much of a person as an email says of them."""

    name: str | None
    vocative: str | None
    erased_at: datetime | None


def render(name: str, language: str, **values: Any) -> tuple[str, str]:
    """Text and HTML of the email `name`: templates/mail/NAME.txt and NAME.html."""
    return render_text(name, language, **values), render_html(name, language, **values)


def render_text(name: str, language: str, **values: Any) -> str:
    """The text of an email, or of a part of one."""
    return tidy(_rendered(f"{name}.txt", language, values))


def render_html(name: str, language: str, **values: Any) -> str:
    """The HTML of an email. Values are escaped unless they are Markup."""
    return _rendered(f"{name}.html", language, values).strip() + "\n"


def tidy(text: str) -> str:
    """Text without spaces at line ends and runs of blank lines, ending in one line feed."""
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANKS.sub("\n\n", lines).strip() + "\n"


def moment(at: datetime, zone: str, language: str, *, today: datetime, zoned: bool = True) -> str:
    """ "Tue 24 Nov, 14:30 (UTC+2)" in the given zone; with the year where it is another one.

    `zoned`: with the distance from UTC, since a reader may live elsewhere.
    """
    local = at.astimezone(ZoneInfo(zone))
    pattern = _PATTERNS[language]
    if local.year != today.astimezone(local.tzinfo).year:
        pattern += " y"
    shown = format_datetime(local.replace(tzinfo=None), f"{pattern}, HH:mm", locale=language)
    return f"{shown} ({_offset(local)})" if zoned else shown


def greeting(person: Person | Reader | None, language: str) -> str:
    """How an email begins. In Ukrainian a name stands in the vocative or not at all.

    Without a person no name is said. Call it within `in_language`.
    """
    if person is None or person.erased_at is not None:
        return str(_("Hello,"))
    name = person.vocative if language == "uk" else person.name
    name = clean_line(name or "", 80)
    if not name or "@" in name:
        return str(_("Hello,"))
    return str(_("Hello %(name)s,", name=name))


def _rendered(file: str, language: str, values: Mapping[str, Any]) -> str:
    template = current_app.jinja_env.get_template(f"mail/{file}")
    with ext.in_language(language):
        return str(template.render(language=language, **values))


def _offset(local: datetime) -> str:
    offset = local.utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"
