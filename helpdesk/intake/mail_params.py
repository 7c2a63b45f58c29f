"""Content-Type and its parameters: quoted, continued and encoded ones (RFC 2045, RFC 2231)."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from helpdesk.intake.mail_charset import decode as decode_bytes
from helpdesk.intake.mail_words import decode_words, unfold

MAX_PIECES = 200
_PIECE = re.compile(r"([^*\s]{1,60})\*(?:(\d{1,4})(\*)?)?")
_LONE_TYPE = re.compile(r"text/?")
_TOKEN = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")


@dataclass(slots=True)
class Value:
    """A structured header: its first word in lower case, its parameters, and whether too many."""

    main: str = ""
    params: dict[str, str] = field(default_factory=dict)
    too_many: bool = False


def parse(raw: bytes | None) -> Value:
    """Read a header such as `attachment; filename*0="a"; filename*1="b"`. Never raises."""
    if not raw:
        return Value()
    pieces, too_many = _split(unfold(raw))
    value = Value(main=pieces[0].strip().lower(), too_many=too_many)
    if len(pieces) > 1:
        value.params = _join([_pair(piece) for piece in pieces[1:]])
    return value


def media_type(main: str, default: str) -> str:
    """A well-formed `type/subtype`; the default where there is none, as RFC 2045 §5.2 has it."""
    if not main or _LONE_TYPE.fullmatch(main):
        return default
    return main if _TOKEN.fullmatch(main) else "application/octet-stream"


def _split(text: str) -> tuple[list[str], bool]:
    """Cut at semicolons outside quotes, at most MAX_PIECES times."""
    if '"' not in text:
        parts = text.split(";", MAX_PIECES)
        return parts[:MAX_PIECES], len(parts) > MAX_PIECES
    pieces: list[str] = []
    start, quoted, escaped = 0, False, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            pieces.append(text[start:index])
            start = index + 1
            if len(pieces) >= MAX_PIECES:
                return pieces, True
    return [*pieces, text[start:]], False


def _pair(piece: str) -> tuple[str, str]:
    """Name in lower case and unquoted value."""
    name, _, value = piece.partition("=")
    value = value.strip()
    if value.startswith('"'):
        body = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
        value = _unescape(body)
    return name.strip().lower(), value


def _unescape(text: str) -> str:
    """Undo quoted pairs, but leave the backslashes of a Windows path alone."""
    if "\\" not in text:
        return text
    return text.replace('\\"', '"').replace("\\\\", "\\")


def _join(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Put the pieces of RFC 2231 together; the first plain value of a name stands."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value in pairs:
        found = _PIECE.fullmatch(name)
        if found is None:
            plain.setdefault(name, decode_words(value))
            continue
        base, number, star = found.groups()
        encoded = number is None or star is not None
        pieces.setdefault(base, {}).setdefault(int(number or 0), (value, encoded))
    for base, numbered in pieces.items():
        plain[base] = _continued(numbered)
    return plain


def _continued(numbered: dict[int, tuple[str, bool]]) -> str:
    """The text of numbered pieces; the first one names the charset (RFC 2231)."""
    charset = ""
    data: list[bytes] = []
    for number in sorted(numbered):
        value, encoded = numbered[number]
        if encoded and number == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw = value.encode("utf-8", "replace")
        data.append(unquote_to_bytes(raw) if encoded else raw)
    return decode_words(decode_bytes(b"".join(data), charset or "utf-8")[0])
