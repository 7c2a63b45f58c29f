"""The few shapes of which charts are made, as SVG; colours and fonts come from style sheets."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

Point = tuple[float, float]

_RECT = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>')
_LINE = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')
_PATH = Markup('<polyline class="{}" points="{}"/>')
_DOT = Markup('<circle class="{}" cx="{}" cy="{}" r="3.5"/>')
_TEXT = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
_LINK = Markup('<a href="{}"{}>{}</a>')
_HINT = Markup("<title>{}</title>{}")
_SVG = Markup('<svg class="chart {}" viewBox="0 0 {} {}" role="group" aria-label="{}">{}</svg>')


def _n(number: float) -> str:
    """A coordinate: tenths of a pixel are enough."""
    return f"{number:.1f}".removesuffix(".0")


def rect(kind: str, x: float, y: float, width: float, height: float, radius: float = 3) -> Markup:
    size = (_n(max(0, width)), _n(max(0, height)))
    return _RECT.format(kind, _n(x), _n(y), *size, _n(radius))


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return _LINE.format(kind, _n(x1), _n(y1), _n(x2), _n(y2))


def path(kind: str, points: Sequence[Point]) -> Markup:
    return _PATH.format(kind, " ".join(f"{_n(x)},{_n(y)}" for x, y in points))


def dot(kind: str, x: float, y: float) -> Markup:
    return _DOT.format(kind, _n(x), _n(y))


def text(words: str, x: float, y: float, *, anchor: str = "start", kind: str = "") -> Markup:
    """`anchor`: which part of the text is at `x`: start, middle or end."""
    return _TEXT.format(kind, _n(x), _n(y), anchor, words)


def link(href: str | None, inside: Markup, *, hint: str = "", reached: bool = True) -> Markup:
    """What leads to `href`, if it does; `hint` is read on it. Not `reached` by Tab where the table
    beside has the same links and the chart would have too many."""
    body = _HINT.format(hint, inside) if hint else inside
    if href is None:
        return Markup("<g>{}</g>").format(body)
    return _LINK.format(href, Markup("") if reached else Markup(' tabindex="-1"'), body)


def drawing(kind: str, width: float, height: float, label: str, parts: Iterable[Markup]) -> Markup:
    """A chart; `label` says what it shows."""
    return _SVG.format(kind, _n(width), _n(height), label, Markup("").join(parts))
