"""How long an SMS is: letters, encoding, parts (3GPP TS 23.038 and 23.040)."""

from dataclasses import dataclass

MOST_PARTS = 10

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # each takes the place of two
_LATIN = (160, 153)  # letters in a single one, in each part of a longer one
_OTHER = (70, 67)  # UTF-16 units


@dataclass(frozen=True)
class Measured:
    """An SMS as the network counts it. `room`: letters that still fit into its last part."""

    length: int
    parts: int
    room: int
    latin: bool  # every letter is in the 7-bit alphabet; one Cyrillic letter makes all dear
    most: int  # the letters that MOST_PARTS hold

    @property
    def fits(self) -> bool:
        return self.length <= self.most


def measure(text: str) -> Measured:
    """Count a text as it will be sent."""
    latin = _BASIC.union(_EXTENDED).issuperset(text)
    if latin:
        length = len(text) + sum(letter in _EXTENDED for letter in text)
    else:
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    single, each = _LATIN if latin else _OTHER
    parts = 1 if length <= single else -(-length // each)
    room = single - length if parts == 1 else parts * each - length
    return Measured(length, parts, room, latin, MOST_PARTS * each)
