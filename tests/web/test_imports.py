"""Import and export as supervisors use them: choose a file, name its columns, check, mend."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from helpdesk import ext
from helpdesk.clients.actions import add_contact_point, add_person, change_client, create_client
from helpdesk.clients.billing import put_invoice, put_purchase
from helpdesk.clients.items import put_item
from helpdesk.clients.models import Client
from helpdesk.events import Actor, Event
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.web.admin import imports
from tests.cast import Cast
from tests.clients.tables import begin, book, counts, imported, problems, raw_book, start, work
from tests.web.conftest import Page, Pages

CLIENTS = "Код;ПІБ;Пошта;Щось\n1;Олена;o@x.example;1\n2;Іван;не адреса;2\n"


@pytest.fixture
def sam(pages: Pages) -> Pages:
    pages.log_in("sam")
    return pages


def choose(browser: Pages, data: bytes, name: str = "clients.csv", kind: str = "clients") -> Page:
    page = browser.get("/admin/import")
    fields = page.form("/admin/import") | {"kind": kind}
    return browser.send("/admin/import", fields | {"file": (io.BytesIO(data), name)})


def test_a_file_is_chosen_mapped_checked_and_imported(sam: Pages) -> None:
    page = choose(sam, CLIENTS.encode("cp1251"))
    fields = page.form(f"{page.place}/map")
    assert [fields[f"c{n}"] for n in range(4)] == ["external_id", "name", "emails", ""]
    assert "Олена" in page.text and "o@x.example" in page.text
    sam.post(f"{page.place}/map")
    assert "Being checked" in sam.get(page.place).text
    work()
    checked = sam.get(page.place)
    assert "Import 1 row" in checked.text and "Пошта: This is not an email address" in checked.text
    sam.post(f"{page.place}/start")
    work()
    assert "Imported" in sam.get(page.place).text
    assert "clients.csv" in sam.get("/admin/import").text


def test_bad_rows_are_downloaded_mended_and_imported(sam: Pages, cast: Cast) -> None:
    page = choose(sam, CLIENTS.encode())
    sam.post(f"{page.place}/map")
    work()
    answer = sam.raw("GET", f"{page.place}/problems.csv")
    lines = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";"))
    assert lines[0][:4] == ["Код", "ПІБ", "Пошта", "Щось"]
    assert lines[1][:5] == ["2", "Іван", "не адреса", "2", "3"]
    assert "not an email address" in lines[1][5]
    mended = answer.text.replace("не адреса", "ivan@x.example")
    again = choose(sam, mended.encode())
    sam.post(f"{again.place}/map")
    work()
    sam.post(f"{sam.get(again.place).place}/start")
    work()
    with ext.session() as session:
        assert session.scalar(select(Client.name).where(Client.external_id == "2")) == "Іван"


def test_problems_come_by_pages_of_whole_rows(
    sam: Pages, cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(imports, "PROBLEMS", 3)
    rows = "".join(f"{n},bad,bad{n}\n" for n in range(3))
    run_id = begin(
        tmp_path / "f", f"ID,Phone,Email\n{rows}4,{'x' * 40_000},a@x.example\n", cast.sam
    )
    work()
    place, said = f"/admin/import/{run_id}", []
    for after in ("", "?after=2", "?after=3"):
        said.append(sam.get(f"{place}{after}").text.count("This is not"))
    assert said == [2, 2, 2]
    lines = list(
        csv.reader(sam.raw("GET", f"{place}/problems.csv").text.splitlines(), delimiter=";")
    )
    assert lines[-1][:3] == ["4", "", "a@x.example"]  # no mark of ours to be imported


def test_the_mapping_is_remembered_for_the_same_headers(sam: Pages) -> None:
    page = choose(sam, CLIENTS.encode())
    sam.post(f"{page.place}/map", c3="about")
    again = choose(sam, CLIENTS.replace("Олена", "Ольга").encode())
    assert again.form(f"{again.place}/map")["c3"] == "about"


def test_a_mapping_that_cannot_be_is_said_and_shown_again(sam: Pages) -> None:
    page = choose(sam, CLIENTS.encode())
    shown = sam.post(f"{page.place}/map", c1="external_id")
    assert shown.status == 400 and "Two columns cannot mean the same: Код, ПІБ" in shown.text
    assert shown.form(f"{page.place}/map")["c1"] == "external_id"


def test_another_encoding_or_delimiter_is_chosen(sam: Pages) -> None:
    page = choose(sam, CLIENTS.encode())
    again = sam.post(f"{page.place}/reading", delimiter="comma")
    assert "Код;ПІБ;Пошта;Щось" in again.text


def test_sheets_are_chosen(sam: Pages) -> None:
    data = book([["Name"], ["a"]], [["Email"], ["b@x.example"]])
    page = choose(sam, data, "clients.xlsx")
    again = sam.post(f"{page.place}/reading", sheet="Sheet2")
    assert "b@x.example" in again.text


def test_the_row_of_the_headers_is_chosen_and_remembered(sam: Pages) -> None:
    data = "A;B;C;D\n" + CLIENTS
    page = choose(sam, data.encode())
    assert page.form(f"{page.place}/reading")["header"] == "1"
    again = sam.post(f"{page.place}/reading", header="2")
    assert "c3" in again.form(f"{page.place}/map") and "ПІБ" in again.text
    assert sam.post(f"{page.place}/reading", header="99").status == 400
    sam.get(page.place)
    sam.post(f"{page.place}/map", c3="about")
    later = choose(sam, data.replace("Олена", "Ольга").encode())
    assert later.form(f"{later.place}/reading")["header"] == "2"
    assert later.form(f"{later.place}/map")["c3"] == "about"


def test_stop_and_go_on(sam: Pages) -> None:
    page = choose(sam, CLIENTS.encode())
    sam.post(f"{page.place}/map")
    work()
    sam.get(page.place)
    sam.post(f"{page.place}/start")
    stopped = sam.post(f"{page.place}/stop")
    assert "Stopped" in stopped.text
    sam.post(f"{page.place}/go-on")
    work()
    assert "Imported" in sam.get(page.place).text


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "a.csv", "The file is empty."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "a.xls", "Save it as XLSX or CSV"),
        (b"\x7fELF" + bytes(range(1, 30)) * 99, "a.csv", "This is no text"),
        (raw_book("<sheetData/>"), "a.xlsx", "The file is empty."),
        (b"Name\n", "a.csv", "no rows below"),
    ],
)
def test_what_is_no_table_is_said_beside_the_field(
    sam: Pages, data: bytes, name: str, sentence: str
) -> None:
    page = choose(sam, data, name)
    assert page.status == 400 and sentence in page.text


def test_a_file_over_the_limit_is_refused_and_the_limit_said(sam: Pages) -> None:
    assert "at most 25 MB" in sam.get("/admin/import").text
    sam.app.config["MAX_MAIL_BYTES"] = 1 << 17
    page = choose(sam, b"Name\n" + b"x\n" * (1 << 17))
    assert page.status == 400 and "The file is too large" in page.text


def test_a_gigabyte_is_refused_before_it_is_read(sam: Pages) -> None:
    sam.get("/admin/import")
    said: dict[str, Any] = {"CONTENT_LENGTH": str(1 << 30)}
    form = "multipart/form-data; boundary=B"
    answer = sam.raw(
        "POST", "/admin/import", data=b"--B", content_type=form, environ_overrides=said
    )
    assert answer.status_code == 413


def test_formulas_and_merged_cells_are_told(sam: Pages, cast: Cast, tmp_path: Path) -> None:
    sheet = "<sheetData><row><c t='str'><v>Name</v></c><c t='str'><v>Note</v></c></row>"
    sheet += "<row><c t='str'><v>Ann</v></c><c><f>1/0</f><v/></c></row>"
    sheet += "<row><c t='str'><v>Bob</v></c><c t='e'><v>#REF!</v></c></row></sheetData>"
    sheet += "<mergeCells><mergeCell ref='A1:A2'/></mergeCells>"
    run_id = begin(tmp_path / "f", raw_book(sheet), cast.sam)
    work()
    assert [row for row, _c, _s in problems(run_id)] == [0, 2, 3]
    page = sam.get(f"/admin/import/{run_id}")
    assert "A formula without a result" in page.text and "A1:A2 are merged" in page.text
    assert "An error of the spreadsheet: #REF!" in page.text


def test_agents_have_neither(pages: Pages) -> None:
    pages.log_in("alice")
    assert pages.get("/admin/import").status == 404
    assert pages.get("/admin/export").status == 404


def record(cast: Cast) -> None:
    """A client with everything that an export holds."""
    by: dict[str, Any] = {"actor": Actor(user_id=cast.sam.id), "at": now()}
    with ext.write() as session:
        seed_fields(session)
        org = create_client(session, kind="organisation", name='ТОВ "=Ромашка"', at=now())
        org.profile = {"birthday": "1999-01-01"}  # of a time when the field was for all
        client = create_client(session, kind="person", name="=cmd|' /C calc'!A0", at=now())
        change_client(
            session,
            client,
            **by,
            tags=["a;b"],
            about="'- перше\n- друге",
            timezone="Europe/Kyiv",
            external_id="007",
            organisation_id=org.id,
            owner_id=cast.sam.id,
            profile={"birthday": "1980-12-31", "children": 2, "income": 12.5},
        )
        for name in ("Олена", "@Іван"):
            person = add_person(session, client, name=name, role="+шеф", at=now())
            for kind, value in (("phone", "067 123 45 67"), ("email", "o@x.example")):
                add_contact_point(session, person, kind=kind, value=value, country="UA", at=now())
        product = create_product(session, name="Пральна машина", sku="0042", at=now())
        day = now().date()
        values = {"external_id": "-1", "amount": 124050, "currency": "UAH"}
        bought = {"bought_on": day, "title": "=1+1", "product_id": product.id, "quantity": 2}
        put_purchase(session, client, values | bought, **by)
        put_invoice(session, client, values | {"issued_on": day, "paid": 1, "due_on": day}, **by)
        put_item(session, client, {"product_id": product.id, "serial": "АВ-12", "note": "x"}, **by)


def exported(sam: Pages, kind: str, form: str) -> TestResponse:
    return sam.raw("GET", f"/admin/export/{kind}.{form}")


@pytest.mark.parametrize("form", ["csv", "comma", "xlsx"])
@pytest.mark.parametrize("kind", ["clients", "purchases", "invoices", "items"])
def test_our_own_export_changes_nothing_when_it_is_imported(
    sam: Pages, cast: Cast, tmp_path: Path, kind: str, form: str
) -> None:
    record(cast)
    data = exported(sam, kind, form).data
    run_id = imported(tmp_path / "f", data, cast.sam, kind)
    state, created, changed, same, bad = counts(run_id)
    assert not problems(run_id)
    assert (state, created, changed, bad) == ("done", 0, 0, 0)
    assert same == {"clients": 5}.get(kind, 1)


def test_no_cell_of_an_export_is_a_formula(sam: Pages, cast: Cast) -> None:
    record(cast)
    text = exported(sam, "clients", "csv").text
    cells = [c for line in csv.reader(io.StringIO(text[1:]), delimiter=";") for c in line]
    assert text.startswith("\ufeff") and not [c for c in cells if c[:1] in "=+-@\t\r" and c]
    assert "'+380 67 123 45 67" in cells
    sheet = load_workbook(io.BytesIO(exported(sam, "clients", "xlsx").data)).active
    found = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in found} == {"s"}
    assert "+380 67 123 45 67" in {cell.value for cell in found}


def test_who_exported_what_is_recorded(sam: Pages, cast: Cast) -> None:
    exported(sam, "clients", "csv")
    with ext.session() as session:
        found = session.execute(
            select(Event.user_id, Event.data).where(Event.kind == "export.made")
        ).one()
    assert found.user_id == cast.sam.id and found.data["kind"] == "clients"


def test_debts_come_in_from_a_table(cast: Cast, tmp_path: Path) -> None:
    data = "Номер счета;Дата счета;Оплатить до;Сумма;Оплачено;Почта клиента;Почта\n"
    data += "А-1;01.10.2026;31.10.2026;1 240,50;0;;oksana@client.example\n"
    data += "А-2;01.10.2026;;сто;;;oksana@client.example\n"
    data += "А-3;01.10.2026;;1;;;nobody@client.example\n"
    path = tmp_path / "f"
    run_id = begin(path, data, cast.sam, "invoices")
    work()
    assert counts(run_id) == ("checked", 1, 0, 0, 2)
    start(run_id)
    work()
    assert counts(run_id) == ("done", 1, 0, 0, 2)
    assert [column for _r, column, _s in problems(run_id)] == ["Сумма", "Почта"]
    changed = imported(path, data.replace("50;0;", "50;1240,50;"), cast.sam, "invoices")
    assert counts(changed) == ("done", 0, 1, 0, 2)
    with ext.session() as session:
        query = select(func.count(Event.id)).where(Event.kind == "client.facts")
        assert session.scalar(query) == 2
