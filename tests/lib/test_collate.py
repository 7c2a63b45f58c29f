"""Names sort by the alphabet, on every database alike."""

import random
import re
import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib.collate import sort_key


def by_key(names: list[str]) -> list[str]:
    shuffled = names.copy()
    random.Random(7).shuffle(shuffled)
    return sorted(shuffled, key=sort_key)


def test_latin_comes_first_then_the_merged_cyrillic_alphabet() -> None:
    letters = list("abcxyz") + list("абвгґдеёєжзиіїйклмнопрстуфхцчшщъыьэюя")
    assert by_key(letters) == letters


def test_names_sort_as_in_a_phone_book() -> None:
    names = [
        "",
        "12 стільців",
        "100 меблів",
        "Anna",
        "Émile",
        "Zoe",
        "Євген",
        "Іван",
        "Іванна",
        "Їжак",
        "Йосип",
        "Яна",
    ]
    assert by_key(names) == names


def test_case_and_accents_decide_only_between_equals() -> None:
    assert sorted(["Ib", "ia", "IA", "ib"], key=sort_key) == ["ia", "IA", "ib", "Ib"]
    assert sorted(["côte", "cotf", "cote"], key=sort_key) == ["cote", "côte", "cotf"]


def test_numbers_sort_by_value() -> None:
    names = ["Ticket 2", "Ticket 007", "Ticket 10", "Ticket 10 b", "Ticket 100"]
    assert by_key(names) == names


def test_a_shorter_name_comes_before_the_longer_one() -> None:
    names = ["Ann", "Ann Z", "Anna", "Ан", "Ан Я", "Анна"]
    assert by_key(names) == names


def test_apostrophes_do_not_count() -> None:
    assert sorted(["Мар’яна", "Марʼян", "Марян"], key=sort_key) == ["Марян", "Марʼян", "Мар’яна"]


@given(st.lists(st.text(max_size=140), max_size=8))
@settings(deadline=None)
def test_a_database_sorts_keys_as_python_does(texts: list[str]) -> None:
    keys = [sort_key(t) for t in texts]
    assert all(re.fullmatch("[0-9a-z]+", key) and len(key) < 1500 for key in keys)
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (k TEXT)")
        database.executemany("INSERT INTO t VALUES (?)", [(k,) for k in keys])
        rows = [k for (k,) in database.execute("SELECT k FROM t ORDER BY k")]
    database.close()
    assert rows == sorted(keys)
