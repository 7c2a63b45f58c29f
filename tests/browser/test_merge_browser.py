"""The lists of duplicates and gaps and the form that merges, as people see them."""

from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE, House, Visitor
from tests.browser.test_classify_browser import posted
from tests.browser.test_pages import inspect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def twins(house: House) -> list[int]:
    """Two records of one client, with the same number and different values."""
    token = house.token()
    point = {"kind": "phone", "value": "067 555 44 33"}
    found = []
    for name, language in (("Zinaida Browser", "en"), ("Браузер Зинаида", "ru")):
        person = {"name": name, "contact_points": [point]}
        body: dict[str, Any] = {"name": name, "language": language, "people": [person]}
        found.append(int(posted(f"{house.url}/api/v1/clients", token, body)["id"]))
    return found


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_pages_of_duplicates_and_gaps_are_sound(
    visit: Visitor, twins: list[int], size: tuple[int, int]
) -> None:
    page = visit("denys", size)
    for path in (
        "/desk/duplicates",
        "/desk/gaps",
        "/desk/gaps?show=language",
        f"/desk/clients/{twins[0]}/merge",
        f"/desk/clients/{twins[0]}/merge?with={twins[1]}",
    ):
        page.goto(path)
        assert inspect(page) == [], path
