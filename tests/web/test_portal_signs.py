"""Customers' pages carry their own small sheet of signs, with all that they show."""

from pathlib import Path

from tests import portal_sprite
from tests.web.conftest import Pages

STATIC = Path(__file__).resolve().parents[2] / "static"
MOST = 10_000


def test_sheet_holds_what_the_pages_use() -> None:
    """`python -m tests.portal_sprite` makes it anew."""
    assert (STATIC / "portal.svg").read_text("utf-8") == portal_sprite.made()
    assert (STATIC / "portal.svg").stat().st_size <= MOST


def test_customers_get_the_small_sheet_and_staff_the_whole(pages: Pages) -> None:
    assert "/static/portal.svg" in pages.get("/en/").html
    assert "/static/sprite.svg" not in pages.get("/en/").html
    pages.log_in("alice")
    assert "/static/sprite.svg" in pages.get("/desk").html
