"""Money: written for readers of three languages, read back in any usual spelling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib.money import MAX_AMOUNT, money, parse_amount, valid_currency


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        (124000, "UAH", "uk", "1\u00a0240,00\u00a0₴"),
        (124000, "UAH", "en", "UAH\u00a01,240.00"),
        (5, "JPY", "ru", "5\u00a0¥"),
        (-150, "USD", "en", "-$1.50"),
    ],
)
def test_an_amount_is_written_as_its_readers_write_it(
    amount: int, currency: str, language: str, text: str
) -> None:
    assert money(amount, currency, language) == text


def test_a_large_sum_may_go_without_kopecks() -> None:
    assert money(4832050, "UAH", "uk", whole=True) == "48\u00a0320\u00a0₴"
    assert money(4832050, "UAH", "uk") == "48\u00a0320,50\u00a0₴"


@pytest.mark.parametrize("text", ["", "x", "1.005", "-5", "1e5", "9" * 16, "1,2,3"])
def test_what_is_no_amount_is_told_apart(text: str) -> None:
    assert parse_amount(text, "UAH") is None


def test_yen_have_no_kopecks() -> None:
    assert parse_amount("12", "JPY") == 12 and parse_amount("12.5", "JPY") is None


def test_currencies_are_those_of_the_standard() -> None:
    assert valid_currency("UAH")
    assert not any(valid_currency(code) for code in ("uah", "XXQ", "", "UA", "ГРН", "UAHH"))


@settings(deadline=None)
@given(st.integers(0, MAX_AMOUNT // 10))
def test_what_is_written_in_ukrainian_is_read_back(amount: int) -> None:
    assert parse_amount(money(amount, "UAH", "uk").rstrip("\u00a0₴"), "UAH") == amount
