"""Charts of a report's tables, drawn as SVG; the table beside a chart has the same numbers.

Each chart is drawn for a wide and for a slim place, so that its texts keep their size on a phone;
the style sheet shows the one that fits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from helpdesk.reports.filters import WEEKDAYS
from helpdesk.reports.sheet import Chart, Line, Measure, Table, Unit
from helpdesk.web.supervisor import scale, svg, wording

PLACES = {"broad": 500, "slim": 320}  # width in pixels
LETTER = 6.1  # pixels, the mean width of a letter of 11 px
GAP = 14  # between a name and its bar
MOST_BARS = 12
MOST_LABELS = 14  # standing bars that can bear their number
TALL = 216
_HOURS = 24

Address = Callable[[Line, int], str | None]
"""What a number of a line leads to: the line and the number of its cell."""


@dataclass(frozen=True)
class Picture:
    """A table as it is drawn in a place of this width."""

    table: Table
    width: float
    address: Address

    @property
    def measure(self) -> Measure:
        return self.table.measures[self.table.drawn]

    @property
    def slim(self) -> bool:
        return self.width < PLACES["broad"]

    def value(self, line: Line) -> float | None:
        return line.cells[self.table.drawn].value

    def before(self, line: Line) -> float | None:
        return line.cells[self.table.drawn].before

    def href(self, line: Line) -> str | None:
        return self.address(line, self.table.drawn)

    def name(self, line: Line) -> str:
        return wording.part(self.table, line)

    def number(self, value: float | None) -> str:
        return wording.shown(self.measure, value)

    def hint(self, line: Line) -> str:
        return f"{self.name(line)}: {self.number(self.value(line))}"

    def beyond(self, value: float | None) -> bool:
        """Whether a value is on the bad side of the goal."""
        return wording.missed(self.measure, value, self.table.goal)


def drawn(table: Table, address: Address) -> Markup | None:
    """The chart of a table for both places; None where it has none or nothing to draw."""
    makers = {
        Chart.BARS: _bars,
        Chart.COLUMNS: _columns,
        Chart.LINE: _line,
        Chart.HEAT: _heat,
    }
    if table.chart is None or not table.lines:
        return None
    pictures = [(kind, Picture(table, width, address)) for kind, width in PLACES.items()]
    if not any(number for line in table.lines for number in _both(pictures[0][1], line)):
        return None
    make = makers[table.chart]
    label = str(_(table.measures[table.drawn].label))
    return Markup("").join(
        svg.drawing(kind, picture.width, *_finished(make(picture), label))
        for kind, picture in pictures
    )


def _finished(made: tuple[float, list[Markup]], label: str) -> tuple[float, str, list[Markup]]:
    height, parts = made
    return height, label, parts


def _most(picture: Picture) -> float:
    """What fills a bar: all of a share, else the largest number there is."""
    table = picture.table
    numbers = [number for line in table.lines for number in _both(picture, line)]
    if picture.measure.unit == Unit.SHARE:
        return 1.0
    if picture.measure.unit == Unit.SCORE:
        return 5.0
    return max([*numbers, table.goal or 0]) or 1.0


def _both(picture: Picture, line: Line) -> list[float]:
    return [n for n in (picture.value(line), picture.before(line)) if n is not None]


def _cut(text: str, width: float) -> str:
    """As much of a name as fits; the whole stands in the table."""
    most = max(3, int(width / LETTER))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _bars(picture: Picture) -> tuple[float, list[Markup]]:
    """Lying bars; in a slim place the name stands above its bar."""
    lines = picture.table.lines[:MOST_BARS]
    texts = [picture.number(picture.value(line)) for line in lines]
    right = max(len(text) for text in texts) * LETTER + 12
    left = 0.0 if picture.slim else min(190, _widest(picture, lines) + GAP)
    room, most = picture.width - left - right, _most(picture)
    pitch, top = (46.0, 18.0) if picture.slim else (34.0, 4.0)
    parts = []
    for place, (line, text) in enumerate(zip(lines, texts, strict=True)):
        y = place * pitch + top
        name_at = y - 6 if picture.slim else y + 12
        inside = [svg.rect("bg", left, y, room, 15)]
        label = _cut(picture.name(line), picture.width if picture.slim else left - GAP)
        inside.append(svg.text(label, 0, name_at, kind="v"))
        inside += _bar(picture, line, (left, y, room), most)
        inside.append(Markup(" "))
        inside.append(svg.text(text, picture.width, y + 12, anchor="end", kind="v"))
        parts.append(svg.link(picture.href(line), Markup("").join(inside)))
    height = len(lines) * pitch
    if picture.table.goal is not None:
        x = left + room * min(1.0, picture.table.goal / most)
        parts.append(svg.line("goal", x, 0, x, height))
    return height, parts


def _bar(
    picture: Picture, line: Line, place: tuple[float, float, float], most: float
) -> list[Markup]:
    x, y, room = place
    value, before = picture.value(line), picture.before(line)
    parts = []
    if value is not None:
        kind = "bx" if picture.beyond(value) else "b1"
        parts.append(svg.rect(kind, x, y, value / most * room, 15))
    if before is not None:
        parts.append(svg.rect("b2", x, y + 17, before / most * room, 4, 2))
    return parts


def _widest(picture: Picture, lines: Sequence[Line]) -> float:
    return max(len(picture.name(line)) for line in lines) * LETTER


@dataclass(frozen=True)
class _Field:
    """Where a standing chart is drawn: its edges and its axis."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return self.bottom - min(1.0, max(0.0, share)) * (self.bottom - self.top)


def _field(picture: Picture, low: float, high: float, right: float) -> tuple[_Field, list[Markup]]:
    """The field of a standing chart and its horizontal lines with their numbers."""
    measure = picture.measure
    marks = scale.ticks(measure.unit, low, high)
    if measure.unit == Unit.SHARE:
        marks = [mark for mark in marks if mark <= 1.0]
    names = [wording.tick(measure, mark) for mark in marks]
    left = max(len(name) for name in names) * LETTER + 8
    field = _Field(left, picture.width - right, 16, TALL - 24, marks[0], marks[-1])
    parts = []
    for mark, name in zip(marks, names, strict=True):
        y = field.y(mark)
        parts.append(svg.line("ax", left, y, field.right, y))
        parts.append(svg.text(name, left - 6, y + 4, anchor="end"))
    return field, parts


def _columns(picture: Picture) -> tuple[float, list[Markup]]:
    """Standing bars in their order, from zero, each with its number where there is room."""
    lines = picture.table.lines
    field, parts = _field(picture, 0.0, _most(picture), 4)
    pitch = (field.right - field.left) / len(lines)
    numbered = len(lines) <= (MOST_LABELS // 2 if picture.slim else MOST_LABELS)
    for place, line in enumerate(lines):
        x, value = field.left + place * pitch, picture.value(line)
        width = max(1.0, pitch - min(6.0, pitch / 4))
        inside = []
        if value is not None:
            y = field.y(value)
            kind = "bx" if picture.beyond(value) else "b1"
            inside.append(svg.rect(kind, x + (pitch - width) / 2, y, width, field.bottom - y))
        if numbered:
            y = field.y(value or 0)
            text = picture.number(value)
            inside.append(svg.text(text, x + pitch / 2, y - 5, anchor="middle", kind="v"))
        link = svg.link(
            picture.href(line), Markup("").join(inside), hint=picture.hint(line), reached=numbered
        )
        parts.append(link)
    parts += _goal(picture, field)
    return TALL, parts + _below(picture, lines, field, pitch, pitch / 2)


def _goal(picture: Picture, field: _Field) -> list[Markup]:
    goal = picture.table.goal
    if goal is None or not field.low <= goal <= field.high:
        return []
    return [svg.line("goal", field.left, field.y(goal), field.right, field.y(goal))]


def _below(
    picture: Picture, lines: Sequence[Line], field: _Field, pitch: float, offset: float
) -> list[Markup]:
    """Names under an axis, as many as fit beside each other."""
    names = [_short(picture, line, number) for number, line in enumerate(lines)]
    room = max(len(name) for name in names) * LETTER + 10
    every = max(1, -(-room // pitch)) if pitch else 1
    parts = []
    for number, name in enumerate(names):
        if number % int(every) == 0:
            x = field.left + number * pitch + offset
            parts.append(svg.text(name, x, TALL - 6, anchor="middle"))
    return parts


def _short(picture: Picture, line: Line, number: int) -> str:
    """A name under an axis; of days only the number, with the month where it begins."""
    if isinstance(line.key, date):
        first = number == 0 or line.key.day <= 7 and picture.table.cut == "week"
        return f"{line.key:%d.%m}" if first or picture.table.cut == "week" else str(line.key.day)
    return _cut(picture.name(line), max(LETTER * 4, picture.width / len(picture.table.lines) - 6))


def _line(picture: Picture) -> tuple[float, list[Markup]]:
    """A line over time, the period before dashed; the last number of both stands at its end."""
    lines = picture.table.lines
    goal = picture.table.goal
    numbers = [n for line in lines for n in _both(picture, line)]
    low, high = scale.bounds(picture.measure.unit, [*numbers, *([goal] if goal else [])])
    ends = [text for text, _n, _kind in _ends(picture)]
    field, parts = _field(picture, low, high, max(len(text) for text in ends) * LETTER + 14)
    pitch = (field.right - field.left) / max(1, len(lines) - 1)
    parts += _goal(picture, field)
    parts += _strokes(picture, field, pitch, picture.before, "was")
    parts += _strokes(picture, field, pitch, picture.value, "now")
    parts += _last(picture, field, pitch)
    parts += _spots(picture, field, pitch)
    placed = _apart([(field.y(n), text, kind) for text, n, kind in _ends(picture)])
    parts += [svg.text(text, field.right + 8, y + 4, kind=kind) for y, text, kind in placed]
    return TALL, parts + _below(picture, lines, field, pitch, 0)


def _ends(picture: Picture) -> list[tuple[str, float, str]]:
    """The last number of this period and of the one before: text, value, class."""
    found = []
    for read, kind in ((picture.value, "v"), (picture.before, "")):
        numbers = [n for line in picture.table.lines if (n := read(line)) is not None]
        if numbers:
            found.append((picture.number(numbers[-1]), numbers[-1], kind))
    return found


def _apart(labels: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Labels that would lie on each other, moved apart."""
    if len(labels) == 2 and abs(labels[0][0] - labels[1][0]) < 13:
        upper, lower = sorted(labels)
        middle = (upper[0] + lower[0]) / 2
        return [(middle - 6.5, *upper[1:]), (middle + 6.5, *lower[1:])]
    return labels


def _strokes(
    picture: Picture,
    field: _Field,
    pitch: float,
    read: Callable[[Line], float | None],
    kind: str,
) -> list[Markup]:
    """The line in pieces: where nothing was measured there is a gap."""
    pieces: list[list[svg.Point]] = [[]]
    for place, line in enumerate(picture.table.lines):
        value = read(line)
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((field.left + place * pitch, field.y(value)))
    parts = [svg.path(kind, piece) for piece in pieces if len(piece) > 1]
    lone = [piece[0] for piece in pieces if len(piece) == 1]
    return parts + [svg.dot("b1" if kind == "now" else "b2", x, y) for x, y in lone]


def _last(picture: Picture, field: _Field, pitch: float) -> list[Markup]:
    """A dot at the end of this period's line, whose number stands beside."""
    known = [
        (n, v)
        for n, line in enumerate(picture.table.lines)
        if (v := picture.value(line)) is not None
    ]
    return [svg.dot("b1", field.left + n * pitch, field.y(v)) for n, v in known[-1:]]


def _spots(picture: Picture, field: _Field, pitch: float) -> list[Markup]:
    """What can be pointed at: a strip for each point of the line, which leads to its things."""
    parts = []
    for place, line in enumerate(picture.table.lines):
        value = picture.value(line)
        if value is None:
            continue
        x = field.left + place * pitch
        left, right = max(field.left, x - pitch / 2), min(field.right, x + pitch / 2)
        strip = svg.rect("hit", left, field.top, right - left, field.bottom - field.top, 0)
        inside = strip + svg.dot("b1 spot", x, field.y(value))
        parts.append(svg.link(picture.href(line), inside, hint=picture.hint(line), reached=False))
    return parts


def _heat(picture: Picture) -> tuple[float, list[Markup]]:
    """Weekday by hour in five steps of one colour; only the hours in which something happens."""
    cells: Mapping[Any, Line] = {line.key: line for line in picture.table.lines}
    hours = _busy(picture)
    most = max((picture.value(line) or 0 for line in cells.values()), default=0) or 1
    left = max(len(name) for name in wording.terms().weekdays) * LETTER + 10
    pitch, row = (picture.width - left) / len(hours), 24
    parts = []
    for y, day in enumerate(WEEKDAYS):
        parts.append(svg.text(wording.terms().weekdays[y], 0, y * row + 16))
        for x, hour in enumerate(hours):
            line = cells.get(f"{day}-{hour:02}")
            place = (left + x * pitch, y * row + 1, pitch - 2, row - 2)
            parts.append(_heat_cell(picture, line, most, place))
    for x, hour in enumerate(hours):
        if x % (2 if not picture.slim else 3) == 0:
            parts.append(svg.text(str(hour), left + (x + 0.5) * pitch, 184, anchor="middle"))
    return 188, parts


def _busy(picture: Picture) -> range:
    """The hours from the first to the last in which there is a number."""
    found = [int(line.key[4:]) for line in picture.table.lines if picture.value(line)]
    return range(min(found), max(found) + 1) if found else range(_HOURS)


def _heat_cell(
    picture: Picture, line: Line | None, most: float, place: tuple[float, float, float, float]
) -> Markup:
    value = picture.value(line) if line is not None else None
    if line is None or value is None:
        return svg.rect("h0", *place)
    step = min(5, 1 + int(value / most * 5)) if value else 0
    inside = svg.rect(f"h{step}", *place)
    if picture.beyond(value):
        inside += svg.rect("hx", *place)
    return svg.link(picture.href(line), inside, hint=picture.hint(line), reached=False)
