"""The token of a form that needs no cookie: made by us, for this form, at a known moment.

It is the form's nonce (the same form twice is one request) and tells how long somebody had it open.
A page of another site cannot read ours, so it has none; where a post comes from is checked besides
by `guard.check`.
"""

import re
from datetime import datetime

from helpdesk.lib.tokens import new_token, sign, verify
from helpdesk.outbox.addressing import secret

LIFETIME = 7 * 86_400  # seconds
_TOKEN = re.compile(r"(\d{9,11})\.([A-Za-z0-9_-]{20,40})\.([a-z2-7]{26})", re.A)


def make(form: str, at: datetime) -> str:
    """A new token for the form of this name."""
    value = f"{int(at.timestamp())}.{new_token(18)}"
    return f"{value}.{sign(secret(), f'form-{form}', value)}"


def age(form: str, token: str, at: datetime) -> int | None:
    """For how many seconds the form was open; None for a token that is not ours or too old."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    if not verify(secret(), f"form-{form}", f"{found[1]}.{found[2]}", found[3]):
        return None
    seconds = int(at.timestamp()) - int(found[1])
    return seconds if 0 <= seconds <= LIFETIME else None


def random_part(token: str) -> str:
    """What of a token names one opened form and nobody's browser."""
    found = _TOKEN.fullmatch(token)
    return found[2] if found else ""
