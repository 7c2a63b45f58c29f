"""Address lists of From, To, Cc and Reply-To, read by one pass over the characters (RFC 5322)."""

import re
import unicodedata
from functools import lru_cache

from helpdesk.intake.inbound import Address
from helpdesk.intake.mail_words import MAX_VALUE, decode_words, unfold
from helpdesk.lib.text import clean_line

MAX_ADDRESSES = 500
MAX_BYTES = 128 * 1024
MAX_LENGTH = 320
REMEMBERED_BYTES = 1_000
"""Several readers ask for the same fields of an email: short values are read once."""

_SIMPLE = re.compile(r"([^\"<>,;:()@\\\[\]]*)<([^\"<>,;:()@\\\[\]\s]+@[^\"<>,;:()@\\\[\]\s]+)>\s*")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"]+@(?:[^\s<>()\[\],;:\\\"@]+|\[[0-9A-Za-z.:]+\])")


def addresses(value: bytes | None) -> tuple[Address, ...]:
    """All usable addresses of a raw header value, each once, at most MAX_ADDRESSES."""
    if not value:
        return ()
    return _remembered(value) if len(value) <= REMEMBERED_BYTES else _addresses(value)


@lru_cache(maxsize=256)
def _remembered(value: bytes) -> tuple[Address, ...]:
    return _addresses(value)


def _addresses(value: bytes) -> tuple[Address, ...]:
    text = unfold(value[:MAX_BYTES])
    found = _read(text)
    if not found and "=?" in text:
        # Some mailers encode the whole field, address and all.
        found = _read(decode_words(text))
    unique: dict[str, Address] = {}
    for address in found:
        unique.setdefault(address.key, address)
    return tuple(unique.values())


def first(value: bytes | None) -> Address | None:
    """The first usable address of a raw header value."""
    found = addresses(value[:MAX_VALUE]) if value else ()
    return found[0] if found else None


def mailbox(email: str) -> str | None:
    """An address, its domain in lower case; None if it isn't one.

    One with invisible or control characters is none either: cleaned, it could be another's.
    """
    given = unicodedata.normalize("NFC", email[: 2 * MAX_LENGTH]).strip("<> \t")
    email = clean_line(given, MAX_LENGTH + 1)
    if email != given or len(email) > MAX_LENGTH or not _ADDRESS.fullmatch(email):
        return None
    local, _, domain = email.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"


def _read(text: str) -> list[Address]:
    """Addresses in order, the usable ones only."""
    simple = _SIMPLE.fullmatch(text)
    pairs = [(simple.group(1), simple.group(2))] if simple else _Reader().read(text)
    found = (_address(name, email) for name, email in pairs)
    return [address for address in found if address is not None]


def _address(name: str, email: str) -> Address | None:
    usable = mailbox(email)
    if usable is None:
        return None
    name = clean_line(decode_words(name)).strip("\"' ")
    return Address("" if name.lower() == usable.lower() else name, usable)


class _Reader:
    """A state machine over the characters: quotes, comments, angle brackets, groups."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.name: list[str] = []
        self.comment: list[str] = []
        self.angle: list[str] | None = None
        self.email: str | None = None
        self.depth = 0
        self.quoted = self.escaped = False

    def read(self, text: str) -> list[tuple[str, str]]:
        """Pairs of raw name and raw address."""
        for char in text:
            if self.escaped or (char == "\\" and (self.quoted or self.depth)):
                self.escaped = not self.escaped
                if not self.escaped:
                    self._keep(char)
            elif self.depth or (char == "(" and not self.quoted):
                self._in_comment(char)
            elif char == '"':
                self.quoted = not self.quoted
            elif self.quoted:
                self._keep(char)
            else:
                self._special(char)
            if len(self.pairs) >= MAX_ADDRESSES:
                return self.pairs
        self._end()
        return self.pairs

    def _special(self, char: str) -> None:
        if char == "<":
            self.angle = []
        elif char == ">" and self.angle is not None:
            self.email, self.angle = "".join(self.angle), None
        elif char in ",;" and self.angle is None:
            self._end()
        elif char == ":" and self.angle is None:
            self.name.clear()  # the name of a group
        else:
            self._keep(char)

    def _in_comment(self, char: str) -> None:
        self.depth += (char == "(") - (char == ")")
        if self.depth and not (char == "(" and self.depth == 1):
            self.comment.append(char)

    def _keep(self, char: str) -> None:
        target = self.comment if self.depth else self.name if self.angle is None else self.angle
        target.append(char)

    def _end(self) -> None:
        """Take what was read since the last comma."""
        email = self.email if self.angle is None else "".join(self.angle)
        name = "".join(self.name)
        if email is None:
            email, name = name, "".join(self.comment)
        if email.strip():
            # A route before the address (RFC 5322 §4.4) is skipped.
            self.pairs.append((name.strip(), email.strip().rpartition(":")[2]))
        self.name, self.comment, self.angle, self.email = [], [], None, None
        self.quoted = False
