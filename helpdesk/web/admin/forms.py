"""What forms of admin pages share: ids, lengths of time, and what somebody changed in between."""

import hashlib
import json
import re
from typing import Any

from flask import request

from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.web.guard import said

MINUTE, HOUR = 60, 3600
_LENGTH = re.compile(r"([0-9]{1,5}):([0-5]?[0-9])(?::([0-5][0-9]))?")
_DIGITS = 18  # an id never has as many


def chosen_id(text: str, field: str) -> int | None:
    """The id a list gave, None for its first, empty line. Raises HelpdeskError."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return int(text)


def cursor(name: str = "before") -> int | None:
    """The id from which the address asks to go on. Raises NotFound for what is no id."""
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise NotFound()
    return int(text)


def page_status(error: HelpdeskError) -> int:
    """The status with which a form is shown again. What is missing has no form: it is raised."""
    if error.status == 404:
        raise error
    return error.status


def wrong(error: HelpdeskError) -> dict[str, str]:
    """The error under the name of its field, "" where it concerns the whole form."""
    return {error.field or "": said(error)}


def fingerprint(*values: Any) -> str:
    """A short digest of what a form showed."""
    return hashlib.sha256(json.dumps(values, default=str).encode()).hexdigest()[:16]


def check_seen(current: str) -> None:
    """Raises Conflict if the form was made from other values than the present ones."""
    if request.form.get("seen") != current:
        raise Conflict(_lazy("Somebody changed this in the meantime. Look and save again."))


def read_length(text: str, field: str) -> int | None:
    """Seconds of "4:00" (hours and minutes) or "0:00:20"; None for an empty text.

    Raises HelpdeskError.
    """
    text = text.strip()
    if not text:
        return None
    found = _LENGTH.fullmatch(text)
    if found is None:
        message = _lazy("Write hours and minutes, for example 4:00 or 0:30.")
        raise HelpdeskError(message, field=field)
    return int(found[1]) * HOUR + int(found[2]) * MINUTE + int(found[3] or 0)


def length_text(seconds: int | None) -> str:
    """What `read_length` reads: "4:00", with seconds where there are any."""
    if seconds is None:
        return ""
    text = f"{seconds // HOUR}:{seconds % HOUR // MINUTE:02}"
    return f"{text}:{seconds % MINUTE:02}" if seconds % MINUTE else text
