"""From a row of the outbox to the octets of an email."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from helpdesk.lib.text import clean_filename
from helpdesk.outbox.headers import (
    ids_line,
    mailbox_line,
    plain_line,
    subject_line,
    well_formed_id,
)
from helpdesk.outbox.models import Outgoing, OutgoingKind

LINE = 990
"""Octets of a line that goes as it is; RFC 5322 §2.1.1 allows 998."""
READABLE = 20_000
"""Characters up to which other text than ASCII is written as quoted-printable."""

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class MailFile:
    """A file to attach."""

    filename: str
    content_type: str
    data: bytes


def compose(outgoing: Outgoing, files: Sequence[MailFile] = ()) -> bytes:
    """The email of this row, lines ending in CRLF, ASCII but for an international local part.

    The same row gives the same headers, whenever it is sent. ValueError if an address of the
    row can't be written to, or its Message-ID is malformed.
    """
    body = EmailMessage(policy=SMTP)
    body.set_content(outgoing.text, cte=_encoding(outgoing.text))
    if outgoing.html:
        body.add_alternative(outgoing.html, subtype="html", cte=_encoding(outgoing.html))
    for file in files:
        main, _, sub = _content_type(file.content_type).partition("/")
        name = clean_filename(file.filename)
        body.add_attachment(file.data, maintype=main, subtype=sub, filename=name)
    return _headers(outgoing).encode() + body.as_bytes()


def _headers(outgoing: Outgoing) -> str:
    if not well_formed_id(outgoing.rfc_message_id):
        raise ValueError("no email goes without a Message-ID")
    references = (outgoing.references or "").split()
    parent = [outgoing.in_reply_to] if outgoing.in_reply_to else []
    lines = [
        plain_line("Date", format_datetime(outgoing.created_at)),
        mailbox_line("From", outgoing.from_address, outgoing.from_name),
        mailbox_line("To", outgoing.to_address),
        mailbox_line("Reply-To", outgoing.reply_to) if outgoing.reply_to else "",
        subject_line(outgoing.subject),
        ids_line("Message-ID", [outgoing.rfc_message_id]),
        ids_line("In-Reply-To", parent),
        ids_line("References", references),
        *_marks(outgoing),
    ]
    return "".join(lines)


def _marks(outgoing: Outgoing) -> list[str]:
    """What keeps machines from answering (RFC 3834 §5) and shows our own mail coming back."""
    domain = outgoing.from_address.rpartition("@")[2]
    marks = [
        mailbox_line("X-Loop", outgoing.from_address),
        plain_line("X-Helpdesk-Loop", domain),
        plain_line("Content-Language", outgoing.language),
    ]
    if not outgoing.automatic:
        return marks
    answer = outgoing.kind == OutgoingKind.RECEIPT
    return [
        *marks,
        plain_line("Auto-Submitted", "auto-replied" if answer else "auto-generated"),
        plain_line("X-Auto-Response-Suppress", "All"),
        plain_line("Precedence", "bulk"),
    ]


def _encoding(text: str) -> str:
    if text.isascii() and all(len(line) <= LINE for line in text.splitlines()):
        return "7bit"
    return "quoted-printable" if len(text) <= READABLE else "base64"


def _content_type(content_type: str) -> str:
    """A type that may stand in a header; containers go as octets, since they are not parsed."""
    bare = content_type.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(bare) or bare.startswith(("multipart/", "message/")):
        return _ANY_TYPE
    return bare
