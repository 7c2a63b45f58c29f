"""Colours: hex and OKLCH, their contrast, and the nearest one that can be read.

OKLCH after https://bottosson.github.io/posts/oklab/ (as in CSS Color 4 §9.4); contrast and relative
luminance after WCAG 2.2.
"""

import re
from collections.abc import Callable
from math import atan2, cos, hypot, pi, radians, sin
from typing import NamedTuple

ENOUGH = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3)."""

_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})")
_OKLCH = re.compile(r"oklch\(\s*([0-9.]+)(%?)\s*[ ,]\s*([0-9.]+)\s*[ ,]\s*([0-9.]+)(?:deg)?\s*\)")
_STEPS = 24  # halvings of an interval; finer than eight bits can show
_SLACK = 1e-4

Linear = tuple[float, float, float]


class Colour(NamedTuple):
    """Lightness 0 to 1, chroma 0 to about 0.37, hue in degrees."""

    lightness: float
    chroma: float
    hue: float

    def css(self) -> str:
        """As a style sheet writes it."""
        return f"oklch({self.lightness:.4f} {self.chroma:.4f} {self.hue:.2f})"

    def hex(self) -> str:
        """The nearest colour of sRGB, "#2956c4"."""
        linear = _linear(fitted(self))
        return "#" + "".join(f"{round(255 * _encoded(min(max(x, 0), 1))):02x}" for x in linear)


def read(text: str) -> Colour | None:
    """ "#2956c4", "29c" or "oklch(0.49 0.18 264)" as a colour; None for anything else."""
    text = text.strip().lower()
    if found := _HEX.fullmatch(text):
        return _of_hex(found[1])
    found = _OKLCH.fullmatch(text)
    if found is None:
        return None
    try:
        lightness, chroma, hue = (float(found[n]) for n in (1, 3, 4))
    except ValueError:  # "1.2.3"
        return None
    colour = Colour(lightness / (100 if found[2] else 1), chroma, hue)
    return fitted(colour) if colour.lightness <= 1 and chroma <= 1 and hue <= 360 else None


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def darker(colour: Colour, grounds: tuple[Colour, ...], least: float = ENOUGH) -> Colour:
    """The colour, as much darker as text on these light grounds needs."""
    return _readable(colour, 0.0, grounds, least)


def lighter(colour: Colour, grounds: tuple[Colour, ...], least: float = ENOUGH) -> Colour:
    """The colour, as much lighter as text on these dark grounds needs."""
    return _readable(colour, 1.0, grounds, least)


def fitted(colour: Colour) -> Colour:
    """The colour with as much of its chroma as sRGB has at this lightness and hue."""
    if _fits(colour):
        return colour
    grey = colour._replace(chroma=0.0)
    return _nearest(grey, colour, lambda part: _fits(part), by_chroma=True)


def _readable(colour: Colour, end: float, grounds: tuple[Colour, ...], least: float) -> Colour:
    def is_read(part: Colour) -> bool:
        return all(contrast(part, ground) >= least for ground in grounds)

    colour = fitted(colour)
    if is_read(colour):
        return colour
    return fitted(_nearest(colour._replace(lightness=end), colour, lambda c: is_read(fitted(c))))


def _nearest(
    good: Colour, bad: Colour, is_good: Callable[[Colour], bool], *, by_chroma: bool = False
) -> Colour:
    """Between a colour that holds and one that does not, the last one that holds."""
    for _step in range(_STEPS):
        middle = (
            good._replace(chroma=(good.chroma + bad.chroma) / 2)
            if by_chroma
            else good._replace(lightness=(good.lightness + bad.lightness) / 2)
        )
        good, bad = (middle, bad) if is_good(middle) else (good, middle)
    return good


def _of_hex(digits: str) -> Colour:
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    r, g, b = (_decoded(int(digits[n : n + 2], 16) / 255) for n in (0, 2, 4))
    l_ = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    m_ = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    s_ = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    lightness = 0.2104542553 * l_ + 0.7936177850 * m_ - 0.0040720468 * s_
    a = 1.9779984951 * l_ - 2.4285922050 * m_ + 0.4505937099 * s_
    b_ = 0.0259040371 * l_ + 0.7827717662 * m_ - 0.8086757660 * s_
    return Colour(lightness, hypot(a, b_), _angle(a, b_))


def _angle(a: float, b: float) -> float:
    angle: float = atan2(b, a) * 180 / pi
    return angle % 360


def _linear(colour: Colour) -> Linear:
    a = colour.chroma * cos(radians(colour.hue))
    b = colour.chroma * sin(radians(colour.hue))
    l_ = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m_ = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s_ = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
        -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
        -0.0041960863 * l_ - 0.7034186147 * m_ + 1.7076147010 * s_,
    )


def _fits(colour: Colour) -> bool:
    return all(-_SLACK <= part <= 1 + _SLACK for part in _linear(colour))


def _luminance(colour: Colour) -> float:
    r, g, b = (min(max(part, 0.0), 1.0) for part in _linear(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _decoded(part: float) -> float:
    linear: float = part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
    return linear


def _encoded(part: float) -> float:
    shown: float = part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
    return shown
