"""Text from outside made safe to store, show, compare: cleaning, folding, file names, addresses."""

import re
import unicodedata
from collections.abc import Callable

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MARK_RUN = re.compile(r"[^\w\x00-\x7f]{31,}")
_MAX_MARKS = 30
_INVISIBLE = re.compile(
    "[\x80-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_LOOSE_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])")
_SPACE = re.compile(r"\s+")

_SEPARATORS = re.compile(
    '[/\\\\:*?"<>|\u2044\u2215\u2216\u29f5\u29f6\u29f8\u29f9\ufe68\uff0f\uff3c]'
)
_DRIVE_PATH = re.compile(r"^[A-Za-z]:[\\/].*[\\/]|^\\\\.*[\\/]", re.S)
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)",
    re.I,
)
_NAME_OCTETS = 240
_EXTENSION = re.compile(r"\.[^.\s]{1,16}$")

_APOSTROPHES = "'\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u2032\u2035\u0060\u00b4\uff07\u055a"
_FOLD = str.maketrans(
    {**dict.fromkeys(_APOSTROPHES, ""), "\xad": "", "\u200b": "", "\u200c": "", "\u200d": ""}
)
_FOLD_LETTERS = str.maketrans(
    {
        "ґ": "г",
        "ё": "е",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "\u0450": "е",
    }
)
_PLAIN = re.compile("[\x00-\x7f\u0400-\u045f\u0490\u0491\xab\xbb\u2010-\u2014\u201c-\u201e]*")
_MARKED = re.compile("(\u0438\u0306|\u0456\u0308|\u0443\u0306)|[\u0300-\u036f\u0483-\u0489]")

_ATOM = r"[^\s@.()<>\[\]:;,\\\"\x00-\x20\x7f-\x9f]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def clean(s: str) -> str:
    """Text fit for both databases and for XML: no NUL, C0 control (tab and line feed stay), DEL or
    lone surrogate; line ends are LF; NFC. At most 30 combining marks follow each other (UAX 15,
    stream-safe text): more are a picture, not writing, and cost quadratic time to compose.
    """
    if not s.isascii():
        s = _compose(_NOT_TEXT.sub("", s))
    elif s.isprintable():
        return s
    else:
        s = _NOT_TEXT.sub("", s)
    return s.replace("\r\n", "\n").replace("\r", "\n")


def clean_line(s: str, limit: int = 200) -> str:
    """One visible line of at most `limit` characters: white space folded and trimmed; controls,
    bidirectional overrides and zero-width characters removed (a joiner inside an emoji stays).
    """
    s = clean(s)
    if not (s.isascii() and s.isprintable()):
        s = _LOOSE_JOINER.sub("", _INVISIBLE.sub("", s))
        s = clean(s)
    s = _SPACE.sub(" ", s).strip()
    if len(s) > limit:
        s = _LOOSE_JOINER.sub("", s[:limit]).rstrip()
    return s


def clean_filename(s: str, limit: int = 150) -> str:
    """A name to show and to offer for download, never a path to open (files are stored by hash).

    No separator or its look-alike, no invisible character, no leading dot, no trailing dot or
    space, no name reserved by Windows; at most `limit` characters and 240 octets of UTF-8, cut
    before the extension. Cleaning a cleaned name changes nothing. Nothing left: "file".
    """
    s = _DRIVE_PATH.sub("", clean_line(s, limit=4096))
    previous = None
    while s != previous:
        previous = s
        s = _clean_name(s, limit)
    return s


def fold(s: str) -> str:
    """The form in which texts are compared: case, compatibility forms, diacritics (й, ї, ў stay
    letters of their own) and apostrophes dropped, ё as е, ґ as г. Folding twice changes nothing.
    """
    s = s.translate(_FOLD)
    if s.isascii():
        return s.lower()
    if _PLAIN.fullmatch(s):
        return s.lower().translate(_FOLD_LETTERS)
    s = unicodedata.normalize("NFKD", _limit_marks(s)).casefold()
    s = unicodedata.normalize("NFKD", _limit_marks(s.translate(_FOLD)))
    s = _MARKED.sub(_keep_letter, s)
    return unicodedata.normalize("NFC", s.translate(_FOLD_LETTERS))


def shorten(s: str, n: int) -> str:
    """The text folded to one line of at most `n` characters, cut at a word where possible, with
    an ellipsis at the end when something was left out.
    """
    line = _SPACE.sub(" ", s[: n * 8 + 64]).strip()
    if len(line) <= n and len(s) <= n * 8 + 64:
        return line
    if n <= 1:
        return "…"[:n]
    head = line[: n - 1]
    space = head.rfind(" ")
    if space > n // 2 and line[n - 1 : n] != " ":
        head = head[:space]
    return head.rstrip(" ,;:.-–—\u200d") + "…"


def split_email(s: str) -> tuple[str, str] | None:
    """(local part, domain) cut at the last @, both trimmed and not judged; None without both."""
    local, at, domain = s.strip().rpartition("@")
    return (local, domain) if at and local and domain else None


def valid_email(s: str) -> bool:
    """Whether the address can be written to: a dot-string local part (RFC 5321 §4.1.2, or UTF-8 of
    RFC 6531) of at most 64 octets, and a host name, also international, at most 254 octets in all.
    """
    parts = split_email(s)
    if parts is None or s != s.strip() or len(s) > 254 or clean_line(s, limit=255) != s:
        return False
    local, domain = parts
    if len(local.encode()) > 64 or not _LOCAL.fullmatch(local):
        return False
    ascii_domain = _domain_key(domain)
    return ascii_domain is not None and len(local.encode()) + 1 + len(ascii_domain) <= 254


def email_key(s: str) -> str:
    """The form in which two addresses are compared: all lower case, an international domain as
    its ASCII form (IDNA). Total: what is no address comes back cleaned and in lower case, so ask
    `valid_email` before anything is sent or merged by the key.
    """
    parts = split_email(clean_line(s, limit=1000))
    if parts is None:
        return _lower(clean_line(s, limit=1000))
    local, domain = parts
    key = _domain_key(domain)
    return f"{_lower(local)}@{_lower(domain) if key is None else key}"


def _compose(s: str) -> str:
    return unicodedata.normalize("NFC", _limit_marks(s))


def _limit_marks(s: str) -> str:
    return _MARK_RUN.sub(_cut_marks, s)


def _cut_marks(match: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in match.group():
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def _keep_letter(match: re.Match[str]) -> str:
    return match.group(1) or ""


def _clean_name(s: str, limit: int) -> str:
    s = _SEPARATORS.sub("_", s)
    s = s.lstrip(" .").rstrip(" .\u200d")
    if _RESERVED.match(s):
        s = "_" + s
    s = _cut_name(s, lambda name: len(name) <= limit and len(name.encode()) <= _NAME_OCTETS)
    return clean_line(s, limit=4096) or "file"


def _cut_name(s: str, fits: Callable[[str], bool]) -> str:
    if fits(s):
        return s
    found = _EXTENSION.search(s)
    extension = found.group() if found else ""
    stem = s[: len(s) - len(extension)]
    if not fits("x" + extension):
        stem, extension = s, ""
    low, high = 0, len(stem)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(stem[:middle] + extension) else (low, middle - 1)
    return stem[:low].rstrip(" .\u200d") + extension


def _lower(s: str) -> str:
    return s.lower() if s.isascii() else _compose(s.lower())


def _domain_key(domain: str) -> str | None:
    if len(domain) > 254:
        return None
    try:
        key = domain.lower() if domain.isascii() else domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = key.split(".")
    if len(key) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return None if labels[-1].isdigit() else key
