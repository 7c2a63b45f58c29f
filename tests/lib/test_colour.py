"""Colours as people give them, and the nearest that can be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib import colour
from helpdesk.lib.colour import Colour

WHITE, BLACK = Colour(1, 0, 0), Colour(0, 0, 0)
HEX = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@settings(deadline=None)
@given(HEX)
def test_hex_goes_there_and_back(text: str) -> None:
    found = colour.read(text)
    assert found is not None and found.hex() == text


@pytest.mark.parametrize("text", ["29c", "#29C", " #2299cc ", "2299CC"])
def test_short_and_long_hex_are_the_same(text: str) -> None:
    assert (colour.read(text) or WHITE).hex() == "#2299cc"


def test_oklch_is_read_as_css_has_it() -> None:
    assert colour.read("oklch(0.49 0.18 264)") == colour.read("OKLCH(49% 0.18 264deg)")


@pytest.mark.parametrize(
    "text",
    ["", "blue", "#12", "#12345g", "oklch(1.2.3 0 0)", "oklch(2 0 0)", "oklch(.5 0 720)"]
    + ["url(//evil.example)", "#fff;}body{display:none", "oklch(0.5 0.1 20) }", "9" * 9000],
)
def test_what_is_no_colour_is_none(text: str) -> None:
    assert colour.read(text) is None


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000", "#fff", 21), ("#777", "#fff", 4.48), ("#0f0", "#fff", 1.37)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    first, second = colour.read(one), colour.read(other)
    assert first and second
    assert colour.contrast(first, second) == pytest.approx(ratio, abs=0.01)


@settings(deadline=None)
@given(HEX)
def test_any_colour_becomes_readable_and_stays_what_it_is_where_it_was(text: str) -> None:
    wanted = colour.read(text)
    assert wanted is not None
    dark, light = colour.darker(wanted, (WHITE,)), colour.lighter(wanted, (BLACK,))
    assert colour.contrast(dark, WHITE) >= 4.5 and colour.contrast(light, BLACK) >= 4.5
    if colour.contrast(wanted, WHITE) >= 4.5:
        assert dark.hex() == text


def test_colours_beyond_the_screen_keep_lightness_and_hue() -> None:
    found = colour.fitted(Colour(0.5, 0.4, 150))
    assert (found.lightness, found.hue) == (0.5, 150) and found.chroma < 0.2
