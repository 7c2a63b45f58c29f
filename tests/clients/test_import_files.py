"""Tables as programs of people's own save them, and rows about whom somebody changed here since."""

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.exporting import rows as exported
from helpdesk.clients.import_models import ImportKind
from helpdesk.clients.importing import run
from helpdesk.clients.importing.columns import columns_of
from helpdesk.clients.importing.facts import day_of
from helpdesk.clients.importing.limits import BadFile
from helpdesk.clients.importing.reading import Table, open_file
from helpdesk.clients.importing.world import World
from helpdesk.clients.merge import merge
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.clients.people import remove_person
from helpdesk.events import SYSTEM
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from tests.cast import Cast
from tests.clients.tables import book, counts, imported, problems, raw_book

HEAD = "External ID,Name,Email,Phone\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table"


def opened(path: Path, data: bytes) -> Table:
    path.write_bytes(data)
    return Table(path, open_file(path).reading)


def renamed(data: bytes, old: str, new: str) -> bytes:
    """The same archive with one part called otherwise."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as given, zipfile.ZipFile(out, "w") as made:
        for name in given.namelist():
            made.writestr(name.replace(old, new), given.read(name))
    return out.getvalue()


def test_parts_of_an_xlsx_are_found_in_capitals_too(file: Path) -> None:
    data = renamed(book([["Name"], ["Ann"]]), "sharedStrings", "SharedStrings")
    assert [row.cells for row in opened(file, data)] == [["Ann"]]


def test_the_first_sheet_that_is_seen_and_filled_is_read(file: Path) -> None:
    out = BytesIO()
    with xlsxwriter.Workbook(out) as made:
        lists, _empty, clients = (made.add_worksheet(name) for name in ("Lists", "New", "Clients"))
        lists.write_column(0, 0, ["Cities", "Kyiv"])
        clients.write_column(0, 0, ["Name", "Ann"])
        clients.activate()
        lists.hide()
    file.write_bytes(out.getvalue())
    found = open_file(file)
    assert (found.headers, found.choices) == (["Name"], ["New", "Clients", "Lists"])


def test_characters_that_xml_cannot_hold_are_read(file: Path) -> None:
    sheet = "<sheetData><row><c t='str'><v>Note</v></c></row>"
    sheet += "<row><c t='str'><v>one_x000D_\ntwo_x005F_x0041__x0000_</v></c></row></sheetData>"
    assert [row.cells for row in opened(file, raw_book(sheet))] == [["one\r\ntwo_x0041__x0000_"]]


@pytest.mark.parametrize(
    "text",
    ["<html>\n<table>\n<tr><td>Name</td></tr>\n", '\ufeff<?xml version="1.0"?>\n<Workbook/>\n'],
)
def test_a_page_called_a_table_is_refused(file: Path, text: str) -> None:
    with pytest.raises(BadFile, match="no table"):
        opened(file, text.encode())


def test_a_total_above_empty_rows_is_known(file: Path) -> None:
    table = opened(file, f"Name;Sum\nAnn;5\nРазом:;5\n{';' * 9}\n{chr(10) * 30}".encode())
    assert [(row.number, row.total) for row in table] == [(2, ""), (3, "sum")]


def test_one_text_that_is_too_long_costs_its_row(cast: Cast, file: Path) -> None:
    run_id = imported(file, f"{HEAD}1,{'x' * 40_000},,\n2,Bob,,\n", cast.sam)
    assert counts(run_id) == ("done", 1, 0, 0, 1)
    assert problems(run_id)[0][:2] == (2, "Name")
    assert "longer than 32767" in problems(run_id)[0][2]


def test_numbers_that_programs_calculated_with_are_read_or_refused_whole(
    cast: Cast, file: Path
) -> None:
    data = "ID;Name;Phone\n1;A;380671234567.0\n2;B;380671234568,0\n3;C;3,80671E+11\n"
    data += "4;D;067 111 22 33/050 111 22 33\n5;E;044/123-45-67\n"
    run_id = imported(file, data, cast.sam)
    assert problems(run_id) == [(4, "Phone", "This is not a phone number: 3,80671E+11")]
    with ext.session() as session:
        keys = select(ContactPoint.key).join(Person).join(Client)
        found = list(session.scalars(keys.where(Client.external_id > "").order_by(ContactPoint.id)))
    assert found[:2] == ["+380671234567", "+380671234568"]
    assert found[2:] == ["+380671112233", "+380501112233", "+380441234567"]


@pytest.mark.parametrize("cell", ["20251231abc", "2026-11-21garbage", "31.02.2026", "31.12.9999"])
def test_what_is_no_day_is_refused(cell: str) -> None:
    with pytest.raises(HelpdeskError):
        day_of(cell)


def test_a_name_in_several_columns_is_joined(cast: Cast, file: Path) -> None:
    head = "ID;Прізвище;Ім’я;По батькові;E-mail\n"
    imported(file, f"{head}1;Мороз;Олена;Іванівна;o@x.example\n2;;Тарас;;\n", cast.sam)
    imported(file, "ID;Name;First name;Last name\n3;Ann Lee;Ann;Lee\n", cast.sam)
    with ext.session() as session:
        names = select(Client.name).where(Client.external_id > "").order_by(Client.external_id)
        assert list(session.scalars(names)) == ["Мороз Олена Іванівна", "Тарас", "Ann Lee"]


def test_messengers_with_marks_in_them_come_back_as_they_were(cast: Cast, file: Path) -> None:
    names = ["Viber: a, b; c", "'@nick"]
    with ext.write() as session:
        person = session.get_one(Person, cast.oksana.person_id)
        for name in names:
            add_contact_point(session, person, kind="messenger", value=name, country="UA", at=now())
    columns = columns_of(ImportKind.CLIENTS, [])
    lines = [[column.label for column in columns], *exported(ImportKind.CLIENTS, columns)]
    assert counts(imported(file, book(lines), cast.sam))[1:] == (0, 0, len(lines) - 1, 0)


def test_a_person_who_was_removed_here_stops_no_import(cast: Cast, file: Path) -> None:
    head = "External ID;Name;External ID of the person;Contact person\n"
    data = f"{head}F;ТОВ Ромашка;p1;Олена\nF;ТОВ Ромашка;p2;Іван\n"
    imported(file, data, cast.sam)
    with ext.write() as session:
        person = session.scalars(select(Person).where(Person.external_id == "p2")).one()
        remove_person(session, person, actor=SYSTEM, at=now())
    assert counts(imported(file, data, cast.sam)) == ("done", 0, 1, 1, 0)
    assert counts(imported(file, data, cast.sam)) == ("done", 0, 0, 2, 0)


def test_a_person_who_was_merged_here_is_the_one_who_stayed(cast: Cast, file: Path) -> None:
    data = "Name;External ID of the person;Email\nAnn;p1;a@x.example\nAnn;p2;b@x.example\n"
    imported(file, data, cast.sam)
    with ext.write() as session:
        ids = session.scalars(select(Client.id).where(Client.name == "Ann").order_by(Client.id))
        merge(session, *ids, actor=SYSTEM, at=now())
    assert counts(imported(file, data, cast.sam)) == ("done", 0, 0, 2, 0)
    named = "Contact person;External ID of the person\nAnn;p2\n"
    assert counts(imported(file, named, cast.sam)) == ("done", 0, 0, 1, 0)


def test_a_row_that_breaks_the_writing_stays_out_alone(
    cast: Cast, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no check knows of costs its row: the others come in, and the run comes to its end."""
    whole = run.write

    def breaks(session: Session, world: World, **about: Any) -> None:
        whole(session, world, **about)
        if session.scalar(select(Client.id).where(Client.external_id == "B2")):
            session.execute(insert(Client).values(id=1))  # what the database refuses

    monkeypatch.setattr(run, "write", breaks)
    rows = "B1,Ann,,\nB2,Bob,,\nB3,Eve,,\n"
    done = imported(file, HEAD + rows, cast.alice)
    assert counts(done) == ("done", 2, 0, 0, 1)
    assert [one[:2] for one in problems(done)] == [(3, "")]
    with ext.session() as session:
        query = select(Client.external_id).where(Client.external_id.startswith("B"))
        assert session.scalars(query.order_by(Client.external_id)).all() == ["B1", "B3"]
