"""Any file that people choose: read as a table, or refused with a sentence that says what to do."""

import struct
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpdesk.clients.importing.guard import guarded, unguarded
from helpdesk.clients.importing.limits import BROKEN, BadFile
from helpdesk.clients.importing.reading import Table, open_file
from tests.clients.tables import book, raw_book

TEXT = "Ім’я;Телефон;Місто\nЮлія Ґудзь;067 123 45 67;Київ\nІван Їжак;050 111 22 33;Львів\n"
WESTERN = "Name;City\nJosé Muñoz;Málaga\nZoë Brontë;Köln\n"
RUSSIAN = "Имя;Город\nОльга Ивановна;Харьков\nПётр Щукин;Одесса\n" * 5


def read(folder: Path, data: bytes, **wanted: str) -> tuple[list[str], list[list[str]]]:
    """Headers and rows."""
    path = folder / "file"
    path.write_bytes(data)
    opened = open_file(path, wanted)
    rows = Table(path, opened.reading)
    return opened.headers, [list(row.cells) for row in rows]


def refused(folder: Path, data: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        read(folder, data)
    return str(caught.value)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8-u"]
)
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    text = TEXT if encoding.startswith("utf") else TEXT.replace("’", "'")
    headers, rows = read(tmp_path, text.encode(encoding))
    assert headers == text.splitlines()[0].split(";")
    assert rows == [line.split(";") for line in text.splitlines()[1:]]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-u", "cp866"])
def test_russian_in_old_encodings_is_read(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, RUSSIAN.encode(encoding))[1][0] == ["Ольга Ивановна", "Харьков"]


def test_western_names_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, WESTERN.encode("cp1252"))[1][0] == ["José Muñoz", "Málaga"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, mark: str) -> None:
    text = f"Name{mark}Note\nA{mark}x, y and z\nB{mark}one; two\n".replace(
        "x, y and z", '"x, y"' if mark == "," else "x y"
    )
    headers, rows = read(tmp_path, text.encode())
    assert headers == ["Name", "Note"] and len(rows) == 2 and len(rows[0]) == 2


def test_excel_may_name_the_delimiter(tmp_path: Path) -> None:
    assert read(tmp_path, b"sep=|\nName|Note\nA|b;c;d\n")[1] == [["A", "b;c;d"]]


def test_quotes_and_lines_within_cells_are_kept(tmp_path: Path) -> None:
    data = b'Name,Note\n"Ann ""Annie"" Lee","line one\nline two"\n'
    assert read(tmp_path, data)[1] == [['Ann "Annie" Lee', "line one\nline two"]]


def test_nul_octets_are_dropped(tmp_path: Path) -> None:
    assert read(tmp_path, b"Name,City\nA\0nn,Ky\0iv\n")[1] == [["Ann", "Kyiv"]]


def test_repeated_and_empty_headers_get_names(tmp_path: Path) -> None:
    headers, _ = read(tmp_path, b"Phone,Phone,,Phone\n1,2,3,4\n")
    assert headers == ["Phone", "Phone (2)", "#3", "Phone (3)"]


def test_empty_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\n\nName\n\nAnn\n  \nBob\n")
    table = Table(path, open_file(path).reading)
    assert [(row.number, row.cells[0]) for row in table] == [(5, "Ann"), (7, "Bob")]


def test_reading_goes_on_after_a_row(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"Name\nA\nB\nC\n")
    table = Table(path, open_file(path).reading)
    table.skip_to(3)
    assert [row.cells[0] for row in table] == ["C"]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "empty"),
        (b" \r\n\t\n\n", "empty"),
        (b"Name;Email\n", "no rows"),
        (b"%PDF-1.7 ...", "no table"),
        (b"\x89PNG\r\n\x1a\n....", "no table"),
        (bytes(range(1, 32)) * 400, "no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 900, "XLS"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (b"Name\n" + b"x" * 10_000_000, "longer than"),
        (b'Name,Note\n"a' + b",b\n" * 3_000_000, "quotation mark"),
        (b'Name,Note\n"Ann,a\nBob,b\nCy,c\n', "row 2 is never closed"),
        (b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n", "columns"),
        (b"Name,Note\n" + b"a," * 1_000_000 + b"a\n", "columns"),
    ],
    ids=range(14),
)
def test_what_is_no_table_is_refused_with_a_sentence(
    tmp_path: Path, data: bytes, part: str
) -> None:
    assert part in refused(tmp_path, data)


def test_xlsx_cells_are_read_as_they_were_typed(tmp_path: Path) -> None:
    data = book([["Name", "Phone", "Sum", "Share", "Yes"], ["Ann", 380671234567, 12.5, 0.1, True]])
    assert read(tmp_path, data)[1] == [["Ann", "380671234567", "12.5", "0.1", "yes"]]


def test_numbers_in_xlsx_have_no_exponent(tmp_path: Path) -> None:
    sheet = "<sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>Phone</t></is></c></row>"
    sheet += "<row r='2'><c r='A2'><v>3.80671234567E11</v></c></row></sheetData>"
    assert read(tmp_path, raw_book(sheet))[1] == [["380671234567"]]


def test_dates_in_xlsx_are_days(tmp_path: Path) -> None:
    styles = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    )
    serial = (date(2026, 11, 21) - date(1899, 12, 30)).days
    sheet = "<sheetData><row><c t='str'><v>Day</v></c><c t='str'><v>Hour</v></c></row>"
    sheet += f"<row><c s='1'><v>{serial}</v></c><c s='1'><v>{serial}.5</v></c></row></sheetData>"
    rows = read(tmp_path, raw_book(sheet, styles=styles))[1]
    assert rows == [["2026-11-21", "2026-11-21 12:00"]]


def test_formulas_count_as_their_kept_result_and_are_never_worked_out(tmp_path: Path) -> None:
    sheet = "<sheetData><row><c t='str'><v>A</v></c><c t='str'><v>B</v></c></row>"
    sheet += "<row><c><f>1+1</f><v>7</v></c><c><f>NOW()</f></c></row></sheetData>"
    assert read(tmp_path, raw_book(sheet))[1] == [["7", f"{BROKEN}formula"]]


def test_merged_cells_belong_to_the_first_and_are_named(tmp_path: Path) -> None:
    sheet = (
        "<sheetData><row r='1'><c r='A1' t='str'><v>A</v></c><c r='B1' t='str'><v>B</v></c></row>"
    )
    sheet += "<row r='2'><c r='A2' t='str'><v>x</v></c><c r='B2'/></row></sheetData>"
    path = tmp_path / "file"
    path.write_bytes(raw_book(f"{sheet}<mergeCells><mergeCell ref='A2:B2'/></mergeCells>"))
    table = Table(path, open_file(path).reading)
    assert [list(row.cells) for row in table] == [["x"]] and table.merged == ["A2:B2"]


def test_a_sheet_is_chosen(tmp_path: Path) -> None:
    data = book([["First"], ["a"]], [["Second"], ["b"]])
    assert read(tmp_path, data)[0] == ["First"]
    assert read(tmp_path, data, sheet="Sheet2")[0] == ["Second"]


TITLE = ["Clients of the shop"]
HEADERS = ["Name", "Email", "City"]


@pytest.mark.parametrize(
    ("lines", "headers"),
    [
        ([TITLE, [], HEADERS, ["Ann", "a@x.example", "Kyiv"]], HEADERS),
        ([[], TITLE, ["Printed", "2026-11-22"], HEADERS, ["Ann", "", "Kyiv"]], HEADERS),
        ([["Phone", "Phone", ""], ["1", "2", "3"]], ["Phone", "Phone (2)"]),
        ([["Name"], ["Ann", "a@x.example"]], ["Name"]),
        ([["Name"], ["Ann"]], ["Name"]),
    ],
    ids=range(5),
)
def test_titles_above_the_headers_are_passed_over(
    tmp_path: Path, lines: list[list[str]], headers: list[str]
) -> None:
    assert read(tmp_path, book(lines))[0] == headers
    text = "\n".join(",".join(line) for line in lines)
    assert read(tmp_path, text.encode())[0] == headers


def test_another_row_of_headers_is_chosen(tmp_path: Path) -> None:
    data = book([["A", "B"], ["Name", "City"], ["Ann", "Kyiv"]])
    headers, rows = read(tmp_path, data, header="2")
    assert (headers, rows) == (["Name", "City"], [["Ann", "Kyiv"]])
    with pytest.raises(BadFile, match="Row 9 is empty|empty"):
        read(tmp_path, data, header="9")


def test_one_damaged_character_costs_its_cell_alone(tmp_path: Path) -> None:
    data = TEXT.encode().replace("Їжак".encode(), b"\xd0")
    headers, rows = read(tmp_path, data)
    assert headers == ["Ім’я", "Телефон", "Місто"]
    assert [row[0] for row in rows] == ["Юлія Ґудзь", f"{BROKEN}Іван \ufffd"]
    assert rows[1][1:] == ["050 111 22 33", "Львів"]


def bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/workbook.xml", b" " * 50_000_000)
    return out.getvalue()


def declared_smaller() -> bytes:
    """A part that is larger than the archive says."""
    data = bytearray(bomb())
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 100)
    return bytes(data)


WIDE = "<sheetData><row>" + "<c t='str'><v>x</v></c>" * 5_000 + "</row></sheetData>"
FAR = "<sheetData><row r='99999999'><c t='str'><v>x</v></c></row></sheetData>"
LONG = f"<sheetData><row><c t='str'><v>{'x' * 10_000_000}</v></c></row></sheetData>"
ENTITY = (
    '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    "<worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>"
)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (bomb(), "unpacks"),
        (declared_smaller(), "damaged"),
        (raw_book(WIDE), "columns"),
        (raw_book(FAR), "rows"),
        (raw_book(LONG), ""),
        (raw_book(ENTITY), "document type"),
        (raw_book("<sheetData>"), "damaged"),
        (raw_book("<sheetData/>"), "empty"),
    ],
    ids=["bomb", "lies", "wide", "far", "long", "entity", "broken", "empty"],
)
def test_hostile_xlsx_is_refused_with_a_sentence(tmp_path: Path, data: bytes, part: str) -> None:
    assert part in refused(tmp_path, data)


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda s: s.encode("utf-16")))
@example(b'"\r\n"\0;')
@settings(deadline=None, max_examples=150)
def test_any_octets_are_a_table_or_a_sentence(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        try:
            headers, rows = read(Path(folder), data)
        except BadFile as error:
            assert str(error)
        else:
            assert headers and rows


@given(st.binary(max_size=60), st.integers(0, 2000))
@settings(deadline=None, max_examples=60)
def test_a_damaged_xlsx_is_a_table_or_a_sentence(noise: bytes, place: int) -> None:
    whole = book([["Name", "Sum"], ["Ann", 1], ["Bob", 2]])
    data = whole[:place] + noise + whole[place + len(noise) :]
    with TemporaryDirectory() as folder:
        try:
            read(Path(folder), data)
        except BadFile as error:
            assert str(error)


@given(st.text(alphabet="'=+-@\t\r\n ax＝＋", max_size=6) | st.text(max_size=20))
def test_a_guarded_cell_runs_nothing_and_reads_back(cell: str) -> None:
    written = guarded(cell)
    assert unguarded(written) == cell
    assert written.lstrip("' \u3000")[:1] not in ("=", "+", "-", "@") or written[0] == "'"
