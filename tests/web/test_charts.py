"""Charts of reports: valid drawings whose words say the numbers, in three languages."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpdesk import ext
from helpdesk.app import create_app
from helpdesk.ext import in_language
from helpdesk.reports.sheet import Cell, Chart, Line, Measure, Table, Unit
from helpdesk.web.supervisor import scale, wording
from helpdesk.web.supervisor.charts import MOST_BARS, drawn
from tests.conftest import make_config

DAY = date(2026, 11, 2)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application without a database, which drawings don't ask."""
    app = create_app(make_config(tmp_path_factory.mktemp("charts")))
    with app.app_context():
        yield app
        ext.db.engine.dispose()


def table(
    chart: Chart,
    values: Sequence[float | None],
    *,
    unit: Unit = Unit.COUNT,
    keys: Sequence[object] | None = None,
    cut: str = "queue",
    before: Sequence[float | None] | None = None,
    goal: float | None = None,
) -> Table:
    measure = Measure("m", "Tickets", unit, "Tickets", better="up")
    keys = keys or [number + 1 for number in range(len(values))]
    was = before or [None] * len(values)
    lines = tuple(
        Line(key, f"Queue {key}" if cut == "queue" else None, (Cell(value, old, ("l", {})),))
        for key, value, old in zip(keys, values, was, strict=True)
    )
    return Table("t", "Tickets", cut, (measure,), lines, chart=chart, goal=goal)


def pictures(one: Table) -> list[ElementTree.Element]:
    """The drawings, read by a strict reader of XML: the wide one first."""
    markup = drawn(one, lambda line, column: f"/list?line={line.key}&column={column}")
    assert markup is not None
    return list(ElementTree.fromstring(f"<div>{markup}</div>"))


def words(picture: ElementTree.Element) -> str:
    return " ".join("".join(picture.itertext()).split()).replace("\u00a0", " ")


def rects(picture: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [one for one in picture.iter("rect") if one.get("class") == kind]


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
def test_bars_say_their_numbers_and_lead_to_them(app: Flask, language: str) -> None:
    with in_language(language):
        one = table(Chart.BARS, [0.914, 0.5], unit=Unit.SHARE, before=[0.8, None], goal=0.9)
        for picture in pictures(one):
            said = words(picture)
            assert ("91.4 %" if language == "en" else "91,4 %") in said
            assert [a.get("href") for a in picture.iter("a")] == [
                "/list?line=1&column=0",
                "/list?line=2&column=0",
            ]
            (good,), (missed,) = rects(picture, "b1"), rects(picture, "bx")
            room = float(rects(picture, "bg")[0].get("width", ""))
            assert float(good.get("width", "")) == pytest.approx(room * 0.914, abs=0.1)
            assert float(missed.get("width", "")) == pytest.approx(room * 0.5, abs=0.1)
            assert len(rects(picture, "b2")) == 1


def test_of_many_parts_the_first_are_drawn(app: Flask) -> None:
    wide, _slim = pictures(table(Chart.BARS, list(range(40, 0, -1))))
    assert len(list(wide.iter("a"))) == MOST_BARS


def test_a_line_has_a_gap_where_nothing_was_measured(app: Flask) -> None:
    days = [DAY + timedelta(days=number) for number in range(6)]
    one = table(
        Chart.LINE,
        [3, 4, None, 5, 6, 2],
        keys=days,
        cut="day",
        before=[1, 1, 1, 1, 1, 1],
    )
    wide, _slim = pictures(one)
    lines = {kind: [] for kind in ("now", "was")}
    for stroke in wide.iter("polyline"):
        lines[stroke.get("class", "")].append(len(stroke.get("points", "").split()))
    assert lines == {"now": [2, 3], "was": [6]}
    assert "Mon 2 Nov: 3" in words(wide)
    assert len(list(wide.iter("a"))) == 5


def test_columns_stand_from_zero(app: Flask) -> None:
    one = table(Chart.COLUMNS, [1, 2, 4], keys=[1, 2, 3], cut="score")
    wide, slim = pictures(one)
    heights = [float(r.get("height", "")) for r in rects(wide, "b1")]
    assert heights[1] == pytest.approx(heights[0] * 2, abs=0.2)
    assert heights[2] == pytest.approx(heights[0] * 4, abs=0.2)
    assert float(slim.get("viewBox", "").split()[2]) < float(wide.get("viewBox", "").split()[2])


def test_a_heat_map_has_the_hours_in_which_something_happens(app: Flask) -> None:
    with in_language("uk"):
        one = table(Chart.HEAT, [25, 5, 0], keys=["mon-09", "tue-11", "sun-10"], cut="slot")
        wide, _slim = pictures(one)
        assert "пн 09:00: 25" in words(wide)
        assert [len(rects(wide, f"h{step}")) for step in (5, 2)] == [1, 1]
        cells = [r for r in wide.iter("rect") if r.get("class", "").startswith("h")]
        assert len(cells) == 7 * 3
        assert all(a.get("tabindex") == "-1" for a in wide.iter("a"))


def test_nothing_is_drawn_where_there_is_nothing(app: Flask) -> None:
    for values in ([], [None, None], [0, 0]):
        assert drawn(table(Chart.BARS, values), lambda line, column: None) is None


def test_names_cannot_break_out_of_a_drawing(app: Flask) -> None:
    line = Line(1, '"><script>&', (Cell(1, None, ("l", {})),))
    one = Table("t", "T", "queue", (Measure("m", "<b>", Unit.COUNT, ""),), (line,), None)
    wide, _slim = pictures(Table(**{**vars(one), "chart": Chart.BARS}))
    assert '"><script>&' in words(wide)
    assert not list(wide.iter("script"))


NUMBERS = st.one_of(st.none(), st.floats(0, 1e9), st.integers(0, 10**7))


@settings(deadline=None, max_examples=60)
@given(
    chart=st.sampled_from([Chart.BARS, Chart.COLUMNS, Chart.LINE]),
    values=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=45),
    unit=st.sampled_from([Unit.COUNT, Unit.SECONDS, Unit.NUMBER]),
)
@example(chart=Chart.BARS, values=[(None, 1e-308)], unit=Unit.COUNT)
def test_any_numbers_stay_inside_the_drawing(
    app: Flask,
    chart: Chart,
    values: list[tuple[float | None, float | None]],
    unit: Unit,
) -> None:
    one = table(chart, [v for v, _b in values], before=[b for _v, b in values], unit=unit)
    markup = drawn(one, lambda line, column: None)
    if markup is None:
        return
    for picture in ElementTree.fromstring(f"<div>{markup}</div>"):
        _x, _y, width, height = map(float, picture.get("viewBox", "").split())
        for rect in picture.iter("rect"):
            x, y, w, h = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
            assert -8 <= x <= width and x + w <= width + 8
            assert y >= -1 and y + h <= height + 1
        for stroke in picture.iter("polyline"):
            for point in stroke.get("points", "").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width and 0 <= y <= height


@settings(deadline=None, max_examples=200)
@given(
    unit=st.sampled_from([Unit.COUNT, Unit.SECONDS, Unit.NUMBER, Unit.SHARE, Unit.SCORE]),
    ends=st.tuples(st.floats(0, 1e8), st.floats(0, 1e8)),
)
def test_an_axis_holds_its_values_in_few_round_steps(unit: Unit, ends: tuple[float, float]) -> None:
    low, high = sorted(ends)
    marks = scale.ticks(unit, low, high)
    assert marks[0] <= low + 1e-3 and marks[-1] >= high - 1e-3
    assert 2 <= len(marks) <= scale.MOST_TICKS + 2
    assert marks == sorted(set(marks))


WRITTEN = [
    (Unit.COUNT, 1204, "1 204"),
    (Unit.COUNT, -3, "−3"),
    (Unit.SHARE, 0.914, "91.4 %"),
    (Unit.SHARE, 1, "100 %"),
    (Unit.SHARE, 0.9999, "99.9 %"),
    (Unit.SHARE, 0.00001, "0.1 %"),
    (Unit.SECONDS, 45, "45 s"),
    (Unit.SECONDS, 125, "2 min 05"),
    (Unit.SECONDS, 2280, "38 min"),
    (Unit.SECONDS, 3599, "1 h"),
    (Unit.SECONDS, 16_200, "4 h 30"),
    (Unit.SECONDS, 1_123_200, "312 h"),
    (Unit.SCORE, 4.56, "4.6"),
    (Unit.NUMBER, 1234.5, "1 234.5"),
    (Unit.COUNT, None, "–"),
]


@pytest.mark.parametrize(("unit", "value", "text"), WRITTEN)
def test_numbers_are_written_with_their_unit(
    app: Flask, unit: Unit, value: float | None, text: str
) -> None:
    with in_language("en"):
        measure = Measure("m", "M", unit, "")
        assert wording.shown(measure, value).replace("\u00a0", " ") == text


CHANGES = [
    (Unit.SHARE, "up", 0.91, 0.889, ("+2.1 pp", "good")),
    (Unit.SHARE, "up", 0.88, 0.894, ("−1.4 pp", "bad")),
    (Unit.SECONDS, "down", 660, 840, ("−3 min", "good")),
    (Unit.COUNT, None, 106, 100, ("+6 %", None)),
    (Unit.COUNT, "down", 12, 10, ("+2", "bad")),
    (Unit.COUNT, None, 4, 4, ("as before", None)),
    (Unit.SCORE, "up", 4.5, 4.7, ("−0.2", "bad")),
]


@pytest.mark.parametrize(("unit", "better", "value", "before", "told"), CHANGES)
def test_a_change_says_how_much_and_whether_that_is_good(
    app: Flask,
    unit: Unit,
    better: str | None,
    value: float,
    before: float,
    told: tuple[str, str | None],
) -> None:
    with in_language("en"):
        change = wording.change(Measure("m", "M", unit, "", better=better), Cell(value, before))
        assert change is not None
        assert (change.text.replace("\u00a0", " "), change.tone) == told


def test_nothing_is_compared_with_nothing(app: Flask) -> None:
    measure = Measure("m", "M", Unit.COUNT, "")
    assert wording.change(measure, Cell(5, 0)) is None
    assert wording.change(measure, Cell(5, None)) is None
    assert wording.change(measure, Cell(None, 5)) is None
