"""Time zones: a list that comes when it is asked for, and a city is enough."""

import pytest

from helpdesk.web.desk.zones import find_zone
from tests.web.conftest import Pages


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Europe/Kyiv", "Europe/Kyiv"),
        (" europe/kyiv ", "Europe/Kyiv"),
        ("Kyiv", "Europe/Kyiv"),
        ("new york", "America/New_York"),
        ("Argentina/Buenos Aires", "Argentina/Buenos Aires"),
        ("America/Argentina/Buenos Aires", "America/Argentina/Buenos_Aires"),
        ("київ", "Europe/Kyiv"),
        ("Нью-Йорк", "America/New_York"),
        ("utc", "UTC"),
        ("EST5EDT", "EST5EDT"),
        ("Mars", "Mars"),
        ("", ""),
    ],
)
def test_a_zone_is_found_as_people_write_it(typed: str, meant: str) -> None:
    assert find_zone(typed) == meant


def test_the_list_is_fetched_once_a_day(alice: Pages) -> None:
    page = alice.get("/desk/zones")
    assert "Europe/Kyiv" in page.html
    assert page.response.headers["Cache-Control"] == "private, max-age=86400"


def test_a_typed_city_is_saved_and_an_unknown_one_is_shown_again(alice: Pages) -> None:
    alice.get("/desk/me")
    page = alice.post("/desk/me", timezone="warsaw")
    assert page.one("input[@name='timezone']").get("value") == "Europe/Warsaw"
    page = alice.post("/desk/me", timezone="Mars")
    assert page.status == 400
    assert page.one("input[@name='timezone']").get("value") == "Mars"
    assert "Choose one from the list." in page.text


def test_pages_with_a_zone_are_small(pages: Pages) -> None:
    pages.log_in("ada")
    paths = ("/desk/me", "/admin/calendars/new", "/admin/calendars/1", "/admin/staff/new")
    for path in paths:
        assert len(pages.get(path).response.data) < 30_000, path
