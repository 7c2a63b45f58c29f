"""Products: added, changed, found by any part of the name or by the number."""

from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.products import (
    NAME_LIMIT,
    _weights,
    change_product,
    create_product,
    find_products,
    product_named,
)

SHELF = {
    "Пральна машина Indesit IWSC 5105": "WM-5105",
    "Чайник «Їжачок» 1.7 л": "KT_17",
    "Чайник електричний": "K%1",
    "Café grinder 300": None,
    "Їдальня": "482000100200",
}


@pytest.fixture
def shop(app: Flask) -> Iterator[Session]:
    with ext.write() as session:
        for name, sku in SHELF.items():
            create_product(session, name=name, sku=sku, group="Дім", at=now())
        yield session


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("пральна", ["Пральна машина Indesit IWSC 5105"]),
        ("ІНДЕСІТ", []),
        ("INDESIT 5105", ["Пральна машина Indesit IWSC 5105"]),
        ("машина пральна", ["Пральна машина Indesit IWSC 5105"]),
        ("wm-5", ["Пральна машина Indesit IWSC 5105"]),
        ("ЧАЙНИК", ["Чайник електричний", "Чайник «Їжачок» 1.7 л"]),
        ("їжа", ["Чайник «Їжачок» 1.7 л"]),
        ("cafe", ["Café grinder 300"]),
        ("CAFÉ", ["Café grinder 300"]),
        ("kt_", ["Чайник «Їжачок» 1.7 л"]),
        ("k%", ["Чайник електричний"]),
        ("%", []),
        ("_", []),
        ("4820001", ["Їдальня"]),
        ("'; drop table product; --", []),
    ],
)
def test_products_are_found_by_words_in_any_case_and_by_number(
    shop: Session, text: str, found: list[str]
) -> None:
    assert sorted(one.name for one in find_products(shop, text)) == sorted(found)


def test_the_list_goes_on_after_the_last_one_by_the_alphabet(shop: Session) -> None:
    first = find_products(shop, limit=3)
    rest = find_products(shop, limit=3, after=first[-1])
    assert [one.name for one in first + rest] == sorted(SHELF, key=sort_key)


LETTERS = st.text(st.characters(categories=("Ll", "Lu"), include_characters="їёґéß"), max_size=40)


@given(LETTERS, st.integers(0, 40), st.integers(1, 40))
@settings(deadline=None)
def test_every_part_of_a_word_is_in_its_sort_key(word: str, start: int, length: int) -> None:
    plain = "".join(char for char in word if _is_plain(char))
    part = plain[start : start + length]
    assert not part or _weights(
        part.upper() if len(part.upper()) == len(part) else part
    ) in sort_key(plain)


def _is_plain(char: str) -> bool:
    return char.isascii() or "а" <= char.lower() <= "я" or char.lower() in "їєіґё"


def test_a_product_needs_a_name_of_its_own(shop: Session) -> None:
    with pytest.raises(HelpdeskError, match="needs a name"):
        create_product(shop, name=" \x00 ", at=now())
    with pytest.raises(Conflict) as taken:
        create_product(shop, name=" Їдальня ", at=now())
    assert taken.value.field == "name"
    with pytest.raises(Conflict) as number:
        create_product(shop, name="Other", sku="WM-5105", at=now())
    assert number.value.field == "sku"
    assert len(create_product(shop, name="x" * 500, at=now()).name) == NAME_LIMIT


def test_a_switched_off_product_is_listed_only_when_asked_for(shop: Session) -> None:
    hall = product_named(shop, "Їдальня")
    change_product(shop, hall, active=False, sku="", at=now())
    change_product(shop, hall, active=False, at=now())
    assert find_products(shop, "їдальня") == []
    assert find_products(shop, "їдальня", active=False) == [hall]
    told = shop.scalars(select(Event.data).where(Event.kind == "product.changed")).all()
    assert list(told) == [{"product_id": hall.id, "fields": ["active", "sku"]}]


def test_a_program_names_a_product_by_number_name_or_id(shop: Session) -> None:
    hall = product_named(shop, "482000100200")
    assert hall.name == "Їдальня"
    assert product_named(shop, hall.id) == product_named(shop, str(hall.id)) == hall
    trap = create_product(shop, name="Trap", sku=str(hall.id), at=now())
    assert product_named(shop, str(hall.id)) == trap and product_named(shop, hall.id) == hall
    for ref in ("nothing", "9" * 30, 0, -1, "²"):
        with pytest.raises(HelpdeskError, match="no product"):
            product_named(shop, ref)
