"""The unique key of an incoming email: the same email twice has the same key."""

import hashlib
import re
from collections.abc import Iterable

# Fields that servers add or change on the way; a repeat may differ in them.
TRACE = re.compile(
    rb"(received|return-path|delivered-to|x-received|x-original-to|envelope-to|received-spf"
    rb"|authentication-results|dkim-signature|arc-[a-z-]+|x-spam-[a-z-]+)\s*:",
    re.IGNORECASE,
)
END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
MESSAGE_ID = re.compile(rb"^message-id\s*:\s*<?([^<>\s]{1,990})>?", re.IGNORECASE | re.MULTILINE)
MAX_HEADER = 1 << 20


def email_key(raw: bytes, recipients: Iterable[str]) -> str:
    """SHA-256 over the mailboxes and the email without trace fields.

    The whole content counts, so that a different email under a used Message-ID isn't lost.
    """
    header, rest = _split(raw)
    digest = hashlib.sha256("\n".join(sorted(recipients)).encode("utf-8", "replace"))
    digest.update(b"\0")
    skipping = False
    for line in header.splitlines():
        if line[:1] not in (b" ", b"\t"):
            skipping = TRACE.match(line) is not None
        if not skipping:
            digest.update(line + b"\n")
    digest.update(rest)
    return digest.hexdigest()


def message_id(raw: bytes) -> str | None:
    """The Message-ID as the header writes it, without angle brackets."""
    found = MESSAGE_ID.search(_split(raw)[0])
    return found[1].decode("utf-8", "replace") if found else None


def _split(raw: bytes) -> tuple[bytes, bytes]:
    end = END_OF_HEADER.search(raw, 0, MAX_HEADER)
    return (raw[: end.start()], raw[end.start() :]) if end else (raw[:MAX_HEADER], raw[MAX_HEADER:])
