"""A table is chosen, checked and imported in the browser while its page shows how far it is."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import inspect

pytestmark = pytest.mark.browser

HEAD = "Код клієнта;ПІБ;E-mail;Телефон;Мітки;Примітка\n"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_file_is_imported_before_ones_eyes(
    visit: Visitor, tmp_path: Path, size: tuple[int, int]
) -> None:
    mark = f"i{size[0]}"
    rows = "".join(
        f"{mark}-{n};Клієнт {mark} {n};c{n}@{mark}.example;;новий;з виставки\n" for n in range(900)
    )
    bad = f"{mark}-x;Іван;не адреса;12;;\n"
    file = tmp_path / "clients.csv"
    file.write_text(HEAD + rows + bad, "cp1251")
    page = visit("admin", size)
    page.goto("/admin/import")
    assert inspect(page) == []
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name=re.compile("Look into it")).click()
    expect(page.get_by_label("ПІБ")).to_have_value("name")
    assert inspect(page) == []
    page.get_by_role("button", name=re.compile("Check the file")).click()
    begin = page.get_by_role("button", name=re.compile("Import 900 rows"))
    expect(begin).to_be_visible()
    assert inspect(page) == []
    begin.click()
    expect(page.get_by_text("Imported", exact=True)).to_be_visible()
    expect(page.get_by_text("Show again")).to_have_count(0)
    assert inspect(page) == []
    page.goto("/admin/export")
    assert inspect(page) == []
