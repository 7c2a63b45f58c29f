"""The fields at the top of an email: who, to whom, what about, which thread."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from helpdesk.intake.inbound import Address
from helpdesk.intake.mail_addresses import addresses, first
from helpdesk.intake.mail_words import text_of, unfold
from helpdesk.intake.mime import Headers
from helpdesk.lib.text import clean_line

MAX_ID = 998
MAX_REFERENCES = 100
MAX_SUBJECT = 500

_BRACKETED = re.compile(r"<([^<>]{1,2000})>")
_SPACE = re.compile(r"\s+")
_YEARS = range(1970, 2100)


@dataclass(frozen=True, slots=True)
class Fields:
    """Read and cleaned; `errors` are codes for what was odd."""

    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    sender: Address | None
    reply_to: Address | None
    sender_header: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: datetime | None
    errors: tuple[str, ...]


def read(headers: Headers) -> Fields:
    """Read the top fields. Of repeated ones the topmost counts."""
    sender = first(headers.get("from"))
    message_id = one_id(headers.get("message-id"))
    answered = ids(headers.get("in-reply-to"))
    return Fields(
        message_id=message_id,
        in_reply_to=answered[0] if answered else None,
        references=ids(headers.get("references")),
        sender=sender,
        reply_to=first(headers.get("reply-to")),
        sender_header=first(headers.get("sender")),
        to=addresses(headers.get("to")),
        cc=addresses(headers.get("cc")),
        subject=text_of(headers.get("subject") or b"", MAX_SUBJECT),
        date=date(headers.get("date")),
        errors=_odd(headers, sender, message_id),
    )


def ids(value: bytes | None) -> tuple[str, ...]:
    """Message-IDs without brackets and white space: the first and the last ones, each once."""
    if not value:
        return ()
    text = unfold(value)
    found = _BRACKETED.findall(text)
    if not found:
        found = [word for word in text.split() if "@" in word]
    cleaned = [one for one in (_clean_id(item) for item in found) if one]
    unique = list(dict.fromkeys(cleaned))
    if len(unique) > MAX_REFERENCES:
        unique = unique[:1] + unique[1 - MAX_REFERENCES :]
    return tuple(unique)


def date(value: bytes | None) -> datetime | None:
    """What the sender claims, in UTC; None if it is no date of our times."""
    if not value:
        return None
    try:
        found = parsedate_to_datetime(unfold(value[:200]))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return found if found.year in _YEARS else None


def one_id(value: bytes | None) -> str | None:
    """The Message-ID, also where its brackets are missing."""
    if not value:
        return None
    text = unfold(value[: 4 * MAX_ID])
    found = _BRACKETED.search(text)
    return _clean_id(found.group(1) if found else text.strip().strip("<>"))


def _clean_id(text: str) -> str | None:
    cleaned = _SPACE.sub("", clean_line(text, MAX_ID + 1))
    return cleaned if 0 < len(cleaned) <= MAX_ID else None


def _odd(headers: Headers, sender: Address | None, message_id: str | None) -> tuple[str, ...]:
    """Codes for what an ordinary email has, once."""
    errors = []
    if sender is None:
        errors.append("no_from")
    elif len(headers.all("from")) > 1 or len(addresses(headers.get("from"))) > 1:
        errors.append("several_from")
    if message_id is None and "message-id" in headers:
        errors.append("bad_message_id")
    return tuple(errors)
