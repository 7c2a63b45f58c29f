"""Header text: unfolding, raw 8-bit bytes and encoded words (RFC 2047), broken ones too."""

import binascii
import re

from helpdesk.intake.mail_charset import decode as decode_bytes
from helpdesk.lib.text import clean_line

MAX_VALUE = 16 * 1024
"""Bytes of a header value that become one line: in any encoding many more than are shown."""

_CHARSET_MAX = 60
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_ALPHABET))
_BREAKS = re.compile(r"[\r\n]+")


def text_of(value: bytes, limit: int = 500) -> str:
    """One clean line of at most `limit` characters from a raw header value, decoded."""
    return clean_line(decode_words(unfold(value[:MAX_VALUE])), limit)


def unfold(value: bytes) -> str:
    """The header value as text, encoded words untouched, line breaks taken out."""
    text = value.decode("ascii") if value.isascii() else decode_bytes(value, None)[0]
    return _BREAKS.sub("", text)


def decode_words(text: str) -> str:
    """Replace every encoded word (RFC 2047), wherever it stands. Linear in the length.

    Bytes of neighbours in one charset are joined before decoding, since mailers cut words in
    the middle of a character. A word without its end is read to the end of the text.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    held = _Held()
    pos = 0
    while True:
        start = text.find("=?", pos)
        word = _word(text, start) if start >= 0 else None
        if start >= 0 and word is None:
            out.append(held.flush() + text[pos : start + 2])
            pos = start + 2
            continue
        between = text[pos:start] if word else text[pos:]
        if not (word and held.charset and not between.strip()):
            out.append(held.flush() + between)
        if word is None:
            return "".join(out)
        charset, data, pos = word
        out.append(held.add(charset, data))


class _Held:
    """Bytes of encoded words that wait for a neighbour in the same charset."""

    def __init__(self) -> None:
        self.charset = ""
        self._data: list[bytes] = []

    def add(self, charset: str, data: bytes) -> str:
        """Keep `data`; return the text of what was held in another charset."""
        done = "" if charset == self.charset else self.flush()
        self.charset = charset
        self._data.append(data)
        return done

    def flush(self) -> str:
        """The text held so far; nothing is held afterwards."""
        if not self.charset:
            return ""
        text = decode_bytes(b"".join(self._data), self.charset)[0]
        self.charset, self._data = "", []
        return text


def _word(text: str, start: int) -> tuple[str, bytes, int] | None:
    """Charset, bytes and end of the encoded word at `start`; None if there is none."""
    mark = text.find("?", start + 2, start + 2 + _CHARSET_MAX)
    if mark <= start + 2 or text[mark + 2 : mark + 3] != "?":
        return None
    charset, kind = text[start + 2 : mark].lower(), text[mark + 1].lower()
    if kind not in "bq" or any(char.isspace() for char in charset):
        return None
    end = text.find("?=", mark + 3)
    after = end + 2 if end >= 0 else len(text)
    payload = text[mark + 3 : end if end >= 0 else len(text)]
    raw = payload.encode("utf-8", "replace")
    return charset, base64(raw)[0] if kind == "b" else _q(raw), after


def _q(raw: bytes) -> bytes:
    """Bytes of a Q-encoded word."""
    return binascii.a2b_qp(raw, header=True)


def base64(data: bytes) -> tuple[bytes, bool]:
    """Decoded base64, and whether it was whole; what is cut or soiled is read as far as it goes."""
    try:
        return binascii.a2b_base64(data), True
    except binascii.Error:
        pure = data.translate(None, _NOT_BASE64)
        pure = pure[:-1] if len(pure) % 4 == 1 else pure
        return binascii.a2b_base64(pure + b"=" * (-len(pure) % 4)), False
