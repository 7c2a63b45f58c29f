"""Bytes to text: declared charsets under their many names, wrong ones, missing ones."""

import codecs
import re

import charset_normalizer

from helpdesk.lib.text import clean

# Names that mailers write and Python doesn't know, or that mean more than they say
# (WHATWG Encoding reads latin-1 as windows-1252 and gb2312 as gb18030).
ALIASES = {
    "ansi": "cp1252",
    "ansi_x3.110-1983": "cp1252",
    "cp-1251": "cp1251",
    "cp-866": "cp866",
    "dos-866": "cp866",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso8859-1": "cp1252",
    "koi8": "koi8-u",
    "koi8-r": "koi8-u",
    "koi8-ru": "koi8-u",
    "koi8u": "koi8-u",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "latin1": "cp1252",
    "mac-cyrillic": "mac_cyrillic",
    "shift_jis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "win-1251": "cp1251",
    "win1251": "cp1251",
    "windows1251": "cp1251",
    "x-cp1251": "cp1251",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-sjis": "cp932",
}
# No charset, or none that says anything.
UNSAID = {"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "unknown", "8bit", "default"}
# Codecs of Python that are no charsets of mail; punycode takes quadratic time.
REFUSED = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}

_SWAPPED = {"cp1251", "koi8-u"}  # those that mailers take for one another
CYRILLIC = ("cp1251", "koi8-u", "cp866", "iso-8859-5", "mac_cyrillic")
_OFTEN = "оеаинтсрвлкмдпуияіз"
FEW = 10
"""One broken byte in so many above ASCII doesn't make a charset wrong."""
_ASCII = bytes(range(128))
_SAMPLE = 4096
_ENOUGH = 32
_FOUR_LETTERS = 8  # bytes of UTF-8: fewer may be a syllable in an older charset as well
_SURE = 12  # letters that leave no doubt; a short word may really be written like that
_NAME = re.compile(r"[a-z0-9][a-z0-9_.:+-]{0,39}")
_INVERTED = re.compile(r"\b[а-я][А-Я]{2}")
_HIGH = re.compile(rb"[\x80-\xff]")


def decode(data: bytes, charset: str | None) -> tuple[str, str | None]:
    """Text of `data` in the charset it declares, and an error code or None.

    Never raises. A declared charset that fails or is plainly wrong (Cyrillic or UTF-8 under
    the name of latin-1, UTF-8 or KOI8 under that of windows-1251 and the like) is replaced by a
    guess; what nothing can read becomes U+FFFD.
    """
    name = _normal(charset)
    if data.isascii() and name in UNSAID:
        return clean(data.decode("ascii")), None
    if name in UNSAID:
        return clean(_guess(data)), None
    codec = _codec(name)
    if codec is None:
        return clean(_guess(data)), f"unknown_charset:{_shown(name)}"
    text = _strict(data, codec)
    if codec in _SWAPPED and (really := _really(data, text, codec)) is not None:
        return clean(really), f"wrong_charset:{_shown(name)}"
    if text is None or (codec == "cp1252" and _is_mojibake(data)):
        if codec == "cp1252" and _strict(data, "utf-8") is None and not _is_cyrillic(data):
            return clean(data.decode("cp1252", "replace")), None
        text = None if codec == "cp1252" else _nearly(data, codec)
        return clean(text or _guess(data)), f"wrong_charset:{_shown(name)}"
    return clean(text), None


def _really(data: bytes, text: str | None, codec: str) -> str | None:
    """What a text called windows-1251 or KOI8 is if it is UTF-8 or the other one, else None.

    Read as the other one, capitals become small letters and small letters capitals.
    """
    if len(data.translate(None, _ASCII)) < _FOUR_LETTERS:
        return None
    as_utf8 = _strict(data, "utf-8")
    if as_utf8 is not None or text is None:
        return as_utf8
    sample = text[:_SAMPLE]
    capitals = sum("А" <= char <= "Я" for char in sample)
    small = sum("а" <= char <= "я" for char in sample)
    if capitals < max(_SURE, 2 * small) or not _INVERTED.search(sample):
        return None
    (other,) = _SWAPPED - {codec}
    return data.decode(other, "replace")


def _normal(charset: str | None) -> str:
    """The charset's name in lower case without quotes and RFC 2231 language."""
    name = (charset or "").strip(" \t\"'").lower().partition("*")[0]
    return ALIASES.get(name, name)


def _shown(name: str) -> str:
    """A charset's name fit for an error code."""
    found = _NAME.match(name)
    return found.group() if found else "?"


def _codec(name: str) -> str | None:
    """The Python codec for a charset, or None."""
    if not _NAME.fullmatch(name):
        return None
    try:
        codec = codecs.lookup(name).name
        bytes(4).decode(codec, "ignore")  # refuses hex, zlib and the like
    except (LookupError, ValueError):
        return None
    return None if codec.replace("-", "_") in REFUSED else codec


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _nearly(data: bytes, codec: str) -> str | None:
    """Text that has a few broken bytes only, with U+FFFD for them; None if it has many."""
    text = data.decode(codec, "replace")
    high = len(data.translate(None, _ASCII))
    return text if text.count("\ufffd") * FEW <= high else None


def _is_mojibake(data: bytes) -> bool:
    """Whether text called latin-1 is really UTF-8 or Cyrillic."""
    if data.isascii():
        return False
    return _strict(data, "utf-8") is not None or _is_cyrillic(data)


def _is_cyrillic(data: bytes) -> bool:
    """Whether most letters are high bytes: western languages never have that many."""
    sample = data[:_SAMPLE]
    high = len(_HIGH.findall(sample))
    low = sum(1 for byte in sample if 65 <= byte <= 90 or 97 <= byte <= 122)
    return high >= 3 and high > low * 0.8


def _guess(data: bytes) -> str:
    """Text in the likeliest charset: UTF-8, a Cyrillic one, what charset-normalizer says."""
    text = _nearly(data, "utf-8")
    if text is not None:
        return text
    if _is_cyrillic(data):
        return data.decode(max(CYRILLIC, key=lambda codec: _score(data, codec)), "replace")
    if len(data) < _ENOUGH:
        return data.decode("cp1252", "replace")
    best = charset_normalizer.from_bytes(data[:_SAMPLE]).best()
    encoding = best.encoding if best else "cp1252"
    return data.decode(_codec(encoding) or "cp1252", "replace")


def _score(data: bytes, codec: str) -> int:
    """How much `data` read in `codec` looks like ordinary Russian or Ukrainian."""
    text = data[:_SAMPLE].decode(codec, "replace")
    often = sum(text.count(letter) for letter in _OFTEN)
    letters = sum(1 for char in text if "а" <= char <= "я" or char in "ёєіїґ")
    odd = sum(1 for char in text if char > "\x7f" and not char.isalpha())
    return often + letters - 2 * odd
