"""Phone numbers in any spelling are the same number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib.phone import digits, display, looks_like_phone, normalize, tail


@pytest.mark.parametrize(
    ("written", "country", "e164"),
    [
        ("067 123 45 67", "UA", "+380671234567"),
        ("(067) 123-45-67", "UA", "+380671234567"),
        ("0671234567", "ua", "+380671234567"),
        ("671234567", "UA", "+380671234567"),
        ("+380 (67) 123 45 67", "RU", "+380671234567"),
        ("380671234567", "UA", "+380671234567"),
        ("00380671234567", "UA", "+380671234567"),
        ("8 067 123 45 67", "UA", "+380671234567"),
        ("80671234567", "UA", "+380671234567"),
        ("810380671234567", "RU", "+380671234567"),
        ("8 (916) 123-45-67", "RU", "+79161234567"),
        ("79161234567", "UA", "+79161234567"),
        ("(044) 123-45-67 доб. 12", "UA", "+380441234567"),
        ("tel:+380-67-123-45-67", "UA", "+380671234567"),
        ("sip:+380671234567@carrier.example", "UA", "+380671234567"),
        ("+44 20 7946 0958", "UA", "+442079460958"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("٠٦٧١٢٣٤٥٦٧", "UA", "+380671234567"),
        ("\u202a+380671234567\u202c", "UA", "+380671234567"),
    ],
)
def test_any_spelling_leads_to_one_number(written: str, country: str, e164: str) -> None:
    assert normalize(written, country) == e164
    assert normalize(e164, country) == e164


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "anonymous",
        "101",
        "+3",
        "0" * 500,
        "+266696687",
        "+86282452253",
        "client:anna",
        "\0",
        "067 123 45 6",
        "12345678",
        "2024-11-05",
        "+999123456789",
    ],
)
def test_what_is_no_number_is_none(written: str) -> None:
    assert normalize(written, "UA") is None


def test_an_unknown_country_reads_international_numbers_only() -> None:
    assert normalize("+380671234567", "XX") == "+380671234567"
    assert normalize("0671234567", "") is None


def test_numbers_are_shown_in_groups() -> None:
    assert display("+380671234567") == "+380 67 123 45 67"
    assert display("+79161234567") == "+7 916 123-45-67"
    assert display("+12025550143") == "+1 202-555-0143"
    assert display("client:anna") == "client:anna"
    assert display("") == ""


def test_a_number_is_found_by_its_end() -> None:
    assert tail("+380671234567") == tail("067 123-45-67") == "671234567"
    assert tail("45-67") == "4567"
    assert digits("٠٦٧") == "067"


@pytest.mark.parametrize("query", ["+380 67 123", "067-123-45-67", "0671234567", "123-45-67"])
def test_searches_for_a_phone(query: str) -> None:
    assert looks_like_phone(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "Іван",
        "10042",
        "2024-11-05",
        "05.11.2024",
        "192.168.0.1",
        "рахунок 0671234567",
        "+",
        "1" * 20,
        "12.5",
    ],
)
def test_searches_for_something_else(query: str) -> None:
    assert not looks_like_phone(query)


@given(st.text(max_size=100), st.sampled_from(["UA", "RU", "US", "XX", ""]))
@settings(deadline=None, max_examples=60)
def test_any_string_can_be_asked(s: str, country: str) -> None:
    e164 = normalize(s, country)
    assert e164 is None or (e164[0] == "+" and e164[1:].isdecimal() and len(e164) <= 16)
    assert display(s) is not None and len(tail(s)) <= 9
    looks_like_phone(s)
