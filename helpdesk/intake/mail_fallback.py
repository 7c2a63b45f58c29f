"""The last resort for an email that the reader fails on: its top fields and its first text."""

import re

from helpdesk.intake import mail_fields
from helpdesk.intake.inbound import Inbound
from helpdesk.intake.mail_charset import decode as decode_bytes
from helpdesk.intake.mail_words import base64
from helpdesk.intake.mime import Headers
from helpdesk.lib.text import clean

MAX_TOP = 64 * 1024
MAX_TEXT = 20_000

_FIELD = re.compile(rb"(?m)^([!-9;-~]{1,60}):([^\n]{0,8000}(?:\n[ \t][^\n]{0,2000}){0,20})")
_BLANK = re.compile(rb"\n\r?\n")
_PLAIN = re.compile(rb"(?i)\ncontent-type:[ \t]{0,8}text/plain")
_CHARSET = re.compile(rb"(?i)charset=[\"']?([a-z0-9_.:-]{1,40})")


def rescue(raw: bytes, error: str, errors: tuple[str, ...] = ()) -> Inbound:
    """As much of an email as can be had without parsing it. Never raises.

    It counts as automatic: nothing is sent in answer to what wasn't understood.
    """
    codes = tuple(dict.fromkeys((*errors, error)))
    try:
        top = mail_fields.read(_top(raw))
        text = first_text(raw)
    except Exception:  # nothing may escape: the caller opens a ticket with the raw email
        return Inbound("email", no_receipt=True, no_receipt_reason="unreadable", parse_errors=codes)
    return Inbound(
        "email",
        message_id=top.message_id,
        in_reply_to=top.in_reply_to,
        references=top.references,
        sender=top.sender,
        to=top.to,
        subject=top.subject,
        date=top.date,
        text=text,
        visible_text=text,
        no_receipt=True,
        no_receipt_reason="unreadable",
        parse_errors=codes,
    )


def first_text(raw: bytes) -> str:
    """The first plain text part, or else what follows the top header; at most MAX_TEXT bytes."""
    found = _PLAIN.search(raw)
    begin = found.start() + 1 if found else 0
    blank = _BLANK.search(raw, begin)
    if blank is None:
        return "" if found else _decoded(b"", raw[:MAX_TEXT])
    body = raw[blank.end() : blank.end() + MAX_TEXT]
    boundary = body.find(b"\n--")
    return _decoded(raw[begin : blank.end()][-2000:], body[:boundary] if boundary >= 0 else body)


def _decoded(header: bytes, body: bytes) -> str:
    """Text of a body by the few words of its header that matter."""
    lowered = header.lower()
    if b"base64" in lowered:
        body = base64(body)[0]
    charset = _CHARSET.search(header)
    return clean(decode_bytes(body, charset.group(1).decode() if charset else None)[0]).strip()


def _top(raw: bytes) -> Headers:
    head = raw[:MAX_TOP]
    blank = _BLANK.search(head)
    head = head[: blank.start() + 1] if blank else head
    found = _FIELD.findall(head)[:500]
    return Headers([(name.decode("ascii").lower(), value.strip()) for name, value in found])
