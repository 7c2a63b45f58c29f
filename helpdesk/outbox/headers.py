"""Header fields of an email as folded ASCII lines: nothing from outside can add or break one.

The standard library's own folding writes long Message-IDs as encoded words, which no mail
program threads by, so the fields that we write are folded here.
"""

import re
from collections.abc import Iterable
from email.header import Header

from helpdesk.lib.text import clean_line, email_key, split_email, valid_email

WIDTH = 76
_CRLF = "\r\n"
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,250}")
_SPECIAL = re.compile(r"([\\\"])")


def subject_line(subject: str) -> str:
    """The Subject field (RFC 2047); line breaks and controls in it become spaces or nothing."""
    return _unstructured("Subject", clean_line(subject, 400))


def plain_line(name: str, value: str) -> str:
    """A field whose value is ours and short. ValueError unless it is printable ASCII."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{name} must be printable ASCII")
    return f"{name}: {value}{_CRLF}"


def mailbox_line(name: str, address: str, display: str = "") -> str:
    """A field with one address (RFC 5322 §3.4), a display name before it if there is one.

    ValueError for an address that can't be written to.
    """
    target = f"<{wire_address(address)}>" if display else wire_address(address)
    shown = _phrase(name, clean_line(display, 100))
    if not shown:
        return f"{name}: {target}{_CRLF}"
    gap = " " if len(shown.rpartition(_CRLF)[2]) + len(target) < WIDTH else f"{_CRLF} "
    return f"{name}: {shown}{gap}{target}{_CRLF}"


def ids_line(name: str, ids: Iterable[str]) -> str:
    """A field of Message-IDs, one a line; "" if none of them is well formed."""
    good = [f"<{message_id}>" for message_id in ids if well_formed_id(message_id)]
    return f"{name}: {f'{_CRLF} '.join(good)}{_CRLF}" if good else ""


def well_formed_id(message_id: str) -> bool:
    """Whether a Message-ID (without angle brackets) may be repeated in our headers."""
    return _MESSAGE_ID.fullmatch(message_id) is not None


def wire_address(address: str) -> str:
    """The address as it goes over the wire: an international domain in ASCII (RFC 5890).

    A local part beyond ASCII stays and needs a server that knows RFC 6531. ValueError for an
    address that can't be written to.
    """
    parts = split_email(address)
    if parts is None or not valid_email(address):
        raise ValueError("not an address")
    return f"{parts[0]}@{email_key(address).rpartition('@')[2]}"


def _phrase(name: str, display: str) -> str:
    if not display:
        return ""
    if display.isascii() and "=?" not in display:
        return '"' + _SPECIAL.sub(r"\\\1", display) + '"'
    return _encoded(name, display)


def _unstructured(name: str, value: str) -> str:
    if value.isascii() and "=?" not in value:
        folded = Header(value, "us-ascii", maxlinelen=WIDTH, header_name=name)
        return f"{name}: {folded.encode(linesep=_CRLF)}{_CRLF}"
    return f"{name}: {_encoded(name, value)}{_CRLF}"


def _encoded(name: str, value: str) -> str:
    return Header(value, "utf-8", maxlinelen=WIDTH, header_name=name).encode(linesep=_CRLF)
